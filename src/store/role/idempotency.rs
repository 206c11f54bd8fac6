//! Actions that are done once, however often they are asked for.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    domain::{KeyedRequest, Timestamp},
    store::{Begun, RecordedAnswer, StoreError},
};

/// How long an answer is kept.
pub const ANSWER_KEPT: Duration = Duration::from_hours(24);

/// After this time, an action that has done nothing is taken for one that the process did not survive, and may be sent again. Far longer
/// than any action takes; one that takes even longer fails, as its [`KeyedRequest::attempt`] is no longer the one that is noted.
pub const ABANDONED_AFTER: Duration = Duration::from_mins(2);

/// Actions that are done once, however often they are asked for. Whatever records an [entry](crate::store::NewEntry) that names such a
/// request notes in the same transaction that it was done.
#[async_trait]
pub trait Idempotency: Send + Sync + 'static {
    /// Notes that an action is about to be done, unless it was done within [`ANSWER_KEPT`] or is being done.
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError>;

    /// Records how an action that was begun was answered; `None`: it failed, and may be sent again if nothing of it was done.
    async fn end_request(&self, request: KeyedRequest, answer: Option<RecordedAnswer>) -> Result<(), StoreError>;
}
