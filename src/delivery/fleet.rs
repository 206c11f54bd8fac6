//! Is it one tenant, or Microsoft's ruler? Alerts that were held for the rest of the fleet are looked at together.
//!
//! When many tenants moved along, the shift is noted, and what it explains is held until stragglers were read. Then each channel
//! gets one notice, in the transaction that lets those alerts go along with it. What comes later is explained by what was told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tracing::info;

use super::{
    Dispatcher,
    release::{Stragglers, alert_of},
};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Subject, TenantId, Timestamp},
    notify::{
        DeliveryId, Notification, NotificationId,
        fleet::{
            self, Explained, KnownShift, Move, News, REMEMBERED, Scope, Shift, Span, Suspected,
            notice::{self, Others},
        },
        release::{Fate, Run, decide, newest_firing, of_steps},
    },
    store::{AlertFilter, AlertRow, SeriesRecord, ShiftMember, ShiftNotice, StoreError, TenantRecord},
};

/// Most tenants that are loaded together.
const BATCH_MAX: usize = 128;
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
        is_everybody_read: stragglers == Stragglers::Read,
        now,
        shifts: known,
        fleets: HashMap::new(),
        members: BTreeMap::new(),
        heard: HashMap::new(),
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
    Ok(stragglers == Stragglers::Read || shifts.iter().any(|known| known.is_due(false, now)))
}

struct Looking<'a> {
    dispatcher: &'a Dispatcher,
    config: &'a Config,
    is_everybody_read: bool,
    now: Timestamp,
    shifts: Vec<KnownShift>,
    /// Everybody who is polled for that score, loaded once.
    fleets: HashMap<Scope, Vec<TenantRecord>>,
    /// By shift and channel: what goes along with its notice.
    members: BTreeMap<(String, ChannelName), Vec<&'a Run>>,
    /// Which channel has heard of which shift, as far as it was asked.
    heard: HashMap<NotificationId, bool>,
}

impl<'a> Looking<'a> {
    /// What becomes of a run; `None`: it goes along with a notice.
    async fn fates(&mut self, run: &'a Run) -> Result<Option<Vec<(DeliveryId, Fate)>>, StoreError> {
        let keeps_state = self.keeps_state(&run.channel);
        let by_itself = || Some(decide(run, keeps_state, None));
        let Some(suspected) = self.suspected(run).await? else { return Ok(by_itself()) };
        let Some(known) = self.explaining(&suspected).await? else { return Ok(by_itself()) };
        match known.verdict(self.is_everybody_read, self.now) {
            Explained::Told if self.has_heard(&known, &run.channel).await? => {
                let (earlier, newest) = newest_firing(&run.steps);
                let explained = newest.iter().map(|step| (step.delivery, Fate::Explain));
                Ok(Some(of_steps(earlier, run.was_told, keeps_state).into_iter().chain(explained).collect()))
            }
            Explained::Waits(hold) => Ok(Some(decide(run, keeps_state, Some(hold)))),
            // The first late tenant of a channel that had nothing to hear of before brings the notice.
            Explained::Told | Explained::GoesAlong => {
                self.members.entry((known.id, run.channel.clone())).or_default().push(run);
                Ok(None)
            }
        }
    }

    fn keeps_state(&self, channel: &ChannelName) -> bool {
        self.config.channels.get(channel).is_some_and(|channel| channel.kind.keeps_state())
    }

    async fn has_heard(&mut self, known: &KnownShift, channel: &ChannelName) -> Result<bool, StoreError> {
        let id = notice::notice_id(&known.id, channel);
        if let Some(has_heard) = self.heard.get(&id) {
            return Ok(*has_heard);
        }
        let has_heard = self.dispatcher.store.knows(&id).await?;
        self.heard.insert(id, has_heard);
        Ok(has_heard)
    }

    /// What a run tells of, as the store has it now. `None`: it is over, or not so any more, or gone, or not about a value.
    async fn suspected(&self, run: &Run) -> Result<Option<Suspected>, StoreError> {
        let facts = &run.newest.data;
        let Some(kind) = run.kind() else { return Ok(None) };
        let (Some(score), Some(alert)) = (&facts.score, &facts.alert) else { return Ok(None) };
        let Some((tenant, value)) = self.tenant(&run.newest).zip(score.value) else { return Ok(None) };
        let Some(record) = self.dispatcher.store.load(std::slice::from_ref(&tenant.id)).await?.pop() else {
            return Ok(None);
        };
        if !record.identity.is(tenant.account.entra) {
            return Ok(None);
        }
        let subject = score.subject.as_ref().map(|subject| Subject(subject.as_str().into()));
        let firing = alert_of(&record, run).and_then(|of_run| of_run.alert.firing());
        let is_it = |series: &&SeriesRecord| series.score == score.kind && series.subject == subject;
        let series = record.series.iter().find(is_it);
        let (Some(firing), Some(series)) = (firing, series) else { return Ok(None) };
        let news = News {
            score: score.kind,
            subject: subject.as_ref(),
            kind,
            started_at: alert.started_at,
            observed_at: score.observed_at,
            value,
        };
        let interval = tenant.schedule.interval_at(self.now);
        let comparison = score.comparison.map(|average| (average.before, average.after));
        let suspected = Suspected::of(news, firing.terms.when, firing.baseline, &series.window, interval);
        Ok(suspected.map(|suspected| Suspected { comparison, ..suspected }))
    }

