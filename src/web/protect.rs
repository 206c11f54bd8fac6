//! What holds for every request and answer: bodies are small, and headers make browsers trust nothing.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Largest request body, in bytes. No route reads one yet; what is larger is refused unread.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// The one page has neither script nor style and sends its form to itself, so a browser needs to load and run nothing. Advice of the OWASP "REST Security Cheat Sheet".
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// `default-src` says nothing about forms, bases and frames ("Content Security Policy Level 3", section "Fetch Directives").
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

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

/// Adds the headers that every answer has.
pub(super) async fn set_headers(mut response: Response) -> Response {
    let kept = response.headers().get(header::CACHE_CONTROL).cloned();
    response.headers_mut().extend(HEADERS);
    if let Some(kept) = kept {
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
    }
    response
}

/// An answer that says no, in the one form that they all have.
pub(super) fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
