//! How much was lost, in points and percent, and whether that is as much as a rule asks for.
//!
//! A score of 33.3 that falls to 29.97 has lost exactly 10 %, but in binary floating point the difference is
//! 3.3299999999999983, and `drop: 10%` would stay silent. Sizes are inclusive and written in decimal, so a difference that is
//! due to the binary form alone counts as a tie ([`TIE_RELATIVE`]). `below` and `above` subtract nothing and need none of this.

use super::{Condition, Size};

/// Amounts that differ by no more than this share of the numbers they were computed from are equal. Subtracting two doubles
/// errs by at most some 1e-16 of the larger one, a mean of a thousand by 1e-13; no score is published with twelve digits.
pub const TIE_RELATIVE: f64 = 1e-12;

impl Size {
    /// The size in points, where `whole` is what a percentage is of. `None`: a percentage of nothing, or of less.
    #[must_use]
    pub fn in_points(self, whole: f64) -> Option<f64> {
        match self {
            Self::Points(points) => Some(points),
            Self::Percent(percent) => (whole > 0.0).then(|| percent * whole / 100.0),
        }
    }

    /// Whether a move of `amount` points is at least this size; `whole` is what a percentage is of, and `value` the number
    /// that was moved to. Inclusive, with ties.
    #[must_use]
    pub fn is_reached(self, amount: f64, whole: f64, value: f64) -> bool {
        self.in_points(whole).is_some_and(|needed| at_least(amount, needed, whole.abs().max(value.abs())))
    }
}

/// Whether `amount` is at least `needed`, both computed from numbers no larger than `scale`; a tie counts.
pub(super) fn at_least(amount: f64, needed: f64, scale: f64) -> bool {
    amount >= needed - TIE_RELATIVE * scale.max(needed.abs())
}

impl Condition {
    /// By how many points `to` is worse than `from` in the condition's direction; negative when it is better.
    #[must_use]
    pub fn further(&self, from: f64, to: f64) -> f64 {
        match self {
            Self::Below(_) | Self::Drop(_) => from - to,
            Self::Above(_) | Self::Rise(_) => to - from,
            Self::NoData(_) => 0.0,
        }
    }

    /// What a message calls the loss, in points: how far `value` is from `baseline` in the rule's direction, negative when it
    /// is past the baseline on the good side. `None` unless the condition is a `drop` or `rise`.
    #[must_use]
    pub fn loss(&self, value: f64, baseline: f64) -> Option<f64> {
        self.change().map(|_| self.further(baseline, value))
    }

    /// The loss in percent of the baseline. `None` where there is no [`loss`](Self::loss), or no percentage of the baseline.
    #[must_use]
    pub fn loss_percent(&self, value: f64, baseline: f64) -> Option<f64> {
        self.loss(value, baseline).filter(|_| baseline > 0.0).map(|loss| loss * 100.0 / baseline)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rule::{BaselineChoice, Change};

    fn change(size: Size) -> Change {
        Change { size, within: Duration::from_hours(1), from: BaselineChoice::Best }
    }

    #[test]
    fn a_drop_is_inclusive_whatever_the_binary_form_of_its_numbers() {
        for (size, baseline, value, holds) in [
            (Size::Percent(10.0), 33.3, 29.97, true),
            (Size::Percent(10.0), 33.3, 29.970_000_1, false),
            (Size::Percent(5.0), 400.0, 380.0, true),
            (Size::Percent(5.0), 400.0, 380.000_001, false),
            (Size::Points(0.1), 5000.3, 5000.2, true),
            (Size::Points(0.1), 0.3, 0.2, true),
            (Size::Points(20.0), 400.0, 380.000_001, false),
        ] {
            assert_eq!(Condition::Drop(change(size)).holds(value, Some(baseline)), holds, "{size} {baseline} {value}");
        }
    }

    #[test]
    fn a_percentage_of_zero_never_fires() {
        for baseline in [0.0, -0.0, -10.0] {
            for value in [-100.0, 0.0, 100.0] {
                assert!(!Condition::Drop(change(Size::Percent(5.0))).holds(value, Some(baseline)));
                assert!(!Condition::Rise(change(Size::Percent(5.0))).holds(value, Some(baseline)));
            }
        }
        assert!(Condition::Rise(change(Size::Points(20.0))).holds(20.0, Some(0.0)), "points need no whole");
    }

    #[test]
    fn a_loss_is_given_in_points_and_percent_of_the_baseline() {
        let drop = Condition::Drop(change(Size::Percent(5.0)));
        let rise = Condition::Rise(change(Size::Points(5.0)));
        assert_eq!((drop.loss(340.0, 400.0), drop.loss_percent(340.0, 400.0)), (Some(60.0), Some(15.0)));
        assert_eq!((rise.loss(45.0, 30.0), rise.loss_percent(45.0, 30.0)), (Some(15.0), Some(50.0)));
        assert_eq!((rise.loss(20.0, 0.0), rise.loss_percent(20.0, 0.0)), (Some(20.0), None));
        assert_eq!(drop.loss(410.0, 400.0), Some(-10.0), "better than the baseline");
        assert_eq!(Condition::Below(300.0).loss(340.0, 400.0), None);
    }
}
