//! Is it one tenant, or Microsoft's ruler? Alerts that were held for the rest of the fleet are looked at together.
//!
//! When many tenants moved along, the shift is noted, and what it explains is held until stragglers were read. Then each channel
//! gets one notice, in the transaction that lets those alerts go along with it. What comes later is explained by what was told.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tracing::info;

use super::{Dispatcher, release::Stragglers};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Subject, TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Notification, NotificationType,
        fleet::{self, Move, Quorum, Scope, Shift, Span, Suspect, notice},
        notification::DigestItem,
        release::{Fate, Run, decide},
    },
    rule::AlertState,
    store::{KnownShift, NewNotification, ShiftNotice, StoreError, TenantRecord},
};

/// Most tenants that are loaded together.
const BATCH_MAX: usize = 128;
/// How long a shift explains what comes late: records come days late, and a tenant may be unreadable for longer.
const REMEMBERED: Duration = Duration::from_hours(14 * 24);
/// What was seen just in time has so long to be committed before the shift is told.
const MARGIN: Duration = Duration::from_secs(10);

/// What was decided of runs that were held for the fleet.
#[derive(Default)]
pub(super) struct Verdicts<'a> {
    /// What becomes of them, but for those that go along with a notice.
    pub(super) fates: Vec<(&'a Run, Vec<(DeliveryId, Fate)>)>,
    /// Whether a shift was told.
    pub(super) has_told: bool,
}

/// Decides on these runs, and tells the shifts whose time has come.
///
/// # Errors
/// [`StoreError`]: what was not decided stays held.
pub(super) async fn decide_all<'a>(
    dispatcher: &'a Dispatcher,
    config: &'a Config,
    runs: &[&'a Run],
    stragglers: Stragglers,
    now: Timestamp,
) -> Result<Verdicts<'a>, StoreError> {
    let store = dispatcher.store.as_ref();
    let known = store.shifts(now.minus(REMEMBERED)).await?;
    let mut looking = Looking {
        dispatcher,
        config,
        stragglers,
        now,
        shifts: known,
        fleets: HashMap::new(),
        members: BTreeMap::new(),
    };
    let mut verdicts = Verdicts::default();
    for &run in runs {
        if let Some(fates) = looking.fates(run).await? {
            verdicts.fates.push((run, fates));
        }
    }
    verdicts.has_told = looking.tell().await?;
    Ok(verdicts)
}

/// Whether a shift is due to be told, so that all that is held must be looked at together.
pub(super) async fn is_any_due(
    dispatcher: &Dispatcher,
    stragglers: Stragglers,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let shifts = dispatcher.store.shifts(now.minus(REMEMBERED)).await?;
    Ok(stragglers == Stragglers::Read || shifts.iter().any(|known| is_due(known, stragglers, now)))
}

fn is_due(known: &KnownShift, stragglers: Stragglers, now: Timestamp) -> bool {
    known.told_at.is_none() && (known.tell_at <= now || stragglers == Stragglers::Read)
}

struct Looking<'a> {
    dispatcher: &'a Dispatcher,
    config: &'a Config,
    stragglers: Stragglers,
    now: Timestamp,
    shifts: Vec<KnownShift>,
    /// Everybody who is polled for that score, loaded once.
    fleets: HashMap<Scope, Vec<TenantRecord>>,
    /// By shift and channel: what goes along with its notice.
    members: BTreeMap<(String, ChannelName), Vec<&'a Run>>,
}

/// An alert that may be due to a shift.
struct Suspected {
    scope: Scope,
    interval: Duration,
    /// The first reading that shows it.
    seen_at: Timestamp,
    /// The reading before.
    before_at: Timestamp,
    suspect: Suspect,
    comparison: Option<(f64, f64)>,
}

