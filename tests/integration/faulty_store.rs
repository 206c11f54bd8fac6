//! A store whose commits and loads can be made to fail, break down or wait.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::BoxFuture};
use scorewatch::{
    domain::{RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        Delivery, DeliveryId, HoldReason, Notification, NotificationType,
        fleet::Decidable,
        release::{Decision, HeldGroup},
    },
    store::{
        AlertFilter, AlertRow, CheckOutcome, Checks, Commit, DeliveryDetail, DeliveryFilter, Due, Holds, Listings,
        NewEntry, SeriesRecord, Store, StoreError, TenantRecord, Totals,
    },
};
use tokio::sync::watch;

use super::parts::Parts;
use crate::harness::event;

/// What goes wrong, the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Fail,
    Panic,
}

pub(super) struct FaultyStore {
    inner: Arc<dyn Store>,
    commits: Mutex<HashMap<TenantId, Vec<Trouble>>>,
    /// Happens when the next check or decision is about to be written.
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
    /// How often a review of what is held was requested.
    pub(super) looked: watch::Sender<u32>,
    failing_loads: AtomicU32,
    failing_alerts: AtomicU32,
    /// How much has gone wrong so far.
    pub(super) gone_wrong: watch::Sender<u32>,
}

impl FaultyStore {
    pub(super) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            commits: Mutex::default(),
            meanwhile: Mutex::default(),
            looked: watch::Sender::new(0),
            failing_loads: AtomicU32::new(0),
            failing_alerts: AtomicU32::new(0),
            gone_wrong: watch::Sender::new(0),
        })
    }

    pub(super) fn trouble_commits(&self, tenant: TenantId, troubles: Vec<Trouble>) {
        self.commits.lock().unwrap().insert(tenant, troubles);
    }

    pub(super) fn meanwhile(&self, happens: impl Future<Output = ()> + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(happens.boxed());
    }

    /// That store, whose checks, decisions and alerts are in trouble.
    pub(super) fn store(self: &Arc<Self>) -> Arc<dyn Store> {
        let parts = Parts::of(&self.inner);
        Arc::new(Parts { checks: self.clone(), holds: self.clone(), listings: self.clone(), ..parts })
    }

    async fn let_happen(&self) {
        let happens = self.meanwhile.lock().unwrap().take();
        if let Some(happens) = happens {
            happens.await;
        }
    }

    pub(super) fn fail_loads(&self, count: u32) {
        self.failing_loads.store(count, Ordering::SeqCst);
    }

    pub(super) fn fail_alerts(&self, count: u32) {
        self.failing_alerts.store(count, Ordering::SeqCst);
    }

    pub(super) async fn has_gone_wrong(&self, count: u32) {
        let mut seen = self.gone_wrong.subscribe();
        let gone_wrong = event(seen.wait_for(|seen| *seen >= count)).await;
        drop(gone_wrong.expect("nothing goes wrong").unwrap());
    }

    fn one_of(&self, count: &AtomicU32) -> Result<(), StoreError> {
        if count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            self.gone_wrong.send_modify(|seen| *seen += 1);
            return Err(StoreError::Full);
        }
        Ok(())
    }
}

#[async_trait]
impl Checks for FaultyStore {
    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        self.inner.schedule().await
    }

    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        self.one_of(&self.failing_loads)?;
        self.inner.load(tenants).await
    }

    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError> {
        let trouble = self.commits.lock().unwrap().get_mut(&outcome.tenant).and_then(Vec::pop);
        if trouble.is_some() {
            self.gone_wrong.send_modify(|seen| *seen += 1);
        }
        self.let_happen().await;
        match trouble {
            Some(Trouble::Panic) => panic!("as asked for by the test"),
            Some(Trouble::Fail) => Err(StoreError::Full),
            None => self.inner.commit(outcome).await,
        }
    }

    async fn commit_action(&self, outcome: CheckOutcome, entry: NewEntry) -> Result<Commit, StoreError> {
        self.inner.commit_action(outcome, entry).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        self.inner.gone_series(tenant, subjects).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        self.inner.history(series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        self.inner.recommendations(tenant).await
    }

    async fn request_checks(&self, tenants: &BTreeSet<TenantId>, entry: NewEntry) -> Result<u64, StoreError> {
        self.inner.request_checks(tenants, entry).await
    }

    async fn rechecks_requested(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.inner.rechecks_requested().await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.inner.checked().await
    }
}

#[async_trait]
impl Holds for FaultyStore {
    async fn held_decidable(
        &self,
        now: Timestamp,
        fleet: Decidable,
        at_most: usize,
    ) -> Result<Vec<HeldGroup>, StoreError> {
        self.inner.held_decidable(now, fleet, at_most).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Decision)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.let_happen().await;
        self.inner.release(decided, now).await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        let looked = self.inner.look_again(why, now).await;
        self.looked.send_modify(|looked| *looked += 1);
        looked
    }
}

#[async_trait]
impl Listings for FaultyStore {
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        self.one_of(&self.failing_alerts)?;
        self.inner.alerts(filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.inner.deliveries(filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        self.inner.delivery(id).await
    }

    async fn recent(&self, kind: NotificationType, at_most: u32) -> Result<Vec<Notification>, StoreError> {
        self.inner.recent(kind, at_most).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }
}
