//! The one `step` of an alert: what a new reading, or the passing of time, makes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Alert, Rule};
use crate::domain::{Sample, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A new reading came.
    Reading(Sample),
    /// Time passed without a new reading: a failed check, a reminder or an expiry that is due.
    Tick,
}

/// What a step may look at besides the alert itself.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The wall clock: for `no_data`, `repeat` and `accept_after` only. Windows and `for` go by the readings' own times.
    pub now: Timestamp,
    /// The samples before the new reading, oldest first, at least as far back as any rule looks.
    pub window: &'a [Sample],
    /// The gap between two polls at the time of the reading; a gap of more than three starts `for` again.
    pub poll_interval: Duration,
    /// The source's own interval: a previous reading younger than twice this is always a baseline candidate.
    pub source_interval: Duration,
    /// When data was last seen: the newest successful reading's wall time, or when the tenant was adopted.
    pub last_data: Timestamp,
    /// How much of the time since `last_data` we ourselves were away; it is not the tenant's silence.
    pub away: Duration,
    /// When the newest notification of this alert came to rest (delivered, or dead); `None` while one is still on its way or none was made.
    pub told_at: Option<Timestamp>,
}

/// What a step made of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The alert after the step.
    pub alert: Alert,
    /// What there is to tell.
    pub transition: Option<Transition>,
    /// When the alert must be looked at again at the latest, though no reading comes.
    pub wake_at: Option<Timestamp>,
}

/// Something to tell, with the facts that the message needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What happened.
    pub kind: TransitionKind,
    /// When: the reading's source time, or the time of the evaluation where no reading caused it.
    pub at: Timestamp,
    /// The value that caused it, or the newest known; `None` for `no_data`.
    pub value: Option<f64>,
    /// When that value was observed.
    pub observed_at: Option<Timestamp>,
    /// The frozen baseline; `drop` and `rise` only.
    pub baseline: Option<f64>,
    /// When the condition first held.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// The alert's generation and sequence number after this transition.
    pub generation: u64,
    /// Counts from one in each generation.
    pub sequence: u64,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// It fired.
    Fired,
    /// It got worse by the rule's size, or step, once more.
    Worsened,
    /// It still fires.
    Reminder,
    /// It is over.
    Resolved(Resolution),
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// The score has recovered, or data came again.
    Recovered,
    /// The loss was accepted as the new level, by time or by a person.
    Accepted,
    /// The rule was edited, and by its new text the condition does not hold.
    RuleChanged,
    /// The rule is gone, or no longer applies to the tenant.
    RuleRemoved,
    /// The tenant is gone.
    TenantRemoved,
    /// The score is no longer polled, or its subject is gone.
    SubjectRemoved,
}

/// Judges one event. No clock, no I/O: equal arguments, equal answer.
#[must_use]
pub fn step(_rule: &Rule, _alert: &Alert, _event: Event, _situation: &Situation<'_>) -> Step {
    unimplemented!()
}
