//! How an SQL store is a [`Fleet`](crate::store::Fleet).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::{TenantId, Timestamp},
    notify::fleet::{Scope, Tracked},
    store::sql::{SqlStore, fleet, movement},
    store::{Fleet, KnownShift, ShiftNotice, StoreError},
};

#[async_trait]
impl Fleet for SqlStore {
    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        fleet::awaits(&self.readers).await
    }

    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        fleet::list(&self.readers, seen_after).await
    }

    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        movement::undecided(&self.readers, since).await
    }

    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        movement::newest_samples(&self.readers, scope).await
    }

    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        movement::tenants_of(&self.readers, shift).await
    }

    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError> {
        self.writer
            .write(Work::NoteShift, move |db| Box::pin(async move { fleet::note(db, &shifts, &decided).await }))
            .await
    }

    async fn notify_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(Work::NotifyShift, move |db| Box::pin(async move { fleet::notify(db, &shift, &notices, now).await }))
            .await
    }
}
