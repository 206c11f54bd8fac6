//! An alert that fires and recovers again and again is reported once as unstable, and then left alone until it is stable.
//!
//! Only what the score does counts as a change: an alert that a person or an edit ends is reported, and starts fresh.

use super::{EvaluationContext, Outcome, Seen, notify, resolve};
use crate::{
    domain::{Sample, Timestamp},
    rule::{
        Alert, AlertState, Escalated, Firing, FlapLimit, Flapping, Resolution, Rule, Transition, TransitionKind,
        Unstable, baseline,
    },
};

/// Most changes that are counted, whatever a rule allows.
const CHANGES_MAX: usize = 1000;

/// What is reported of a step after `before`: all of it, that the alert is unstable, or nothing.
pub(super) fn temper(
    rule: &Rule,
    before: &Alert,
    outcome: Outcome,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let change = outcome.transition.as_ref().map(|transition| changes(transition.kind));
    match (&before.flapping.unstable, change) {
        (_, Some(Change::ByPeople)) => forget(outcome),
        (None, Some(Change::ByScore)) => match rule.flapping {
            Some(limit) => count(limit, before, outcome, context.now),
            None => outcome,
        },
        (None, _) => outcome,
        (Some(unstable), change) => {
            let has_changed = change == Some(Change::ByScore);
            let changed_at = if has_changed { context.now } else { unstable.changed_at };
            let is_stable =
                !has_changed && (rule.flapping.is_none() || context.now >= calm_at(rule, changed_at, context.now));
            if is_stable {
                settle(before, outcome, unstable, believed, context)
            } else {
                swallow(before, outcome, unstable, changed_at)
            }
        }
    }
}

/// A fresh start for an alert that people have ended.
pub(super) fn forget(outcome: Outcome) -> Outcome {
    Outcome { alert: outcome.alert.map(|alert| Alert { flapping: Flapping::default(), ..alert }), ..outcome }
}

/// When an unstable alert is stable if it does not change before. A change that is further ahead than that was noted before the
/// clock was set back; nobody waits for that time to come again.
pub(super) fn calm_at(rule: &Rule, changed_at: Timestamp, now: Timestamp) -> Timestamp {
    let calm = rule.calm();
    if changed_at.since(now) > calm { now } else { changed_at.plus(calm) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    ByScore,
    ByPeople,
    None,
}

const fn changes(kind: TransitionKind) -> Change {
    match kind {
        TransitionKind::Fired | TransitionKind::Resolved(Resolution::Recovered) => Change::ByScore,
        TransitionKind::Resolved(_) => Change::ByPeople,
        TransitionKind::Worsened | TransitionKind::Reminder | TransitionKind::Escalated | TransitionKind::Unstable => {
            Change::None
        }
    }
}

/// Notes a change. Above the limit it is reported as the one that makes the alert unstable.
fn count(limit: FlapLimit, before: &Alert, outcome: Outcome, now: Timestamp) -> Outcome {
    let (Some(alert), Some(transition)) = (outcome.alert, outcome.transition) else { return Outcome::default() };
    let mut lately: Vec<Timestamp> =
        before.flapping.changes.iter().copied().filter(|at| now.since(*at) < limit.within && *at <= now).collect();
    lately.push(now);
    let limit = usize::try_from(limit.changes).unwrap_or(CHANGES_MAX).min(CHANGES_MAX);
    if lately.len() <= limit {
        let flapping = Flapping { changes: lately, unstable: None };
        return Outcome { alert: Some(Alert { flapping, ..alert }), transition: Some(transition) };
    }
    let fired = last_firing(&alert.state).or_else(|| last_firing(&before.state)).cloned();
    let unstable = fired.map(|fired| Unstable { changed_at: now, fired });
    Outcome {
        alert: Some(Alert { flapping: Flapping { changes: lately, unstable }, ..alert }),
        transition: Some(Transition { kind: TransitionKind::Unstable, ..transition }),
    }
}

/// The state goes on, but nothing is reported, and so nothing is numbered.
fn swallow(before: &Alert, outcome: Outcome, unstable: &Unstable, changed_at: Timestamp) -> Outcome {
    let Some(alert) = outcome.alert else { return Outcome::default() };
    let newest = last_firing(&alert.state).unwrap_or(&unstable.fired).clone();
    // Who was notified that it is unstable is notified of what becomes of it.
    let fired = Firing { escalated: kept(unstable), ..newest };
    let flapping =
        Flapping { unstable: Some(Unstable { changed_at, fired }), changes: before.flapping.changes.clone() };
    let (generation, sequence) = (before.generation, before.sequence);
    Outcome { alert: Some(Alert { generation, sequence, flapping, ..alert }), transition: None }
}

/// It is stable: it is reported as firing, or as over.
fn settle(
    before: &Alert,
    outcome: Outcome,
    unstable: &Unstable,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let after = outcome.alert.unwrap_or_else(|| before.clone());
    let (generation, sequence) = (before.generation, before.sequence);
    let calm = Alert { generation, sequence, flapping: Flapping::default(), ..after };
    let is_measured = unstable.fired.worst_seen.is_some();
    let sample = believed.or_else(|| baseline::newest(context.window)).filter(|_| is_measured);
    let seen = Seen { at: believed.map_or(context.now, |reading| reading.at), sample };
    match &calm.state {
        AlertState::Firing(firing) => {
            let (worst_notified, worst_notified_at) = sample
                .map_or((firing.worst_notified, firing.worst_notified_at), |sample| {
                    (Some(sample.value), Some(sample.at))
                });
            let notified = Firing {
                worst_notified,
                worst_notified_at,
                worst_before: None,
                worst_before_at: None,
                escalated: kept(unstable),
                ..firing.clone()
            };
            notify(&calm, &notified, TransitionKind::Fired, seen)
        }
        // A condition that begins to hold again goes on counting its time.
        state => {
            let state = state.clone();
            let over = resolve(&calm, &unstable.fired, Resolution::Recovered, seen);
            Outcome { alert: over.alert.map(|alert| Alert { state, ..alert }), ..over }
        }
    }
}

/// What was escalated of an unstable alert stays so; the time without an acknowledgement counts anew.
const fn kept(unstable: &Unstable) -> Escalated {
    Escalated { counts_from: None, steps: unstable.fired.escalated.steps }
}

const fn last_firing(state: &AlertState) -> Option<&Firing> {
    match state {
        AlertState::Firing(firing) => Some(firing),
        AlertState::Inactive | AlertState::Pending(_) => None,
    }
}
