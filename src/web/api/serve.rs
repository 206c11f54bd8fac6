//! What happens to every request, whatever it asks: who it is, whether they may, what they ask, how long it may take.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    input::of_query,
    once::{self, Outcome},
    problem::{self, Problem},
    route::{Answer, Method, Opening, Raw, Route},
};
use crate::{
    domain::Caller,
    store::hex,
    web::{app::App, protect::BODY_BYTES_MAX},
};

/// Below which path the API is.
pub(super) const BASE: &str = "/api/v1";

/// How long a question or an action may take, the wait for the store included.
pub(super) const TIME_MAX: Duration = Duration::from_secs(10);

/// Bytes of the digest in a tag: enough that two answers never share one.
const TAG_BYTES: usize = 16;

/// Who sends the requests.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// Each request says so itself.
    Asked,
    /// The same for all.
    Always(Caller),
}

impl Who {
    async fn find(&self, parts: &mut Parts, app: &App) -> Result<Caller, Problem> {
        match self {
            Self::Always(caller) => Ok(caller.clone()),
            Self::Asked => {
                let caller = Caller::from_request_parts(parts, app).await;
                caller.map_err(|response| Problem::of_response(&response))
            }
        }
    }
}

/// The routes as a router.
pub(super) fn router(routes: Vec<Route>, who: &Who) -> Router<App> {
    let mut paths: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for route in routes {
        paths.entry(route.path).or_default().push(route);
    }
    let mut all = Router::new();
    for (path, routes) in paths {
        let routes: Arc<[Route]> = routes.into();
        let who = who.clone();
        let serve = move |State(app): State<App>, request: Request| {
            let (routes, who) = (Arc::clone(&routes), who.clone());
            async move { answer(&app, &routes, &who, request).await }
        };
        all = all.route(&format!("{BASE}{path}"), any(serve));
    }
    let who = who.clone();
    let nothing = move |State(app): State<App>, request: Request| {
        let who = who.clone();
        async move { answer(&app, &[], &who, request).await }
    };
    all.route("/api", any(nothing.clone())).route("/api/{*rest}", any(nothing))
}

async fn answer(app: &App, routes: &[Route], who: &Who, request: Request) -> Response {
    respond(app, routes, who, request).await.unwrap_or_else(IntoResponse::into_response)
}

/// Everything that precedes a handler. Nobody who is not known learns which paths there are.
async fn respond(app: &App, routes: &[Route], who: &Who, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = who.find(&mut parts, app).await?;
    if routes.is_empty() {
        let openapi = format!("`GET {BASE}/openapi.json` describes every path");
        return Err(Problem::because(problem::NOT_FOUND, format!("there is no such path; {openapi}")));
    }
    let wanted = match &parts.method {
        &axum::http::Method::GET | &axum::http::Method::HEAD => Some(Method::Get),
        &axum::http::Method::POST => Some(Method::Post),
        _ => None,
    };
    let found = routes.iter().find(|route| Some(route.method) == wanted);
    let route = found.ok_or_else(|| not_allowed(routes))?;
    if !caller.may(route.role) {
        let (has, takes) = (caller.role, route.role);
        return Err(Problem::because(
            problem::FORBIDDEN,
            format!("this takes the role `{takes}`, and yours is `{has}`"),
        ));
    }
    if route.is_without_limits && !caller.scope.is_all() {
        let detail = "this is about all tenants, and you are limited to some";
        return Err(Problem::because(problem::FORBIDDEN, detail));
    }
    let path = path(&mut parts).await?;
    let query = parts.uri.query().unwrap_or_default();
    let input = match route.method {
        Method::Get => {
            of_query(&route.input, query).map_err(|errors| Problem::of_errors(problem::BAD_REQUEST, errors))?
        }
        Method::Post if !query.is_empty() => {
            let error = "a `POST` has no parameters behind `?`; write them into the body".to_owned();
            return Err(Problem::of_errors(problem::BAD_REQUEST, vec![error]));
        }
        Method::Post => of_body(route, &parts.headers, body).await?,
    };
    let (store, config, fleet, now) = (app.store.clone(), app.config(), app.fleet.clone(), app.now());
    let (asker, replays, address) = (app.asker.clone(), app.replays.clone(), app.address);
    let raw = Raw { store, config, rejected: app.rejected(), fleet, asker, replays, address, now, caller, path, input };
    match route.method {
        Method::Get if route.is_stream() => route.open(raw, Opening { app: app.clone(), headers: &parts.headers }),
        Method::Get => Ok(shown(route, &parts.headers, read(route, raw).await?)),
        Method::Post => act(route, raw, once::key(&parts.headers)?).await,
    }
}

