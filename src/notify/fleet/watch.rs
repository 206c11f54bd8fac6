//! What becomes of an alert that may be due to a fleet shift: it waits for the rest of the fleet, and then goes along with the
//! notice of the shift that explains it, or is told by itself. The service asks this with what its store knows, a replay with what
//! was read until then.

use std::time::Duration;

use super::{Move, Quorum, Scope, Shift, Span, Suspect, detect, moved, notice, witnessed};
use crate::{
    domain::{Sample, ScoreKind, Subject, Timestamp, Unit},
    notify::{Hold, HoldReason, NotificationType},
    rule::{Condition, Rule, baseline},
};

/// How long a shift explains what comes late: records come days late, and a tenant may be unreadable for longer.
pub const REMEMBERED: Duration = Duration::from_hours(14 * 24);
/// What was seen just in time has so long to be committed before the shift is told.
const MARGIN: Duration = Duration::from_secs(10);
/// A shift is told once every tenant's next check has come: an interval, and a quarter for polls that are not on the dot.
const STRAGGLERS_INTERVALS: f64 = 1.25;

/// How long alerts wait for the rest of the fleet, and how many tenants make a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetSettings {
    /// How long notifications wait for the rest of the fleet; zero: not at all.
    pub hold: Duration,
    /// The fewest tenants.
    pub at_least: usize,
    /// The least share of the tenants read, above 0 and up to 100.
    pub share_percent: f64,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self { hold: Duration::from_mins(10), at_least: 10, share_percent: 33.0 }
    }
}

impl FleetSettings {
    /// How many tenants must have moved.
    #[must_use]
    pub const fn quorum(&self) -> Quorum {
        Quorum { at_least: self.at_least, share_percent: self.share_percent }
    }

    /// Until when others may tell of the same thing; `None`: nobody may, or it is about this tenant alone. `polled` are those that
    /// are polled for the score.
    #[must_use]
    pub fn hold<T>(
        &self,
        kind: NotificationType,
        rule: &Rule,
        score: ScoreKind,
        mut polled: impl Iterator<Item = T>,
        now: Timestamp,
    ) -> Option<Hold> {
        let is_news = matches!(
            kind,
            NotificationType::AlertFiring | NotificationType::AlertWorsened | NotificationType::AlertUnstable
        );
        let takes_part = is_news && rule.fleet && !matches!(rule.when, Condition::NoData(_)) && !self.hold.is_zero();
        // A fleet that is too small to tell has Microsoft's own average, where the source gives one.
        let mut can_tell = || score.has_witness() || polled.nth(self.at_least.saturating_sub(1)).is_some();
        (takes_part && can_tell()).then(|| Hold { why: HoldReason::Fleet, until: now.plus(self.hold) })
    }
}

/// A fleet shift that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownShift {
    /// Made from what, which way and when: the same shift, the same id.
    pub id: String,
    /// How it went.
    pub shift: Shift,
    /// When it was noted.
    pub seen_at: Timestamp,
    /// When it is told: by then the rest of the fleet was read.
    pub tell_at: Timestamp,
    /// When it was told.
    pub told_at: Option<Timestamp>,
}

/// What becomes of an alert that a shift explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explained {
    /// The shift was told already: the alert is not told any more.
    Told,
    /// It waits for the notice.
    Waits(Hold),
    /// It goes along with the notice, which is told now.
    GoesAlong,
}

impl KnownShift {
    /// A shift that is seen now by a tenant that is polled every `interval`.
    #[must_use]
    pub fn noted(store: &str, shift: Shift, interval: Duration, now: Timestamp) -> Self {
        let tell_at = now.plus(interval.mul_f64(STRAGGLERS_INTERVALS)).plus(MARGIN);
        Self { id: notice::shift_id(store, &shift), shift, seen_at: now, tell_at, told_at: None }
    }

    /// Whether it is to be told now. `is_everybody_read`: nobody needs to be waited for.
    #[must_use]
    pub fn is_due(&self, is_everybody_read: bool, now: Timestamp) -> bool {
        self.told_at.is_none() && (is_everybody_read || self.tell_at <= now)
    }

    /// Whether an alert is due to it.
    #[must_use]
    pub fn explains(&self, suspected: &Suspected) -> bool {
        let came_with_it = || {
            self.shift.span.overlaps(suspected.before_at, suspected.seen_at) && self.shift.explains(suspected.suspect)
        };
        self.shift.scope == suspected.scope && (came_with_it() || self.is_left_by_it(suspected))
    }

