//! Fleet shifts in what was read of many tenants: found in time order, each when the service would have found it. What a walk and
//! the stages know of the fleet.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    STORE,
    history::{History, Plan, SeriesHistory},
};
use crate::{
    domain::{ScoreKind, SeriesId, SeriesKey, TenantId, Timestamp},
    notify::{
        Hold, NotificationType, compose,
        fleet::{
            Attributed, Known, KnownShift, Movement, REMEMBERED, Scope, Tracked, amount, due::WaitsFor, find::decide,
            group, movement::of_reading, watch::takes_part,
        },
    },
    rule::{Resolution, Rule, ShiftedBy, Transition, TransitionKind},
};

/// How many polling intervals around an undecided movement others are considered.
const AROUND_INTERVALS: u32 = 3;

/// What a shift did to one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The shift, by its place.
    pub shift: usize,
    /// From when on it was known.
    pub known_at: Timestamp,
    /// When, and how much of the movement the shift accounts for.
    pub shifted_by: ShiftedBy,
    /// Whether the series moved farther than that.
    pub is_outlier: bool,
}

/// All that walks and stages know of a fleet.
#[derive(Debug, Default)]
pub struct Fleet {
    /// The shifts that were found, in time order of each score.
    pub shifts: Vec<KnownShift>,
    parts: HashMap<SeriesKey, Vec<Part>>,
    /// The scores in which shifts are looked for.
    watched: BTreeSet<ScoreKind>,
    turns: Vec<Turns>,
    wait: std::time::Duration,
}

/// When one tenant was checked.
#[derive(Debug)]
struct Turns {
    interval_ns: i64,
    checks: Vec<Timestamp>,
}

impl Turns {
    fn of(history: &History) -> Self {
        let mut checks: Vec<Timestamp> = Vec::new();
        for score in &history.scores {
            for series in &score.series {
                checks.extend((series.imported..series.samples.len()).filter_map(|place| series.seen_at(place)));
            }
            checks.extend(score.looks.iter().map(|look| look.at));
        }
        checks.sort_unstable();
        checks.dedup();
        let interval_ns = i64::try_from(history.poll_interval.as_nanos()).unwrap_or(i64::MAX).max(1);
        Self { interval_ns, checks }
    }

    /// The last check for a tick before `until`, after `now`.
    fn last_before(&self, now: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let tick = until.as_nanos().saturating_sub(1).div_euclid(self.interval_ns).saturating_mul(self.interval_ns);
        let end = self.checks.partition_point(|at| at.as_nanos() < tick.saturating_add(self.interval_ns));
        end.checked_sub(1).map(|last| self.checks[last]).filter(|last| *last > now)
    }

    /// The check for which whatever was made at `now` waits: the tick that it is for has come, and none was made since.
    fn awaited(&self, now: Timestamp) -> Option<Timestamp> {
        let tick = now.as_nanos().div_euclid(self.interval_ns).saturating_mul(self.interval_ns);
        let next_tick = Timestamp::from_nanos(tick.saturating_add(self.interval_ns));
        let until_now = self.checks.partition_point(|at| *at <= now);
        let has_been = until_now.checked_sub(1).is_some_and(|newest| self.checks[newest].as_nanos() >= tick);
        self.checks.get(until_now).copied().filter(|next| !has_been && *next < next_tick)
    }
}

impl Fleet {
    /// Finds the shifts in these courses.
    #[must_use]
    pub fn of(plan: &Plan, histories: &[History]) -> Self {
        let is_watched = |score: &ScoreKind| {
            let judges = |rule: &Rule| takes_part(rule) && rule.score.is_none_or(|judged| judged == *score);
            let polled = histories.iter().filter(|history| history.scores.iter().any(|one| one.score == *score));
            plan.rules.iter().any(|rule| judges(rule)) && plan.fleet.can_detect(polled)
        };
        let watched: BTreeSet<ScoreKind> = ScoreKind::ALL.into_iter().filter(is_watched).collect();
        if watched.is_empty() {
            return Self::default();
        }
        let turns = histories.iter().map(Turns::of).collect();
        let mut fleet = Self { watched, turns, wait: plan.fleet.wait(), ..Self::default() };
        let mut scopes: BTreeMap<Scope, Field<'_>> = BTreeMap::new();
        for history in histories {
            for score in history.scores.iter().filter(|score| fleet.watched.contains(&score.score)) {
                for series in &score.series {
                    let field = scopes.entry(Scope::of(score.score, series.subject.as_ref())).or_default();
                    field.movements.extend(movements(plan, history, score.score, series));
                    field.series.push((&history.tenant, series));
                }
            }
        }
        for (scope, field) in scopes {
            fleet.find(plan, &scope, field);
        }
        for parts in fleet.parts.values_mut() {
            parts.sort_by_key(|part| part.shifted_by.at);
        }
        fleet
    }

