//! What a check reads before it judges, and the one transaction that it writes.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    store::{CheckOutcome, Commit, Due, NewEntry, SeriesRecord, StoreError, TenantRecord},
};

/// What a check reads before it judges, and the one transaction that it writes.
#[async_trait]
pub trait Checks: Send + Sync + 'static {
    /// Every tenant known to the store, and when it is due.
    async fn schedule(&self) -> Result<Vec<Due>, StoreError>;

    /// What is known of these tenants; unknown ones are left out. Windows reach back at least as far as the last commit's `keep`.
    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError>;

    /// Writes a check's outcome: tenant, samples, alerts, notifications and their deliveries, all together or not at all.
    /// Many calls may share one transaction. A notification whose id is already there is left alone, with its deliveries.
    /// Returns after the commit is durable; [`Commit::Conflict`] when the tenant's version is not the expected one, or the slug
    /// belongs to another tenant.
    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError>;

    /// Writes what a person made of a tenant's alerts, as [`commit`](Self::commit) writes a check's outcome.
    async fn commit_action(&self, outcome: CheckOutcome, entry: NewEntry) -> Result<Commit, StoreError>;

    /// Those of these series of a tenant whose subjects are [gone](crate::store::SeriesUpdate::GONE).
    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError>;

    /// The samples of a series since then, oldest first, as far as retention has left them.
    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError>;

    /// What is remembered of a tenant's recommendations, by score; an unknown tenant has none.
    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError>;

    /// Makes tenants due now because a person asks for it; each is in [`rechecks_requested`](Self::rechecks_requested), and a check under
    /// way that commits later counts as the one asked for. Returns how many of them are known, which is added to the entry.
    async fn request_checks(&self, tenants: &BTreeSet<TenantId>, entry: NewEntry) -> Result<u64, StoreError>;

    /// Tenants whose alerts a person wants looked at though no check is due, and since when; cleared by the next check that is
    /// written.
    async fn rechecks_requested(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;

    /// When each tenant was last checked, whatever came of it.
    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;
}
