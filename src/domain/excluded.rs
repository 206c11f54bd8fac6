//! What excluded controls added to a tenant's secure score, day by day, so that rules judge the score without them.
//!
//! The store keeps the readings as Microsoft gave them. Beside them it keeps what each excluded control earned and was worth, so
//! a whole window is judged by one measure, whatever the set of excluded controls was when its readings came:
//!
//! - A control that is excluded counts on no day, neither what it earns nor what it is worth.
//! - A control whose exclusion has ended counts from the newest record on that was judged without it. For every day before, it
//!   stands as it stood in that record, so what it lost while it was excluded is never reported later.
//!
//! When the set changes, the newest reading that was already judged has two values, by the old measure and by the new one; what an
//! alert has measured until then moves by their difference ([`Excluded::moved`]). So a change of the set alone fires no `drop` or
//! `rise` and ends none, and a loss that comes in the same moment keeps its size.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Points, Sample, ScoreKind, ScoreRecord, SeriesId, Timestamp};

/// Below this, points and percents are the rounding of doubles.
const NOTHING: f64 = 1e-9;
/// How long after its end an exclusion is remembered: as long as rules look back at most, by default.
const REMEMBERED: std::time::Duration = std::time::Duration::from_hours(400 * 24);

/// What a check read about controls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ControlsRead {
    /// The controls that are not to count from now on.
    pub wanted: BTreeSet<String>,
    /// The records that were read, by day.
    pub records: BTreeMap<Timestamp, ScoreRecord>,
    /// What controls are worth where a record does not show it, by name.
    pub maxima: BTreeMap<String, f64>,
}

/// The controls without which a tenant's secure score is judged, and what they were worth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Excluded {
    /// The controls that do not count.
    pub in_force: BTreeSet<String>,
    /// The controls whose exclusion has ended, each with the record from which on it counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts_from: BTreeMap<String, Timestamp>,
    /// The newest record that was read for this.
    #[serde(default)]
    read_through: Option<Timestamp>,
    /// The tenant's maximum from each time on, oldest first; only where it changed.
    maximum: Vec<(Timestamp, f64)>,
    /// Each of the controls from each time on, oldest first; only where it changed.
    controls: BTreeMap<String, Vec<Step>>,
    /// Every control of the newest record that was read.
    #[serde(default)]
    pub names: BTreeSet<String>,
}

/// How one control stood from one time on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Step {
    from: Timestamp,
    earned: f64,
    /// What it was worth; `None`: not known. Zero: the record does not have the control.
    of: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
}

/// What controls added to a score, and the tenant's maximum.
struct Part {
    earned: f64,
    of: f64,
    maximum: f64,
}

