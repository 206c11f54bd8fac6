//! What a new reading is compared with.
//!
//! Time is the sources' own. A sample that claims to be as late as the reading, or later, is not a candidate: a source clock that
//! jumps back loses candidates for a while and never makes one up.

use serde::Serialize;

use super::{Alert, AlertState, BaselineChoice, Condition, EvaluationContext, Gap, shift::adjusted};
use crate::domain::{Sample, Timestamp};

/// The fewest samples that a window keeps, however old: the newest one before a reading is always a candidate, and a zero that is
/// confirmed is judged as of the zero before it.
pub const SAMPLES_KEPT_MIN: usize = 3;

/// What a reading is compared with, and how it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
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
    /// When the newest sample before the reading was read.
    pub newest_at: Timestamp,
    /// The gap in the readings just before this one, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// How the value that a reading is compared with was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// The best sample of the window.
    Best(Sample),
    /// The newest sample before the reading.
    Previous(Sample),
    /// The mean of the window.
    Average,
    /// The window is empty; this is the newest sample before it, from before a gap.
    AcrossGap(Sample),
    /// What a pending change was measured against when it began.
    Kept(Sample),
}

/// What `reading` is compared with under a `drop` or `rise`: chosen from the samples in `[t − within, t)`. The newest sample before
/// the reading is always a candidate, however old: a fall across an outage is a fall. `None`: another condition, or no sample to
/// compare with. Samples from before the alert was rebased or the series was onboarded are none.
#[must_use]
pub fn baseline(when: &Condition, reading: Sample, alert: &Alert, context: &EvaluationContext<'_>) -> Option<f64> {
    reference(when, reading, alert, context).map(|reference| reference.value)
}

/// The same with how it was chosen.
#[must_use]
pub fn reference(
    when: &Condition,
    reading: Sample,
    alert: &Alert,
    context: &EvaluationContext<'_>,
) -> Option<Reference> {
    let change = when.change()?;
    let context = &context.of_state(&alert.state);
    let until = came_at(reading, context.window);
    let from = until.minus(change.within);
    let counts_from = alert.rebased_at.max(context.onboarded_at);
    let counts = |sample: &Sample| sample.at < until && counts_from.is_none_or(|from| sample.at >= from);
    // From the newest back, so that a window kept for a rule that looks further costs this one nothing.
    let mut before = counting(context.window).rev().filter(counts);
    // A sample from before a known fleet shift counts as moved by it.
    let level = |sample: Sample| adjusted(sample, context.shifts, until);
    let newest = before.next()?;
    let is_empty = newest.at < from;
    let of = |value: f64, chosen: Chosen, candidates: usize| Reference {
        value,
        chosen,
        candidates,
        from,
        until,
        newest_at: newest.at,
        gap: gap(newest.at, until, context),
    };
    let older = before.take_while(|sample| sample.at >= from);
    let own = match change.from {
        _ if is_empty => of(level(newest), Chosen::AcrossGap(newest), 1),
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
    };
    let kept = kept(when, alert).filter(|kept| counts(kept) && when.further(own.value, kept.value) < 0.0);
    Some(kept.map_or(own, |kept| of(kept.value, Chosen::Kept(kept), own.candidates + 1)))
}

/// What a pending change was measured against when it began. It stays a candidate for as long as the change is pending: neither the
/// window that moves on nor a gap may keep `for` from coming to its end.
fn kept(when: &Condition, alert: &Alert) -> Option<Sample> {
    let AlertState::Pending(pending) = &alert.state else { return None };
    pending.against.filter(|_| pending.when == *when).map(|against| against.baseline)
}

/// The time between two readings, if at least one that was to be expected in between did not come.
fn gap(from: Timestamp, until: Timestamp, context: &EvaluationContext<'_>) -> Option<Gap> {
    let usual = context.source_interval;
    let is_gap = !usual.is_zero() && until.since(from).saturating_mul(2) >= usual.saturating_mul(3);
    is_gap.then_some(Gap { from, until })
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
