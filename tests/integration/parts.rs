//! A store of which single roles are played by somebody else.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use scorewatch::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        ChannelHealth, Delivery, DeliveryId, HoldReason, Notification, NotificationId, NotificationType, Silence,
        SilenceId,
        fleet::{Decidable, Scope, Tracked},
        release::{Decision, HeldGroup},
        silence::{Acknowledgement, NewSilence},
    },
    rule::{AlertKey, RuleName},
    store::{
        Access, AlertFilter, AlertRow, AttemptOutcome, Audit, ChannelIdentity, ChannelRecord, Channels, CheckOutcome,
        Checks, Claim, ClaimTerms, Commit, Configured, DeadLetters, DeliveryDetail, DeliveryFilter, Downtime, Due,
        FailingTenant, Fleet, Holds, Idempotency, KnownShift, KnownTenant, Listings, NewEntry, NewNotification, Outage,
        Outages, Outbox, Overview, Reconciled, Rerouted, Roster, Routed, Routes, Routing, SeriesRecord, ShiftNotice,
        SilenceNotice, Silences, Store, StoreError, TenantRecord, Totals, Upkeep,
    },
};

/// Hands each role over to who plays it.
pub(super) struct Parts {
    pub(super) checks: Arc<dyn Checks>,
    pub(super) roster: Arc<dyn Roster>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) holds: Arc<dyn Holds>,
    pub(super) silences: Arc<dyn Silences>,
    pub(super) channels: Arc<dyn Channels>,
    pub(super) routing: Arc<dyn Routing>,
    pub(super) fleet: Arc<dyn Fleet>,
    pub(super) outages: Arc<dyn Outages>,
    pub(super) listings: Arc<dyn Listings>,
    pub(super) overview: Arc<dyn Overview>,
    pub(super) upkeep: Arc<dyn Upkeep>,
    pub(super) idempotency: Arc<dyn Idempotency>,
    pub(super) access: Arc<dyn Access>,
    pub(super) audit: Arc<dyn Audit>,
}

impl Parts {
    /// That store in all of its roles.
    pub(super) fn of(store: &Arc<dyn Store>) -> Self {
        Self {
            checks: store.clone(),
            roster: store.clone(),
            outbox: store.clone(),
            holds: store.clone(),
            silences: store.clone(),
            channels: store.clone(),
            routing: store.clone(),
            fleet: store.clone(),
            outages: store.clone(),
            listings: store.clone(),
            overview: store.clone(),
            upkeep: store.clone(),
            idempotency: store.clone(),
            access: store.clone(),
            audit: store.clone(),
        }
    }
}

#[async_trait]
impl Checks for Parts {
    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        self.checks.schedule().await
    }

    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        self.checks.load(tenants).await
    }

    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError> {
        self.checks.commit(outcome).await
    }

    async fn commit_action(&self, outcome: CheckOutcome, entry: NewEntry) -> Result<Commit, StoreError> {
        self.checks.commit_action(outcome, entry).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        self.checks.gone_series(tenant, subjects).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        self.checks.history(series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        self.checks.recommendations(tenant).await
    }

    async fn request_checks(&self, tenants: &BTreeSet<TenantId>, entry: NewEntry) -> Result<u64, StoreError> {
        self.checks.request_checks(tenants, entry).await
    }

    async fn rechecks_requested(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.checks.rechecks_requested().await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.checks.checked().await
    }
}

#[async_trait]
impl Roster for Parts {
    async fn reconcile(&self, configured: Vec<Configured>, now: Timestamp) -> Result<Reconciled, StoreError> {
        self.roster.reconcile(configured, now).await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        self.roster.roster().await
    }
}

#[async_trait]
impl Outbox for Parts {
    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError> {
        self.outbox.announce(notification, now).await
    }

    async fn announce_requested(&self, notifications: Vec<NewNotification>, entry: NewEntry) -> Result<(), StoreError> {
        self.outbox.announce_requested(notifications, entry).await
    }

    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError> {
        self.outbox.knows(notification).await
    }

    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError> {
        self.outbox.claim(channel, terms, now).await
    }

    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        health: Option<ChannelHealth>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.outbox.settle(delivery, attempt, outcome, health, now).await
    }

    async fn suppress(
        &self,
        target: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.outbox.suppress(target, tenants, is_taken_apart, error, now).await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.outbox.recover(now).await
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        self.outbox.busy_channels().await
    }

    async fn resend(&self, delivery: DeliveryId, entry: NewEntry) -> Result<bool, StoreError> {
        self.outbox.resend(delivery, entry).await
    }

    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        self.outbox.unnoticed_dead(since).await
    }

    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.outbox.notice_dead(letters, notification, now).await
    }
}

