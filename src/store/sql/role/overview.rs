//! How an SQL store is an [`Overview`](crate::store::Overview).

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::{
    domain::{Averages, ScoreKind, TenantId, Timestamp},
    rule::ShiftedBy,
    store::sql::{SqlStore, average, movement, overview},
    store::{Advice, OpenAlert, Overview, SeriesSamples, StoreError, TenantAdvice, TenantLine},
};

#[async_trait]
impl Overview for SqlStore {
    async fn tenant_lines(&self) -> Result<Vec<TenantLine>, StoreError> {
        overview::tenant_lines(&self.readers).await
    }

    async fn newest_samples_of(
        &self,
        tenants: &[TenantId],
        archived_since: Option<Timestamp>,
    ) -> Result<Vec<SeriesSamples>, StoreError> {
        overview::newest_samples_of(&self.readers, tenants, archived_since).await
    }

    async fn shifted_since(&self, since: Timestamp) -> Result<Vec<(TenantId, ScoreKind, ShiftedBy)>, StoreError> {
        movement::shifted_since(&self.readers, since).await
    }

    async fn advised_count(&self, tenants: Option<&BTreeSet<TenantId>>) -> Result<u64, StoreError> {
        overview::advised_count(&self.readers, tenants).await
    }

    async fn open_alerts(&self) -> Result<Vec<OpenAlert>, StoreError> {
        overview::open_alerts(&self.readers).await
    }

    async fn advice(&self, tenants: Option<&BTreeSet<TenantId>>, limit: u32) -> Result<Vec<Advice>, StoreError> {
        overview::advice(&self.readers, tenants, limit).await
    }

    async fn averages(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, Averages)>, StoreError> {
        average::of(&self.readers, tenants).await
    }

    async fn advised(
        &self,
        tenants: Option<&BTreeSet<TenantId>>,
        of: &[&str],
        each: u32,
    ) -> Result<Vec<TenantAdvice>, StoreError> {
        overview::advised(&self.readers, tenants, of, each).await
    }
}
