//! The fleet at a glance, handed over to who plays it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use scorewatch::{
    domain::{Averages, ScoreKind, TenantId, Timestamp},
    rule::ShiftedBy,
    store::{Advice, OpenAlert, Overview, SeriesSamples, StoreError, TenantAdvice, TenantLine},
};

use super::parts::Parts;

#[async_trait]
impl Overview for Parts {
    async fn tenant_lines(&self) -> Result<Vec<TenantLine>, StoreError> {
        self.ask(&self.overview, "tenant_lines").tenant_lines().await
    }

    async fn newest_samples_of(
        &self,
        tenants: &[TenantId],
        archived_since: Option<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError> {
        self.ask(&self.overview, "newest_samples_of").newest_samples_of(tenants, archived_since).await
    }

    async fn shifted_since(&self, since: Timestamp) -> Result<Vec<(TenantId, ScoreKind, ShiftedBy)>, StoreError> {
        self.ask(&self.overview, "shifted_since").shifted_since(since).await
    }

    async fn advised_count(&self, tenants: Option<&BTreeSet<TenantId>>) -> Result<u64, StoreError> {
        self.ask(&self.overview, "advised_count").advised_count(tenants).await
    }

    async fn open_alerts(&self) -> Result<Vec<OpenAlert>, StoreError> {
        self.ask(&self.overview, "open_alerts").open_alerts().await
    }

    async fn advice(&self, tenants: Option<&BTreeSet<TenantId>>, limit: u32) -> Result<Vec<Advice>, StoreError> {
        self.ask(&self.overview, "advice").advice(tenants, limit).await
    }

    async fn averages(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, Averages)>, StoreError> {
        self.ask(&self.overview, "averages").averages(tenants).await
    }

    async fn advised(
        &self,
        tenants: Option<&BTreeSet<TenantId>>,
        of: &[&str],
        each: u32,
    ) -> Result<Vec<TenantAdvice>, StoreError> {
        self.ask(&self.overview, "advised").advised(tenants, of, each).await
    }
}
