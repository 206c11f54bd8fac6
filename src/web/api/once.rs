//! Does an action: to its end, even if whoever sent it goes away, and with an `Idempotency-Key` only once. The key travels with the caller
//! into the transaction that acts, which notes that it was done; so a crash before the answer is recorded does not repeat the action.

use std::sync::Arc;

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
    domain::{Caller, KeyedRequest, Role, Timestamp},
    store::{Begun, RecordedAnswer, StoreError, hex},
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
pub(super) async fn act(route: &Route, mut raw: Raw, key: Option<String>) -> Result<Outcome, Problem> {
    let (success, is_secret) = (route.success, route.is_secret);
    let (store, now) = (raw.store.clone(), raw.now);
    let request = key.map(|key| {
        let (caller, fingerprint) = (raw.caller.signature(), fingerprint(route, &raw));
        Arc::new(KeyedRequest { caller, key, fingerprint, attempt: rand::random() })
    });
    if let Some(request) = &request {
        let unavailable = |error: StoreError| Problem::from(crate::query::Error::from(error));
        match store.begin_request(KeyedRequest::clone(request), now).await.map_err(unavailable)? {
            Begun::First => {}
            Begun::Answered(RecordedAnswer { status, body }) => return Ok(replayed(status, body)),
            Begun::Done { entry, at } => return Err(done_before(route, &raw.caller, entry, at)),
            Begun::InProgress => return Err(Problem::new(problem::IN_PROGRESS)),
            Begun::OtherRequest => {
                let detail = "draw a new key for each action, and send the same body with a repeated one";
                return Err(Problem::because(problem::KEY_REUSED, detail));
            }
        }
    }
    raw.caller.request.clone_from(&request);
    let handling = route.handle(raw);
    let (answer, answered) = oneshot::channel();
    drop(tokio::spawn(task::brief("action", async move {
        let done = finish(success, handling).await;
        // A secret is kept nowhere: what the action noted says that it was done.
        if let Some(request) = request.filter(|_| !(is_secret && done.is_ok()))
            && let Err(error) = store.end_request(KeyedRequest::clone(&request), recorded(&done)).await
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

/// What is said of an action that was done, when its answer is not known.
fn done_before(route: &Route, caller: &Caller, entry: u64, at: Timestamp) -> Problem {
    // How many entries there are is nothing that whoever is limited to some tenants learns.
    let sees_the_log = caller.may(Role::Admin) && caller.scope.is_all();
    let says = if sees_the_log { format!(" (entry {entry} of the audit log)") } else { String::new() };
    let detail = if route.is_secret {
        format!(
            "it was done at {at}{says}, and its answer, a secret, is kept nowhere; if it did not arrive, take back what was made, and \
             draw a new key to make another"
        )
    } else if route.is_in_steps {
        format!(
            "it was begun at {at}{says}, and its answer is not known, so some of it may be left to do; look what is left, and draw a \
             new key for that"
        )
    } else {
        format!("it was done at {at}{says}, and its answer is not known; look at what it was done to")
    };
    Problem::because(problem::DONE_BEFORE, detail)
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
