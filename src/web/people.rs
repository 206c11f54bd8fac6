//! What a browser is answered when there is no page: a page that says so, rather than a document for programs.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde_json::json;

use super::{
    limits::Group,
    pages::{render, sentence},
    protect::Why,
};

/// Whether a person at a browser is to read the answer. Programs that ask the API, and scrapers, read something else.
fn is_for_people(headers: &HeaderMap, path: &str) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && matches!(Group::of(path), Group::Page | Group::Confirm)
}

/// Puts a page in the place of whatever says no in another form: a refusal, a form that can't be read, a path that does not exist.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let is_for_people = is_for_people(request.headers(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    if !is_for_people || !(status.is_client_error() || status.is_server_error()) || is_page(&response) {
        return response;
    }
    as_page(response)
}

fn is_page(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with("text/html"))
}

/// The same answer as a page. Headers that say what to do next, like `Retry-After`, are kept.
fn as_page(response: Response) -> Response {
    let status = response.status();
    let (title, generic) = words(status);
    let why = response.extensions().get::<Why>().map(|Why(why)| why.as_str()).filter(|why| !BARE.contains(why));
    let page = json!({ "title": title, "why": why.map_or_else(|| generic.to_owned(), sentence) });
    let html = match render("refused", &page) {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            return response;
        }
    };
    let (mut parts, _) = response.into_parts();
    for of_the_body in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        parts.headers.remove(of_the_body);
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, Body::from(html))
}

/// What programs are told, and says nothing to people.
const BARE: [&str; 2] = ["not found", "method not allowed"];

/// A title, and a sentence where nothing else is known.
const fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("You are not signed in", "Sign in first."),
        403 => ("Not allowed", "You may not do this."),
        404 => ("Not found", "There is no such page."),
        405 => ("Not possible", "This address shows no page. Go back, and use the page's buttons."),
        408 => ("Too slow", "The request took too long. Please try again."),
        413 => ("Too large", "What was sent is too large."),
        421 => ("Unknown name", "Scorewatch is not known under this name."),
        429 => ("Too many requests", "Please try again in a moment."),
        503 => ("Temporarily unavailable", "Please try again in a moment."),
        400..=499 => ("That can't be read", "The address or the form can't be read. Go back, and try again."),
        _ => ("Something failed", "The log of the service says what."),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Form, Router, body::to_bytes, extract::Path, middleware, routing::get};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;
    use crate::web::protect::refusal;

    #[tokio::test]
    async fn a_browser_is_refused_with_a_page_and_a_program_as_before() {
        let busy = || async { refusal(StatusCode::SERVICE_UNAVAILABLE, "too many <people>; try again") };
        let routes = Router::new()
            .route("/number/{id}", get(async |_: Path<i64>| "here").post(async |_: Form<Vec<(String, String)>>| "done"))
            .route("/busy", get(busy))
            .route("/api/v1/busy", get(busy))
            .route("/events", get(busy))
            .route("/api/v1/events", get(busy))
            .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not found") })
            .layer(middleware::from_fn(answer));
        for (line, accepts, status, said) in [
            ("GET /number/1", "text/html", 200, "here"),
            ("GET /number/x", "text/html,*/*", 400, "<h1>That can&#x27;t be read</h1>"),
            ("POST /number/1", "text/html", 415, "<h1>That can&#x27;t be read</h1>"),
            ("DELETE /number/1", "text/html", 405, "<h1>Not possible</h1>"),
            ("GET /busy", "text/html", 503, "<p>Too many &lt;people&gt;; try again.</p>"),
            ("GET /busy", "application/json", 503, "\"detail\":\"too many <people>; try again\""),
            ("GET /api/v1/busy", "text/html", 503, "\"detail\""),
            ("GET /events", "text/html", 503, "\"detail\""),
            ("GET /api/v1/events", "text/html", 503, "\"detail\""),
            ("GET /nothing", "text/html", 404, "<p>There is no such page.</p>"),
        ] {
            let (method, path) = line.split_once(' ').unwrap();
            let request = Request::builder().method(method).uri(path).header(header::ACCEPT, accepts);
            let request = request.body(Body::from("%")).unwrap();
            let response = TowerToHyperService::new(routes.clone()).call(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{line}");
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.contains(said), "{line} as {accepts}: {body}");
        }
    }
}
