//! A store of which single roles are played by somebody else.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use scorewatch::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        ChannelHealth, Delivery, DeliveryId, HoldReason, Notification, NotificationId, NotificationType,
        fleet::{Decidable, Scope, Tracked},
        release::{Decision, HeldGroup},
    },
    rule::RuleName,
    store::{
        Access, AlertFilter, AlertRow, AttemptOutcome, Audit, ChannelIdentity, ChannelRecord, Channels, CheckOutcome,
        Checks, Claim, ClaimTerms, Commit, Configured, DeadLetters, DeliveryDetail, DeliveryFilter, Downtime, Due,
        FailingTenant, Fleet, Heartbeat, Holds, Idempotency, KnownShift, KnownTenant, Listings, NewEntry,
        NewNotification, Outage, Outages, Outbox, Overview, Reconciled, Rerouted, Roster, Routed, Routes, Routing,
        SeriesRecord, ShiftNotice, Silences, Store, StoreError, TenantRecord, Totals, Upkeep,
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
    /// What was asked of it, in order.
    pub(super) calls: Arc<Mutex<Vec<&'static str>>>,
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
            calls: Arc::default(),
        }
    }

    /// Who plays that role, who is about to be asked that.
    pub(super) fn ask<'a, T: ?Sized>(&self, role: &'a Arc<T>, what: &'static str) -> &'a T {
        self.calls.lock().unwrap().push(what);
        role
    }
}

#[async_trait]
impl Checks for Parts {
    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        self.ask(&self.checks, "schedule").schedule().await
    }

    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        self.ask(&self.checks, "load").load(tenants).await
    }

    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError> {
        self.ask(&self.checks, "commit").commit(outcome).await
    }

    async fn commit_action(&self, outcome: CheckOutcome, entry: NewEntry) -> Result<Commit, StoreError> {
        self.ask(&self.checks, "commit_action").commit_action(outcome, entry).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        self.ask(&self.checks, "gone_series").gone_series(tenant, subjects).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        self.ask(&self.checks, "history").history(series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        self.ask(&self.checks, "recommendations").recommendations(tenant).await
    }

    async fn request_checks(&self, tenants: &BTreeSet<TenantId>, entry: NewEntry) -> Result<u64, StoreError> {
        self.ask(&self.checks, "request_checks").request_checks(tenants, entry).await
    }

    async fn rechecks_requested(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.ask(&self.checks, "rechecks_requested").rechecks_requested().await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.ask(&self.checks, "checked").checked().await
    }
}

#[async_trait]
impl Roster for Parts {
    async fn reconcile(&self, configured: Vec<Configured>, by: &str, now: Timestamp) -> Result<Reconciled, StoreError> {
        self.ask(&self.roster, "reconcile").reconcile(configured, by, now).await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        self.ask(&self.roster, "roster").roster().await
    }
}

#[async_trait]
impl Outbox for Parts {
    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError> {
        self.ask(&self.outbox, "announce").announce(notification, now).await
    }

    async fn announce_requested(&self, notifications: Vec<NewNotification>, entry: NewEntry) -> Result<(), StoreError> {
        self.ask(&self.outbox, "announce_requested").announce_requested(notifications, entry).await
    }

    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError> {
        self.ask(&self.outbox, "knows").knows(notification).await
    }

    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError> {
        self.ask(&self.outbox, "claim").claim(channel, terms, now).await
    }

    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        health: Option<ChannelHealth>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(&self.outbox, "settle").settle(delivery, attempt, outcome, health, now).await
    }

    async fn suppress(
        &self,
        target: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(&self.outbox, "suppress").suppress(target, tenants, is_taken_apart, error, now).await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.ask(&self.outbox, "recover").recover(now).await
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        self.ask(&self.outbox, "busy_channels").busy_channels().await
    }

    async fn resend(&self, delivery: DeliveryId, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.outbox, "resend").resend(delivery, entry).await
    }

    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        self.ask(&self.outbox, "unnoticed_dead").unnoticed_dead(since).await
    }

    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(&self.outbox, "notice_dead").notice_dead(letters, notification, now).await
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
        self.ask(&self.holds, "held_decidable").held_decidable(now, fleet, at_most).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Decision)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.ask(&self.holds, "release").release(decided, now).await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.holds, "look_again").look_again(why, now).await
    }
}

