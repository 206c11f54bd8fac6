//! The embedded store: one SQLite file, one writing process, one writer in it.
//!
//! A check rewrites one small row per tenant and one per series and appends nothing: the newest samples of a series are one blob, from
//! which completed days move to rows of their own once a day ([`days`]).
//!
//! Long because it is the list of all that the store does; each entry only hands over to the module that does it.

mod archive;
mod bulk;
mod channel;
mod check;
mod claim;
mod days;
mod dead;
mod encoding;
pub mod erase;
mod error;
mod files;
mod fleet;
mod generation;
mod hold;
mod listing;
mod merge;
mod movement;
mod open;
mod outage;
mod outbox;
mod read;
mod recommendation;
mod roster;
mod route;
mod row;
mod silence;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use async_trait::async_trait;
use sqlx::SqlitePool;

use self::{check::Check, generation::Generation, outage::PreparedOutage, outbox::Prepared, writer::Writer};
use super::{
    AlertFilter, AlertRow, AttemptOutcome, Away, ChannelIdentity, ChannelRecord, CheckOutcome, Claim, ClaimTerms,
    Commit, Configured, DeadLetters, DeliveryDetail, DeliveryFilter, Due, FailingTenant, KnownShift, KnownTenant,
    NewNotification, Outage, Reconciled, Rerouted, Routed, Routes, SeriesRecord, ShiftNotice, Store, StoreError,
    TenantRecord, Totals,
};
use crate::{
    crash_point::Work,
    domain::{
        ChannelName, EntraTenantId, RecommendationSnapshot, Sample, ScoreKind, SeriesKey, Subject, TenantId, Timestamp,
    },
    notify::{
        ChannelStanding, Delivery, DeliveryId, HoldReason, NotificationId, Silence, SilenceId,
        fleet::{Decidable, Scope, Tracked},
        release::{Fate, Run},
        silence::{Acknowledgement, NewSilence},
    },
    rule::{AlertKey, RuleName},
};

/// A store in one file. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct SqliteStore {
    identity: String,
    origin: String,
    generation: Option<Generation>,
    writer: Writer,
    readers: SqlitePool,
    files: files::Inodes,
}

impl SqliteStore {
    /// Opens the store for the service, makes it if there is none, and holds it against other services until closed.
    /// The file is checked first when it was not closed properly.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it; [`StoreError::Open`] for a file that others may read, that is damaged,
    /// another program's or a newer version's; [`StoreError::Full`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::check_modes(&path)?;
        files::create(&path)?;
        let lock = files::lock(&path)?;
        let mut connection = open::open_service(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let (origin, generation) = Generation::open(&mut connection, &path, &identity).await?;
        let files = files::Inodes::of(&path);
        let (writer, readers) = (Writer::start(connection, Some(lock)), open::readers(&path));
        Ok(Self { identity, origin, generation: Some(generation), writer, readers, files })
    }

