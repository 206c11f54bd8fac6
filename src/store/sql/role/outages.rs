//! How an SQL store is a [`Outages`](crate::store::Outages).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    rule::RuleName,
    store::sql::{SqlStore, outage, outage::PreparedOutage},
    store::{FailingTenant, NewNotification, Outage, Outages, StoreError},
};

#[async_trait]
impl Outages for SqlStore {
    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        outage::failing(&self.readers, rule).await
    }

    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        outage::outages(&self.readers, over_since).await
    }

    async fn record_outage(
        &self,
        outage: Outage,
        notifications: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = PreparedOutage::new(outage, &notifications, now)?;
        self.writer.write(Work::Announce, move |db| Box::pin(outage::record(db, new))).await
    }
}
