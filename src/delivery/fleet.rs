//! Fleet shifts as the service finds and sends them.
//!
//! [`find`] decides on movements once every tenant that was due has been read. [`Groups`] collects held notifications that become
//! lines of one message, and queues those messages in the transaction that lets the notifications go along with them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use tracing::info;

use super::context::Context;
use crate::{
    config::Config,
    domain::{ChannelName, TenantId, Timestamp},
    notify::{
        DeliveryId, HoldReason, Notification,
        fleet::{
            self, Decidable, Known, KnownShift, REMEMBERED, Scope, Tracked,
            due::Turn,
            group::{self, Belongs, Occasion, TOGETHER_MIN},
            notice::{self, Covered, Others},
            watch::Accept,
        },
        release::{Decision, HeldGroup, newest_firing},
    },
    rule::{AlertKey, ShiftedBy, evaluate::reopened},
    schedule::phase,
    store::{AlertFilter, AlertRecord, AlertRow, SeriesShift, ShiftMember, ShiftNotice, StoreError, TenantRecord},
};

/// How long after its hold an end waits for being taken back.
const REOPENED_WITHIN: Duration = Duration::from_mins(1);

/// Finds shifts in what was read, and says what can be decided now.
///
/// # Errors
/// [`StoreError`]: what was not decided is decided later.
pub(super) async fn find(
    context: &Context,
    config: &Config,
    fleet_read: FleetRead,
    now: Timestamp,
) -> Result<Outlook, StoreError> {
    let store = context.store.as_ref();
    if !store.awaits_fleet().await? {
        return Ok(Outlook { decidable: Decidable::NONE, found: BTreeSet::new() });
    }
    let decidable = match fleet_read {
        FleetRead::Complete => Decidable::ALL,
        FleetRead::Partial => decidable(context, config).await?,
    };
    let mut movements = store.movements(now.minus(REMEMBERED)).await?;
    if movements.iter().all(|tracked| tracked.is_decided) {
        return Ok(Outlook { decidable, found: BTreeSet::new() });
    }
    let shifts = store.shifts(now.minus(REMEMBERED)).await?;
    let known = Known { store: store.identity(), quorum: config.fleet.quorum(), shifts: &shifts, now };
    let wait = config.fleet.wait();
    let mut by_scope: BTreeMap<Scope, Vec<Tracked>> = BTreeMap::new();
    for tracked in movements.drain(..) {
        by_scope.entry(tracked.movement.scope()).or_default().push(tracked);
    }
    let (mut found, mut decided) = (Vec::new(), Vec::new());
    for (scope, mut movements) in by_scope {
        // What was decided to be part of none may turn out to be part of one that shows later: it was reported on its own before.
        let known_of = |tracked: &Tracked| (tracked.is_decided, tracked.part.is_some());
        let before: Vec<(bool, bool)> = movements.iter().map(known_of).collect();
        let free: BTreeSet<&TenantId> =
            movements.iter().filter(|one| one.part.is_none()).map(|one| &one.movement.tenant).collect();
        let may_be_shift = free.len() >= config.fleet.at_least && !wait.is_zero();
        let read = if may_be_shift { store.newest_samples(&scope).await? } else { Vec::new() };
        found.extend(fleet::find::decide(
            &known,
            &scope,
            &mut movements,
            |movement| decidable.is_read(movement.read_at, now),
            |movement| decidable.is_final(movement.read_at, now),
            || read.clone(),
        ));
        let changed = movements.into_iter().zip(before);
        let changed = changed.filter(|(tracked, before)| tracked.is_decided && known_of(tracked) != *before);
        decided.extend(changed.map(|(tracked, _)| tracked));
    }
    for KnownShift { id, shift, .. } in &found {
        info!(id, score = %shift.scope.score, median = shift.median, moved = shift.moved, "a fleet shift");
    }
    let parts = decided.iter().filter_map(|tracked| tracked.part.as_ref());
    let shifts = parts.map(|part| part.shift.clone()).collect();
    if !decided.is_empty() {
        store.note_shifts(found, decided).await?;
    }
    Ok(Outlook { decidable, found: shifts })
}

/// How much of the fleet has been read in this interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FleetRead {
    /// Perhaps not all of it: a shift is found once everybody who was due has been read.
    Partial,
    /// All of it, just now.
    Complete,
}

