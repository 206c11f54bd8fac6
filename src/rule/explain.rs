//! Why an alert is as it is: what a reading is compared with, whether the condition holds there and by how much, and what is
//! missing for it to fire or to be over. Made of the functions that [`step`] is made of, so the two can't disagree.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{
    Alert, AlertState, Condition, EvaluationContext, Event, Feed, Firing, Recover, Resolution, Rule, Terms,
    TransitionKind,
    baseline::{self, Reference},
    evaluate::{Judged, accepted_at, due_at, held_since, judged_by, reminder_at, reopened, step},
};
use crate::domain::{Sample, ScoreKind, Timestamp};

/// What a step makes of an alert, and why.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Evaluation")]
pub struct Explanation {
    /// The reading that was judged.
    pub reading: Option<Sample>,
    /// Whether it may be believed: a fall to exactly zero waits for a second zero.
    pub is_confirmed: bool,
    /// What the rule's condition compares; `None` without a reading to compare.
    pub comparison: Option<Comparison>,
    /// Whether the condition holds.
    pub holds: bool,
    /// How far `for` has come, where the condition holds and the alert does not fire.
    pub hold: Option<Hold>,
    /// What a firing alert needs to be over; `None` where it does not fire, or where any reading ends it.
    pub recovery: Option<Recovery>,
    /// When a firing alert is reported again without a change.
    pub reminder: Option<Reminder>,
    /// When a firing alert is sent to further channels; `None`: its rule has no further step.
    pub escalation: Option<Escalation>,
    /// When a firing alert is taken for the new level.
    pub accepted_at: Option<Timestamp>,
    /// The scores that have given no data for as long as the rule asks; `no_data` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_data: Vec<ScoreKind>,
    /// What the step makes of the alert.
    pub verdict: Verdict,
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schemars(rename = "ConditionComparison")]
pub enum Comparison {
    /// A value with a bound.
    Bound {
        /// The bound that the value is compared with.
        bound: f64,
        /// How far the value is beyond it, in points; zero or less: it is not.
        beyond: f64,
    },
    /// A value with a baseline.
    Change {
        /// The baseline; `None`: there is none, and nothing fires.
        baseline: Option<Baseline>,
        /// How far the value is from the baseline in the condition's direction, in points.
        loss: Option<f64>,
        /// The same in percent of the baseline.
        loss_percent: Option<f64>,
        /// The least loss that fires, in points; `None`: it is a percentage of nothing.
        needed: Option<f64>,
    },
    /// The time without data, of the score that has had none for longest.
    NoData {
        /// The kind of score that this is about.
        score: ScoreKind,
        /// When data was last read; of a score that never was, when that began to count.
        since: Timestamp,
        /// How long that is ago, our own downtime apart.
        #[serde(rename = "lasted_seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        lasted: Duration,
        /// How much of it we were down ourselves.
        #[serde(rename = "downtime_seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        downtime: Duration,
        /// From when on a scheduled check has been missed or has failed since then; `None`: none is scheduled.
        missed_at: Option<Timestamp>,
        /// How long it takes.
        #[serde(rename = "needed_seconds", serialize_with = "seconds")]
        #[schemars(with = "f64")]
        needed: Duration,
        /// When it would hold without data; `None`: not as long as no check is scheduled.
        until: Option<Timestamp>,
    },
}

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Baseline {
    /// The value that was frozen when the alert fired.
    Frozen {
        /// The value that was read.
        value: f64,
        /// When it was frozen.
        at: Timestamp,
    },
    /// A value chosen from the window before the reading.
    Window(Reference),
}

/// How far `for` has come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "PendingHold")]
pub struct Hold {
    /// Since when the condition has held.
    pub since: Timestamp,
    /// How long that was at the reading.
    #[serde(rename = "lasted_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub lasted: Duration,
    /// How long it must be.
    #[serde(rename = "needed_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub needed: Duration,
    /// The first reading from then on fires, if the condition holds there too.
    pub fires_from: Timestamp,
}

/// What a firing alert needs to be over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Recovery {
    /// The value that marks it; `None`: there is no such value.
    pub mark: Option<f64>,
    /// On which side of the mark.
    pub side: Side,
    /// How many points are missing.
    pub missing: Option<f64>,
    /// Whether the reading ends the alert.
    pub is_over: bool,
}

/// A side of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The value is above the bound.
    Above,
    /// At it, or above.
    AtLeast,
    /// The value is below the bound.
    Below,
    /// At it, or below.
    AtMost,
}

