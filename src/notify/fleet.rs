//! Fleet shifts: many tenants' scores move the same way at once, so Microsoft changed the ruler and not the customers.
//!
//! How far tenants moved differs from one to the next, and a few may really have lost something just then. So the shift is the
//! median of the moves, and how far apart they usually are is their median absolute deviation, which a few outliers don't touch.
//! An alert that the shift explains is told within one notice; what stands out from it, and what would be so without it, is told
//! by itself.

pub mod notice;
pub mod watch;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Sample, ScoreKind, Subject, TenantId, Timestamp, Unit},
    rule::Condition,
};
pub use watch::{Explained, FleetSettings, KnownShift, News, REMEMBERED, Suspected};

/// Moves that are smaller, in percent of the score or in its points where it is a percentage itself, are no moves.
const MOVE_MIN: f64 = 0.5;
/// A move is so many times larger than the tenant's usual step, or it is its usual noise.
const OVER_USUAL: f64 = 3.0;
/// A tenant stands out when it moved so many deviations farther than the median (Iglewicz and Hoaglin's modified z-score).
const OUTLIER_DEVIATIONS: f64 = 3.5;
/// Makes a median absolute deviation of a normal distribution its standard deviation.
const MAD_SCALE: f64 = 1.4826;
/// Moves that differ by so little, as a share of the median, do not stand out, however alike all others are.
const SPREAD_SHARE_MIN: f64 = 0.15;
/// How far, in polling intervals, around the first reading that shows a shift the others show it: each tenant within one
/// interval of when it happened, which was within one interval before; and a quarter for polls that are not on the dot.
const REACH_INTERVALS: f64 = 1.25;

/// What moved: a score, and of scores by category, which Microsoft re-scores one by one, which category.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// What is measured.
    pub score: ScoreKind,
    /// The category. Device groups are the customers' own, and none of them is another tenant's.
    pub category: Option<Subject>,
}

impl Scope {
    /// What a series belongs to.
    #[must_use]
    pub fn of(score: ScoreKind, subject: Option<&Subject>) -> Self {
        let category = subject.filter(|_| score == ScoreKind::SecureScoreCategory).cloned();
        Self { score, category }
    }

    /// Whether a series belongs to it.
    #[must_use]
    pub fn has(&self, score: ScoreKind, subject: Option<&Subject>) -> bool {
        *self == Self::of(score, subject)
    }
}

/// How many tenants must have moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quorum {
    /// So many, whatever their share.
    pub at_least: usize,
    /// So many percent of those read.
    pub share_percent: f64,
}

/// When a shift was seen: around the first reading that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What was read before that was read before the shift.
    pub from: Timestamp,
    /// What is read later shows what came after it, too.
    pub until: Timestamp,
}

impl Span {
    /// Around the first reading that shows it. `interval`: how far apart polls are; records of a day are all of one instant.
    #[must_use]
    pub fn around(score: ScoreKind, seen_at: Timestamp, interval: Duration) -> Self {
        if score.record_interval().is_zero() {
            let reach = interval.mul_f64(REACH_INTERVALS);
            Self { from: seen_at.minus(reach), until: seen_at.plus(reach) }
        } else {
            // The record itself and no other: what the next one shows happened after it.
            Self { from: seen_at, until: seen_at }
        }
    }

    /// Whether an instant lies within.
    #[must_use]
    pub fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.until
    }

    /// Whether something that was first seen at `seen_at`, and was not yet so at the reading before, may have happened within.
    #[must_use]
    pub fn overlaps(&self, before: Timestamp, seen_at: Timestamp) -> bool {
        before < self.until && seen_at >= self.from
    }
}

/// One tenant's value before the span and at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// Who.
    pub tenant: TenantId,
    /// By how much, in the measure of its unit; negative: it fell.
    pub by: f64,
    /// Whether that is more than the tenant's usual noise.
    pub is_real: bool,
}

/// How far a value moved: in percent of what it was, or in points where the score is a percentage itself.
#[must_use]
pub fn moved(unit: Unit, before: f64, after: f64) -> Option<f64> {
    let by = match unit {
        Unit::Points => (after - before) * 100.0 / before,
        Unit::PointsOf100 | Unit::Percent => after - before,
    };
    by.is_finite().then_some(by)
}

/// How one series moved over the span; `None`: it was not read before or within it. The window is oldest first.
#[must_use]
pub fn of_series(tenant: &TenantId, unit: Unit, window: &[Sample], span: Span) -> Option<Move> {
    let start = window.partition_point(|sample| sample.at < span.from);
    let end = window.partition_point(|sample| sample.at <= span.until);
    let (before, within) = (window.get(..start)?, window.get(start..end)?);
    let by = moved(unit, before.last()?.value, within.last()?.value)?;
    let is_real = by.abs() >= MOVE_MIN && by.abs() >= OVER_USUAL * usual_step(unit, before);
    Some(Move { tenant: tenant.clone(), by, is_real })
}

/// The median step from one reading to the next.
fn usual_step(unit: Unit, window: &[Sample]) -> f64 {
    let steps = window.windows(2).filter_map(|pair| moved(unit, pair[0].value, pair[1].value));
    median(&mut steps.map(f64::abs).collect::<Vec<_>>()).unwrap_or_default()
}

