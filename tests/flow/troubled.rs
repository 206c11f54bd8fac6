//! A store whose commits and loads can be made to fail, break down or wait.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::BoxFuture};
use scorewatch::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        ChannelStanding, Delivery, DeliveryId, HoldReason, NotificationId, Silence, SilenceId,
        fleet::{Decidable, Scope, Tracked},
        release::{Fate, Run},
        silence::{Acknowledgement, NewSilence},
    },
    rule::{AlertKey, RuleName},
    store::{
        AlertFilter, AlertRow, AttemptOutcome, Away, ChannelIdentity, ChannelRecord, CheckOutcome, Claim, ClaimTerms,
        Commit, Configured, DeadLetters, DeliveryDetail, DeliveryFilter, Due, FailingTenant, KnownShift, KnownTenant,
        NewNotification, Outage, Reconciled, Rerouted, Routed, Routes, SeriesRecord, ShiftNotice, Store, StoreError,
        TenantRecord, Totals,
    },
};
use tokio::sync::watch;

/// What goes wrong, the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Fail,
    Panic,
}

pub(super) struct Troubled {
    inner: Arc<dyn Store>,
    commits: Mutex<HashMap<TenantId, Vec<Trouble>>>,
    /// Happens when the next check or decision is about to be written.
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
    /// How often what is held was let be looked at.
    pub(super) looked: watch::Sender<u32>,
    failing_loads: AtomicU32,
    failing_alerts: AtomicU32,
    /// How much has gone wrong so far.
    pub(super) gone_wrong: watch::Sender<u32>,
}

impl Troubled {
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
        let _ = self.gone_wrong.subscribe().wait_for(|seen| *seen >= count).await.unwrap();
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
impl Store for Troubled {
    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn origin(&self) -> &str {
        self.inner.origin()
    }

    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        self.inner.schedule().await
    }

    async fn reconcile(&self, configured: Vec<Configured>, now: Timestamp) -> Result<Reconciled, StoreError> {
        self.inner.reconcile(configured, now).await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        self.inner.roster().await
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

    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.announce(notification, now).await
    }

    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError> {
        self.inner.knows(notification).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        self.inner.gone_series(tenant, subjects).await
    }

    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        self.one_of(&self.failing_alerts)?;
        self.inner.alerts(filter).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        self.inner.history(series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        self.inner.recommendations(tenant).await
    }

    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError> {
        self.inner.claim(channel, terms, now).await
    }

    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        standing: Option<ChannelStanding>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.settle(delivery, attempt, outcome, standing, now).await
    }

    async fn suppress(
        &self,
        carrier: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.suppress(carrier, tenants, is_taken_apart, error, now).await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.inner.recover(now).await
    }

    async fn held_decidable(&self, now: Timestamp, fleet: Decidable, at_most: usize) -> Result<Vec<Run>, StoreError> {
        self.inner.held_decidable(now, fleet, at_most).await
    }

    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        self.inner.awaits_fleet().await
    }

    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        self.inner.movements(since).await
    }

    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.inner.newest_samples(scope).await
    }

    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        self.inner.shifted_tenants(shift).await
    }

    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        self.inner.shifts(seen_after).await
    }

    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError> {
        self.inner.note_shifts(shifts, decided).await
    }

    async fn tell_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.inner.tell_shift(shift, notices, now).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Fate)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.let_happen().await;
        self.inner.release(decided, now).await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        let looked = self.inner.look_again(why, now).await;
        self.looked.send_modify(|looked| *looked += 1);
        looked
    }

    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        self.inner.silences(ends_after).await
    }

    async fn add_silence(&self, silence: NewSilence) -> Result<SilenceId, StoreError> {
        self.inner.add_silence(silence).await
    }

    async fn end_silence(&self, silence: SilenceId, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.end_silence(silence, now).await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement) -> Result<bool, StoreError> {
        self.inner.acknowledge(alert, by).await
    }

    async fn unacknowledge(&self, alert: &AlertKey, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.unacknowledge(alert, now).await
    }

    async fn request_check(&self, tenant: &TenantId, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.request_check(tenant, now).await
    }

    async fn wanted(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.inner.wanted().await
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        self.inner.busy_channels().await
    }

    async fn resend(&self, delivery: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.resend(delivery, now).await
    }

    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.inner.channels().await
    }

    async fn adopt_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError> {
        self.inner.adopt_channels(channels, now).await
    }

    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        self.inner.drilled(drill).await
    }

    async fn confirm(&self, drill: &NotificationId, now: Timestamp) -> Result<Vec<ChannelName>, StoreError> {
        self.inner.confirm(drill, now).await
    }

    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError> {
        self.inner.note_channels(identities, now).await
    }

    async fn routed(&self) -> Result<Routed, StoreError> {
        self.inner.routed().await
    }

    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError> {
        self.inner.reroute(routes, now).await
    }

    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        self.inner.unnoticed_dead(since).await
    }

    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.notice_dead(letters, notification, now).await
    }

    async fn unpark(&self, channel: &ChannelName, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.unpark(channel, now).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.inner.deliveries(filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        self.inner.delivery(id).await
    }

    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        self.inner.failing(rule).await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.inner.checked().await
    }

    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        self.inner.outages(over_since).await
    }

    async fn record_outage(
        &self,
        outage: Outage,
        told: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.record_outage(outage, told, now).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.inner.totals().await
    }

    async fn beat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.inner.beat(now).await
    }

    async fn last_beat(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.last_beat().await
    }

    async fn record_away(&self, away: Away) -> Result<(), StoreError> {
        self.inner.record_away(away).await
    }

    async fn away(&self) -> Result<Vec<Away>, StoreError> {
        self.inner.away().await
    }

    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError> {
        self.inner.prune(now, retention).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