    /// Finds the shifts of one scope, each when all that was due was read.
    fn find(&mut self, plan: &Plan, scope: &Scope, Field { movements, series }: Field<'_>) {
        let mut tracked: Vec<Tracked> =
            movements.into_iter().map(|movement| Tracked { id: 0, movement, is_decided: false, part: None }).collect();
        tracked.sort_by(|one, other| {
            let key = |tracked: &Tracked| (tracked.movement.after.at, tracked.movement.read_at);
            key(one).cmp(&key(other)).then_with(|| one.movement.tenant.cmp(&other.movement.tenant))
        });
        let read_at = Memo::new(|at| self.read_at(at));
        let final_at = Memo::new(|at| self.decided_at(WaitsFor::Readings, at));
        let mut times: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
        for (place, one) in tracked.iter_mut().enumerate() {
            one.id = i64::try_from(place).unwrap_or(i64::MAX);
            for at in [read_at.get(one.movement.read_at), final_at.get(one.movement.read_at)] {
                times.entry(at).or_default().push(place);
            }
        }
        let (mut shifts, mut parts) = (Vec::<KnownShift>::new(), Vec::new());
        for (now, ready) in times {
            let ready: Vec<usize> = ready.into_iter().filter(|&place| !tracked[place].is_decided).collect();
            let around = |&place: &usize| {
                let Movement { before, after, interval, .. } = &tracked[place].movement;
                before.at.min(after.at.minus(interval.saturating_mul(AROUND_INTERVALS)))
            };
            let Some(from) = ready.iter().map(around).min() else { continue };
            let first = tracked.partition_point(|one| one.movement.after.at < from);
            let visible: Vec<usize> =
                (first..tracked.len()).take_while(|&place| tracked[place].movement.after.at <= now).collect();
            let mut seen: Vec<Tracked> = visible
                .iter()
                .filter(|&&place| tracked[place].movement.read_at <= now)
                .map(|&place| tracked[place].clone())
                .collect();
            let before: Vec<bool> = seen.iter().map(|one| one.part.is_some()).collect();
            let remembered = shifts.partition_point(|known| known.seen_at <= now.minus(REMEMBERED));
            let known = Known { store: STORE, quorum: plan.fleet.quorum(), shifts: &shifts[remembered..], now };
            let found = decide(
                &known,
                scope,
                &mut seen,
                |movement| read_at.get(movement.read_at) <= now,
                |movement| final_at.get(movement.read_at) <= now,
                || {
                    let newest = |(tenant, series): &(&TenantId, &SeriesHistory)| {
                        let newest = series.seen_by(now).checked_sub(1)?;
                        Some(((*tenant).clone(), series.samples.get(newest)?.at))
                    };
                    series.iter().filter_map(newest).collect()
                },
            );
            shifts.extend(found);
            for (one, had_part) in seen.into_iter().zip(before) {
                let place = usize::try_from(one.id).unwrap_or(usize::MAX);
                if let Some(part) = one.part.as_ref().filter(|_| !had_part) {
                    parts.push((one.movement.clone(), part.clone(), now));
                }
                if let Some(kept) = tracked.get_mut(place) {
                    *kept = one;
                }
            }
        }
        drop((read_at, final_at));
        self.keep(shifts, parts);
    }

    /// Keeps the shifts of one scope, with the movements that are part of them and when that was known.
    fn keep(&mut self, mut shifts: Vec<KnownShift>, parts: Vec<(Movement, Attributed, Timestamp)>) {
        let first = self.shifts.len();
        for (movement, part, known_at) in parts {
            let Some(place) = shifts.iter().position(|known| known.id == part.shift) else { continue };
            let by = amount(movement.score.unit(), part.by);
            let key = SeriesKey { tenant: movement.tenant, score: movement.score, subject: movement.subject };
            let shifted_by = ShiftedBy { at: movement.after.at, by };
            let part = Part { shift: first + place, known_at, shifted_by, is_outlier: part.is_outlier };
            self.parts.entry(key).or_default().push(part);
        }
        self.shifts.append(&mut shifts);
    }

    /// What shifts did to a series, in time order.
    #[must_use]
    pub fn parts(&self, tenant: &TenantId, series: SeriesId<'_>) -> &[Part] {
        if self.parts.is_empty() {
            return &[];
        }
        self.parts.get(&series.of(tenant)).map_or(&[], Vec::as_slice)
    }

    /// The tenants that are part of a shift by then, and whether they stand out.
    #[must_use]
    pub fn tenants_of(&self, shift: usize, now: Timestamp) -> BTreeMap<&TenantId, bool> {
        let mut tenants = BTreeMap::new();
        for (SeriesKey { tenant, .. }, parts) in &self.parts {
            for part in parts.iter().filter(|part| part.shift == shift && part.known_at <= now) {
                *tenants.entry(tenant).or_default() |= part.is_outlier;
            }
        }
        tenants
    }