#[async_trait]
impl Channels for Parts {
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.ask(&self.channels, "channels").channels().await
    }

    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.channels, "note_channels").note_channels(identities, now).await
    }

    async fn onboard_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.channels, "onboard_channels").onboard_channels(channels, now).await
    }

    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        self.ask(&self.channels, "drilled").drilled(drill).await
    }

    async fn confirm(&self, drill: &NotificationId, entry: NewEntry) -> Result<Vec<ChannelName>, StoreError> {
        self.ask(&self.channels, "confirm").confirm(drill, entry).await
    }

    async fn unpark(&self, channel: &ChannelName, entry: NewEntry) -> Result<bool, StoreError> {
        self.ask(&self.channels, "unpark").unpark(channel, entry).await
    }
}

#[async_trait]
impl Routing for Parts {
    async fn routed(&self) -> Result<Routed, StoreError> {
        self.ask(&self.routing, "routed").routed().await
    }

    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError> {
        self.ask(&self.routing, "reroute").reroute(routes, now).await
    }
}

#[async_trait]
impl Fleet for Parts {
    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        self.ask(&self.fleet, "awaits_fleet").awaits_fleet().await
    }

    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        self.ask(&self.fleet, "shifts").shifts(seen_after).await
    }

    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        self.ask(&self.fleet, "movements").movements(since).await
    }

    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        self.ask(&self.fleet, "newest_samples").newest_samples(scope).await
    }

    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        self.ask(&self.fleet, "shifted_tenants").shifted_tenants(shift).await
    }

    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError> {
        self.ask(&self.fleet, "note_shifts").note_shifts(shifts, decided).await
    }

    async fn notify_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ask(&self.fleet, "notify_shift").notify_shift(shift, notices, now).await
    }
}

#[async_trait]
impl Outages for Parts {
    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        self.ask(&self.outages, "failing").failing(rule).await
    }

    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        self.ask(&self.outages, "outages").outages(over_since).await
    }

    async fn record_outage(
        &self,
        outage: Outage,
        notifications: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(&self.outages, "record_outage").record_outage(outage, notifications, now).await
    }
}

#[async_trait]
impl Listings for Parts {
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        self.ask(&self.listings, "alerts").alerts(filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.ask(&self.listings, "deliveries").deliveries(filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        self.ask(&self.listings, "delivery").delivery(id).await
    }

    async fn recent(&self, kind: NotificationType, at_most: u32) -> Result<Vec<Notification>, StoreError> {
        self.ask(&self.listings, "recent").recent(kind, at_most).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.ask(&self.listings, "totals").totals().await
    }
}

#[async_trait]
impl Upkeep for Parts {
    fn identity(&self) -> &str {
        self.ask(&self.upkeep, "identity").identity()
    }

    fn origin(&self) -> &str {
        self.ask(&self.upkeep, "origin").origin()
    }

    async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.ask(&self.upkeep, "heartbeat").heartbeat(now).await
    }

    async fn last_heartbeat(&self) -> Result<Option<Heartbeat>, StoreError> {
        self.ask(&self.upkeep, "last_heartbeat").last_heartbeat().await
    }

    async fn record_downtime(&self, downtime: Downtime) -> Result<(), StoreError> {
        self.ask(&self.upkeep, "record_downtime").record_downtime(downtime).await
    }

    async fn downtimes(&self) -> Result<Vec<Downtime>, StoreError> {
        self.ask(&self.upkeep, "downtimes").downtimes().await
    }

    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError> {
        self.ask(&self.upkeep, "prune").prune(now, retention).await
    }

    async fn close(&self) {
        self.ask(&self.upkeep, "close").close().await;
    }
}