impl<'a> Looking<'a> {
    /// What becomes of a run; `None`: it goes along with a notice.
    async fn fates(&mut self, run: &'a Run) -> Result<Option<Vec<(DeliveryId, Fate)>>, StoreError> {
        let by_itself = || {
            let keeps_state = self.config.channels.get(&run.channel).is_some_and(|channel| channel.kind.keeps_state());
            Some(decide(run, keeps_state, None))
        };
        let Some(suspected) = self.suspected(run).await? else { return Ok(by_itself()) };
        let Some(known) = self.explaining(&suspected).await? else { return Ok(by_itself()) };
        let all = |fate: Fate| run.steps.iter().map(|step| (step.delivery, fate)).collect::<Vec<_>>();
        if known.told_at.is_some() {
            return Ok(Some(all(Fate::Explain)));
        }
        if !is_due(&known, self.stragglers, self.now) {
            return Ok(Some(all(Fate::Hold(Hold { why: HoldReason::Fleet, until: known.tell_at }))));
        }
        self.members.entry((known.id, run.channel.clone())).or_default().push(run);
        Ok(None)
    }

    /// What a run tells of, as the store has it now. `None`: it is over, or gone, or not about a value.
    async fn suspected(&self, run: &Run) -> Result<Option<Suspected>, StoreError> {
        let facts = &run.newest.data;
        let (Some(score), Some(alert), Some(rule)) = (&facts.score, &facts.alert, &facts.rule) else { return Ok(None) };
        let Some((tenant, value)) = self.tenant(&run.newest).zip(score.value) else { return Ok(None) };
        let Some(record) = self.dispatcher.store.load(std::slice::from_ref(&tenant.id)).await?.pop() else {
            return Ok(None);
        };
        let subject = score.subject.as_ref().map(|subject| Subject(subject.as_str().into()));
        let is_it = |kind, of: Option<&Subject>| kind == score.kind && of == subject.as_ref();
        let firing = record.alerts.iter().find_map(|one| match &one.alert.state {
            AlertState::Firing(firing) if one.rule.as_str() == rule.name && is_it(one.score, one.subject.as_ref()) => {
                Some(firing)
            }
            _ => None,
        });
        let series = record.series.iter().find(|series| is_it(series.score, series.subject.as_ref()));
        let (Some(firing), Some(series)) = (firing, series) else { return Ok(None) };
        let seen_at = match run.newest.kind {
            NotificationType::AlertWorsened => score.observed_at.unwrap_or(alert.started_at),
            _ => alert.started_at,
        };
        let interval = tenant.schedule.interval_at(self.now);
        let span = Span::around(score.kind, seen_at, interval);
        let Some(previous) = series.window.iter().rfind(|sample| sample.at < seen_at) else { return Ok(None) };
        let before = series.window.iter().rfind(|sample| sample.at < span.from).unwrap_or(previous);
        Ok(Some(Suspected {
            scope: Scope::of(score.kind, subject.as_ref()),
            interval,
            seen_at,
            before_at: previous.at,
            suspect: Suspect { when: firing.terms.when, baseline: firing.baseline, before: before.value, value },
            comparison: score.comparison.map(|average| (average.before, average.after)),
        }))
    }