/// The alert that a held group is about.
pub(super) fn alert_of<'a>(record: &'a TenantRecord, run: &HeldGroup) -> Option<&'a AlertRecord> {
    let key = run.envelope.alert.as_ref()?;
    record.alerts.iter().find(|one| one.rule == key.rule && one.score == key.score && one.subject == key.subject)
}

/// What can be said of what waits for the fleet.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    /// What can be decided.
    pub(super) decidable: Decidable,
    /// The shifts that movements were found to be part of just now: whatever they caused is decided with them.
    pub(super) found: BTreeSet<String>,
}

/// What can be decided by when each tenant is due and was checked.
async fn decidable(context: &Context, config: &Config) -> Result<Decidable, StoreError> {
    let checked: HashMap<TenantId, Timestamp> = context.store.checked().await?.into_iter().collect();
    let schedule = context.store.schedule().await?;
    let configured = schedule.into_iter().filter(|due| config.tenants.contains_key(&due.tenant));
    let turns = configured.map(|due| Turn {
        next_tick_at: due.next_due_at.minus(phase(due.tenant.as_str(), config.spread)),
        wake_at: due.wake_at,
        checked_at: checked.get(&due.tenant).copied(),
        tenant: due.tenant,
    });
    Ok(Decidable::of(turns, config.fleet.wait()))
}

/// Which message a notification is a line of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    shift: String,
    occasion: Occasion,
    channel: ChannelName,
}

/// A run that becomes a line of a message.
struct Member<'a> {
    run: &'a HeldGroup,
    /// What becomes of it on its own.
    fates: Vec<(DeliveryId, Decision)>,
}