    /// Until when a message waits for the rest of the fleet; `None`: it does not.
    #[must_use]
    pub fn hold(
        &self,
        kind: NotificationType,
        resolution: Option<Resolution>,
        rule: &Rule,
        score: ScoreKind,
        now: Timestamp,
    ) -> Option<Hold> {
        let waits_for = WaitsFor::of(kind, resolution).filter(|_| takes_part(rule) && self.watched.contains(&score))?;
        let hold = waits_for.hold(self.wait, now);
        Some(Hold { until: self.decided_at(waits_for, now), ..hold })
    }

    /// When a transition's message arrives that waits for the rest of the fleet; `None`: it does not wait.
    #[must_use]
    pub fn arrives_at(
        &self,
        tenant: &TenantId,
        series: SeriesId<'_>,
        rule: &Rule,
        transition: &Transition,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let resolution = match transition.kind {
            TransitionKind::Resolved(resolution) => Some(resolution),
            _ => None,
        };
        let hold = self.hold(compose::type_of(transition.kind), resolution, rule, series.score, now)?;
        let times = [transition.observed_at, Some(transition.since)];
        let parts = self.parts(tenant, series).iter();
        // What is part of a shift goes out with it.
        let mut caused = parts.filter(|part| times.contains(&Some(part.shifted_by.at)));
        let with_shift = caused.next_back().map(|part| part.known_at.max(self.read_at(now)));
        Some(with_shift.map_or(hold.until, |at| at.min(hold.until)))
    }

    /// When every tenant that was due at that time has been read, or the wait is over.
    #[must_use]
    pub fn read_at(&self, made_at: Timestamp) -> Timestamp {
        let awaited = self.turns.iter().filter_map(|turns| turns.awaited(made_at)).max();
        awaited.unwrap_or(made_at).min(made_at.plus(self.wait))
    }

    /// When something that was made at that time is decided on, if it is part of no shift.
    fn decided_at(&self, waits_for: WaitsFor, made_at: Timestamp) -> Timestamp {
        let latest = waits_for.hold(self.wait, made_at).until;
        match waits_for {
            WaitsFor::Readings => {
                let others = self.turns.iter().filter_map(|turns| turns.last_before(made_at, latest)).max();
                others.unwrap_or(made_at).min(latest)
            }
            // Reminders that are due at one instant are all made then.
            WaitsFor::Wakes => made_at,
            WaitsFor::Time => latest,
        }
    }
}

/// The movements of one scope, and its series.
#[derive(Default)]
struct Field<'a> {
    movements: Vec<Movement>,
    series: Vec<(&'a TenantId, &'a SeriesHistory)>,
}

/// The readings of a series that differ from the one before by more than usual.
fn movements<'a>(
    plan: &Plan,
    history: &'a History,
    score: ScoreKind,
    series: &'a SeriesHistory,
) -> impl Iterator<Item = Movement> + 'a {
    let (reach, mut low) = (plan.reach(score), 0);
    let first = if series.imported > 0 { series.imported + 1 } else { 1 };
    (first..series.samples.len()).filter_map(move |place| {
        let (after, newest) = (series.samples[place], series.samples[place - 1]);
        let start = newest.at.minus(reach);
        while series.samples[low].at < start {
            low += 1;
        }
        let (before, by) = of_reading(score.unit(), &series.samples[low..place], after)?;
        Some(Movement {
            tenant: history.tenant.clone(),
            score,
            subject: series.subject.clone(),
            before,
            after,
            by,
            read_at: series.seen_at(place)?,
            interval: history.poll_interval,
        })
    })
}

impl Part {
    /// The same as a cause of messages.
    #[must_use]
    pub fn caused<'a>(&self, shifts: &'a [KnownShift]) -> Option<group::Part<'a>> {
        let shift = &shifts.get(self.shift)?.id;
        Some(group::Part {
            shift,
            at: self.shifted_by.at,
            is_outlier: self.is_outlier,
            is_up: self.shifted_by.by.is_up(),
        })
    }
}

/// Answers that are asked for again and again.
struct Memo<F> {
    ask: F,
    known: RefCell<HashMap<Timestamp, Timestamp>>,
}

impl<F: Fn(Timestamp) -> Timestamp> Memo<F> {
    fn new(ask: F) -> Self {
        Self { ask, known: RefCell::default() }
    }

    fn get(&self, at: Timestamp) -> Timestamp {
        *self.known.borrow_mut().entry(at).or_insert_with(|| (self.ask)(at))
    }
}