    fn tenant(&self, notification: &Notification) -> Option<&'a Tenant> {
        let id = TenantId::parse(&notification.data.tenant.as_ref()?.id).ok()?;
        self.config.tenants.get(&id).map(AsRef::as_ref)
    }

    /// The shift that explains it: one that is known, or that shows now.
    async fn explaining(&mut self, suspected: &Suspected) -> Result<Option<KnownShift>, StoreError> {
        let fits = |known: &&KnownShift| {
            known.shift.scope == suspected.scope
                && known.shift.span.overlaps(suspected.before_at, suspected.seen_at)
                && known.shift.explains(suspected.suspect)
        };
        if let Some(known) = self.shifts.iter().find(fits) {
            return Ok(Some(known.clone()));
        }
        let span = Span::around(suspected.scope.score, suspected.seen_at, suspected.interval);
        let witnessed =
            suspected.comparison.and_then(|(before, after)| fleet::witnessed(&suspected.scope, span, before, after));
        let shift = match witnessed.filter(|shift| shift.explains(suspected.suspect)) {
            Some(shift) => Some(shift),
            None => self.detect(&suspected.scope, span).await?.filter(|shift| shift.explains(suspected.suspect)),
        };
        let Some(shift) = shift.filter(|shift| !self.shifts.iter().any(|known| known.shift.is_same(shift))) else {
            return Ok(None);
        };
        let (id, reach) =
            (notice::shift_id(self.dispatcher.store.identity(), &shift), suspected.interval.mul_f64(1.25));
        let known =
            KnownShift { id, shift, seen_at: self.now, tell_at: self.now.plus(reach).plus(MARGIN), told_at: None };
        info!(score = %known.shift.scope.score, median = known.shift.median, moved = known.shift.moved, "a fleet shift");
        self.dispatcher.store.note_shift(known.clone()).await?;
        self.shifts.push(known.clone());
        Ok(Some(known))
    }

    /// The shift that the whole fleet shows around that time.
    async fn detect(&mut self, scope: &Scope, span: Span) -> Result<Option<Shift>, StoreError> {
        let quorum = Quorum { at_least: self.config.fleet.at_least, share_percent: self.config.fleet.share_percent };
        Ok(fleet::detect(scope, span, &self.moves(scope, span).await?, quorum))
    }

    /// How each tenant of the fleet moved around that time.
    async fn moves(&mut self, scope: &Scope, span: Span) -> Result<Vec<Move>, StoreError> {
        if !self.fleets.contains_key(scope) {
            let polled: Vec<TenantId> = self
                .config
                .tenants
                .values()
                .filter(|tenant| tenant.scores.contains(&scope.score))
                .map(|tenant| tenant.id.clone())
                .collect();
            let mut records = Vec::with_capacity(polled.len());
            for batch in polled.chunks(BATCH_MAX) {
                let mut loaded = self.dispatcher.store.load(batch).await?;
                // Of thousands of tenants only what is looked at is kept.
                for record in &mut loaded {
                    record.series.retain(|series| scope.has(series.score, series.subject.as_ref()));
                    record.alerts.clear();
                }
                records.append(&mut loaded);
            }
            self.fleets.insert(scope.clone(), records);
        }
        let records = self.fleets.get(scope).map_or(&[][..], Vec::as_slice);
        let unit = scope.score.unit();
        let moves = records.iter().filter_map(|record| {
            let series = record.series.iter();
            let moves = series.filter_map(|series| fleet::of_series(&record.tenant, unit, &series.window, span));
            fleet::of_tenant(moves.collect())
        });
        Ok(moves.collect())
    }

    /// Tells every shift whose time has come, to each channel that has something of it.
    async fn tell(&mut self) -> Result<bool, StoreError> {
        let mut has_told = false;
        for known in std::mem::take(&mut self.shifts) {
            if !is_due(&known, self.stragglers, self.now) {
                continue;
            }
            let moves = self.moves(&known.shift.scope, known.shift.span).await?;
            let outliers: Vec<TenantId> =
                moves.into_iter().filter(|one| known.shift.is_outlier(one)).map(|one| one.tenant).collect();
            let of_shift = self.members.iter().filter(|((shift, _), _)| *shift == known.id);
            let notices =
                of_shift.map(|((_, channel), runs)| self.notice(&known, channel, runs, &outliers)).collect::<Vec<_>>();
            info!(shift = known.id, channels = notices.len(), "telling a fleet shift");
            has_told |= self.dispatcher.store.tell_shift(&known.id, notices, self.now).await?;
        }
        Ok(has_told)
    }

    fn notice(&self, known: &KnownShift, channel: &ChannelName, runs: &[&Run], outliers: &[TenantId]) -> ShiftNotice {
        let is_shown = |tenant: &&TenantId| {
            let settings = self.config.channels.get(channel);
            let labels = self.config.tenants.get(*tenant).map(|tenant| &tenant.labels);
            settings.zip(labels).is_some_and(|(settings, labels)| settings.fence.admits(tenant, labels))
        };
        let explained = |tenant: &&TenantId| {
            let slugs = runs.iter().filter_map(|run| run.newest.data.tenant.as_ref());
            slugs.into_iter().any(|facts| facts.id == tenant.as_str())
        };
        let apart =
            outliers.iter().filter(is_shown).filter(|tenant| !explained(tenant)).map(ToString::to_string).collect();
        let items = runs.iter().map(|run| DigestItem::from(run.newest.clone())).collect();
        let notification = notice::message(&known.id, channel, &known.shift, items, apart, self.now);
        let deliveries = |run: &&Run| run.steps.iter().map(|step| step.delivery).collect();
        ShiftNotice {
            notice: NewNotification {
                notification,
                alert: None,
                tenant: None,
                channels: vec![channel.clone()],
                hold: None,
            },
            runs: runs.iter().map(deliveries).collect(),
        }
    }
}