impl Excluded {
    /// Whether nothing of it needs to be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_force.is_empty() && self.counts_from.is_empty()
    }

    /// Whether these controls can be taken out of a score only once every record that Microsoft keeps was read.
    #[must_use]
    pub fn needs_history(&self, wanted: &BTreeSet<String>) -> bool {
        wanted.iter().any(|name| !self.is_known(name))
    }

    /// Whether a record is newer than those that were read for this.
    #[must_use]
    pub fn is_new(&self, at: Timestamp) -> bool {
        self.read_through.is_none_or(|through| at > through)
    }

    /// What is known once those records were read, and the wanted controls do not count. A control that is new here takes every
    /// record, the others those that came since.
    #[must_use]
    pub fn after(&self, read: &ControlsRead) -> Self {
        let mut next = self.clone();
        next.in_force.clone_from(&read.wanted);
        for name in self.in_force.difference(&read.wanted) {
            next.counts_from.extend(self.read_through.map(|through| (name.clone(), through)));
        }
        let is_new = |at: &Timestamp| self.is_new(*at);
        for name in &read.wanted {
            let is_known = self.is_known(name);
            let steps = next.controls.entry(name.clone()).or_default();
            if !is_known {
                steps.clear();
                next.counts_from.remove(name);
            }
            for (at, record) in read.records.iter().filter(|(at, _)| !is_known || is_new(at)) {
                push(steps, step(*at, name, record, &read.maxima));
            }
        }
        let is_whole = self.needs_history(&read.wanted);
        next.maximum.retain(|(from, _)| !is_whole || read.records.keys().next().is_none_or(|oldest| from < oldest));
        for (at, record) in read.records.iter().filter(|(at, _)| is_whole || is_new(at)) {
            if next.maximum.last().is_none_or(|(_, last)| last.to_bits() != record.points.of.to_bits()) {
                next.maximum.push((*at, record.points.of));
            }
        }
        if let Some((newest, record)) = read.records.last_key_value().filter(|(at, _)| is_new(at)) {
            next.read_through = Some(*newest);
            next.names = record.controls.keys().cloned().collect();
        }
        next.forget_what_is_long_over()
    }

    /// Forgets what no rule looks back to.
    fn forget_what_is_long_over(mut self) -> Self {
        let through = self.read_through;
        self.counts_from.retain(|_, from| through.is_none_or(|through| through.since(*from) < REMEMBERED));
        self.controls.retain(|name, _| self.in_force.contains(name) || self.counts_from.contains_key(name));
        if self.is_empty() { Self::default() } else { self }
    }

    /// Whether what the control earned is known up to the newest record that was read.
    fn is_known(&self, name: &str) -> bool {
        self.controls.contains_key(name) && !self.counts_from.contains_key(name)
    }

    /// The same without counting those of these controls of which something is known.
    #[must_use]
    pub fn with_known(&self, wanted: &BTreeSet<String>) -> Self {
        self.with(wanted.iter().filter(|name| self.is_known(name)).cloned().collect())
    }

    /// The same without counting these controls. Those of which nothing is known are in no record and cost no points.
    #[must_use]
    pub fn with(&self, wanted: BTreeSet<String>) -> Self {
        let mut next = self.clone();
        for name in self.in_force.difference(&wanted) {
            next.counts_from.extend(self.read_through.map(|through| (name.clone(), through)));
        }
        next.counts_from.retain(|name, _| !wanted.contains(name));
        Self { in_force: wanted, ..next }
    }

    /// A value as rules judge it.
    #[must_use]
    pub fn value(&self, id: SeriesId<'_>, sample: Sample) -> f64 {
        let Some(Part { earned, of, maximum }) = self.part(id, sample.at) else { return sample.value };
        let left = sample.value - earned * 100.0 / maximum;
        // What is left of nothing is nothing, whatever doubles make of it.
        if left.abs() < NOTHING { 0.0 } else { (left * (maximum / (maximum - of))).clamp(0.0, 100.0) }
    }

    /// Points as rules judge them.
    #[must_use]
    pub fn points(&self, id: SeriesId<'_>, at: Timestamp, points: Points) -> Points {
        match self.part(id, at) {
            Some(part) => Points { earned: (points.earned - part.earned).max(0.0), of: points.of - part.of },
            None => points,
        }
    }

    /// A window as rules judge it; `None`: as it is.
    #[must_use]
    pub fn window(&self, id: SeriesId<'_>, samples: &[Sample]) -> Option<Vec<Sample>> {
        let is_other = !self.is_empty() && is_of_records(id.score);
        let judged = |sample: &Sample| Sample { at: sample.at, value: self.value(id, *sample) };
        is_other.then(|| samples.iter().map(judged).collect())
    }

    /// By how much the values of a series are others under `next`, at the newest sample that was judged so far. `None`: they are not.
    #[must_use]
    pub fn moved(&self, next: &Self, id: SeriesId<'_>, newest: Option<Sample>) -> Option<f64> {
        let newest = newest.filter(|_| is_of_records(id.score))?;
        let by = next.value(id, newest) - self.value(id, newest);
        (by.abs() > NOTHING).then_some(by)
    }

    /// What is to be taken from a series at that time; `None`: nothing, or nothing would be left of it.
    fn part(&self, id: SeriesId<'_>, at: Timestamp) -> Option<Part> {
        if self.is_empty() || !is_of_records(id.score) {
            return None;
        }
        let maximum = at_time(&self.maximum, at, |(from, _)| *from)?.1;
        let mut part = Part { earned: 0.0, of: 0.0, maximum };
        for steps in self.in_force.iter().filter_map(|name| self.controls.get(name)) {
            part.take(id, steps, at, 1.0);
        }
        for (name, from) in self.counts_from.iter().filter(|(_, from)| at < **from) {
            let Some(steps) = self.controls.get(name) else { continue };
            part.take(id, steps, at, 1.0);
            part.take(id, steps, *from, -1.0);
        }
        let is_something = part.earned != 0.0 || part.of != 0.0;
        (is_something && part.maximum - part.of > NOTHING).then_some(part)
    }
}