    /// Opens the store beside a service that may be running, for listings and small writes (resend, unpark, accept).
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no store of this version's schema.
    pub async fn open_reader(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::check_modes(&path)?;
        let mut connection = open::open_beside(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let origin = generation::known(&mut connection, &identity).await?;
        let files = files::Inodes::of(&path);
        let (writer, readers) = (Writer::start(connection, None), open::readers(&path));
        Ok(Self { identity, origin, generation: None, writer, readers, files })
    }

    /// The name of every tenant that a store knows, each with its Entra id if that is noted, whatever the version that wrote it.
    /// A store that is not there knows none.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is a file that can't be read.
    pub async fn names(path: impl AsRef<Path>) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
        let names = open::names(path.as_ref()).await?;
        let read =
            |(name, entra): &(String, Option<String>)| Ok((row::tenant(name)?, roster::entra(entra.as_deref())?));
        names.iter().map(read).collect()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn check_files(&self) -> Result<(), StoreError> {
        let files = self.files.clone();
        // A disk may not answer.
        let checked = tokio::task::spawn_blocking(move || files.check()).await;
        checked.map_err(|_| StoreError::Failed("its files could not be looked at".to_owned()))?
    }

    async fn schedule(&self) -> Result<Vec<Due>, StoreError> {
        read::schedule(&self.readers).await
    }

    async fn reconcile(&self, configured: Vec<Configured>, now: Timestamp) -> Result<Reconciled, StoreError> {
        self.writer
            .write(Work::Reconcile, move |db| Box::pin(async move { roster::reconcile(db, &configured, now).await }))
            .await
    }

    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError> {
        roster::list(&self.readers).await
    }

    async fn load(&self, tenants: &[TenantId]) -> Result<Vec<TenantRecord>, StoreError> {
        read::load(&self.readers, tenants).await
    }

    async fn commit(&self, outcome: CheckOutcome) -> Result<Commit, StoreError> {
        self.writer.check(Check::prepare(outcome)?).await
    }

    async fn announce(&self, notification: NewNotification, now: Timestamp) -> Result<bool, StoreError> {
        let new = Prepared::new(&notification, now)?;
        self.writer.write(Work::Announce, move |db| Box::pin(async move { outbox::announce(db, &new).await })).await
    }

    async fn knows(&self, notification: &NotificationId) -> Result<bool, StoreError> {
        read::knows(&self.readers, notification).await
    }

    async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, StoreError> {
        read::alerts(&self.readers, filter).await
    }

    async fn gone_series(
        &self,
        tenant: &TenantId,
        subjects: &[(ScoreKind, Subject)],
    ) -> Result<Vec<SeriesRecord>, StoreError> {
        read::gone_series(&self.readers, tenant, subjects).await
    }

    async fn history(&self, series: &SeriesKey, since: Timestamp) -> Result<Vec<Sample>, StoreError> {
        read::history(&self.readers, series, since).await
    }

    async fn recommendations(&self, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
        recommendation::of(&self.readers, tenant).await
    }

    async fn claim(&self, channel: &ChannelName, terms: ClaimTerms, now: Timestamp) -> Result<Claim, StoreError> {
        let (channel, origin) = (channel.clone(), self.origin.clone());
        let claimed = self.writer.write(Work::Claim, move |db| {
            Box::pin(async move { claim::claim(db, &origin, channel, terms, now).await })
        });
        let claim = claimed.await?;
        if let (Some(generation), Claim::Send(delivery)) = (&self.generation, &claim) {
            generation.note(delivery.id);
        }
        Ok(claim)
    }

    async fn settle(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        outcome: AttemptOutcome,
        standing: Option<ChannelStanding>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(settling(&outcome), move |db| {
                Box::pin(outbox::settle(db, delivery, attempt, outcome, standing, now))
            })
            .await
    }

    async fn suppress(
        &self,
        carrier: DeliveryId,
        tenants: BTreeSet<Option<TenantId>>,
        is_taken_apart: bool,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.writer
            .write(Work::Reroute, move |db| {
                Box::pin(async move { merge::suppress(db, carrier, (&tenants, is_taken_apart), &error, now).await })
            })
            .await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(Work::Recover, move |db| Box::pin(outbox::recover(db, now))).await
    }

    async fn held_decidable(&self, now: Timestamp, fleet: Decidable, at_most: usize) -> Result<Vec<Run>, StoreError> {
        hold::due(&self.readers, now, fleet, at_most).await
    }

    async fn awaits_fleet(&self) -> Result<bool, StoreError> {
        fleet::awaits(&self.readers).await
    }

    async fn release(&self, decided: Vec<Vec<(DeliveryId, Fate)>>, now: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(Work::Release, move |db| Box::pin(async move { hold::release(db, &decided, now).await }))
            .await
    }

    async fn look_again(&self, why: HoldReason, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::LookAgain, move |db| Box::pin(hold::look_again(db, why, now))).await
    }

    async fn shifts(&self, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
        fleet::list(&self.readers, seen_after).await
    }

    async fn movements(&self, since: Timestamp) -> Result<Vec<Tracked>, StoreError> {
        movement::undecided(&self.readers, since).await
    }

