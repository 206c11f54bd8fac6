//! Whether a change can hold at all: a bound on what its baseline can be, kept as the window moves on.
//!
//! Nearly every reading of nearly every tenant is nowhere near an alert. To find that out, the window need not be looked through:
//! if not even its best value as baseline makes the condition hold, none does. Where that can't be said, the answer is `true`, and
//! [`crate::rule::step`] decides.

use std::collections::VecDeque;

use crate::{
    domain::{Sample, Timestamp},
    rule::{Condition, Size},
};

/// The best samples within reach of a `drop`, or the lowest of a `rise`: each further than all after it.
#[derive(Debug, Clone)]
pub struct Ceiling {
    when: Condition,
    /// The newest sample that is not zero: a candidate however old it is.
    newest: Option<Sample>,
    /// The newest sample. A zero may be one that another confirms, and then it is a candidate too.
    last: Option<Sample>,
    falling: VecDeque<Sample>,
}

impl Ceiling {
    /// `None`: the condition has no baseline.
    #[must_use]
    pub fn of(when: Condition) -> Option<Self> {
        when.change()?;
        Some(Self { when, newest: None, last: None, falling: VecDeque::new() })
    }

    /// Whether the condition might hold at `value`, read at `at`. Samples must have been [taken](Self::take) in time order.
    pub fn may_hold(&mut self, value: f64, at: Timestamp) -> bool {
        // A zero is judged as of another time, and a zero that is a candidate may not be believed.
        let Some(change) = self.when.change().filter(|_| value > 0.0) else { return true };
        let start = at.minus(change.within);
        while self.falling.front().is_some_and(|sample| sample.at < start) {
            self.falling.pop_front();
        }
        let newest = self.newest.into_iter().chain(self.last);
        let candidates = self.falling.front().copied().into_iter().chain(newest);
        let further = |one: &Sample, other: &Sample| self.when.further(other.value, one.value).total_cmp(&0.0);
        let Some(best) = candidates.min_by(further) else { return false };
        let is_monotonic = match change.size {
            Size::Percent(percent) => match self.when {
                // The more there was, the more must be lost; from 100 % on that grows faster than the loss.
                Condition::Drop(_) => percent < 100.0,
                // A percentage of nothing never holds, though one of a little more does.
                _ => best.value > 0.0,
            },
            Size::Points(_) => true,
        };
        !is_monotonic || self.when.holds(value, Some(best.value))
    }

    /// Takes a sample into the window.
    pub fn take(&mut self, sample: Sample) {
        self.last = Some(sample);
        if sample.value.abs() > 0.0 {
            self.newest = Some(sample);
        }
        while self.falling.back().is_some_and(|last| self.when.further(last.value, sample.value) <= 0.0) {
            self.falling.pop_back();
        }
        self.falling.push_back(sample);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::rule::{BaselineChoice, Change};

    proptest! {
        #[test]
        fn what_it_rules_out_holds_against_no_sample_of_the_window(
            values in prop::collection::vec(prop_oneof![0.0..2.0_f64, 90.0..110.0, Just(100.0)], 2..40),
            size in prop_oneof![(0.1..250.0_f64).prop_map(Size::Percent), (0.1..90.0_f64).prop_map(Size::Points)],
            falls in any::<bool>(),
        ) {
            let change = Change { size, within: Duration::from_secs(10), from: BaselineChoice::Best };
            let when = if falls { Condition::Drop(change) } else { Condition::Rise(change) };
            let mut ceiling = Ceiling::of(when).unwrap();
            for (index, &value) in values.iter().enumerate() {
                let at = |index: usize| Timestamp::from_seconds(i64::try_from(index).unwrap());
                let may_hold = ceiling.may_hold(value, at(index));
                let window = values[index.saturating_sub(10)..index].iter();
                let newest = values[..index].iter().rfind(|value| value.abs() > 0.0);
                let holds = window.chain(newest).chain(values[..index].last()).any(|&best| when.holds(value, Some(best)));
                prop_assert!(may_hold || !holds, "{value} at {index}");
                ceiling.take(Sample { at: at(index), value });
            }
        }
    }
}