/// Several series of one tenant as one: the median of its device groups.
#[must_use]
pub fn of_tenant(series: Vec<Move>) -> Option<Move> {
    let is_real = series.iter().filter(|one| one.is_real).count() * 2 >= series.len();
    let tenant = series.first()?.tenant.clone();
    let mut by: Vec<f64> = series.into_iter().map(|one| one.by).collect();
    Some(Move { tenant, by: median(&mut by)?, is_real })
}

/// Many tenants moved the same way at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// What moved.
    pub scope: Scope,
    /// When.
    pub span: Span,
    /// The median move: percent of the score, or points where it is a percentage itself; negative: it fell.
    pub median: f64,
    /// How far a tenant's move may be from the median without standing out, in the same measure.
    pub tolerance: f64,
    /// So many tenants moved that way.
    pub moved: usize,
    /// So many were read.
    pub read: usize,
}

/// The shift that these moves show, one for each tenant that was read; `None`: too few moved the same way.
#[must_use]
pub fn detect(scope: &Scope, span: Span, moves: &[Move], quorum: Quorum) -> Option<Shift> {
    let of_way = |sign: f64| -> Vec<f64> {
        moves.iter().filter(|one| one.is_real && one.by * sign > 0.0).map(|one| one.by).collect()
    };
    let (down, up) = (of_way(-1.0), of_way(1.0));
    let mut way = if down.len() >= up.len() { down } else { up };
    let (along, read) = (way.len(), moves.len());
    #[expect(clippy::cast_precision_loss, reason = "no fleet has 2^52 tenants")]
    let share_percent = along as f64 * 100.0 / read.max(1) as f64;
    if along < quorum.at_least.max(1) || share_percent < quorum.share_percent {
        return None;
    }
    let median = median(&mut way)?;
    let mut deviations: Vec<f64> = way.iter().map(|by| (by - median).abs()).collect();
    let deviation = self::median(&mut deviations)? * MAD_SCALE;
    Some(Shift { scope: scope.clone(), span, median, tolerance: tolerance(median, deviation), moved: along, read })
}

/// The shift that Microsoft's own average of all tenants shows, in percentage points at two records; `None`: it did not move.
#[must_use]
pub fn witnessed(scope: &Scope, span: Span, before: f64, after: f64) -> Option<Shift> {
    let median = after - before;
    let is_sane = |value: f64| (0.0..=100.0).contains(&value);
    (is_sane(before) && is_sane(after) && median.abs() >= MOVE_MIN).then(|| Shift {
        scope: scope.clone(),
        span,
        median,
        // One number says nothing of how far tenants are apart: half of it either way is taken for the same.
        tolerance: tolerance(median, median.abs() / 2.0 / OUTLIER_DEVIATIONS),
        moved: 0,
        read: 0,
    })
}

fn tolerance(median: f64, deviation: f64) -> f64 {
    OUTLIER_DEVIATIONS * deviation.max(SPREAD_SHARE_MIN * median.abs() / OUTLIER_DEVIATIONS).max(MOVE_MIN / 2.0)
}

/// An alert that may be due to a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// What holds.
    pub when: Condition,
    /// Its frozen baseline; `drop` and `rise` only.
    pub baseline: Option<f64>,
    /// The value at the reading before the span.
    pub before: f64,
    /// The value that is told.
    pub value: f64,
}

impl Shift {
    /// Whether the shift explains an alert: its score moved along, the alert would not be so without that, or does not stand
    /// out from it, and it was not so before.
    #[must_use]
    pub fn explains(&self, suspect: Suspect) -> bool {
        let unit = self.scope.score.unit();
        let Some(by) = moved(unit, suspect.before, suspect.value) else { return false };
        let is_along = by * self.median > 0.0 && by.abs() >= MOVE_MIN;
        if !is_along || suspect.when.holds(suspect.before, suspect.baseline) {
            return false;
        }
        let without = match unit {
            Unit::Points => suspect.value / (1.0 + self.median / 100.0),
            Unit::PointsOf100 | Unit::Percent => suspect.value - self.median,
        };
        let stands_out = (by.abs() - self.median.abs()) > self.tolerance;
        !stands_out || !suspect.when.holds(without, suspect.baseline)
    }

    /// Whether a tenant that moved so stands out: farther the same way than others do.
    #[must_use]
    pub fn is_outlier(&self, one: &Move) -> bool {
        one.is_real && one.by * self.median > 0.0 && one.by.abs() - self.median.abs() > self.tolerance
    }

    /// Whether a tenant that moved so moved along with the others.
    #[must_use]
    pub fn is_along(&self, one: &Move) -> bool {
        one.is_real && one.by * self.median > 0.0 && !self.is_outlier(one)
    }

    /// Whether the score fell.
    #[must_use]
    pub fn is_fall(&self) -> bool {
        self.median < 0.0
    }

    /// Whether both are one: the same score moved the same way at the same time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.is_fall() == other.is_fall()
            && self.span.from <= other.span.until
            && other.span.from <= self.span.until
    }
}

/// The median; sorts what it is given.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests;