    fn tenant(&self, notification: &Notification) -> Option<&'a Tenant> {
        let id = TenantId::parse(&notification.data.tenant.as_ref()?.id).ok()?;
        self.config.tenants.get(&id).map(AsRef::as_ref)
    }

    /// The shift that explains it: one that is known, or that shows now.
    async fn explaining(&mut self, suspected: &Suspected) -> Result<Option<KnownShift>, StoreError> {
        if let Some(known) = self.shifts.iter().find(|known| known.explains(suspected)) {
            return Ok(Some(known.clone()));
        }
        let mut shift = suspected.witnessed();
        if shift.is_none() {
            let moves = self.moves(&suspected.scope, suspected.span()).await?;
            shift = suspected.shown_by(&moves, self.config.fleet.quorum());
        }
        let Some(shift) = shift.filter(|shift| !self.shifts.iter().any(|known| known.shift.is_same(shift))) else {
            return Ok(None);
        };
        let known = KnownShift::noted(self.dispatcher.store.identity(), shift, suspected.interval, self.now);
        info!(score = %known.shift.scope.score, median = known.shift.median, moved = known.shift.moved, "a fleet shift");
        self.dispatcher.store.note_shift(known.clone()).await?;
        self.shifts.push(known.clone());
        Ok(Some(known))
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

    /// Tells every shift whose time has come, and those that are new to a channel, to each that has something of it.
    async fn tell(&mut self) -> Result<bool, StoreError> {
        let mut has_told = false;
        for known in std::mem::take(&mut self.shifts) {
            let has_members = self.members.keys().any(|(shift, _)| *shift == known.id);
            if !has_members && !known.is_due(self.is_everybody_read, self.now) {
                continue;
            }
            let others = if has_members { self.others(&known.shift).await? } else { Moved::default() };
            let of_shift = self.members.iter().filter(|((shift, _), _)| *shift == known.id);
            let notices: Vec<_> = of_shift.map(|((_, channel), runs)| self.notice(channel, runs, &others)).collect();
            info!(shift = known.id, channels = notices.len(), "telling a fleet shift");
            has_told |= self.dispatcher.store.tell_shift(known, notices, self.now).await?;
        }
        Ok(has_told)
    }

    /// Whom each channel hears of, or has heard of, by themselves.
    async fn others(&mut self, shift: &Shift) -> Result<Moved, StoreError> {
        let moves = self.moves(&shift.scope, shift.span).await?;
        let named = |is_it: fn(&Shift, &Move) -> bool| -> BTreeSet<TenantId> {
            moves.iter().filter(|one| is_it(shift, one)).map(|one| one.tenant.clone()).collect()
        };
        let (outliers, along) = (named(Shift::is_outlier), named(Shift::is_along));
        let mut told: BTreeMap<ChannelName, BTreeSet<TenantId>> = BTreeMap::new();
        let firing = self.dispatcher.store.alerts(&AlertFilter { firing_only: true, ..AlertFilter::default() }).await?;
        for AlertRow { key, told_to, .. } in firing.into_iter().filter(|row| is_told_of(shift, row)) {
            for channel in told_to.into_iter().filter(|_| along.contains(&key.tenant)) {
                told.entry(channel).or_default().insert(key.tenant.clone());
            }
        }
        Ok(Moved { outliers, told })
    }

    fn notice(&self, channel: &ChannelName, runs: &[&Run], moved: &Moved) -> ShiftNotice {
        let is_shown = |tenant: &TenantId| {
            let settings = self.config.channels.get(channel);
            let labels = self.config.tenants.get(tenant).map(|tenant| &tenant.labels);
            settings.zip(labels).is_some_and(|(settings, labels)| settings.fence.admits(tenant, labels))
        };
        let keeps_state = self.keeps_state(channel);
        let member = |run: &&Run| {
            let (earlier, newest) = newest_firing(&run.steps);
            ShiftMember {
                earlier: of_steps(earlier, run.was_told, keeps_state),
                run: newest.iter().map(|step| step.delivery).collect(),
                item: run.newest.clone().into(),
            }
        };
        let told_before = moved.told.get(channel).into_iter().flatten().cloned().collect();
        let others = Others { outliers: moved.outliers.iter().cloned().collect(), told_before };
        ShiftNotice {
            channel: channel.clone(),
            members: runs.iter().map(member).collect(),
            others: others.shown(is_shown),
        }
    }
}

/// Tenants that moved in a shift, but for those whose alerts go along with its notice.
#[derive(Default)]
struct Moved {
    outliers: BTreeSet<TenantId>,
    /// By channel: who moved along and was told there by itself.
    told: BTreeMap<ChannelName, BTreeSet<TenantId>>,
}

/// Whether an alert began with the shift and was told by itself.
fn is_told_of(shift: &Shift, row: &AlertRow) -> bool {
    let began = row.alert.firing().map(|firing| firing.since);
    let is_of_shift =
        shift.scope.has(row.key.score, row.key.subject.as_ref()) && began.is_some_and(|at| shift.span.has(at));
    is_of_shift && row.told_at.is_some() && !row.explained
}
