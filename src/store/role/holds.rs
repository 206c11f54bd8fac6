//! Deliveries that wait until somebody decides on them.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, HoldReason,
        fleet::Decidable,
        release::{Decision, HeldGroup},
    },
    store::StoreError,
};

/// Deliveries that wait until somebody decides on them.
#[async_trait]
pub trait Holds: Send + Sync + 'static {
    /// Held deliveries that are to be reviewed now, with what waits behind them: by channel and alert; at most that many runs. What
    /// waits for the fleet is to be reviewed before its time where every tenant that was due has been read.
    async fn held_decidable(
        &self,
        now: Timestamp,
        fleet: Decidable,
        at_most: usize,
    ) -> Result<Vec<HeldGroup>, StoreError>;

    /// The same, of what is due by its own time alone.
    async fn held_due(&self, now: Timestamp, at_most: usize) -> Result<Vec<HeldGroup>, StoreError> {
        self.held_decidable(now, Decidable::NONE, at_most).await
    }

    /// Lets deliveries that were held have their fates, all together: a list for each run, whole. A run of which something was
    /// sent or added meanwhile is left as it is, to be reviewed again. What is suppressed is final: its alert counts as notified,
    /// so that reminders go on from here. Returns how many runs were taken.
    async fn release(&self, decided: Vec<Vec<(DeliveryId, Decision)>>, now: Timestamp) -> Result<u64, StoreError>;

    /// Lets everything that is held for that reason be reviewed now: what it was held by may be gone.
    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError>;
}
