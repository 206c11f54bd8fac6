//! Pages for whoever is not signed in yet, and where people are sent from there.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::web::{pages::render, protect::refusal};

/// Longest path that people are sent back to, in bytes.
const PATH_BYTES_MAX: usize = 2000;
/// A path of ours; anything else is nowhere that we send people.
pub(super) fn own_path(text: &str) -> Option<&str> {
    let is_own = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= PATH_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !text.starts_with("/sign-in")
        && !text.starts_with("/sign-out");
    is_own.then_some(text)
}

/// A page for whoever is not signed in yet.
pub(super) fn written(status: StatusCode, template: &str, filled: &serde_json::Value) -> Response {
    match render(template, filled) {
        Ok(page) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Err(error) => {
            tracing::error!(%error, template, "a page of signing in could not be written");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written; the log says why")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_our_own_paths_only() {
        for (text, is_own) in [
            ("/", true),
            ("/alerts/7Q4M2K?x=1#y", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("javascript:alert(1)", false),
            ("alerts", false),
            ("/a\r\nSet-Cookie: x", false),
            ("/sign-in?to=/", false),
            ("/sign-out", false),
            ("", false),
        ] {
            assert_eq!(own_path(text).is_some(), is_own, "{text}");
        }
        assert!(own_path(&format!("/{}", "x".repeat(PATH_BYTES_MAX))).is_none());
    }
}