    async fn newest_samples(&self, scope: &Scope) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        movement::newest_samples(&self.readers, scope).await
    }

    async fn shifted_tenants(&self, shift: &str) -> Result<Vec<(TenantId, bool)>, StoreError> {
        movement::tenants_of(&self.readers, shift).await
    }

    async fn note_shifts(&self, shifts: Vec<KnownShift>, decided: Vec<Tracked>) -> Result<(), StoreError> {
        self.writer
            .write(Work::NoteShift, move |db| Box::pin(async move { fleet::note(db, &shifts, &decided).await }))
            .await
    }

    async fn tell_shift(
        &self,
        shift: KnownShift,
        notices: Vec<ShiftNotice>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(Work::TellShift, move |db| Box::pin(async move { fleet::tell(db, &shift, &notices, now).await }))
            .await
    }

    async fn silences(&self, ends_after: Option<Timestamp>) -> Result<Vec<Silence>, StoreError> {
        silence::list(&self.readers, ends_after).await
    }

    async fn add_silence(&self, new: NewSilence) -> Result<SilenceId, StoreError> {
        self.writer.write(Work::AddSilence, move |db| Box::pin(async move { silence::add(db, &new).await })).await
    }

    async fn end_silence(&self, id: SilenceId, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.write(Work::EndSilence, move |db| Box::pin(silence::end(db, id, now))).await
    }

    async fn acknowledge(&self, alert: &AlertKey, by: Acknowledgement) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Acknowledge, move |db| Box::pin(async move { silence::acknowledge(db, &alert, &by).await }))
            .await
    }

    async fn unacknowledge(&self, alert: &AlertKey, now: Timestamp) -> Result<bool, StoreError> {
        let alert = alert.clone();
        self.writer
            .write(Work::Unacknowledge, move |db| {
                Box::pin(async move { silence::unacknowledge(db, &alert, now).await })
            })
            .await
    }

    async fn request_check(&self, tenant: &TenantId, now: Timestamp) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer
            .write(Work::RequestCheck, move |db| {
                Box::pin(async move { silence::request_check(db, &tenant, now).await })
            })
            .await
    }

    async fn wanted(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        silence::wanted(&self.readers).await
    }

    async fn busy_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        listing::busy_channels(&self.readers).await
    }

    async fn resend(&self, delivery: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        self.writer.write(Work::Resend, move |db| Box::pin(outbox::resend(db, delivery, now))).await
    }

    async fn note_channels(&self, identities: Vec<ChannelIdentity>, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(Work::NoteChannels, move |db| {
                Box::pin(async move { route::note_channels(db, &identities, now).await })
            })
            .await
    }

    async fn routed(&self) -> Result<Routed, StoreError> {
        route::routed(&self.readers).await
    }

    async fn reroute(&self, routes: Routes, now: Timestamp) -> Result<Rerouted, StoreError> {
        self.writer
            .write(Work::Reroute, move |db| Box::pin(async move { route::reroute(db, &routes, now).await }))
            .await
    }

    async fn unnoticed_dead(&self, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
        dead::unnoticed(&self.readers, since).await
    }

    async fn notice_dead(
        &self,
        letters: DeadLetters,
        notification: NewNotification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = Prepared::new(&notification, now)?;
        self.writer
            .write(Work::Announce, move |db| Box::pin(async move { dead::notice(db, &letters, &new, now).await }))
            .await
    }

    async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        channel::records(&self.readers).await
    }

    async fn adopt_channels(&self, channels: BTreeSet<ChannelName>, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(Work::AdoptChannels, move |db| Box::pin(async move { channel::adopt(db, &channels, now).await }))
            .await
    }

    async fn drilled(&self, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
        channel::drilled(&self.readers, drill).await
    }

    async fn confirm(&self, drill: &NotificationId, now: Timestamp) -> Result<Vec<ChannelName>, StoreError> {
        let drill = drill.clone();
        self.writer
            .write(Work::ConfirmDrill, move |db| Box::pin(async move { channel::confirm(db, &drill, now).await }))
            .await
    }

    async fn unpark(&self, channel: &ChannelName, now: Timestamp) -> Result<bool, StoreError> {
        let channel = channel.clone();
        self.writer
            .write(Work::Unpark, move |db| Box::pin(async move { channel::unpark(db, channel.as_str(), now).await }))
            .await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        listing::deliveries(&self.readers, filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        listing::delivery(&self.readers, id).await
    }

    async fn failing(&self, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
        outage::failing(&self.readers, rule).await
    }

    async fn checked(&self) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        outage::checked(&self.readers).await
    }

    async fn outages(&self, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
        outage::outages(&self.readers, over_since).await
    }

    async fn record_outage(
        &self,
        outage: Outage,
        told: Vec<NewNotification>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let new = PreparedOutage::new(outage, &told, now)?;
        self.writer.write(Work::Announce, move |db| Box::pin(outage::record(db, new))).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        listing::totals(&self.readers).await
    }

    async fn beat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::Beat, move |db| Box::pin(upkeep::beat(db, now))).await
    }

    async fn last_beat(&self) -> Result<Option<Timestamp>, StoreError> {
        listing::last_beat(&self.readers).await
    }

    async fn record_away(&self, away: Away) -> Result<(), StoreError> {
        self.writer.write(Work::Away, move |db| Box::pin(upkeep::record_away(db, away))).await
    }

    async fn away(&self) -> Result<Vec<Away>, StoreError> {
        listing::away(&self.readers).await
    }

    async fn prune(&self, now: Timestamp, retention: Duration) -> Result<bool, StoreError> {
        self.writer.write(Work::Prune, move |db| Box::pin(upkeep::prune(db, now, retention))).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// What settling an attempt that way is to the writer.
const fn settling(outcome: &AttemptOutcome) -> Work {
    match outcome {
        AttemptOutcome::Delivered => Work::SettleDelivered,
        AttemptOutcome::Retry { .. } => Work::SettleRetry,
        AttemptOutcome::Plainer { .. } => Work::SettlePlainer,
        AttemptOutcome::Dead { .. } | AttemptOutcome::Rejected { .. } => Work::SettleDead,
        AttemptOutcome::Parked { .. } | AttemptOutcome::StillParked { .. } => Work::SettleParked,
        AttemptOutcome::NotMade => Work::UndoClaim,
    }
}