/// Runs that become lines of messages.
pub(super) struct Groups<'a> {
    context: &'a Context,
    config: &'a Config,
    now: Timestamp,
    members: BTreeMap<Key, Vec<Member<'a>>>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(context: &'a Context, config: &'a Config, now: Timestamp) -> Self {
        Self { context, config, now, members: BTreeMap::new() }
    }

    /// Takes a run whose fates on its own are these if it is a line of some message; gives them back if it goes out on its own. What
    /// can't be decided yet is left as it is.
    pub(super) fn take(
        &mut self,
        run: &'a HeldGroup,
        record: Option<&TenantRecord>,
        fates: Vec<(DeliveryId, Decision)>,
        outlook: &Outlook,
    ) -> Option<Vec<(DeliveryId, Decision)>> {
        if record.is_some_and(|record| self.is_to_be_reopened(run, record)) {
            return None;
        }
        let (is_read, is_final) = outlook.decidable.of_run(&run.steps, self.now);
        let is_sent = fates.iter().any(|(_, fate)| *fate == Decision::Send);
        match self.belongs(run, record) {
            Belongs::To(shift, occasion) if is_sent && (is_read || outlook.found.contains(shift)) => {
                let key = Key { shift: shift.to_owned(), occasion, channel: run.channel.clone() };
                self.members.entry(key).or_default().push(Member { run, fates });
                None
            }
            Belongs::To(..) => Some(fates).filter(|_| is_read),
            Belongs::Apart => Some(fates),
            Belongs::ToNone => Some(fates).filter(|_| is_final),
        }
    }

    /// Whether a held end is about to be taken back, because a shift that was just found explains it. The tenant's next evaluation
    /// does that; this waits for it, but no longer than [`REOPENED_WITHIN`].
    fn is_to_be_reopened(&self, run: &HeldGroup, record: &TenantRecord) -> bool {
        let why = run.steps.last().filter(|step| step.is_over).and_then(|step| step.hold);
        let Some(hold) = why.filter(|held| held.why == HoldReason::Fleet) else { return false };
        let Some(known) = alert_of(record, run) else { return false };
        let Some(rule) = self.config.rules.iter().find(|rule| rule.fleet && rule.name == known.rule) else {
            return false;
        };
        let shifted = record.shifted.iter().filter(|one| one.is_of_alert(known.score, known.subject.as_ref()));
        let shifts: Vec<ShiftedBy> = shifted.map(|one| one.shifted_by).collect();
        known.can_be_withdrawn
            && self.now < hold.until.plus(REOPENED_WITHIN)
            && reopened(rule, &known.alert, &shifts).is_some()
    }

    /// How a run goes out.
    fn belongs<'r>(&self, run: &HeldGroup, record: Option<&'r TenantRecord>) -> Belongs<'r> {
        let (Some(key), Some(record)) = (&run.envelope.alert, record) else { return Belongs::ToNone };
        let keeps_state = self.config.channels.get(&run.channel).is_none_or(|channel| channel.kind.keeps_state());
        let rule = self.config.rules.iter().find(|one| one.fleet && one.name == key.rule);
        let Some(rule) = rule else { return Belongs::ToNone };
        let configured = self.config.tenants.get(&record.tenant);
        let is_it = configured.is_some_and(|tenant| record.identity.is(tenant.account.entra));
        // What is of no series, or of another tenant by now, is of no shift.
        if !is_it || key.score.is_none() || keeps_state || self.config.fleet.hold.is_zero() {
            return Belongs::ToNone;
        }
        let of_series = record.shifted.iter().filter(|one| one.is_of_alert(key.score, key.subject.as_ref()));
        let parts = of_series.map(SeriesShift::part);
        let covered_by = alert_of(record, run).and_then(|alert| alert.shift.as_deref());
        group::of_run(&run.steps, &rule.when, parts, covered_by)
    }

    /// Queues the messages. Returns what is decided otherwise, and whether any was queued.
    ///
    /// # Errors
    /// [`StoreError`]: what was not queued stays held.
    #[expect(clippy::type_complexity, reason = "runs with their fates, as everywhere in the release")]
    pub(super) async fn send(self) -> Result<(Vec<(&'a HeldGroup, Vec<(DeliveryId, Decision)>)>, bool), StoreError> {
        let (mut alone, mut has_sent) = (Vec::new(), false);
        if self.members.is_empty() {
            return Ok((alone, has_sent));
        }
        let store = self.context.store.as_ref();
        let known: HashMap<String, KnownShift> =
            store.shifts(Timestamp::EPOCH).await?.into_iter().map(|known| (known.id.clone(), known)).collect();
        let mut by_shift: BTreeMap<(String, Occasion), Vec<(ChannelName, Vec<Member<'a>>)>> = BTreeMap::new();
        for (Key { shift, occasion, channel }, members) in self.members {
            by_shift.entry((shift, occasion)).or_default().push((channel, members));
        }
        let notices_of = Notices { context: self.context, config: self.config };
        for ((shift, occasion), channels) in by_shift {
            let is_of_movements = occasion.is_of_movements();
            let Some(known) = known.get(&shift) else {
                // Retention has removed it: nothing is known that a message could say of it.
                alone.extend(channels.into_iter().flat_map(|(_, members)| members).map(|one| (one.run, one.fates)));
                continue;
            };
            if is_of_movements && known.has_just_been_sent(self.config.fleet.wait(), self.now) {
                continue;
            }
            let (few, many): (Vec<_>, Vec<_>) =
                channels.into_iter().partition(|(_, members)| !is_of_movements && members.len() < TOGETHER_MIN);
            alone.extend(few.into_iter().flat_map(|(_, members)| members).map(|one| (one.run, one.fates)));
            let notices = notices_of.notices(known, occasion, many).await?;
            info!(
                shift = known.id,
                occasion = occasion.as_str(),
                channels = notices.len(),
                "queueing the notices of a fleet shift"
            );
            has_sent |= store.notify_shift(known.clone(), notices, self.now).await?;
        }
        Ok((alone, has_sent))
    }
}

/// What notices are made from.
struct Notices<'a> {
    context: &'a Context,
    config: &'a Config,
}