/// When a firing alert is reported again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Reminder {
    /// Time between two, from when the last became final.
    #[serde(rename = "repeat_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub repeat: Duration,
    /// When the next is due; `None`: the last is still on its way.
    pub at: Option<Timestamp>,
}

/// When a firing alert is sent to further channels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Escalation {
    /// How long it may go without an acknowledgement.
    #[serde(rename = "after_seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub after: Duration,
    /// When that is over; `None`: its notification is held, or a person has seen it.
    pub at: Option<Timestamp>,
    /// How many steps were taken.
    pub steps_taken: u32,
}

/// What a step makes of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "EvaluationVerdict")]
pub enum Verdict {
    /// It neither fires nor pends.
    Quiet,
    /// It waits for `for`.
    Pends,
    /// It begins to fire.
    Fires,
    /// It keeps firing; there is nothing to report.
    GoesOn,
    /// It fires on, and worse.
    Worsens,
    /// It fires on, and a reminder is due.
    Reminds,
    /// It fires on, and nobody has acknowledged it in time.
    Escalates,
    /// It has changed too often and is reported as unstable.
    Unstable,
    /// The alert is over, for this reason.
    Ends(Resolution),
}

/// Explains what [`step`] makes of an alert. The newest reading may be explained again: judged once more it changes nothing.
#[must_use]
pub fn explain(rule: &Rule, alert: &Alert, event: Event, context: &EvaluationContext<'_>) -> Explanation {
    let reading = match event {
        Event::Reading(reading) => Some(reading),
        Event::Tick => None,
    };
    let is_confirmed = reading.is_none_or(|reading| baseline::is_confirmed(reading, context.window));
    let believed = reading.filter(|_| is_confirmed);
    let mut explanation = Explanation {
        reading,
        is_confirmed,
        comparison: None,
        holds: false,
        hold: None,
        recovery: None,
        reminder: None,
        escalation: None,
        accepted_at: None,
        without_data: Vec::new(),
        verdict: verdict(rule, alert, event, context),
    };
    let reopened = reopened(rule, alert, context.shifts);
    let alert = reopened.as_ref().unwrap_or(alert);
    match (&alert.state, rule.when) {
        (_, Condition::NoData(needed)) => explanation.of_no_data(needed, context),
        (AlertState::Firing(firing), _) if !is_blind(firing) => {
            if let Some(reading) = believed {
                explanation.of_firing(rule, firing, reading, &judged_by(rule, alert, firing, reading, context));
            }
        }
        (AlertState::Firing(_), _) => {}
        _ => {
            if let Some(reading) = believed {
                explanation.of_quiet(rule, alert, reading, context);
            }
        }
    }
    if let AlertState::Firing(firing) = &alert.state {
        explanation.accepted_at = accepted_at(rule, firing);
        explanation.reminder = rule.repeat.map(|repeat| Reminder {
            repeat,
            at: context.reminded_from().map(|notified_at| reminder_at(repeat, notified_at, context.now)),
        });
        let step = usize::try_from(firing.escalated.steps).ok().and_then(|taken| rule.escalate.get(taken));
        explanation.escalation = step.filter(|_| alert.flapping.unstable.is_none()).map(|step| Escalation {
            after: step.after,
            at: due_at(rule, firing, context),
            steps_taken: firing.escalated.steps,
        });
    }
    explanation
}

impl Explanation {
    fn of_no_data(&mut self, needed: Duration, context: &EvaluationContext<'_>) {
        let now = context.now;
        let without = context.feeds.iter().filter(|feed| feed.holds(needed, now));
        self.without_data = without.map(|feed| feed.score).collect();
        self.holds = !self.without_data.is_empty();
        let order = |feed: &&Feed| (feed.is_read, feed.holds_at(needed).is_none(), feed.holds_at(needed));
        self.comparison = context.feeds.iter().min_by_key(order).map(|feed| {
            let Feed { score, last_data: since, downtime, missed_at, is_read, .. } = *feed;
            let lasted = if is_read { Duration::ZERO } else { now.since(since).saturating_sub(downtime) };
            Comparison::NoData { score, since, lasted, downtime, missed_at, needed, until: feed.holds_at(needed) }
        });
    }

    fn of_quiet(&mut self, rule: &Rule, alert: &Alert, reading: Sample, context: &EvaluationContext<'_>) {
        let reference = baseline::reference(&rule.when, reading, alert, context);
        self.compare(&rule.when, reading.value, reference.map(Baseline::Window));
        if !self.holds {
            return;
        }
        let since = match &alert.state {
            AlertState::Pending(pending) => held_since(rule, pending, reading.at, context),
            _ => reading.at,
        };
        self.hold =
            Some(Hold { since, lasted: reading.at.since(since), needed: rule.hold, fires_from: since.plus(rule.hold) });
    }

