//! What known fleet shifts make of a baseline: a sample from before a shift counts as moved by what the shift did to that
//! series. So the shift itself is not measured again, and a loss of the tenant's own, before or after it, keeps its size.
//!
//! Two things keep this from hiding a loss. The reading that shows a shift is judged against the samples as they were, so the
//! shift itself fires; and an alert that is pending is judged as it began, so a `for` that a shift began comes to its end.

use std::time::Duration;

use super::{AlertState, Condition, EvaluationContext, Firing, ShiftedBy};
use crate::domain::{Sample, Timestamp};

/// The sample's value moved by every shift after it that was over before `until`. `shifts` are ordered by time.
#[must_use]
pub fn adjusted(sample: Sample, shifts: &[ShiftedBy], until: Timestamp) -> f64 {
    let between = shifts.iter().filter(|shift| sample.at < shift.at && shift.at < until);
    between.fold(sample.value, |value, shift| shift.by.applied_to(value))
}

/// The levels of a firing alert as known fleet shifts have moved them. The notification that it fired keeps its own numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// What the loss is measured against. A shift that moves a score to the better moves it too, so it excuses no loss of the
    /// tenant's own; one to the worse does not, so what it covers fires until it is over or accepted.
    pub(super) baseline: Option<f64>,
    /// What a percentage of the rule's size is of, from where the shifts have left the score.
    pub(super) whole: Option<f64>,
    /// What a worsening is measured from.
    pub(super) notified: Option<f64>,
}

impl Levels {
    /// The levels of `firing` when `reading` is judged. Only a `drop` or `rise` has any that move.
    pub(super) fn of(firing: &Firing, when: &Condition, reading: Sample, shifts: &[ShiftedBy]) -> Self {
        let fixed = Self { baseline: firing.baseline, whole: firing.baseline, notified: firing.worst_notified };
        if shifts.is_empty() || when.change().is_none() {
            return fixed;
        }
        // The reading at which the alert began is the first that its shift moved.
        let measured_at = firing.measured_at.unwrap_or(firing.since).minus(Duration::from_nanos(1));
        let moved = |at: Timestamp, value: f64| adjusted(Sample { at, value }, shifts, reading.at);
        let whole = firing.baseline.map(|baseline| moved(measured_at, baseline));
        let worse = |one: f64, other: f64| if when.further(one, other) > 0.0 { one } else { other };
        let baseline = firing.baseline.zip(whole).map(|(frozen, moved)| worse(frozen, moved));
        let notified =
            firing.worst_notified.map(|notified| firing.worst_notified_at.map_or(notified, |at| moved(at, notified)));
        Self { baseline, whole, notified }
    }
}

impl EvaluationContext<'_> {
    /// The context in which an alert in this state is judged. One that is pending is measured as it was when it began: a
    /// shift that came with it, or later, excuses nothing of it.
    #[must_use]
    pub fn of_state(&self, state: &AlertState) -> Self {
        match state {
            AlertState::Pending(pending) => {
                let known = self.shifts.partition_point(|shift| shift.at < pending.since);
                Self { shifts: &self.shifts[..known], ..*self }
            }
            AlertState::Inactive | AlertState::Firing(_) => *self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Amount;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_sample_from_before_a_shift_counts_as_moved_once_per_shift_and_both_ways() {
        let fall = ShiftedBy { at: at(10), by: Amount::Percent(-10.0) };
        let back = ShiftedBy { at: at(20), by: Amount::Percent(100.0 / 9.0) };
        let points = ShiftedBy { at: at(30), by: Amount::Points(-3.0) };
        let all = [fall, back, points];
        for (sampled, until, expected, why) in [
            (0, 10, 400.0, "the reading that shows the shift is compared with what was"),
            (0, 15, 360.0, "after it, samples from before count as moved"),
            (10, 15, 400.0, "a sample that shows the shift is not moved by it"),
            (0, 25, 400.0, "a shift that is taken back"),
            (15, 25, 444.0 + 4.0 / 9.0, "only by shifts after the sample"),
            (0, 40, 397.0, "in points where the score is a percentage"),
        ] {
            let found = adjusted(Sample { at: at(sampled), value: 400.0 }, &all, at(until));
            assert!((found - expected).abs() < 1e-9, "{why}: {found}");
        }
    }
}
