//! Movements of scores, and the fleet shifts that they are part of.

use async_trait::async_trait;

use crate::{
    domain::{TenantId, Timestamp},
    notify::fleet::{Scope, Tracked},
    store::{KnownShift, ShiftNotice, StoreError},
};

/// Movements of scores, and the fleet shifts that they are part of.
#[async_trait]
pub trait Fleet: Send + Sync + 'static {
    /// Whether anything waits for the fleet: a held delivery, or a movement that is undecided.
    async fn awaits_fleet(&self) -> Result<bool, StoreError>;

    /// Fleet shifts that were noted after that instant, oldest first.
    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError>;

    /// Movements that are undecided, and those around and before them by which they can be decided on, oldest first; nothing from
    /// before `since`.
    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError>;

    /// For each series of a scope, its tenant and the time of its newest sample.
    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;

    /// The tenants whose movements are part of a fleet shift, each with whether it stands out.
    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError>;

    /// Notes fleet shifts that were found, and what was decided of movements, all in one. What was noted before stays as it is.
    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError>;

    /// Queues notices of a fleet shift that was noted, and lets what they cover go along with them, all in one. A run that was added
    /// to meanwhile is left as it is, and no notice speaks of it. `false`: nothing came of it.
    async fn notify_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