impl Notices<'_> {
    async fn notices(
        &self,
        known: &KnownShift,
        occasion: Occasion,
        channels: Vec<(ChannelName, Vec<Member<'_>>)>,
    ) -> Result<Vec<ShiftNotice>, StoreError> {
        let (moved, notified) = if occasion.is_of_movements() && !channels.is_empty() {
            self.others(known).await?
        } else {
            (BTreeSet::new(), BTreeMap::new())
        };
        let had_one = self.had_notice(known).await?;
        let mut notices = Vec::with_capacity(channels.len());
        for (channel, members) in channels {
            let mut lines = Vec::with_capacity(members.len());
            for member in members {
                lines.push(self.member(member, occasion).await?);
            }
            let notified_before = notified.get(&channel).cloned().unwrap_or_default();
            let tenants: BTreeSet<TenantId> = notified_before.iter().map(|alert| alert.tenant.clone()).collect();
            let others =
                Others { outliers: moved.iter().cloned().collect(), notified_before: tenants.into_iter().collect() };
            let follows = occasion == Occasion::Shift && had_one.contains(&channel);
            // They were named before.
            let others = if follows { Others::default() } else { others };
            let others = others.shown(|tenant| self.is_shown(&channel, tenant));
            let occasion = if follows { Occasion::FollowUp } else { occasion };
            notices.push(ShiftNotice { channel, occasion, members: lines, others, notified_before });
        }
        Ok(notices)
    }

    /// The channels that had a notice of this shift before.
    async fn had_notice(&self, known: &KnownShift) -> Result<BTreeSet<ChannelName>, StoreError> {
        if known.notified_at.is_none() {
            return Ok(BTreeSet::new());
        }
        let filter = AlertFilter { shift: Some(known.id.clone()), ..AlertFilter::default() };
        let covered = self.context.store.alerts(&filter).await?;
        Ok(covered.into_iter().flat_map(|row| row.notified_channels).collect())
    }

    /// What waits of one alert: what the message covers, and what goes its own way.
    async fn member(&self, Member { run, fates }: Member<'_>, occasion: Occasion) -> Result<ShiftMember, StoreError> {
        let (_, newest) = newest_firing(&run.steps);
        let is_covered = |(id, fate): &(DeliveryId, Decision)| {
            newest.iter().any(|step| step.delivery == *id) && matches!(fate, Decision::Send | Decision::Merged(_))
        };
        let speaker = fates.iter().rfind(|one| is_covered(one) && one.1 == Decision::Send).map(|(id, _)| *id);
        let (covered, earlier): (Vec<_>, Vec<_>) = fates.into_iter().partition(is_covered);
        let notification = self.says(run, speaker).await?;
        let accepts = self.config.fleet.accept == Accept::Proven && occasion.is_of_movements();
        let is_accepted = accepts && notice::is_proven(&notification);
        Ok(ShiftMember {
            earlier,
            run: covered.into_iter().map(|(id, _)| id).collect(),
            covered: Covered { tenant: run.envelope.tenant.clone(), notification, is_accepted },
        })
    }

    /// What the delivery says that covers a run.
    async fn says(&self, run: &HeldGroup, speaker: Option<DeliveryId>) -> Result<Notification, StoreError> {
        let is_newest = run.steps.last().map(|step| step.delivery) == speaker;
        let Some(id) = speaker.filter(|_| !is_newest) else { return Ok(run.newest.clone()) };
        let detail = self.context.store.delivery(id).await?;
        Ok(detail.map_or_else(|| run.newest.clone(), |detail| detail.notification))
    }

    /// The tenants that stand out from a shift; and by channel the alerts of those that moved along and that it was notified of on
    /// their own.
    async fn others(
        &self,
        known: &KnownShift,
    ) -> Result<(BTreeSet<TenantId>, BTreeMap<ChannelName, Vec<AlertKey>>), StoreError> {
        let store = self.context.store.as_ref();
        let (apart, along): (Vec<_>, Vec<_>) =
            store.shifted_tenants(&known.id).await?.into_iter().partition(|(_, is_outlier)| *is_outlier);
        let along: BTreeSet<TenantId> = along.into_iter().map(|(tenant, _)| tenant).collect();
        let mut notified: BTreeMap<ChannelName, Vec<AlertKey>> = BTreeMap::new();
        let firing = store.alerts(&AlertFilter { firing_only: true, ..AlertFilter::default() }).await?;
        for AlertRow { key, notified_channels, .. } in firing.into_iter().filter(|row| was_notified_alone(known, row)) {
            for channel in notified_channels.into_iter().filter(|_| along.contains(&key.tenant)) {
                notified.entry(channel).or_default().push(key.clone());
            }
        }
        Ok((apart.into_iter().map(|(tenant, _)| tenant).collect(), notified))
    }

    fn is_shown(&self, channel: &ChannelName, tenant: &TenantId) -> bool {
        let settings = self.config.channels.get(channel);
        let labels = self.config.tenants.get(tenant).map(|tenant| &tenant.labels);
        settings.zip(labels).is_some_and(|(settings, labels)| settings.audience.admits(tenant, labels))
    }
}

/// Whether an alert began with the shift and its channels were notified of it on its own.
fn was_notified_alone(known: &KnownShift, row: &AlertRow) -> bool {
    let shift = &known.shift;
    let began = row.alert.firing().map(|firing| firing.since);
    row.key.score.is_some_and(|score| shift.scope.has(score, row.key.subject.as_ref()))
        && began.is_some_and(|at| shift.span.has(at))
        && row.notified_at.is_some()
        && row.shift.is_none()
}
