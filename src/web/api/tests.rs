//! What the API refuses, what it does once, and what its document promises; on a real store.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, header},
};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use super::{document, of, serve::Who};
use crate::{
    clock::Clock,
    config,
    domain::{Caller, Role, Timestamp},
    store::{Store, sqlite::SqliteStore},
    web::{app::App, limits::Group},
};

struct Fixture {
    app: App,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Answered {
    status: u16,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

impl Fixture {
    async fn new() -> Self {
        Self::with("channels: { soc: { type: webhook, url: 'https://a.example/' } }").await
    }

    async fn with(yaml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scorewatch.yaml");
        std::fs::write(&file, format!("{yaml}\n")).unwrap();
        let loaded = config::load(&file);
        let config = Arc::new(loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems)));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
        let (_, config) = watch::channel(config);
        let clock = Clock::manual(Timestamp::from_seconds(1_767_225_600));
        Self { app: App::new(store.clone(), clock, config), store, _folder: folder }
    }

    async fn ask(&self, role: Role, request: Request<Body>) -> Answered {
        let caller = Caller { role, ..Caller::local("ann") };
        answered(TowerToHyperService::new(of(self.app.clone(), caller)).call(request).await.unwrap()).await
    }

    /// Sends that, with a header for each line of `headers`.
    async fn send(&self, role: Role, line: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(role, request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

async fn answered(response: Response<Body>) -> Answered {
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    Answered { status: parts.status.as_u16(), headers: parts.headers, body }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn whatever_is_refused_is_a_problem_that_says_why() {
    let fixture = Fixture::new().await;
    let silence = json!({ "everything": true, "for": "2h", "comment": "patching" });
    let with = |name: &str, value: Value| {
        let mut silence = silence.clone();
        silence[name] = value;
        silence.to_string()
    };
    let (plain, large) = (silence.to_string(), with("comment", json!("x".repeat(70_000))));
    let of_absent = json!({ "tenants": ["absent"], "for": "2h", "comment": "patching" }).to_string();
    let said = refusals(
        &fixture,
        &[
            (Role::Viewer, "GET /api/v1/nothing", &[][..], ""),
            (Role::Viewer, "GET /api", &[], ""),
            (Role::Viewer, "GET /api/v1/tenants/absent", &[], ""),
            (Role::Viewer, "GET /api/v1/tenants/%ff", &[], ""),
            (Role::Viewer, "GET /api/v1/tenants?limit=0&x=1&failing=yes", &[], ""),
            (Role::Viewer, "GET /api/v1/tenants?after=contoso&label=gold", &[], ""),
            (Role::Viewer, "GET /api/v1/tenants?label=gold", &[], ""),
            (Role::Viewer, "GET /api/v1/alerts?state=open", &[], ""),
            (Role::Viewer, "GET /api/v1/alerts?tenant=Contoso%20Ltd", &[], ""),
            (Role::Viewer, "GET /api/v1/alerts/7Q4M2K", &[], ""),
            (Role::Viewer, "GET /api/v1/alerts/x", &[], ""),
            (Role::Viewer, "GET /api/v1/silences/x", &[], ""),
            (Role::Viewer, "PUT /api/v1/silences", &[], ""),
            (Role::Viewer, "DELETE /api/v1/silences/1/end", &[], ""),
            (Role::Viewer, "POST /api/v1/silences", &[JSON], &plain),
            (Role::Analyst, "POST /api/v1/silences", &[], &plain),
            (Role::Analyst, "POST /api/v1/silences?x=1", &[JSON], &plain),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], "{"),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], "[]"),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &large),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &with("scope", json!("all"))),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &with("for", json!(2))),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &with("ends_at", json!("2026-01-02T00:00:00Z"))),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &with("tenants", json!(["absent"]))),
            (Role::Analyst, "POST /api/v1/silences", &[JSON], &of_absent),
            (Role::Analyst, "POST /api/v1/silences", &[JSON, ("idempotency-key", "a b")], &plain),
            (Role::Analyst, "POST /api/v1/silences/1/end", &[], ""),
            (Role::Analyst, "POST /api/v1/channels/soc/unpark", &[], ""),
            (Role::Admin, "POST /api/v1/channels/soc/unpark", &[], ""),
        ],
    )
    .await;
    insta::assert_snapshot!(said);
}

/// Who sends what, with which headers and body.
type Case<'a> = (Role, &'static str, &'a [(&'static str, &'static str)], &'a str);