#[async_trait]
impl Holds for Parts {
    async fn held_decidable(
        &self,
        now: Timestamp,
        fleet: Decidable,
        at_most: usize,
    ) -> Result<Vec<HeldGroup>, StoreError> {
        self.holds.held_decidable(now, fleet, at_most).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Decision)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.holds.release(decided, now).await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        self.holds.look_again(why, now).await
    }
}

#[async_trait]
impl Silences for Parts {
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        self.silences.silences(ends_after).await
    }

    async fn add_silence(
        &self,
        silence: NewSilence,
        notice: Option<SilenceNotice>,
        entry: NewEntry,
    ) -> Result<SilenceId, StoreError> {
        self.silences.add_silence(silence, notice, entry).await
    }

    async fn end_silence(&self, silence: SilenceId, entry: NewEntry) -> Result<bool, StoreError> {
        self.silences.end_silence(silence, entry).await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement, entry: NewEntry) -> Result<bool, StoreError> {
        self.silences.acknowledge(alert, by, entry).await
    }

    async fn unacknowledge(&self, alert: &AlertKey, entry: NewEntry) -> Result<bool, StoreError> {
        self.silences.unacknowledge(alert, entry).await
    }
}

#[async_trait]
impl Channels for Parts {
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.channels.channels().await
    }

    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError> {
        self.channels.note_channels(identities, now).await
    }

    async fn onboard_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError> {
        self.channels.onboard_channels(channels, now).await
    }

    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        self.channels.drilled(drill).await
    }

    async fn confirm(&self, drill: &NotificationId, now: Timestamp) -> Result<Vec<ChannelName>, StoreError> {
        self.channels.confirm(drill, now).await
    }

    async fn unpark(&self, channel: &ChannelName, entry: NewEntry) -> Result<bool, StoreError> {
        self.channels.unpark(channel, entry).await
    }
}

#[async_trait]
impl Routing for Parts {
    async fn routed(&self) -> Result<Routed, StoreError> {
        self.routing.routed().await
    }

    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError> {
        self.routing.reroute(routes, now).await
    }
}

#[async_trait]
impl Fleet for Parts {
    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        self.fleet.awaits_fleet().await
    }

    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        self.fleet.shifts(seen_after).await
    }

    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        self.fleet.movements(since).await
    }

    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.fleet.newest_samples(scope).await
    }

    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        self.fleet.shifted_tenants(shift).await
    }

    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError> {
        self.fleet.note_shifts(shifts, decided).await
    }

    async fn notify_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.fleet.notify_shift(shift, notices, now).await
    }
}

#[async_trait]
impl Outages for Parts {
    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        self.outages.failing(rule).await
    }

    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        self.outages.outages(over_since).await
    }

    async fn record_outage(
        &self,
        outage: Outage,
        notifications: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.outages.record_outage(outage, notifications, now).await
    }
}

#[async_trait]
impl Listings for Parts {
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        self.listings.alerts(filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.listings.deliveries(filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        self.listings.delivery(id).await
    }

    async fn newest(&self, kind: NotificationType) -> Result<Option<Notification>, StoreError> {
        self.listings.newest(kind).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.listings.totals().await
    }
}

#[async_trait]
impl Upkeep for Parts {
    fn identity(&self) -> &str {
        self.upkeep.identity()
    }

    fn origin(&self) -> &str {
        self.upkeep.origin()
    }

    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.upkeep.heartbeat(now).await
    }

    async fn last_heartbeat(&self) -> Result<Option<Timestamp>, StoreError> {
        self.upkeep.last_heartbeat().await
    }

    async fn record_downtime(&self, downtime: Downtime) -> Result<(), StoreError> {
        self.upkeep.record_downtime(downtime).await
    }

    async fn downtimes(&self) -> Result<Vec<Downtime>, StoreError> {
        self.upkeep.downtimes().await
    }

    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError> {
        self.upkeep.prune(now, retention).await
    }

    async fn close(&self) {
        self.upkeep.close().await;
    }
}
