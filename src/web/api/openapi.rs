//! The `OpenAPI` 3.1 document, made of the routes.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    input::parameters,
    problem::{self, Problem},
    route::{Method, Route},
    serve::BASE,
};
use crate::domain::Role;

/// What the document says of the API as a whole.
const DESCRIPTION: &str = "Everything that the dashboard shows and does. Lists are pages: pass `next` of one as `after` to get \
    the page that follows. What lies outside the tenants that a token is limited to looks exactly like what does not exist. \
    Errors are problems as in RFC 9457. Send an `Idempotency-Key` with an action, and it is done once, however often the request \
    is repeated. If its answer is not known any more, because the service was stopped in between or because it was a secret, a repeated \
    request is answered with the problem `done-before`.";

pub(super) fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let operation = operation(route, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(route.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let problem: Value = generator.subschema_for::<Problem>().into();
    let responses: Map<String, Value> = STATUSES.iter().map(|status| response(status, &problem)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Scorewatch",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": BASE }],
        "security": [{ "token": [] }, { "session": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": responses,
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "A token from `scorewatch token create`. Not needed where nobody has to sign in: on loopback, \
                                    unless `access` or `public_url` says otherwise.",
                },
                "session": { "type": "apiKey", "in": "cookie", "name": "scorewatch_session", "description": "A person who has signed in." },
            },
        },
    })
}

/// Kinds of problems that any route can answer with, by what they have in common.
const STATUSES: [&problem::Kind; 13] = [
    &problem::BAD_REQUEST,
    &problem::UNAUTHENTICATED,
    &problem::FORBIDDEN,
    &problem::NOT_FOUND,
    &problem::METHOD_NOT_ALLOWED,
    &problem::TIMED_OUT,
    &problem::CONFLICT,
    &problem::TOO_LARGE,
    &problem::NOT_JSON,
    &problem::INVALID,
    &problem::TOO_MANY,
    &problem::FAILED,
    &problem::UNAVAILABLE,
];

fn response(problem::Kind(status, name, title): &problem::Kind, problem: &Value) -> (String, Value) {
    let mut response = json!({ "description": title, "content": { problem::MEDIA_TYPE: { "schema": problem } } });
    if matches!(status.as_u16(), 429 | 503) {
        let seconds = json!({ "description": "After how many seconds to try again.", "schema": { "type": "integer" } });
        response["headers"] = json!({ "Retry-After": seconds });
    }
    ((*name).to_owned(), response)
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let success = json!({
        "description": if route.success.as_u16() == 202 { "It is queued; the service does it within seconds" } else { "Success" },
        "content": { route.media_type: { "schema": (route.output)(generator) } },
    });
    let mut responses = Map::from_iter([(route.success.as_u16().to_string(), success)]);
    for problem::Kind(status, name, _) in STATUSES {
        if can_answer(route, status.as_u16()) {
            responses.insert(status.as_u16().to_string(), json!({ "$ref": format!("#/components/responses/{name}") }));
        }
    }
    if route.method == Method::Get && !route.is_stream() {
        responses.insert("304".to_owned(), json!({ "description": "It is what `If-None-Match` names" }));
    }
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "description": format!(
            "Takes the role `{}`{}.", route.role, if route.is_without_limits { ", without limits" } else { "" }
        ),
        "tags": [tag(route.path)],
        "parameters": of_path(route).chain(of_headers(route)).chain(of_query(route)).collect::<Vec<_>>(),
        "responses": responses,
    });
    operation["x-role"] = json!(route.role);
    operation["x-without-limits"] = json!(route.is_without_limits);
    if route.method == Method::Post {
        let content = json!({ "application/json": { "schema": route.input } });
        operation["requestBody"] = json!({ "required": route.must_say_something(), "content": content });
    }
    operation
}

/// Whether a route can answer with that status.
fn can_answer(route: &Route, status: u16) -> bool {
    match status {
        408 | 413 | 415 => route.method == Method::Post,
        403 => route.role != Role::Viewer,
        // The first letters of an id may be those of several.
        409 => {
            route.method == Method::Post || route.path.contains('{') || parameters(&route.input).contains_key("shift")
        }
        404 => route.path.contains('{') || !parameters(&route.input).is_empty(),
        405 => false,
        _ => true,
    }
}

fn tag(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

fn of_path(route: &Route) -> impl Iterator<Item = Value> {
    let path = route.path;
    route.path_names().map(move |name| {
        let of_tenant = path.starts_with("/tenants");
        let description = match name {
            "id" if of_tenant => "The tenant's id in the configuration.",
            "id" if path.starts_with("/alerts") => {
                "The alert's id, or that of a message about it: whole, or its first letters (`7Q4M2K`)."
            }
            "id" if path.starts_with("/deliveries") => "The delivery's number, or the id of its message: whole, or its first letters.",
            "number" => "The silence's number.",
            "name" if path.starts_with("/tokens") => "The token's name.",
            "name" if path.starts_with("/accounts") => "The account's name.",
            "rule" => "The rule's name.",
            _ => "Its name in the configuration.",
        };
        json!({ "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string" } })
    })
}

fn of_headers(route: &Route) -> impl Iterator<Item = Value> {
    let header = match route.method {
        Method::Get if route.is_stream() => json!({
            "name": "Last-Event-ID", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "As browsers send it when they open the stream again; it counts more than `seen`.",
        }),
        Method::Get => json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The `ETag` of an answer that is known.",
        }),
        Method::Post => json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
            "description": "Drawn at random for this action. Repeated within 24 hours, the request is answered as it was the \
                            first time, or with the problem `done-before`, and nothing is done again.",
        }),
    };
    std::iter::once(header)
}

fn of_query(route: &Route) -> impl Iterator<Item = Value> {
    let named = if route.method == Method::Get { parameters(&route.input) } else { Map::new() };
    let required = route.input.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    named.into_iter().map(move |(name, mut schema)| {
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        json!({
            "name": name, "in": "query", "required": required.iter().any(|one| *one == name.as_str()),
            "description": description, "schema": schema,
        })
    })
}

/// A document that a route answers with.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Document(pub(super) Map<String, Value>);