/// What each of these is answered, none of which is done.
async fn refusals(fixture: &Fixture, cases: &[Case<'_>]) -> String {
    let mut said = String::new();
    for (role, line, headers, body) in cases {
        let answer = fixture.send(*role, line, headers, body).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{line}: {answer:?}");
        assert_eq!(answer.json()["status"], answer.status, "{line}: {answer:?}");
        let allow = answer.headers.get(header::ALLOW).map(|allow| format!(" Allow: {}", allow.to_str().unwrap()));
        let body: String = body.chars().take(120).collect();
        let _ = writeln!(said, "{role} {line} {body}\n  {}{}", answer.body, allow.unwrap_or_default());
    }
    said
}

#[tokio::test]
async fn a_search_a_stream_and_many_alerts_are_refused_with_a_reason() {
    let acknowledges = |mut which: Value| {
        which["comment"] = json!("seen");
        which.to_string()
    };
    let many = "POST /api/v1/alerts/acknowledge";
    let said = refusals(
        &Fixture::new().await,
        &[
            (Role::Viewer, "GET /api/v1/search", &[], ""),
            (Role::Viewer, "GET /api/v1/search?q=%20", &[], ""),
            (Role::Viewer, "GET /api/v1/events?seen=X", &[], ""),
            (Role::Viewer, "GET /api/v1/events?seen=%2B1", &[], ""),
            (Role::Viewer, "POST /api/v1/events", &[], ""),
            (Role::Viewer, many, &[JSON], &acknowledges(json!({ "rule": "y" }))),
            (Role::Analyst, many, &[JSON], &acknowledges(json!({}))),
            (Role::Analyst, many, &[JSON], &acknowledges(json!({ "alerts": ["x"], "rule": "y" }))),
            (Role::Analyst, many, &[JSON], &acknowledges(json!({ "rule": "y" }))),
            (Role::Analyst, many, &[JSON], &acknowledges(json!({ "alerts": vec!["x"; 1001] }))),
            (Role::Analyst, many, &[JSON], &json!({ "alerts": ["x"], "comment": " " }).to_string()),
        ],
    )
    .await;
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn lists_of_channels_come_whole_or_in_pages() {
    let channel = |name: &str| format!("{name}: {{ type: webhook, url: 'https://{name}.example/' }}");
    let fixture = Fixture::with(&format!("channels: {{ {}, {}, {} }}", channel("a"), channel("b"), channel("c"))).await;
    for path in ["channels", "who-sees"] {
        let ask =
            async |query: &str| fixture.send(Role::Viewer, &format!("GET /api/v1/{path}{query}"), &[], "").await.json();
        let count = |page: &Value| page["items"].as_array().unwrap().len();
        let (whole, first) = (ask("").await, ask("?limit=2").await);
        assert_eq!((count(&whole), &whole["next"], count(&first)), (3, &Value::Null, 2), "{path}");
        let rest = ask(&format!("?limit=2&after={}", first["next"].as_str().unwrap())).await;
        assert_eq!((&rest["items"][0], &rest["next"]), (&whole["items"][2], &Value::Null), "{path}");
    }
}

#[tokio::test]
async fn nobody_learns_anything_without_signing_in() {
    let yaml = "listen: 0.0.0.0:8080\nchannels: { soc: { type: webhook, url: 'https://a.example/' } }";
    let fixture = Fixture::with(yaml).await;
    for path in ["/api/v1/tenants", "/api/v1/events", "/api/v1/openapi.json", "/api/v1/nothing", "/api/v1/silences?x=1"]
    {
        for method in ["GET", "POST", "PUT"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let router = super::routes().with_state(fixture.app.clone());
            let answer = answered(TowerToHyperService::new(router).call(request).await.unwrap()).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.body.contains("urn:scorewatch:problem:unauthenticated"), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let fixture = Fixture::new().await;
    let first = fixture.send(Role::Viewer, "GET /api/v1/rules", &[], "").await;
    let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!((first.status, first.body.as_str()), (200, "{\"items\":[],\"next\":null}"));
    for (known, status) in [(tag.as_str(), 304), ("*", 304), ("W/\"x\"", 200), ("", 200)] {
        let known = if known.is_empty() { vec![] } else { vec![("if-none-match", known)] };
        let again = fixture.send(Role::Viewer, "GET /api/v1/rules", &known, "").await;
        assert_eq!(again.status, status, "{known:?}");
        assert_eq!(again.headers[header::ETAG].to_str().unwrap(), tag);
        assert_eq!(again.body.is_empty(), status == 304);
    }
}

#[tokio::test]
async fn a_repeated_action_is_done_once() {
    let fixture = Fixture::new().await;
    let silence = |comment: &str| json!({ "everything": true, "for": "2h", "comment": comment }).to_string();
    let add = async |key: &str, body: &str| {
        fixture.send(Role::Analyst, "POST /api/v1/silences", &[JSON, ("idempotency-key", key)], body).await
    };
    let first = add("k1", &silence("patching")).await;
    assert_eq!((first.status, &first.json()["silence"]["author"]), (201, &json!("ann")));
    let again = add("k1", &silence("patching")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = add("k1", &silence("something else")).await;
    assert_eq!((other.status, &other.json()["type"]), (422, &json!("urn:scorewatch:problem:key-reused")));
    assert_eq!(fixture.store.silences(None).await.unwrap().len(), 1);
    assert_eq!(add("k2", &silence("patching")).await.status, 201);
    assert_eq!(fixture.store.silences(None).await.unwrap().len(), 2);
    // What was refused is refused in the same words, and is as good as done.
    let end = async |key: &str| {
        fixture.send(Role::Analyst, "POST /api/v1/silences/1/end", &[("idempotency-key", key)], "").await
    };
    assert_eq!(end("k3").await.status, 200);
    let refused = end("k4").await;
    assert_eq!((refused.status, refused.headers.contains_key("idempotency-replayed")), (409, false));
    let again = end("k4").await;
    assert_eq!((again.status, &again.body), (409, &refused.body));
    assert!(again.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers[header::CONTENT_TYPE], "application/problem+json");
}

#[tokio::test]
async fn one_report_at_a_time_asks_microsoft() {
    let fixture = Fixture::with(
        "tenants:\n  - { id: contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, credential: { client_id: \
         6d2a0000-0000-4000-8000-000000000002, secret: { env: X } } }\n\
         channels: { soc: { type: webhook, url: 'https://a.example/' } }",
    )
    .await;
    let send = async |asks: bool| {
        let body = json!({ "channel": "soc", "ask_microsoft": asks }).to_string();
        let answer = fixture.send(Role::Analyst, "POST /api/v1/tenants/contoso/report/send", &[JSON], &body).await;
        (answer.status, answer.body)
    };
    let asking = super::tenants::ASKING.try_acquire().unwrap();
    let (status, body) = send(true).await;
    assert!(status == 429 && body.contains("for another report"), "{status} {body}");
    let (status, body) = send(false).await;
    assert_eq!(status, 202, "{body}");
    drop(asking);
    assert!(super::tenants::ASKING.try_acquire().is_ok());
}

#[tokio::test]
async fn of_many_who_send_the_same_action_at_once_one_does_it() {
    let fixture = Fixture::new().await;
    let body = json!({ "everything": true, "for": "2h", "comment": "patching" }).to_string();
    let headers = [JSON, ("idempotency-key", "k1")];
    let sent = (0..8).map(|_| fixture.send(Role::Analyst, "POST /api/v1/silences", &headers, &body));
    let statuses: Vec<u16> = futures_util::future::join_all(sent).await.iter().map(|answer| answer.status).collect();
    assert!(statuses.contains(&201) && statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(fixture.store.silences(None).await.unwrap().len(), 1);
}

#[test]
fn what_stays_open_has_limits_of_its_own() {
    let mut streams = 0;
    for route in super::described().0 {
        let path = format!("{}{}", super::serve::BASE, route.path);
        assert_eq!(Group::of(&path) == Group::Stream, route.is_stream(), "{path}");
        streams += usize::from(route.is_stream());
    }
    assert_eq!(streams, 1);
}

#[tokio::test]
async fn a_stream_is_sent_as_it_comes_and_nobody_has_more_than_a_few() {
    let fixture = Fixture::new().await;
    let open = async || {
        let request = Request::builder().uri("/api/v1/events").header(header::ACCEPT_ENCODING, "gzip");
        let routes = super::serve::router(super::described().0, &Who::Always(Caller::local("ann")));
        let routes = routes.layer(CompressionLayer::new()).with_state(fixture.app.clone());
        TowerToHyperService::new(routes).call(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let mut held = Vec::new();
    let refused = loop {
        let response = open().await;
        if response.status() != 200 {
            break response;
        }
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING), "{:?}", response.headers());
        held.push(response);
        assert!(held.len() < 100);
    };
    assert_eq!((held.len(), refused.status().as_u16()), (12, 429), "{refused:?}");
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/problem+json", "{refused:?}");
    assert!(refused.headers().contains_key(header::RETRY_AFTER), "{refused:?}");
    assert!(refused.headers().contains_key(header::CONTENT_ENCODING), "as a control: {refused:?}");
    held.pop();
    assert_eq!(open().await.status(), 200, "a place is free again");
}

/// Every reference in the document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_document_describes_every_operation_and_refers_to_what_is_there() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let (mut lines, mut ids) = (Vec::new(), BTreeSet::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let text = |name: &str| operation[name].as_str().unwrap();
            assert!(!text("summary").is_empty() && ids.insert(text("operationId")), "{path}");
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().all(|one| one["description"].is_string()), "{path}: {parameters:?}");
            let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            lines.push(format!("{method} {path} {} {} {}", text("operationId"), text("x-role"), statuses.join(",")));
        }
    }
    let schemas: Vec<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    insta::assert_snapshot!(format!("{}\n\n{}", lines.join("\n"), schemas.join("\n")));
}

/// Every name of a field in the document's schemas.
fn field_names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let named = fields.get("properties").and_then(Value::as_object);
            found.extend(named.into_iter().flat_map(|named| named.keys().cloned()));
            fields.values().for_each(|field| field_names(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| field_names(item, found)),
        _ => {}
    }
}

#[test]
fn no_answer_has_a_duration_as_the_program_keeps_it() {
    let document = document();
    let mut found = BTreeSet::new();
    field_names(&document, &mut found);
    assert!(found.contains("within"), "{found:?}");
    assert!(!found.contains("nanos") && !found.contains("secs"), "{found:?}");
    let within = document.pointer("/components/schemas/Change/properties/within/type");
    assert_eq!(within.and_then(Value::as_str), Some("string"), "{}", document["components"]["schemas"]["Change"]);
}
