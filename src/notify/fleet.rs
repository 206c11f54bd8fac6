//! Fleet shifts: the scores of many tenants move the same way at once, and one message per channel says so instead of many. A
//! shift groups notifications; it never hides one.
//!
//! How far tenants moved differs from one to the next, and a few may really have lost something just then. So the shift is the
//! median of the moves, and how far apart they usually are is their median absolute deviation, which a few outliers don't touch.
//!
//! A check notes each real [`Movement`] of a series. Once every tenant that was due has been read, [`find`] says which movements
//! are one shift. From then on a shift does two things: notifications that its movements caused are grouped ([`group`]), and
//! samples from before it count as moved ([`crate::rule::shift`]).

pub mod due;
pub mod evidence;
pub mod find;
pub mod group;
pub mod movement;
pub mod notice;
pub mod watch;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::{
    due::Decidable,
    find::{Attributed, Known, Tracked},
    movement::Movement,
    watch::{FleetSettings, KnownShift, REMEMBERED},
};
use crate::{
    domain::{ScoreKind, Subject, TenantId, Timestamp, Unit},
    rule::Amount,
};

/// Moves that are smaller, in percent of the score or in its points where it is a percentage itself, are not moves.
const MOVE_MIN: f64 = 0.5;
/// A tenant stands out when it moved this many deviations farther than the median (Iglewicz and Hoaglin's modified z-score).
const OUTLIER_DEVIATIONS: f64 = 3.5;
/// Makes a median absolute deviation of a normal distribution its standard deviation.
const MAD_SCALE: f64 = 1.4826;
/// Moves that differ by so little, as a share of the median, do not stand out, however alike all others are.
const SPREAD_SHARE_MIN: f64 = 0.15;
/// How far, in polling intervals, around one movement the others of a shift lie: each tenant within one interval of when it
/// happened, which was within one interval before; and a quarter for polls that are not on the dot.
const REACH_INTERVALS: f64 = 1.25;

/// What moved: a score, and of scores by category, which Microsoft re-scores one by one, which category.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The kind of score that is measured.
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
    /// The least number, whatever its share.
    pub at_least: usize,
    /// The least share of those read, in percent.
    pub share_percent: f64,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The time of the earliest movement.
    pub from: Timestamp,
    /// The time of the latest movement.
    pub until: Timestamp,
}

impl Span {
    /// Where the movements lie that may be of one shift with a movement that was read at `at`, by a tenant whose polls are
    /// `interval` apart. Records of a day all bear the same instant.
    #[must_use]
    pub fn around(score: ScoreKind, at: Timestamp, interval: Duration) -> Self {
        if score.record_interval().is_zero() {
            let reach = interval.mul_f64(REACH_INTERVALS);
            Self { from: at.minus(reach), until: at.plus(reach) }
        } else {
            // The record itself and no other: what the next one shows happened after it.
            Self { from: at, until: at }
        }
    }

    /// Whether an instant lies within.
    #[must_use]
    pub fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.until
    }

    /// Whether something that a reading at `at` shows, and the reading at `before` did not, may have happened within.
    #[must_use]
    pub fn overlaps(&self, before: Timestamp, at: Timestamp) -> bool {
        before < self.until && at >= self.from
    }
}

/// How one tenant moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The tenant that moved, by slug.
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

/// An amount of a move in the measure of its unit.
#[must_use]
pub const fn amount(unit: Unit, by: f64) -> Amount {
    match unit {
        Unit::Points => Amount::Percent(by),
        Unit::PointsOf100 | Unit::Percent => Amount::Points(by),
    }
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
    /// The score and subject that moved.
    pub scope: Scope,
    /// From the first reading that shows it to the last.
    pub span: Span,
    /// The median move: percent of the score, or points where it is a percentage itself; negative: it fell.
    pub median: f64,
    /// How far a tenant's move may be from the median without standing out, in the same measure.
    pub tolerance: f64,
    /// The number of tenants that moved that way.
    pub moved: usize,
    /// The number of tenants that were read.
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

fn tolerance(median: f64, deviation: f64) -> f64 {
    OUTLIER_DEVIATIONS * deviation.max(SPREAD_SHARE_MIN * median.abs() / OUTLIER_DEVIATIONS).max(MOVE_MIN / 2.0)
}

impl Shift {
    /// Whether a move goes the same way.
    #[must_use]
    pub fn is_along(&self, by: f64) -> bool {
        by * self.median > 0.0
    }

    /// Whether a move stands out: farther the same way than others moved.
    #[must_use]
    pub fn is_outlier(&self, by: f64) -> bool {
        self.is_along(by) && by.abs() - self.median.abs() > self.tolerance
    }

    /// Whether a move is much smaller than those of the others: it is the series' own noise, and its part may be yet to come.
    #[must_use]
    pub fn falls_short(&self, by: f64) -> bool {
        let short = self.median.abs() - by.abs();
        short > self.tolerance && short > self.median.abs() / 2.0
    }

    /// As much of a move that goes the same way as the shift accounts for: no more than the farthest that does not stand out.
    #[must_use]
    pub fn share_of(&self, by: f64) -> f64 {
        by.abs().min(self.median.abs() + self.tolerance).copysign(by)
    }

    /// Whether the score fell.
    #[must_use]
    pub fn is_fall(&self) -> bool {
        self.median < 0.0
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
