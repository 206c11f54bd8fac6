//! Actions that are done once, however often they are asked for.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    store::{Begun, KeyedRequest, RecordedAnswer, StoreError},
};

/// How long an answer is kept.
pub const ANSWER_KEPT: Duration = Duration::from_hours(24);

/// After this time, an action without an answer is taken for one that the process did not survive, and may be done again. Far longer than
/// any action takes.
pub const ABANDONED_AFTER: Duration = Duration::from_mins(2);

/// Actions that are done once, however often they are asked for.
#[async_trait]
pub trait Idempotency: Send + Sync + 'static {
    /// Notes that an action is about to be done, unless it was done within [`ANSWER_KEPT`] or is being done.
    async fn begin_request(&self, request: KeyedRequest, now: Timestamp) -> Result<Begun, StoreError>;

    /// Records how an action that was begun was answered; `None`: it was not done, and may be sent again.
    async fn end_request(&self, request: KeyedRequest, answer: Option<RecordedAnswer>) -> Result<(), StoreError>;
}
