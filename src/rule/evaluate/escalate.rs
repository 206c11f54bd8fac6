//! A firing that nobody acknowledges is sent to further channels, once for each step of its rule.
//!
//! The time counts from when the firing was first sent, or could have been because nothing held it any more: a receiver that does not
//! answer delays no escalation, a silence and the wait for the fleet do. An acknowledgement ends it; what becomes of the alert after
//! (it got worse, or the acknowledgement was taken back) counts anew, from the notification that is then the newest.

use super::{EvaluationContext, Outcome, Seen, notify, reminder_at};
use crate::{
    domain::{Sample, Timestamp},
    rule::{
        Alert, AlertState, Condition, Escalated, Escalation, Firing, Rule, TransitionKind, Unacknowledged, baseline,
    },
};

/// What comes of a step that has nothing else to report of an alert that fires: an escalation, if one is due.
pub(super) fn consider(
    rule: &Rule,
    before: &Alert,
    outcome: Outcome,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let alert = outcome.alert.as_ref().unwrap_or(before);
    let AlertState::Firing(firing) = &alert.state else { return outcome };
    let begins = outcome.transition.as_ref().is_some_and(|made| made.kind == TransitionKind::Fired);
    if begins || next(rule, firing).is_none() || alert.flapping.unstable.is_some() {
        return outcome;
    }
    let counts_from = counts_from(firing, context);
    let noted = Firing { escalated: Escalated { counts_from, ..firing.escalated }, ..firing.clone() };
    match unacknowledged(rule, &noted, context).filter(|_| outcome.transition.is_none()) {
        Some((steps, why)) => {
            let is_blind = matches!(firing.terms.when, Condition::NoData(_));
            let sample = believed.or_else(|| baseline::newest(context.window)).filter(|_| !is_blind);
            let taken = Firing { escalated: Escalated { counts_from, steps }, ..noted };
            let mut escalated = notify(alert, &taken, TransitionKind::Escalated, Seen { at: context.now, sample });
            escalated.transition.iter_mut().for_each(|transition| transition.unacknowledged = Some(why));
            escalated
        }
        None if noted == *firing => outcome,
        None => Outcome { alert: Some(Alert { state: AlertState::Firing(noted), ..alert.clone() }), ..outcome },
    }
}

/// The next step that it has not taken.
fn next<'a>(rule: &'a Rule, firing: &Firing) -> Option<&'a Escalation> {
    usize::try_from(firing.escalated.steps).ok().and_then(|taken| rule.escalate.get(taken))
}

/// From when on its time without an acknowledgement counts; `None`: it does not count now.
fn counts_from(firing: &Firing, context: &EvaluationContext<'_>) -> Option<Timestamp> {
    let known = firing.escalated.counts_from.or(context.notified_at).or(context.sendable_since);
    known.filter(|_| !context.is_acknowledged)
}

/// When its next step is due; `None`: there is none, or its time does not count now.
pub(in crate::rule) fn due_at(rule: &Rule, firing: &Firing, context: &EvaluationContext<'_>) -> Option<Timestamp> {
    let step = next(rule, firing)?;
    counts_from(firing, context).map(|from| reminder_at(step.after, from, context.now))
}

/// How many steps it has taken once all are taken that are due, and why.
fn unacknowledged(rule: &Rule, firing: &Firing, context: &EvaluationContext<'_>) -> Option<(u32, Unacknowledged)> {
    let before = firing.escalated.steps;
    let since = counts_from(firing, context)?;
    let mut due = None;
    let mut taken = firing.clone();
    while let Some(step) = next(rule, &taken).filter(|step| context.now >= reminder_at(step.after, since, context.now))
    {
        taken.escalated.steps += 1;
        due = Some((taken.escalated.steps, Unacknowledged { since, after: step.after, before }));
    }
    due
}

/// When an alert that fires must be evaluated for its next step. As long as nobody knows when its notification will be sent, it is
/// looked at again each time that the step would be due if it were sent now.
pub(super) fn wake_at(rule: &Rule, firing: &Firing, context: &EvaluationContext<'_>) -> Option<Timestamp> {
    let step = next(rule, firing).filter(|_| !context.is_acknowledged)?;
    let foreseen = || context.now.plus(step.after);
    Some(firing.escalated.counts_from.map_or_else(foreseen, |from| reminder_at(step.after, from, context.now)))
}
