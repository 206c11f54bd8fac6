//! What a new reading is compared with.
//!
//! Time is the sources' own. A sample that claims to be as late as the reading, or later, is no candidate: a source clock that
//! jumps back loses candidates for a while and never makes one up.

use serde::Serialize;

use super::{BaselineChoice, Condition, Situation, shift::adjusted};
use crate::domain::{Sample, Timestamp};

/// What a reading is compared with, and how it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reference {
    /// The value compared with: known fleet shifts since the sample are counted in.
    pub value: f64,
    /// How it was chosen.
    pub chosen: Chosen,
    /// How many samples there were to choose from.
    pub candidates: usize,
    /// Where the window begins.
    pub from: Timestamp,
    /// Where it ends, itself no part of it.
    pub until: Timestamp,
}

/// How the value that a reading is compared with was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// The best sample of the window.
    Best(Sample),
    /// The newest sample before the reading.
    Previous(Sample),
    /// The mean of the window.
    Average,
    /// The window is empty; this one is only just older, as a record that comes late.
    Late(Sample),
}

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
    reference(when, reading, rebased_at, situation).map(|reference| reference.value)
}

/// The same with how it was chosen.
#[must_use]
pub fn reference(
    when: &Condition,
    reading: Sample,
    rebased_at: Option<Timestamp>,
    situation: &Situation<'_>,
) -> Option<Reference> {
    let change = when.change()?;
    let until = came_at(reading, situation.window);
    let from = until.minus(change.within);
    let of = |value: f64, chosen: Chosen, candidates: usize| Reference { value, chosen, candidates, from, until };
    // From the newest back, so that a window kept for a rule that looks further costs this one nothing.
    let mut before = counting(situation.window)
        .rev()
        .filter(|sample| sample.at < until && rebased_at.is_none_or(|rebased| sample.at >= rebased));
    // A sample from before a known fleet shift counts as moved by it.
    let level = |sample: Sample| adjusted(sample, situation.shifts, until);
    let newest = before.next()?;
    if newest.at < from {
        let is_late_record = until.since(newest.at) < situation.source_interval.saturating_mul(2);
        return is_late_record.then(|| of(level(newest), Chosen::Late(newest), 1));
    }
    let older = before.take_while(|sample| sample.at >= from);
    Some(match change.from {
        BaselineChoice::Previous => of(level(newest), Chosen::Previous(newest), 1),
        BaselineChoice::Best => {
            let better = |best: Sample, sample: Sample| when.further(level(best), level(sample)) < 0.0;
            let (best, candidates) = older.fold((newest, 1), |(best, count), sample| {
                (if better(best, sample) { sample } else { best }, count + 1)
            });
            of(level(best), Chosen::Best(best), candidates)
        }
        BaselineChoice::Average => {
            let (sum, count, candidates) = older.fold((level(newest), 1.0, 1), |(sum, count, candidates), sample| {
                (sum + level(sample), count + 1.0, candidates + 1)
            });
            of(sum / count, Chosen::Average, candidates)
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
