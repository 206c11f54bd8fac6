//! The stream that says that something has changed.

use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    problem::{self, Problem},
    route::{Call, Opening},
};
use crate::web::{changes, streams::Full};

/// From when on changes are meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    /// The `id` of the last event that was seen: what has changed since then is reported immediately. Without it,
    /// only what changes from now on is.
    #[schemars(regex(pattern = "^[0-9a-f]{1,16}$"))]
    seen: Option<String>,
}

pub(super) fn open(call: Call<Since>, Opening { app, headers }: Opening<'_>) -> Result<Response, Problem> {
    let seen = call.input.seen.as_deref().map(|text| read(text).ok_or_else(unreadable)).transpose()?;
    changes::open(app, call.caller, headers, seen).map_err(|full| match full {
        Full::Viewer => Problem::because(problem::TOO_MANY, "you have too many streams open; close one"),
        Full::Everybody => Problem::because(problem::UNAVAILABLE, "too many streams are open"),
    })
}

fn read(text: &str) -> Option<u64> {
    let is_id = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    changes::read(text).filter(|_| is_id)
}

fn unreadable() -> Problem {
    let error = "`seen` must be the `id` of an event: 1 to 16 of the digits 0-9 and a-f".to_owned();
    Problem::of_errors(problem::BAD_REQUEST, vec![error])
}