fn not_allowed(routes: &[Route]) -> Problem {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    let allowed = methods.join(", ");
    let problem = Problem::because(problem::METHOD_NOT_ALLOWED, format!("it supports {allowed}"));
    match HeaderValue::from_str(&allowed) {
        Ok(allowed) => problem.with_header(header::ALLOW, allowed),
        Err(_) => problem,
    }
}

/// What the path says, by the names in braces.
async fn path(parts: &mut Parts) -> Result<BTreeMap<String, String>, Problem> {
    let unreadable = |_| Problem::of_errors(problem::BAD_REQUEST, vec!["the path is not UTF-8".to_owned()]);
    let found = RawPathParams::from_request_parts(parts, &()).await.map_err(unreadable)?;
    Ok(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The body as JSON. Where nothing has to be said, it may be left out.
async fn of_body(route: &Route, headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    // It is here: what takes long to arrive was refused before (`access::guard`).
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        Problem::because(problem::TOO_LARGE, format!("it has more than {BODY_BYTES_MAX} bytes, or ended early"))
    })?;
    if bytes.is_empty() && !route.must_say_something() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.find(';').map_or(media_type, |end| &media_type[..end]).trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::because(problem::NOT_JSON, "send it with `Content-Type: application/json`"));
    }
    let value = serde_json::from_slice::<Value>(&bytes);
    let value = value.map_err(|error| Problem::of_errors(problem::BAD_REQUEST, vec![format!("not JSON: {error}")]))?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Problem::of_errors(problem::BAD_REQUEST, vec!["the body must be a JSON object".to_owned()]))
}

async fn read(route: &Route, raw: Raw) -> Result<Answer, Problem> {
    let answer = tokio::time::timeout(TIME_MAX, route.handle(raw)).await;
    answer.unwrap_or_else(|_| {
        let detail = format!("it took longer than {} s; ask for less, or try again", TIME_MAX.as_secs());
        Err(Problem::because(problem::UNAVAILABLE, detail))
    })
}

async fn act(route: &Route, raw: Raw, key: Option<String>) -> Result<Response, Problem> {
    let is_secret = route.is_secret;
    let done = tokio::time::timeout(TIME_MAX, once::act(route, raw, key)).await;
    let done = done.map_err(|_| {
        let detail = if is_secret {
            "the store did not answer in time, so it is not known whether this was done; repeat the request with the same \
             `Idempotency-Key`, or look whether it is there; the secret is lost"
        } else {
            "the store did not answer in time, so it is not known whether this was done; repeat the request with the same \
             `Idempotency-Key`"
        };
        Problem::because(problem::UNAVAILABLE, detail)
    })?;
    let Outcome { status, answer: Answer { media_type, body }, is_replayed } = done?;
    let mut response = (status, [(header::CONTENT_TYPE, media_type)], body).into_response();
    if is_replayed {
        response.headers_mut().insert(once::REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What was asked for; or only its tag, if whoever asks has it already.
fn shown(route: &Route, headers: &HeaderMap, Answer { media_type, body }: Answer) -> Response {
    let digest = Sha256::digest(&body);
    let tag = format!("W/\"{}\"", hex(&digest[..TAG_BYTES]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*"));
    let tag = [(header::ETAG, tag)];
    if is_known {
        // As the whole answer has it, which is compressed or not.
        return (StatusCode::NOT_MODIFIED, tag, [(header::VARY, "accept-encoding")]).into_response();
    }
    (route.success, tag, [(header::CONTENT_TYPE, media_type)], body).into_response()
}
