//! A store that has only counts to tell, or not even those.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;

use crate::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        ChannelStanding, Delivery, DeliveryId, HoldReason, NotificationId, Silence, SilenceId,
        fleet::{Decidable, Scope, Tracked},
        release::{Fate, Run},
        silence::{Acknowledgement, NewSilence},
    },
    rule::{AlertKey, RuleName},
    store::*,
};

pub(super) struct StubStore(pub(super) Option<Totals>);

fn no<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("only counts here".to_owned()))
}

#[async_trait]
impl Store for StubStore {
    fn identity(&self) -> &'static str {
        "stub"
    }

    fn origin(&self) -> &str {
        self.identity()
    }

    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        no()
    }

    async fn reconcile(&self, _configured: Vec<Configured>, _now: Timestamp) -> Result<Reconciled, StoreError> {
        no()
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        no()
    }

    async fn load(&self, _tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        no()
    }

    async fn commit(&self, _outcome: CheckOutcome) -> Result<Commit, StoreError> {
        no()
    }

    async fn announce(&self, _notification: NewNotification, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn knows(&self, _notification: &NotificationId) -> Result<bool, StoreError> {
        no()
    }

    async fn alerts(&self, _filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        no()
    }

    async fn gone_series(
        &self,
        _tenant: &TenantId,
        _subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        no()
    }

    async fn history(&self, _series: &SeriesKey, _since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        no()
    }

    async fn recommendations(&self, _tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        no()
    }

    async fn claim(&self, _channel: &ChannelName, _terms: ClaimTerms, _now: Timestamp) -> Result<Claim, StoreError> {
        no()
    }

    async fn settle(
        &self,
        _delivery: DeliveryId,
        _attempt: u32,
        _outcome: AttemptOutcome,
        _standing: Option<ChannelStanding>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        no()
    }

    async fn recover(&self, _now: Timestamp) -> Result<u64, StoreError> {
        no()
    }

    async fn held_decidable(&self, _: Timestamp, _: Decidable, _at_most: usize) -> Result<Vec<Run>, StoreError> {
        no()
    }

    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        no()
    }

    async fn movements(&self, _since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        no()
    }

    async fn newest_samples(&self, _scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        no()
    }

    async fn shifted_tenants(&self, _shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        no()
    }

    async fn shifts(&self, _seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        no()
    }

    async fn note_shifts(&self, _shifts: Vec<KnownShift>, _decided: Vec<Tracked>) -> Result<(), StoreError> {
        no()
    }

    async fn tell_shift(
        &self,
        _shift: KnownShift,
        _notices: Vec<ShiftNotice>,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        no()
    }

    async fn release(&self, _decided: Vec<Vec<(DeliveryId, Fate)>>, _now: Timestamp) -> Result<u64, StoreError> {
        no()
    }

    async fn look_again(&self, _why: HoldReason, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn silences(&self, _ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        no()
    }

    async fn add_silence(&self, _silence: NewSilence) -> Result<SilenceId, StoreError> {
        no()
    }

    async fn end_silence(&self, _silence: SilenceId, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn acknowledge(&self, _alert: &AlertKey, _by: Acknowledgement) -> Result<bool, StoreError> {
        no()
    }

    async fn unacknowledge(&self, _alert: &AlertKey, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn request_check(&self, _tenant: &TenantId, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn wanted(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        no()
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        no()
    }

    async fn resend(&self, _delivery: DeliveryId, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        self.0.as_ref().map_or_else(no, |_| Ok(Vec::new()))
    }

    async fn adopt_channels(&self, _channels: BTreeSet<ChannelName>, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn drilled(&self, _drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        no()
    }

    async fn confirm(&self, _drill: &NotificationId, _now: Timestamp) -> Result<Vec<ChannelName>, StoreError> {
        no()
    }

    async fn suppress(
        &self,
        _carrier: DeliveryId,
        _tenants: BTreeSet<Option<TenantId>>,
        _is_taken_apart: bool,
        _error: &str,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        no()
    }

    async fn note_channels(&self, _identities: Vec<ChannelIdentity>, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn routed(&self) -> Result<Routed, StoreError> {
        no()
    }

    async fn reroute(&self, _routes: Routes, _now: Timestamp) -> Result<Rerouted, StoreError> {
        no()
    }

    async fn unnoticed_dead(&self, _since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        no()
    }

    async fn notice_dead(
        &self,
        _letters: DeadLetters,
        _notification: NewNotification,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        no()
    }

    async fn unpark(&self, _channel: &ChannelName, _now: Timestamp) -> Result<bool, StoreError> {
        no()
    }

    async fn deliveries(&self, _filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        no()
    }

    async fn delivery(&self, _id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        no()
    }

    async fn failing(&self, _rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        no()
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        no()
    }

    async fn outages(&self, _over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        no()
    }

    async fn record_outage(
        &self,
        _outage: Outage,
        _told: Vec<NewNotification>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        no()
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        self.0.clone().map_or_else(no, Ok)
    }

    async fn beat(&self, _now: Timestamp) -> Result<(), StoreError> {
        no()
    }

    async fn last_beat(&self) -> Result<Option<Timestamp>, StoreError> {
        no()
    }

    async fn record_away(&self, _away: Away) -> Result<(), StoreError> {
        no()
    }

    async fn away(&self) -> Result<Vec<Away>, StoreError> {
        no()
    }

    async fn prune(&self, _now: Timestamp, _retention: Duration) -> Result<bool, StoreError> {
        no()
    }

    async fn close(&self) {}
}
