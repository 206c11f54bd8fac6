//! How an SQL store is a [`Checks`](crate::store::Checks).

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::{RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    store::sql::{
        SqlStore, audit,
        check::{self, Check},
        outage, read, recommendation, silence,
    },
    store::{CheckOutcome, Checks, Commit, Due, NewEntry, SeriesRecord, StoreError, TenantRecord},
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

    async fn commit_action(&self, outcome: CheckOutcome, entry: NewEntry) -> Result<Commit, StoreError> {
        let written = [Check::prepare(outcome)?];
        self.writer
            .write(Work::Check, move |db| {
                Box::pin(async move {
                    let is_done = check::write(db, &written).await? == [Commit::Done];
                    audit::note(db, is_done, &entry).await?;
                    Ok(if is_done { Commit::Done } else { Commit::Conflict })
                })
            })
            .await
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

    async fn request_checks(&self, tenants: &BTreeSet<TenantId>, entry: NewEntry) -> Result<u64, StoreError> {
        let tenants = tenants.clone();
        self.writer
            .write(Work::RequestCheck, move |db| {
                Box::pin(async move {
                    let requested = silence::request_checks(db, &tenants, entry.at).await?;
                    audit::note(db, requested > 0, &entry.and_after("tenants", requested)).await?;
                    Ok(requested)
                })
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
