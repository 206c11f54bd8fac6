//! A fleet at a glance: columns of many tenants, not whole records of a few.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{Averages, ScoreKind, TenantId, Timestamp},
    rule::ShiftedBy,
    store::{Advice, OpenAlert, SeriesSamples, StoreError, TenantAdvice, TenantLine},
};

/// A fleet at a glance: columns of many tenants, not whole records of a few.
#[async_trait]
pub trait Overview: Send + Sync + 'static {
    /// Every tenant that is known, by slug, without its series and alerts.
    async fn tenant_lines(&self) -> Result<Vec<TenantLine>, StoreError>;

    /// The newest samples of these tenants' series, of kinds of score that have one value; with `archived_since`, also what is older,
    /// back to that time. A series whose subject is gone is left out.
    async fn newest_samples_of(
        &self,
        tenants: &[TenantId],
        archived_since: Option<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError>;

    /// What fleet shifts did since that instant to series of kinds of score that have one value, by tenant, oldest first.
    async fn shifted_since(&self, since: Timestamp) -> Result<Vec<(TenantId, ScoreKind, ShiftedBy)>, StoreError>;

    /// Of how many of these tenants (`None`: of all) recommendations are remembered.
    async fn advised_count(&self, tenants: Option<&BTreeSet<TenantId>>) -> Result<u64, StoreError>;

    /// Every alert that pends or fires, in no particular order.
    async fn open_alerts(&self) -> Result<Vec<OpenAlert>, StoreError>;

    /// What is recommended to most effect, by the points that it would gain over all of these tenants (`None`: over all), from what is
    /// remembered of each tenant's recommendations; at most `limit`. Exceptions, and what every device follows, are left out.
    async fn advice(&self, tenants: Option<&BTreeSet<TenantId>>, limit: u32) -> Result<Vec<Advice>, StoreError>;

    /// What Microsoft says of other tenants beside the secure scores of these; those of whom nothing is known are left out.
    async fn averages(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, Averages)>, StoreError>;

    /// The tenants, of these or of all, that would gain the most by each of these recommendations, the most points first, at most `each`
    /// of each.
    async fn advised(
        &self,
        tenants: Option<&BTreeSet<TenantId>>,
        of: &[&str],
        each: u32,
    ) -> Result<Vec<TenantAdvice>, StoreError>;
}