    fn of_firing(&mut self, rule: &Rule, firing: &Firing, reading: Sample, judged: &Judged) {
        let frozen = judged.baseline.map(|value| Baseline::Frozen { value, at: firing.fired_at });
        self.compare(&rule.when, reading.value, frozen);
        let recover = rule.recover.filter(|_| judged.is_same_kind || rule.when.change().is_none());
        let measured = Firing { baseline: judged.baseline, ..judged.seen.clone() };
        let mark = mark(&Terms { when: rule.when, recover }, &measured);
        self.recovery = mark.map(|(mark, side)| Recovery {
            mark,
            side,
            missing: mark.map(|mark| match side {
                Side::Above | Side::AtLeast => (mark - reading.value).max(0.0),
                Side::Below | Side::AtMost => (reading.value - mark).max(0.0),
            }),
            is_over: judged.is_over,
        });
    }

    fn compare(&mut self, when: &Condition, value: f64, baseline: Option<Baseline>) {
        let base = baseline.map(|baseline| match baseline {
            Baseline::Frozen { value, .. } => value,
            Baseline::Window(reference) => reference.value,
        });
        self.holds = when.holds(value, base);
        self.comparison = match when {
            Condition::Below(bound) | Condition::Above(bound) => {
                Some(Comparison::Bound { bound: *bound, beyond: when.further(*bound, value) })
            }
            Condition::Drop(change) | Condition::Rise(change) => Some(Comparison::Change {
                baseline,
                loss: base.and_then(|base| when.loss(value, base)),
                loss_percent: base.and_then(|base| when.loss_percent(value, base)),
                needed: base.and_then(|base| change.size.in_points(base)),
            }),
            Condition::NoData(_) => None,
        };
    }
}

fn verdict(rule: &Rule, alert: &Alert, event: Event, context: &EvaluationContext<'_>) -> Verdict {
    let step = step(rule, alert, event, context);
    match (step.transition.map(|transition| transition.kind), &step.alert.as_ref().unwrap_or(alert).state) {
        (Some(TransitionKind::Fired), _) => Verdict::Fires,
        (Some(TransitionKind::Worsened), _) => Verdict::Worsens,
        (Some(TransitionKind::Reminder), _) => Verdict::Reminds,
        (Some(TransitionKind::Escalated), _) => Verdict::Escalates,
        (Some(TransitionKind::Unstable), _) => Verdict::Unstable,
        (Some(TransitionKind::Resolved(resolution)), _) => Verdict::Ends(resolution),
        (None, AlertState::Inactive) => Verdict::Quiet,
        (None, AlertState::Pending(_)) => Verdict::Pends,
        (None, AlertState::Firing(_)) => Verdict::GoesOn,
    }
}

/// Whether it fired for want of data, so that any reading ends it.
const fn is_blind(firing: &Firing) -> bool {
    matches!(firing.terms.when, Condition::NoData(_))
}

/// The value by which an alert is over; `None`: any will do. Inside: there is none, as a percentage of nothing has none.
fn mark(terms: &Terms, firing: &Firing) -> Option<(Option<f64>, Side)> {
    let worst = firing.worst_seen;
    Some(match (terms.recover, terms.when) {
        (Some(Recover::Above(bound)), _) => (Some(bound), Side::Above),
        (Some(Recover::Below(bound)), _) => (Some(bound), Side::Below),
        (Some(Recover::Regained(percent)), when) => {
            let to_regain = |worst, baseline| percent * when.further(baseline, worst) / 100.0;
            let pair = worst.zip(firing.baseline);
            if matches!(when, Condition::Rise(_)) {
                (pair.map(|(worst, baseline)| worst - to_regain(worst, baseline)), Side::AtMost)
            } else {
                (pair.map(|(worst, baseline)| worst + to_regain(worst, baseline)), Side::AtLeast)
            }
        }
        (None, Condition::Below(bound)) => (Some(bound), Side::AtLeast),
        (None, Condition::Above(bound)) => (Some(bound), Side::AtMost),
        (None, Condition::Drop(change)) => {
            let size = |baseline| Some(baseline - change.size.in_points(baseline)?);
            (firing.baseline.and_then(size), Side::Above)
        }
        (None, Condition::Rise(change)) => {
            let size = |baseline| Some(baseline + change.size.in_points(baseline)?);
            (firing.baseline.and_then(size), Side::Below)
        }
        (None, Condition::NoData(_)) => return None,
    })
}

/// JSON has no durations.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
