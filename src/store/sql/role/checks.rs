//! How an SQL store is a [`Checks`](crate::store::Checks).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::{RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    store::sql::{SqlStore, check::Check, outage, read, recommendation, silence},
    store::{CheckOutcome, Checks, Commit, Due, SeriesRecord, StoreError, TenantRecord},
};

#[async_trait]
impl Checks for SqlStore {
    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        read::schedule(&self.readers).await
    }

    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        read::load(&self.readers, tenants).await
    }

    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError> {
        self.writer.check(Check::prepare(outcome)?).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        read::gone_series(&self.readers, tenant, subjects).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        read::history(&self.readers, series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        recommendation::of(&self.readers, tenant).await
    }

    async fn request_check(&self, tenant: &TenantId, now: Timestamp) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer
            .write(Work::RequestCheck, move |db| {
                Box::pin(async move { silence::request_check(db, &tenant, now).await })
            })
            .await
    }

    async fn rechecks_requested(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        silence::rechecks_requested(&self.readers).await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        outage::checked(&self.readers).await
    }
}
