//! Follows one alert of one rule through one series, by the letter of the specification.

use super::{
    model::{Event, Kind, Latitude, Why},
    shift::Moved,
    world::{Check, Evidence, Outcome, Recover, Rule, Score, Seconds, Size, When, World},
};

/// Changes of one alert within a day, above which it may be called unstable.
const CHANGES_MAX: usize = 6;
const CHANGES_WITHIN: Seconds = 24 * 3_600;
/// More checks in a row without a reading than this start `for` again.
const MISSED_MAX: usize = 3;
/// A difference that is only due to the binary form of decimals is a tie.
const TIE: f64 = 1e-11;

#[derive(Debug, Clone, Copy)]
struct Firing {
    /// The source time and the time of reading when it fired.
    fired: Seconds,
    /// The source time of the reading at which the condition first held.
    since: Seconds,
    baseline: f64,
    /// The worst value that was notified, and its source time.
    notified: f64,
    notified_at: Seconds,
    worst: f64,
    began_at: Seconds,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Quiet,
    /// Since when, and against which baseline.
    Pending(Seconds, Option<f64>),
    Firing(Firing),
}

/// The state of one alert while it is followed through its series.
pub(super) struct Walk<'a> {
    world: &'a World,
    rule: &'a Rule,
    score: Score,
    moved: &'a [Moved],
    latitude: Latitude,
    /// Source time and value of all readings so far.
    samples: Vec<(Seconds, f64)>,
    /// Samples before this are not a baseline.
    rebased: Seconds,
    missed: usize,
    /// The best of all samples, with the number of samples and of shifts that were applied.
    best: Option<f64>,
    best_of: (usize, usize),
    state: State,
    changes: Vec<Seconds>,
    pub(super) events: Vec<Event>,
    pub(super) open_from: Option<Seconds>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(world: &'a World, rule: &'a Rule, score: Score, moved: &'a [Moved], latitude: Latitude) -> Self {
        Self {
            world,
            rule,
            score,
            moved,
            latitude,
            samples: Vec::new(),
            rebased: Seconds::MIN,
            missed: 0,
            best: None,
            best_of: (0, 0),
            state: State::Quiet,
            changes: Vec::new(),
            events: Vec::new(),
            open_from: None,
        }
    }

    pub(super) fn run(&mut self, checks: &[Check]) {
        for check in checks {
            self.accept_by(check.at);
            match check.outcome {
                Outcome::Read { value, dated } => {
                    self.read(check.at, dated, value);
                    self.samples.push((dated, value));
                    self.missed = 0;
                }
                Outcome::Same => self.missed = 0,
                Outcome::Failed => self.missed += 1,
                Outcome::Missed => self.missed += usize::from(!self.world.is_downtime(check.at)),
            }
        }
        self.accept_by(self.world.until);
    }

    fn read(&mut self, at: Seconds, dated: Seconds, value: f64) {
        match self.state {
            State::Firing(firing) => self.go_on(firing, at, dated, value),
            State::Quiet => self.look(None, at, dated, value),
            State::Pending(..) if self.missed > MISSED_MAX => self.look(None, at, dated, value),
            State::Pending(since, baseline) => self.look(Some((since, baseline)), at, dated, value),
        }
    }

    /// The alert does not fire yet.
    fn look(&mut self, pending: Option<(Seconds, Option<f64>)>, at: Seconds, dated: Seconds, value: f64) {
        // A shift that made the alert pending must not end it again.
        let known_by = pending.filter(|_| !self.latitude.pending_moves).map_or(dated, |(since, _)| since.min(dated));
        let mut baseline = self.baseline(dated, value, known_by);
        // The baseline with which the condition first held stays a candidate, even when the window moves on.
        if let Some(kept) = pending.and_then(|(_, kept)| kept) {
            baseline = Some(baseline.filter(|own| self.further(*own, kept) > 0.0).unwrap_or(kept));
        }
        if !self.holds(value, baseline) {
            self.state = State::Quiet;
            return;
        }
        let since = pending.map_or(dated, |(since, _)| since);
        if dated - since < self.rule.pending_for {
            self.state = State::Pending(since, baseline);
            return;
        }
        let baseline = baseline.unwrap_or(value);
        let (fired, notified, notified_at, worst, began_at) = (dated, value, dated, value, at);
        self.state = State::Firing(Firing { fired, since, baseline, notified, notified_at, worst, began_at });
        self.change(at);
        self.push(Kind::Fired, at, dated);
        self.accept_with_shift(at, dated);
    }

    /// Moves a firing alert on by one reading.
    fn go_on(&mut self, mut firing: Firing, at: Seconds, dated: Seconds, value: f64) {
        if self.further(firing.worst, value) > 0.0 {
            firing.worst = value;
        }
        let (level, whole) = self.moved_baseline(&firing, dated);
        // A shift that the reading shows does not make up for the tenant's own loss.
        let (level_by_now, _) = self.moved_baseline(&firing, dated + 1);
        let is_over = |baseline: f64| self.is_over(&Firing { baseline, ..firing }, value);
        if is_over(level) && is_over(level_by_now) {
            if matches!(self.rule.recover, Some(Recover::Regained(_))) {
                self.rebase(dated);
            }
            self.state = State::Quiet;
            self.change(at);
            return self.push(Kind::Ended(Why::Recovered), at, dated);
        }
        let notified = self.notified_level(&firing, dated);
        let size = match self.rule.when {
            When::Drop(size, _) | When::Rise(size, _) => Some((size, whole)),
            When::Below(bound) | When::Above(bound) => self.rule.step.map(|step| (step, bound)),
            When::NoData(_) => None,
        };
        let is_worse = self.holds(value, Some(level))
            && size.is_some_and(|(size, whole)| reaches(size, self.further(notified, value), whole));
        if is_worse {
            (firing.notified, firing.notified_at) = (value, dated);
        }
        self.state = State::Firing(firing);
        if is_worse {
            self.push(Kind::Worsened, at, dated);
            if self.accept_with_shift(at, dated) {
                // It also fired for another reason, which nobody has accepted.
                self.open(at);
            }
        }
    }

    fn notified_level(&self, firing: &Firing, dated: Seconds) -> f64 {
        if !self.latitude.notified_moves || !self.is_change() {
            return firing.notified;
        }
        let since = self.moved.iter().filter(|moved| firing.notified_at < moved.seen && moved.seen < dated);
        since.fold(firing.notified, |level, moved| self.moved_by(level, moved))
    }

    /// The baseline of the loss, and the value that its percentage is of. A sample from before a shift counts as moved, but alerts
    /// that a shift covers keep firing.
    fn moved_baseline(&self, firing: &Firing, dated: Seconds) -> (f64, f64) {
        if !self.latitude.notified_moves || !self.is_change() {
            return (firing.baseline, firing.baseline);
        }
        let since = self.moved.iter().filter(|moved| firing.since <= moved.seen && moved.seen < dated);
        let moved = since.fold(firing.baseline, |level, moved| self.moved_by(level, moved));
        let level = if self.further(moved, firing.baseline) > 0.0 { moved } else { firing.baseline };
        (level, moved)
    }

    fn is_over(&self, firing: &Firing, value: f64) -> bool {
        let holds = self.holds(value, Some(firing.baseline));
        match self.rule.recover {
            None => !holds,
            Some(Recover::Above(bound)) => value > bound,
            Some(Recover::Below(bound)) => value < bound,
            Some(Recover::Regained(percent)) => {
                let lost = self.further(firing.baseline, firing.worst);
                let regained = self.further(value, firing.worst);
                regained >= percent * lost / 100.0 - TIE * firing.baseline.abs()
            }
        }
    }

    /// Accepts an alert that has fired for as long as `accept_after` says.
    fn accept_by(&mut self, now: Seconds) {
        let (State::Firing(firing), Some(after)) = (self.state, self.rule.accept_after) else { return };
        let at = firing.fired + after;
        if at < now && self.is_change() {
            self.state = State::Quiet;
            self.rebase(self.samples.last().map_or(firing.fired, |(dated, _)| *dated));
            // A record is dated before it is read; and nothing is done while we are down.
            let downtime = self.world.downtime.iter().filter(|(from, until)| (*from..*until).contains(&at));
            let latest = downtime.map(|(_, until)| *until).max().unwrap_or(at).max(firing.began_at + after);
            let kind = Kind::Ended(Why::Accepted);
            self.events.push(Event { kind, at, latest, happened: at, is_optional: false });
        }
    }

    /// Accepts the effect of a shift that Microsoft provably caused, and returns whether it did.
    fn accept_with_shift(&mut self, at: Seconds, dated: Seconds) -> bool {
        let is_proven =
            |moved: &&Moved| moved.seen == dated && moved.evidence == Evidence::ChangedByMicrosoft && !moved.is_outlier;
        if !self.world.fleet.accepts_proven || !self.is_change() || !self.moved.iter().any(|one| is_proven(&one)) {
            return false;
        }
        self.state = State::Quiet;
        self.rebase(dated);
        let (kind, latest) = (Kind::Ended(Why::AcceptedWithShift), at + self.world.fleet.wait());
        self.events.push(Event { kind, at, latest, happened: dated, is_optional: true });
        true
    }

    fn rebase(&mut self, dated: Seconds) {
        (self.rebased, self.best, self.best_of) = (dated, None, (0, 0));
    }

    const fn is_change(&self) -> bool {
        matches!(self.rule.when, When::Drop(..) | When::Rise(..))
    }

    /// The best of the window and the newest reading before it, as moved by the shifts that were seen before `known_by`.
    fn baseline(&mut self, dated: Seconds, value: f64, known_by: Seconds) -> Option<f64> {
        let (When::Drop(_, within) | When::Rise(_, within)) = self.rule.when else { return None };
        if known_by == dated && !self.may_hold(dated, value) {
            return None;
        }
        let end = self.samples.partition_point(|(at, _)| *at < dated);
        let newest = self.samples[..end].last().map(|(at, _)| *at).filter(|at| *at >= self.rebased)?;
        let begin = (dated - within).max(self.rebased).min(newest);
        let window = self.samples[..end].iter().skip(self.samples.partition_point(|(at, _)| *at < begin));
        let values = window.map(|(at, value)| {
            let since = self.moved.iter().filter(|moved| *at < moved.seen && moved.seen < known_by);
            since.fold(*value, |value, moved| self.moved_by(value, moved))
        });
        values.reduce(|best, value| if self.further(value, best) > 0.0 { value } else { best })
    }

    /// Whether the condition holds against the best of all samples. This only saves time, as most readings are far from an alert.
    fn may_hold(&mut self, dated: Seconds, value: f64) -> bool {
        let known = self.moved.partition_point(|moved| moved.seen < dated);
        if self.best_of.1 != known {
            (self.best, self.best_of) = (None, (0, known));
        }
        let from = self.best_of.0.max(self.samples.partition_point(|(at, _)| *at < self.rebased));
        for place in from..self.samples.len() {
            let (at, sample) = self.samples[place];
            let moved = self.moved[..known].iter().filter(|moved| at < moved.seen);
            let sample = moved.fold(sample, |value, moved| self.moved_by(value, moved));
            if self.best.is_none_or(|best| self.further(sample, best) > 0.0) {
                self.best = Some(sample);
            }
        }
        self.best_of.0 = self.samples.len();
        self.holds(value, self.best)
    }

    fn moved_by(&self, value: f64, moved: &Moved) -> f64 {
        if self.latitude.relative { self.score.move_by(value, moved.by) } else { value + moved.points }
    }

    /// By how much `to` is worse than `from`.
    fn further(&self, from: f64, to: f64) -> f64 {
        match self.rule.when {
            When::Below(_) | When::Drop(..) => from - to,
            When::Above(_) | When::Rise(..) => to - from,
            When::NoData(_) => 0.0,
        }
    }

    fn holds(&self, value: f64, baseline: Option<f64>) -> bool {
        match self.rule.when {
            When::Below(bound) => value < bound,
            When::Above(bound) => value > bound,
            When::Drop(size, _) | When::Rise(size, _) => {
                baseline.is_some_and(|baseline| reaches(size, self.further(baseline, value), baseline))
            }
            When::NoData(_) => false,
        }
    }

    fn push(&mut self, kind: Kind, at: Seconds, happened: Seconds) {
        self.events.push(Event { kind, at, latest: at, happened, is_optional: false });
    }

    /// Counts the changes of the alert: after very many, it may be reported as unstable instead.
    fn change(&mut self, at: Seconds) {
        self.changes.push(at);
        let lately = self.changes.iter().filter(|change| at - **change < CHANGES_WITHIN).count();
        if self.rule.flapping && lately > CHANGES_MAX {
            self.open(at);
        }
    }

    fn open(&mut self, at: Seconds) {
        self.open_from = Some(self.open_from.map_or(at, |from| from.min(at)));
    }
}

fn reaches(size: Size, amount: f64, whole: f64) -> bool {
    let needed = match size {
        Size::Points(points) => points,
        Size::Percent(percent) if whole > 0.0 => percent * whole / 100.0,
        Size::Percent(_) => return false,
    };
    amount >= needed - TIE * whole.abs().max(needed)
}