impl Part {
    /// Takes a control as it stood at that time, or with a `sign` of -1 puts it back.
    fn take(&mut self, id: SeriesId<'_>, steps: &[Step], at: Timestamp, sign: f64) {
        let Some(step) = at_time(steps, at, |step| step.from) else { return };
        self.of += sign * worth(steps, step);
        if id.subject.is_none_or(|subject| step.category.as_deref() == Some(subject.as_str())) {
            self.earned += sign * step.earned;
        }
    }
}

impl ScoreRecord {
    /// The record as rules judge it: without the controls that do not count, and with others as they stood when they began to.
    #[must_use]
    pub fn without(&self, excluded: &Excluded) -> Self {
        let id = SeriesId { score: ScoreKind::SecureScore, subject: None };
        let points = excluded.points(id, self.day, self.points);
        let mut record = Self { points, ..self.clone() };
        record.controls.retain(|name, _| !excluded.in_force.contains(name));
        for (name, from) in excluded.counts_from.iter().filter(|(_, from)| self.day < **from) {
            let step = excluded.controls.get(name).and_then(|steps| at_time(steps, *from, |step| step.from));
            if let (Some(control), Some(step)) = (record.controls.get_mut(name), step) {
                (control.points, control.maximum, control.counts) = (Some(step.earned), step.of, None);
            }
        }
        record
    }
}

/// Whether records with controls stand behind the score.
const fn is_of_records(score: ScoreKind) -> bool {
    matches!(score, ScoreKind::SecureScore | ScoreKind::SecureScoreCategory)
}

/// What holds at that time: the newest that began by then, or else the first.
fn at_time<T>(all: &[T], at: Timestamp, from: impl Fn(&T) -> Timestamp) -> Option<&T> {
    let begun = all.partition_point(|one| from(one) <= at);
    all.get(begun.saturating_sub(1))
}

/// What a control was worth: what is known of that time or, if nothing is, of the nearest time before or else after it. If nothing
/// is known at all, it is the most that it ever earned: a worth that followed what it earns would hide what others lose.
fn worth(steps: &[Step], step: &Step) -> f64 {
    let known = |step: &&Step| step.of.is_some_and(|of| of > 0.0);
    let of = step.of.or_else(|| {
        let before = steps.iter().rfind(|one| one.from < step.from && known(one));
        before.or_else(|| steps.iter().find(known)).and_then(|one| one.of)
    });
    of.unwrap_or_else(|| steps.iter().map(|one| one.earned).fold(0.0, f64::max)).max(step.earned)
}

/// How a control stands in a record. A record that does not say what it earns leaves it as it was.
fn step(at: Timestamp, name: &str, record: &ScoreRecord, maxima: &BTreeMap<String, f64>) -> Option<Step> {
    let Some(control) = record.controls.get(name) else {
        return Some(Step { from: at, earned: 0.0, of: Some(0.0), category: None });
    };
    let of = control.maximum.or_else(|| maxima.get(name).copied());
    control.points.map(|earned| Step { from: at, earned, of, category: control.category.clone() })
}

fn push(steps: &mut Vec<Step>, step: Option<Step>) {
    let Some(step) = step else { return };
    let is_same = |last: &Step| (last.earned, last.of, &last.category) == (step.earned, step.of, &step.category);
    if !steps.last().is_some_and(is_same) {
        steps.push(step);
    }
}

#[cfg(test)]
mod tests;