    /// Whether an alert is all that it left: a change is measured from before it for as long as its rule looks back, so a tenant
    /// that it brought to the edge of a rule goes over it again with every bit of noise. Measured from where it left the tenant,
    /// nothing happened. A tenant that stood out has lost something of its own.
    fn is_left_by_it(&self, suspected: &Suspected) -> bool {
        let Suspected { seen_at, suspect, window, scope, .. } = suspected;
        let (Span { from, until }, unit) = (self.shift.span, scope.score.unit());
        let looks_back =
            suspect.when.change().is_some_and(|change| *seen_at > until && seen_at.minus(change.within) <= until);
        let before = window[..window.partition_point(|sample| sample.at < from)].last();
        let after = window[..window.partition_point(|sample| sample.at <= until)].last();
        let (true, Some(before), Some(after), Some(baseline)) = (looks_back, before, after, suspect.baseline) else {
            return false;
        };
        let Some(by) = moved(unit, before.value, after.value) else { return false };
        let is_along = by * self.shift.median > 0.0 && by.abs() - self.shift.median.abs() <= self.shift.tolerance;
        let left = match unit {
            Unit::Points => baseline * (1.0 + by / 100.0),
            Unit::PointsOf100 | Unit::Percent => baseline + by,
        };
        is_along && !suspect.when.holds(suspect.value, Some(left))
    }

    /// What becomes of an alert that it explains.
    #[must_use]
    pub fn verdict(&self, is_everybody_read: bool, now: Timestamp) -> Explained {
        match self.told_at {
            Some(_) => Explained::Told,
            None if self.is_due(is_everybody_read, now) => Explained::GoesAlong,
            None => Explained::Waits(Hold { why: HoldReason::Fleet, until: self.tell_at }),
        }
    }
}

/// What is told of an alert, as far as it matters to whether a shift explains it.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// Of which score.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<&'a Subject>,
    /// What kind of message.
    pub kind: NotificationType,
    /// When the condition first held.
    pub started_at: Timestamp,
    /// When the value was observed that is told.
    pub observed_at: Option<Timestamp>,
    /// That value. What was held is judged by what was read since.
    pub value: f64,
}

/// An alert that may be due to a shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspected {
    /// What moved.
    pub scope: Scope,
    /// How far apart the tenant's polls are.
    pub interval: Duration,
    /// The first reading that shows it.
    pub seen_at: Timestamp,
    /// The reading before.
    pub before_at: Timestamp,
    /// What is asked of a shift.
    pub suspect: Suspect,
    /// The samples of its series, oldest first.
    pub window: Vec<Sample>,
    /// Microsoft's own average of all its tenants at the baseline's reading and at the one that is told, where it is known.
    pub comparison: Option<(f64, f64)>,
}

impl Suspected {
    /// What an alert tells that fires by `when` from `baseline`; `window` are its series' samples, oldest first. `None`: nothing was
    /// read before.
    #[must_use]
    pub fn of(
        news: News<'_>,
        when: Condition,
        baseline: Option<f64>,
        window: &[Sample],
        interval: Duration,
    ) -> Option<Self> {
        let seen_at = match news.kind {
            NotificationType::AlertWorsened => news.observed_at.unwrap_or(news.started_at),
            _ => news.started_at,
        };
        let span = Span::around(news.score, seen_at, interval);
        let earlier = |than: Timestamp| window[..window.partition_point(|sample| sample.at < than)].last();
        let previous = earlier(seen_at)?;
        let before = earlier(span.from).unwrap_or(previous);
        let told = Sample { at: news.observed_at.unwrap_or(seen_at), value: news.value };
        let now = baseline::newest(window).filter(|newest| newest.at > told.at).unwrap_or(told);
        Some(Self {
            scope: Scope::of(news.score, news.subject),
            interval,
            seen_at,
            before_at: previous.at,
            suspect: Suspect { when, baseline, before: before.value, value: now.value },
            window: window.to_vec(),
            comparison: None,
        })
    }

    /// Around when others must have moved.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::around(self.scope.score, self.seen_at, self.interval)
    }

    /// The shift that explains it by Microsoft's own average.
    #[must_use]
    pub fn witnessed(&self) -> Option<Shift> {
        let (before, after) = self.comparison.filter(|_| self.scope.score.has_witness())?;
        witnessed(&self.scope, self.span(), before, after).filter(|shift| shift.explains(self.suspect))
    }

    /// The shift that explains it by how the fleet moved around that time.
    #[must_use]
    pub fn shown_by(&self, moves: &[Move], quorum: Quorum) -> Option<Shift> {
        detect(&self.scope, self.span(), moves, quorum).filter(|shift| shift.explains(self.suspect))
    }
}
