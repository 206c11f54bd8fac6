//! The values between which a month is drawn, by lines and by bars alike.

use crate::{domain::Unit, notify::facts::month::DayValue};

/// A drawing covers at least this share of what the score can be, or of its highest value if it has no maximum: a score that moves by a
/// point or two must not look like one that collapses.
const LEAST_SHARE: f64 = 0.2;
/// The maximum of the scores that have one.
const MAXIMUM: f64 = 100.0;
/// About how many round steps there are between the ends.
const STEPS: f64 = 4.0;

/// Two round values, in the score's own unit, with every value of the month between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Axis {
    /// For the values of a month.
    pub(super) fn of(unit: Unit, days: &[DayValue]) -> Self {
        let (lowest, highest) = extremes(days).unwrap_or((0.0, MAXIMUM));
        let maximum = match unit {
            Unit::Percent | Unit::PointsOf100 => MAXIMUM.max(highest),
            Unit::Points => f64::INFINITY,
        };
        let whole = if maximum.is_finite() { maximum } else { highest.max(1.0) };
        let span = (highest - lowest).max(whole * LEAST_SHARE);
        // What moves little is in the middle, unless no score can be beyond one of the ends.
        let low = ((lowest + highest - span) / 2.0).min(maximum - span).max(0.0);
        let step = round_below(span / STEPS);
        Self { low: (low / step).floor() * step, high: (((low + span) / step).ceil() * step).min(maximum) }
    }

    /// Where a value lies between the ends, from 0 to 1.
    pub(super) fn share(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The lowest and the highest of the values that are drawn; `None`: there is none.
pub(super) fn extremes(days: &[DayValue]) -> Option<(f64, f64)> {
    let values = || days.iter().map(|day| day.value);
    Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
}

/// The largest of 1, 2 and 5 times a power of ten that is not more than this.
fn round_below(span: f64) -> f64 {
    let power = 10_f64.powf(span.log10().floor());
    [5.0, 2.0].into_iter().map(|times| times * power).find(|round| *round <= span).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(unit: Unit, values: &[f64]) -> (f64, f64) {
        let days: Vec<DayValue> = (1..).zip(values).map(|(day, &value)| DayValue { day, value }).collect();
        let Axis { low, high } = Axis::of(unit, &days);
        (low, high)
    }

    #[test]
    fn the_ends_are_round_and_every_value_lies_between_them() {
        for (unit, values, expected) in [
            (Unit::Points, &[547.0, 545.0][..], (480.0, 620.0)),
            (Unit::Points, &[548.0, 486.0], (460.0, 580.0)),
            (Unit::Points, &[900.0, 100.0], (0.0, 1_000.0)),
            (Unit::Percent, &[68.4, 57.2], (50.0, 75.0)),
            (Unit::Percent, &[99.5, 100.0], (80.0, 100.0)),
            (Unit::PointsOf100, &[31.0], (20.0, 45.0)),
            (Unit::PointsOf100, &[0.0, 2.0], (0.0, 20.0)),
            (Unit::Points, &[0.0], (0.0, 0.2)),
            (Unit::Percent, &[], (0.0, 100.0)),
        ] {
            let (low, high) = axis(unit, values);
            assert!((low - expected.0).abs() < 1e-9 && (high - expected.1).abs() < 1e-9, "{values:?}: {low}, {high}");
        }
    }

    #[test]
    fn a_move_that_is_small_for_the_score_is_small_in_the_drawing() {
        for (unit, before, after) in
            [(Unit::Points, 547.0, 545.0), (Unit::Percent, 68.0, 67.0), (Unit::PointsOf100, 31.0, 31.5)]
        {
            let days = [DayValue { day: 1, value: before }, DayValue { day: 2, value: after }];
            let axis = Axis::of(unit, &days);
            let moved = (axis.share(before) - axis.share(after)).abs();
            assert!(moved > 0.0 && moved < 0.06, "{before} to {after} moves by {moved} of the height");
        }
    }
}
