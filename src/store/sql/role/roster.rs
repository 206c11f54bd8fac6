//! How an SQL store is a [`Roster`](crate::store::Roster).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    store::sql::{SqlStore, replica, roster},
    store::{Configured, KnownTenant, Reconciled, Roster, StoreError},
};

#[async_trait]
impl Roster for SqlStore {
    async fn reconcile(&self, configured: Vec<Configured>, by: &str, now: Timestamp) -> Result<Reconciled, StoreError> {
        let (own, by) = (self.division.id().map(str::to_owned), by.to_owned());
        self.writer
            .write(Work::Reconcile, move |db| {
                Box::pin(async move {
                    let others = replica::other_configurations(db, own.as_deref(), &by).await?;
                    roster::reconcile(db, &configured, &by, &others, now).await
                })
            })
            .await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        roster::list(&self.readers).await
    }
}
