//! A movement: a reading that differs from the one before by more than the series' usual noise. What shifts are found in.

use std::time::Duration;

use super::{MOVE_MIN, Scope, Span, median, moved};
use crate::{
    domain::{Sample, ScoreKind, Subject, TenantId, Timestamp, Unit},
    rule::baseline,
};

/// A move is this many times larger than the series' usual step, or it is its usual noise.
const OVER_USUAL: f64 = 3.0;
/// The steps before a movement that say what is usual.
const USUAL_STEPS_MAX: usize = 96;
/// Fewer steps than this say nothing of what is usual: one of them may have been a movement itself.
const USUAL_STEPS_MIN: usize = 4;

/// A real move of one series from one reading to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The tenant that moved, by slug.
    pub tenant: TenantId,
    /// The kind of score that it is about.
    pub score: ScoreKind,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The reading that the movement is measured from.
    pub before: Sample,
    /// The reading that shows it.
    pub after: Sample,
    /// By how much, in the measure of the unit; negative: it fell.
    pub by: f64,
    /// When it was read, by the wall clock.
    pub read_at: Timestamp,
    /// How far apart the tenant's polls are.
    pub interval: Duration,
}

/// From what a reading moved, and how far: `None` unless that is more than the series' usual noise. The window is oldest first,
/// and ends before the reading.
#[must_use]
pub fn of_reading(unit: Unit, window: &[Sample], reading: Sample) -> Option<(Sample, f64)> {
    let before = previous(window, reading)?;
    let by = moved(unit, before.value, reading.value).filter(|by| by.abs() >= MOVE_MIN)?;
    let earlier = &window[..window.partition_point(|sample| sample.at <= before.at)];
    let usual = usual_step(unit, &earlier[earlier.len().saturating_sub(USUAL_STEPS_MAX + 1)..]);
    (by.abs() >= OVER_USUAL * usual).then_some((before, by))
}

/// The reading that this one is compared with. A zero that nothing confirms is none; one that confirms another is compared with
/// what was before both.
fn previous(window: &[Sample], reading: Sample) -> Option<Sample> {
    let is_zero = |sample: &Sample| sample.value.abs() <= 0.0;
    if is_zero(&reading) {
        return match window {
            [.., before, zero] if is_zero(zero) && !is_zero(before) => Some(*before),
            _ => None,
        };
    }
    baseline::newest(window).filter(|newest| newest.at < reading.at)
}

/// The median step from one reading to the next.
fn usual_step(unit: Unit, window: &[Sample]) -> f64 {
    let steps = window.windows(2).filter_map(|pair| moved(unit, pair[0].value, pair[1].value));
    let mut steps: Vec<f64> = steps.map(f64::abs).collect();
    if steps.len() < USUAL_STEPS_MIN { 0.0 } else { median(&mut steps).unwrap_or_default() }
}

impl Movement {
    /// What it may be a shift of.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of(self.score, self.subject.as_ref())
    }

    /// Where the movements lie that may be of one shift with this one.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::around(self.score, self.after.at, self.interval)
    }

    /// Whether it may be of one shift with what lies in that span.
    #[must_use]
    pub fn is_in(&self, span: &Span) -> bool {
        if self.score.record_interval().is_zero() {
            span.overlaps(self.before.at, self.after.at)
        } else {
            // A record that follows days without one shows what happened since the one before.
            self.before.at < span.until && self.after.at >= span.from
        }
    }

    /// Whether both are of one series.
    #[must_use]
    pub fn is_same_series(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.score == other.score && self.subject == other.subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(values: &[f64]) -> Vec<Sample> {
        (0..).zip(values).map(|(minute, &value)| Sample { at: at(minute), value }).collect()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000_000 + minute * 60)
    }

    #[test]
    fn a_reading_is_measured_against_the_one_before_and_the_series_own_noise() {
        for (values, value, expected, why) in [
            (&[400.0, 400.0][..], 380.0, Some(-5.0), "a fall"),
            (&[400.0, 400.0, 380.0], 418.0, Some(10.0), "a rise from where it fell to"),
            (&[], 380.0, None, "the first reading"),
            (&[0.0], 380.0, None, "from a zero that nothing confirms"),
            (&[400.0, 0.0], 380.0, Some(-5.0), "a zero that nothing confirmed is passed over"),
            (&[400.0], 0.0, None, "a zero that waits to be confirmed"),
            (&[400.0, 0.0], 0.0, Some(-100.0), "a zero that is confirmed"),
            (&[400.0, 0.0, 0.0], 0.0, None, "nothing new"),
            (&[400.0, 392.0, 400.0, 392.0, 400.0], 380.0, None, "its usual noise"),
            (&[400.0, 392.0, 400.0, 392.0, 400.0], 360.0, Some(-10.0), "more than its usual noise"),
            (&[400.0], 399.0, None, "less than any movement"),
        ] {
            let minute = i64::try_from(values.len()).unwrap();
            let found = of_reading(Unit::Points, &window(values), Sample { at: at(minute), value });
            assert_eq!(found.map(|(_, by)| by), expected, "{why}");
        }
    }
}
