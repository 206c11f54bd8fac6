//! Texts in queries: labels and times.

use std::time::Duration;

use super::problem::{BAD_REQUEST, Problem};
use crate::domain::Timestamp;

/// How far back a stretch of time reaches unless its beginning is given.
pub(super) const LENGTH: Duration = Duration::from_hours(30 * 24);

/// Reads labels, each written as `KEY=VALUE`.
pub(super) fn labels(written: &[String]) -> Result<Vec<(String, String)>, Problem> {
    let read = |text: &String| {
        let pair = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.ok_or_else(|| format!("`label` must be written like `tier=gold`, not `{text}`"))
    };
    let (read, errors): (Vec<_>, Vec<_>) = written.iter().map(read).partition(Result::is_ok);
    let errors: Vec<String> = errors.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() {
        return Ok(read.into_iter().filter_map(Result::ok).collect());
    }
    Err(Problem::of_errors(BAD_REQUEST, errors))
}

/// The beginning and the end of a stretch of time, in RFC 3339.
pub(super) fn times(
    from: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    let time = |name: &str, text: Option<&str>| {
        let unreadable = |text: &str| format!("`{name}` must be a time like `2026-01-05T00:00:00Z`, not `{text}`");
        text.map(|text| Timestamp::parse(text).ok_or_else(|| unreadable(text))).transpose()
    };
    match (time("from", from), time("until", until)) {
        (Ok(from), Ok(until)) => Ok((from, until)),
        (from, until) => Err(Problem::of_errors(BAD_REQUEST, from.err().into_iter().chain(until.err()).collect())),
    }
}
