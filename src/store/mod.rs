//! What must not be lost: samples, alert states, notifications and deliveries. SQL stands nowhere else.
//!
//! A check's outcome is committed whole or not at all ([`Store::commit`]); a notification exists before anybody tries to send
//! it; an attempt is recorded before it is made ([`Store::claim`]). Callers may drop the futures: work once begun is finished.

pub mod record;
pub mod sqlite;

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;

pub use record::*;

pub use crate::notify::fleet::KnownShift;
use crate::{
    domain::{ChannelName, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp},
    notify::{
        ChannelStanding, DeliveryId, HoldReason, NotificationId, Silence, SilenceId,
        fleet::{Decidable, Scope, Tracked},
        release::{Fate, Run},
        silence::{Acknowledgement, NewSilence},
    },
    rule::{AlertKey, RuleName},
};

/// Why the store could not do it. Nothing was half done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the store.
    #[error("the store is in use by another scorewatch process{0}")]
    InUse(String),
    /// The store can't be opened, or is not one of ours, or was made by a newer version.
    #[error("the store can't be opened: {0}")]
    Open(String),
    /// The disk is full.
    #[error("the store's disk is full")]
    Full,
    /// A file of the store is not where it was.
    #[error("the store {0}")]
    Gone(&'static str),
    /// A row that we can't read.
    #[error("a row of the store can't be read: {0}")]
    Undecodable(String),
    /// Anything else that the database says.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// A durable store. One conformance suite holds every implementation to this text.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The id drawn when the store was made; part of the ids of alerts.
    fn identity(&self) -> &str;

    /// What the ids of notifications are made of: the identity and, after a restore from a backup, the generation that was drawn
    /// then, so that no event gets the id of one that was lost.
    fn origin(&self) -> &str;

    /// Every tenant known to the store, and when it is due.
    async fn schedule(&self) -> Result<Vec<Due>, StoreError>;

    /// Compares the tenants that are known with those of the configuration that takes effect. A tenant is its Entra id: under
    /// another slug it goes on as it was; one whose slug belongs to another by now is kept, with all that is known of it, under
    /// a name that no configuration has. Notes which tenants are missing from the configuration, since when. A row from before
    /// Entra ids were noted takes the one that its slug has in the first configuration that it is compared with.
    async fn reconcile(&self, configured: Vec<Configured>, now: Timestamp) -> Result<Reconciled, StoreError>;

    /// Every tenant that is known, by name, whether or not it is configured.
    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError>;

    /// What is known of these tenants; unknown ones are left out. Windows reach back at least as far as the last commit's `keep`.
    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError>;

    /// Whether what is written still goes where it was when the store was opened. [`StoreError::Gone`] if a file was deleted, moved
    /// or replaced.
    async fn check_files(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes a check's outcome: tenant, samples, alerts, notifications and their deliveries, all together or not at all.
    /// Many calls may share one transaction. A notification whose id is already there is left alone, with its deliveries.
    /// Returns after the commit is durable; [`Commit::Conflict`] when the tenant's version is not the expected one, or the slug
    /// belongs to another tenant.
    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError>;

    /// Writes a notification that no check causes, with its deliveries, to be sent from `now` on. `false`: its id was already
    /// there. A drill speaks for the drills of its channels that still wait: they are merged into it.
    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError>;

    /// Whether there is a notification of that id.
    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError>;

    /// Alerts that match, newest change first.
    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError>;

    /// Those of these series of a tenant whose subjects are [gone](super::SeriesUpdate::GONE).
    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError>;

    /// The samples of a series since then, oldest first, as far as retention has left them.
    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError>;

    /// What is remembered of a tenant's recommendations, by score; an unknown tenant has none.
    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError>;

    /// Takes the channel's next delivery that is due: the oldest whose next attempt is due and that no earlier unfinished
    /// delivery of the same alert precedes; a drill only when nothing else is due. Durably records state `sending` and the attempt before it returns. At most one
    /// delivery of a channel is `sending` at a time: until it is settled or recovered, the channel is [`Claim::Idle`].
    ///
    /// By the terms, what waits for the channel may become one: earlier deliveries of the same alert go along with its newest,
    /// and many of them with a digest that is made here, in the same transaction. They are [`crate::notify::DeliveryState::Merged`] and fare as
    /// what carries them. A parked channel sends drills, and by the terms its oldest delivery to see whether it works again. What is held is not taken, nor what waits behind it.
    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError>;

    /// Records what came of an attempt and how the channel stands after it; and, when the delivery came to rest, that its alert has
    /// been told. A parked channel that has delivered something is parked no longer. A message that its receiver rejects is a dead
    /// letter, unless another one was rejected just before it: then the channel is parked, and both wait for it. An attempt that is
    /// not the delivery's present one changes nothing, so settling twice is harmless.
    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        standing: Option<ChannelStanding>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes out of a delivery under way what is merged into it and about these tenants (`None`: about none), as its channel may not
    /// show that any more: each is a dead letter. If it is taken apart, the rest waits again, and the delivery itself is never sent.
    async fn suppress(
        &self,
        carrier: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// After a start: puts deliveries found in `sending` back to `queued`, marked as possible repeats. Returns how many.
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Held deliveries that are to be looked at now, with what waits behind them: by channel and alert; at most so many runs. What
    /// waits for the fleet is to be looked at before its time where every tenant that was due has been read.
    async fn held_decidable(&self, now: Timestamp, fleet: Decidable, at_most: usize) -> Result<Vec<Run>, StoreError>;

    /// The same, of what is due by its own time alone.
    async fn held_due(&self, now: Timestamp, at_most: usize) -> Result<Vec<Run>, StoreError> {
        self.held_decidable(now, Decidable::NONE, at_most).await
    }

    /// Whether anything waits for the fleet: a held delivery, or a movement that is undecided.
    async fn awaits_fleet(&self) -> Result<bool, StoreError>;

    /// Lets deliveries that were held have their fates, all together: a list for each run, whole. A run of which something was
    /// sent or added meanwhile is left as it is, to be looked at again. What is suppressed comes to rest: its alert counts as told,
    /// so that reminders go on from here. Returns how many runs were taken.
    async fn release(&self, decided: Vec<Vec<(DeliveryId, Fate)>>, now: Timestamp) -> Result<u64, StoreError>;

    /// Lets everything that is held for that reason be looked at now: what it was held by may be gone.
    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError>;

    /// Fleet shifts that were noted after that instant, oldest first.
    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError>;

    /// Movements that are undecided, and those around and before them by which they can be decided on, oldest first; nothing from
    /// before `since`.
    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError>;

    /// For each series of a scope, its tenant and the time of its newest sample.
    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;

    /// The tenants whose movements are part of a fleet shift, each with whether it stands out.
    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError>;

    /// Notes fleet shifts that were found, and what was decided of movements, all in one. What was noted before stays as it is.
    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError>;

    /// Queues notices of a fleet shift that was noted, and lets what they cover go along with them, all in one. A run that was added
    /// to meanwhile is left as it is, and no notice speaks of it. `false`: nothing came of it.
    async fn tell_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Silences that end after that instant, newest first; `None`: every one that is kept.
    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError>;

    /// Keeps a new silence.
    async fn add_silence(&self, silence: NewSilence) -> Result<SilenceId, StoreError>;

    /// Ends a silence now, and lets what is held by silences be looked at. `false`: there is none of that number, or it is over.
    async fn end_silence(&self, silence: SilenceId, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes that a person has seen an alert that fires; the first to say so is kept. The next notification of the alert that is no
    /// reminder clears it. `false`: it does not fire.
    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement) -> Result<bool, StoreError>;

    /// Takes an acknowledgement back; the tenant is wanted from then on, and a check under way judges again. `false`: there is none.
    async fn unacknowledge(&self, alert: &AlertKey, now: Timestamp) -> Result<bool, StoreError>;

    /// Makes a tenant due now on a person's word; it is [wanted](Self::wanted), and a check under way that commits later counts as the
    /// one asked for. `false`: the tenant is not known.
    async fn request_check(&self, tenant: &TenantId, now: Timestamp) -> Result<bool, StoreError>;

    /// Tenants whose alerts a person wants looked at though no check is due, and since when; cleared by the next check that is
    /// written.
    async fn wanted(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;

    /// Channels that have unfinished deliveries other than held ones.
    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError>;

    /// Queues a delivered, dead, parked, held or suppressed delivery again, with the same notification id; giving up counts from now. `false`: there is no
    /// such delivery, or it is queued or under way.
    async fn resend(&self, delivery: DeliveryId, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes where channels lead. One that leads elsewhere than before is as good as new: it is parked no longer and tried at once, it
    /// is unproven, and was notified of no alert of which nothing waits for it. One that only has other secrets is tried at once.
    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError>;

    /// What may be on another route by a changed configuration.
    async fn routed(&self) -> Result<Routed, StoreError>;

    /// Puts the routes of the configuration in force into effect, all together: what is new to a firing alert's route is notified of
    /// the alert, in one digest for each channel; what waits for a channel that has left goes to the new ones, or is a dead letter;
    /// what is known of channels that are gone is forgotten. Doing it again changes nothing.
    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError>;

    /// Dead letters of which the operator was not notified, by channel and cause; not those of whose like it was notified after
    /// `since`.
    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError>;

    /// Queues the notification of these dead letters, and notes that they are noticed, together or not at all.
    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Every channel that anything is known of, by name.
    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError>;

    /// Lets the time until the first drill of these channels begin, unless it has.
    async fn adopt_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError>;

    /// The channels that a drill is for; none: there is no such drill.
    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError>;

    /// Records that a person saw a drill: its channel is proven, as of when the drill was delivered as far as that is known.
    /// Returns the channel; none: there is no such drill.
    async fn confirm(&self, drill: &NotificationId, now: Timestamp) -> Result<Vec<ChannelName>, StoreError>;

    /// Lets a parked channel's queue go on; giving up counts from now. `false`: it is not parked.
    async fn unpark(&self, channel: &ChannelName, now: Timestamp) -> Result<bool, StoreError>;

    /// Deliveries that match, newest first.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<crate::notify::Delivery>, StoreError>;

    /// One delivery with its notification and attempts.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError>;

    /// The tenants whose checks fail, each with its firing alert by that rule.
    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError>;

    /// When each tenant was last checked, whatever came of it.
    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError>;

    /// The outages that go on, and those that were over at that time or later.
    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError>;

    /// Writes how an outage stands, with what is told of it, together or not at all. A notification whose id is already there is
    /// left alone. On each channel what is told of one outage keeps its order.
    async fn record_outage(&self, outage: Outage, told: Vec<NewNotification>, now: Timestamp)
    -> Result<(), StoreError>;

    /// Counts for metrics and listings.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// Records that the service lives; also proves that the store can be written.
    async fn beat(&self, now: Timestamp) -> Result<(), StoreError>;

    /// When the service last lived.
    async fn last_beat(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Records that the service was away; periods are kept as long as samples.
    async fn record_away(&self, away: Away) -> Result<(), StoreError>;

    /// The periods in which the service was away, oldest first.
    async fn away(&self) -> Result<Vec<Away>, StoreError>;

    /// Removes everything of tenants that have been missing from the configuration for longer than `retention`, and of series that
    /// got nothing for so long while their tenants were read. Removes samples, away periods, past silences, fleet shifts and finished deliveries older than `retention`, a bounded number
    /// of rows a call; `true`: there is more.
    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError>;

    /// Finishes what is under way and closes.
    async fn close(&self);
}

/// Reads alerts one by one: [`Store::alerts`] narrowed to one key.
///
/// # Errors
/// As [`Store::alerts`].
pub async fn find_alert(store: &dyn Store, key: &AlertKey) -> Result<Option<AlertRow>, StoreError> {
    let filter =
        AlertFilter { tenant: Some(key.tenant.clone()), rule: Some(key.rule.clone()), ..AlertFilter::default() };
    Ok(store.alerts(&filter).await?.into_iter().find(|row| row.key == *key))
}
