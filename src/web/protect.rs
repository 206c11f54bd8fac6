//! What holds for every request and answer: bodies are small, and headers make browsers trust nothing.

use axum::{
    Extension,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Largest request body, in bytes; what is larger is refused unread.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Pages load script, style and images from here alone, and none that stands in the page. Advice of the OWASP "HTTP Headers" and "REST
/// Security" cheat sheets. With `no-referrer`, browsers would send the forms of pages with `Origin: null`.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// `default-src` says nothing about forms, bases and frames ("Content Security Policy Level 3", section "Fetch Directives").
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses a request that announces a body beyond the cap.
pub(super) async fn cap_body(request: Request, next: Next) -> Response {
    if announced_bytes(request.headers()).is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    }
    next.run(request).await
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Adds the headers that every answer has. Nothing is kept by anybody, unless the answer says so.
pub(super) async fn set_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a request was refused: where a person reads the answer, [`super::people`] writes a page of it.
#[derive(Debug, Clone)]
pub(super) struct Why(pub(super) String);

/// An answer that says no, in the one form that they all have: RFC 9457.
pub(super) fn refusal(status: StatusCode, why: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": why });
    let headers = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, headers, Extension(Why(why.to_owned())), problem.to_string()).into_response()
}
