//! How an SQL store is a [`Roster`](crate::store::Roster).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    store::sql::{SqlStore, roster},
    store::{Configured, KnownTenant, Reconciled, Roster, StoreError},
};

#[async_trait]
impl Roster for SqlStore {
    async fn reconcile(&self, configured: Vec<Configured>, now: Timestamp) -> Result<Reconciled, StoreError> {
        self.writer
            .write(Work::Reconcile, move |db| Box::pin(async move { roster::reconcile(db, &configured, now).await }))
            .await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        roster::list(&self.readers).await
    }
}
