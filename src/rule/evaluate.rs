//! The one `step` of an alert: what a new reading, or the passing of time, makes of it.
//!
//! Two clocks are kept apart. Windows and `for` go by the readings' own source times; `no_data`, `repeat` and `accept_after`
//! go by the wall clock. Either may jump: differences of times saturate at zero, a reading from before its pending alert began
//! starts that alert again, and a jump ahead is a gap, which starts it again too. A jump may delay an alert, it never causes one.

mod close;
mod ended;
mod escalate;
mod firing;
mod flapping;
mod no_data;
mod quiet;
#[cfg(test)]
mod tests;
mod wake;

use std::time::Duration;

pub(super) use self::{
    close::accepted_at,
    escalate::due_at,
    firing::{Judged, judged_by},
    quiet::held_since,
};
pub use self::{
    close::{accept, close, remind_once},
    ended::reopened,
};
use super::{
    Alert, AlertState, Condition, Firing, Resolution, Rule, Transition, TransitionKind, baseline,
    context::{EvaluationContext, Event, MISSED_MAX},
};
use crate::domain::{Sample, Timestamp};

/// What a step made of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The alert after the step; `None`: it is as it was, and nothing needs to be stored.
    pub alert: Option<Alert>,
    /// The transition to report, if there is one.
    pub transition: Option<Transition>,
    /// The earliest instant at which a [`Event::Tick`] could change something; `None`: only a reading can. While a notification
    /// is on its way no reminder is foreseen: ask again once `notified_at` is known.
    pub wake_at: Option<Timestamp>,
}

/// What a step makes of an alert, before anyone asks when to wake.
#[derive(Debug, Default)]
struct Outcome {
    alert: Option<Alert>,
    transition: Option<Transition>,
}

/// Judges one event. No clock, no I/O: equal arguments, equal answer. Values are finite.
#[must_use]
pub fn step(rule: &Rule, alert: &Alert, event: Event, context: &EvaluationContext<'_>) -> Step {
    let reading = match event {
        Event::Reading(reading) => Some(reading),
        Event::Tick => None,
    };
    let believed = reading.filter(|&reading| baseline::is_confirmed(reading, context.window));
    if let Some(reopened) = ended::reopened(rule, alert, context.shifts) {
        let outcome = ended::go_on(rule, alert, &reopened, believed, context);
        return finish(rule, alert, outcome, believed, context);
    }
    let outcome = match (&alert.state, rule.when) {
        (AlertState::Firing(firing), Condition::NoData(duration)) if is_no_data(firing) => {
            no_data::go_on(rule, alert, firing, reading, duration, context)
        }
        (AlertState::Firing(firing), _) if is_no_data(firing) => no_data::leave(rule, alert, firing, reading, context),
        (AlertState::Firing(firing), Condition::NoData(duration)) => {
            no_data::take_over(rule, alert, firing, believed, duration, context)
        }
        (AlertState::Firing(firing), _) => firing::go_on(rule, alert, firing, believed, context),
        (_, Condition::NoData(duration)) => no_data::watch(rule, alert, duration, context),
        _ => believed.map_or_else(Outcome::default, |reading| quiet::judge(rule, alert, reading, context)),
    };
    let outcome = if reading.is_some() { ended::forget(alert, outcome, context.now) } else { outcome };
    finish(rule, alert, outcome, believed, context)
}

/// What a step makes of an alert, from what its state, the rule and the event come to.
fn finish(
    rule: &Rule,
    alert: &Alert,
    outcome: Outcome,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Step {
    let outcome = flapping::temper(rule, alert, outcome, believed, context);
    let outcome = escalate::consider(rule, alert, outcome, believed, context);
    // An escalation is for others than those who are reminded.
    let is_notified = outcome.transition.as_ref().is_some_and(|made| made.kind != TransitionKind::Escalated);
    let wake_at = wake::wake_at(rule, outcome.alert.as_ref().unwrap_or(alert), is_notified, context);
    Step { alert: outcome.alert, transition: outcome.transition, wake_at }
}

/// Whether it fired for want of data.
const fn is_no_data(firing: &Firing) -> bool {
    matches!(firing.terms.when, Condition::NoData(_))
}

/// What a transition says about the value.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When the transition happened.
    at: Timestamp,
    /// The value that caused it, or the newest known.
    sample: Option<Sample>,
}

/// The one place where an alert is numbered: each transition takes the next sequence number, a firing the next generation.
fn notify(alert: &Alert, firing: &Firing, kind: TransitionKind, seen: Seen) -> Outcome {
    let (generation, sequence) = match kind {
        TransitionKind::Fired => (alert.generation.saturating_add(1), 1),
        _ => (alert.generation, alert.sequence.saturating_add(1)),
    };
    let transition = Transition {
        kind,
        at: seen.at,
        value: seen.sample.map(|sample| sample.value),
        observed_at: seen.sample.map(|sample| sample.at),
        baseline: firing.baseline,
        previous: None,
        since: firing.since,
        fired_at: firing.fired_at,
        generation,
        sequence,
        gap: firing.gap,
        unread: firing.unread.clone(),
        listed: 0,
        escalated: firing.escalated.steps,
        unacknowledged: None,
        holds: seen.sample.is_some_and(|sample| firing.terms.when.holds(sample.value, firing.baseline)),
    };
    let state = match kind {
        TransitionKind::Resolved(_) => AlertState::Inactive,
        _ => AlertState::Firing(firing.clone()),
    };
    Outcome {
        alert: Some(Alert { state, generation, sequence, ended: None, ..alert.clone() }),
        transition: Some(transition),
    }
}

/// Ends an alert, for the given reason.
fn resolve(alert: &Alert, firing: &Firing, why: Resolution, seen: Seen) -> Outcome {
    notify(alert, firing, TransitionKind::Resolved(why), seen)
}

/// When the reminder of what was sent then is due: `repeat` later. What claims to have been sent more than that ahead of now was
/// sent before the clock was set back; nobody waits for that time to come again.
pub(super) fn reminder_at(repeat: Duration, notified_at: Timestamp, now: Timestamp) -> Timestamp {
    if notified_at.since(now) > repeat { now } else { notified_at.plus(repeat) }
}

/// A reminder, if one is due: `repeat` after the newest notification became final.
fn remind(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    sample: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Option<Outcome> {
    let (now, repeat, notified_at) = (context.now, rule.repeat?, context.reminded_from()?);
    (now >= reminder_at(repeat, notified_at, now))
        .then(|| notify(alert, firing, TransitionKind::Reminder, Seen { at: now, sample }))
}
