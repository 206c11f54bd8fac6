//! Does an action: to its end, even if whoever sent it goes away, and with an `Idempotency-Key` only once.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::{
    problem::{self, Problem},
    route::{Answer, Handling, Raw, Route},
};
use crate::{
    domain::Caller,
    store::{Begun, KeyedRequest, RecordedAnswer, StoreError, hex},
    task,
};

/// The header that carries the key ("The Idempotency-Key HTTP Header Field", draft-ietf-httpapi-idempotency-key-header).
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was recorded before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// What became of an action.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: StatusCode,
    pub(super) answer: Answer,
    /// Whether it was done before.
    pub(super) is_replayed: bool,
}

/// The key of a request; `None`: it has none.
///
/// # Errors
/// One that is too long, or has anything but visible ASCII.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_key =
        |key: &HeaderValue| (1..=KEY_BYTES_MAX).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(text) if is_key(key) && keys.next().is_none() => Ok(Some(text.to_owned())),
        _ => {
            let error = format!("`Idempotency-Key` must be one key of 1 to {KEY_BYTES_MAX} visible ASCII characters");
            Err(Problem::of_errors(problem::BAD_REQUEST, vec![error]))
        }
    }
}

/// Does it, or finds how it was answered before.
///
/// # Errors
/// What the action says, or what is wrong with the key.
pub(super) async fn act(route: &Route, raw: Raw, key: Option<String>) -> Result<Outcome, Problem> {
    let success = route.success;
    let (store, now) = (raw.store.clone(), raw.now);
    // What must be kept nowhere is not recorded.
    let request = key.filter(|_| !route.is_secret).map(|key| {
        let fingerprint = fingerprint(route, &raw);
        KeyedRequest { caller: raw.caller.signature(), key, fingerprint }
    });
    if let Some(request) = &request {
        let unavailable = |error: StoreError| Problem::from(crate::query::Error::from(error));
        match store.begin_request(request.clone(), now).await.map_err(unavailable)? {
            Begun::First => {}
            Begun::Answered(RecordedAnswer { status, body }) => return Ok(replayed(status, body)),
            Begun::InProgress => return Err(Problem::new(problem::IN_PROGRESS)),
            Begun::OtherRequest => {
                let detail = "draw a new key for each action, and send the same body with a repeated one";
                return Err(Problem::because(problem::KEY_REUSED, detail));
            }
        }
    }
    let handling = route.handle(raw);
    let (answer, answered) = oneshot::channel();
    drop(tokio::spawn(task::brief("action", async move {
        let done = finish(success, handling).await;
        if let Some(request) = request
            && let Err(error) = store.end_request(request, recorded(&done)).await
        {
            tracing::warn!(%error, "the answer to an action could not be recorded");
        }
        // Whoever asked may be gone.
        let _ = answer.send(done);
    })));
    answered.await.unwrap_or_else(|_| Err(Problem::new(problem::FAILED)))
}

async fn finish(success: StatusCode, handling: Handling) -> Result<Outcome, Problem> {
    let answer = handling.await?;
    Ok(Outcome { status: success, answer, is_replayed: false })
}

/// What is recorded of an outcome; nothing if trying again may do better.
fn recorded(done: &Result<Outcome, Problem>) -> Option<RecordedAnswer> {
    match done {
        Ok(Outcome { status, answer, .. }) => {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            Some(RecordedAnswer { status: status.as_u16(), body })
        }
        Err(problem) if problem.is_ours() => None,
        Err(problem) => {
            let body = serde_json::to_string(problem).unwrap_or_default();
            Some(RecordedAnswer { status: problem.status, body })
        }
    }
}

fn replayed(status: u16, body: String) -> Outcome {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let media_type = if status.is_success() { "application/json" } else { problem::MEDIA_TYPE };
    Outcome { status, answer: Answer { media_type, body: Bytes::from(body) }, is_replayed: true }
}

/// Of everything that an action is asked, and of what its sender may see: an answer is not repeated to whoever may see less by now.
fn fingerprint(route: &Route, raw: &Raw) -> String {
    let Caller { role, scope, .. } = &raw.caller;
    let asked = (route.operation, &raw.path, &raw.input as &Value, role, scope.tenants());
    let written = serde_json::to_vec(&asked).unwrap_or_default();
    hex(&Sha256::digest(written))
}
