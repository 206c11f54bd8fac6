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
    let end = came_at(reading, situation.window);
    let start = end.minus(change.within);
    // From the newest back, so that a window kept for a rule that looks further costs this one nothing.
    let mut before = counting(situation.window)
        .rev()
        .filter(|sample| sample.at < end && rebased_at.is_none_or(|rebased| sample.at >= rebased));
    let newest = before.next()?;
    if newest.at < start {
        let is_late_record = end.since(newest.at) < situation.source_interval.saturating_mul(2);
        return is_late_record.then_some(newest.value);
    }
    let older = before.take_while(|sample| sample.at >= start).map(|sample| sample.value);
    Some(match change.from {
        BaselineChoice::Previous => newest.value,
        BaselineChoice::Best => {
            older.fold(newest.value, |best, value| if when.further(best, value) < 0.0 { value } else { best })
        }
        BaselineChoice::Average => {
            let (sum, count) = older.fold((newest.value, 1.0), |(sum, count), value| (sum + value, count + 1.0));
            sum / count
        }
    })
}

/// When the reading's value came. A zero that confirms the one before it is judged as that fall: measured against the zero it
/// confirms, or a window that had moved on, the fall would be none.
fn came_at(reading: Sample, window: &[Sample]) -> Timestamp {
    match window {
        [.., before, fallen] if is_zero(reading) && is_zero(*fallen) && !is_zero(*before) => fallen.at.min(reading.at),
        _ => reading.at,
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
    counting(window).next_back()
}

/// The samples of the window that may be believed: a zero counts only next to another zero.
fn counting(window: &[Sample]) -> impl DoubleEndedIterator<Item = Sample> {
    let is_zero_at = |index: usize| window.get(index).copied().is_some_and(is_zero);
    let is_believed =
        move |index: usize| !is_zero_at(index) || is_zero_at(index + 1) || index > 0 && is_zero_at(index - 1);
    window.iter().enumerate().filter_map(move |(index, &sample)| is_believed(index).then_some(sample))
}

/// Negative zero is zero.
fn is_zero(sample: Sample) -> bool {
    sample.value.abs() <= 0.0
}
