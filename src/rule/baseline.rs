//! What a new reading is compared with.
//!
//! Time is the sources' own. A sample that claims to be as late as the reading, or later, is no candidate: a source clock that
//! jumps back loses candidates for a while and never makes one up.

use super::{BaselineChoice, Condition, Situation};
use crate::domain::{Sample, Timestamp};

/// What `reading` is compared with under a `drop` or `rise`: chosen from the samples in `[t − within, t)`, and the newest
/// before that where it is younger than twice the source's interval (daily records come late).
/// `None`: another condition, or no sample to compare with. Samples before `rebased_at` are none.
#[must_use]
pub fn baseline(
    when: &Condition,
    reading: Sample,
    rebased_at: Option<Timestamp>,
    situation: &Situation<'_>,
) -> Option<f64> {
    let change = when.change()?;
    let is_before = |sample: &Sample| sample.at < reading.at && rebased_at.is_none_or(|rebased| sample.at >= rebased);
    let counting = || counting(situation.window, Some(reading)).filter(|sample| is_before(sample));
    // Looked for from the end: on equal times the later sample is the newer one.
    let newest = counting().rev().reduce(|newest, sample| if sample.at > newest.at { sample } else { newest })?;
    let start = reading.at.minus(change.within);
    let is_late_record = reading.at.since(newest.at) < situation.source_interval.saturating_mul(2);
    if newest.at < start {
        // Then it is the only candidate, if it is one: every other sample is older still.
        return is_late_record.then_some(newest.value);
    }
    let candidates = || counting().filter(|sample| sample.at >= start).map(|sample| sample.value);
    match change.from {
        BaselineChoice::Previous => Some(newest.value),
        BaselineChoice::Best => {
            candidates().reduce(|best, value| if when.further(best, value) < 0.0 { value } else { best })
        }
        BaselineChoice::Average => {
            let (sum, count) = candidates().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            Some(sum / count)
        }
    }
}

/// Whether the reading may be believed: a fall to exactly zero only once the sample before it is zero too.
#[must_use]
pub fn is_confirmed(reading: Sample, window: &[Sample]) -> bool {
    !is_zero(reading) || window.last().copied().is_some_and(is_zero)
}

/// The newest sample that may be believed.
#[must_use]
pub fn newest(window: &[Sample]) -> Option<Sample> {
    counting(window, None).next_back()
}

/// The samples of the window that may be believed: a zero counts only next to another zero, be it the reading that follows.
fn counting(window: &[Sample], reading: Option<Sample>) -> impl DoubleEndedIterator<Item = Sample> {
    window.iter().enumerate().filter_map(move |(index, &sample)| {
        let before = || index.checked_sub(1).and_then(|index| window.get(index)).copied();
        let after = || window.get(index + 1).copied().or(reading);
        (!is_zero(sample) || before().is_some_and(is_zero) || after().is_some_and(is_zero)).then_some(sample)
    })
}

/// Negative zero is zero.
fn is_zero(sample: Sample) -> bool {
    sample.value.abs() <= 0.0
}
