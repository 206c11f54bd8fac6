//! When an alert must be evaluated again though no reading comes.

use super::{EvaluationContext, close, escalate, flapping, no_data, reminder_at};
use crate::{
    domain::Timestamp,
    rule::{Alert, AlertState, Condition, Rule},
};

/// The earliest instant at which a tick could change something. `alert` is as the step left it; `is_notified`: the step made a
/// notification, which is now on its way, so that no reminder can be foreseen.
pub(super) fn wake_at(
    rule: &Rule,
    alert: &Alert,
    is_notified: bool,
    context: &EvaluationContext<'_>,
) -> Option<Timestamp> {
    // An alert that fired by another condition waits for the lack of data that its edited rule is about.
    let silence_ends = match rule.when {
        Condition::NoData(duration) => no_data::wake_at(alert, duration, context),
        _ => None,
    };
    if let Some(unstable) = &alert.flapping.unstable {
        let calm_at = flapping::calm_at(rule, unstable.changed_at, context.now);
        return silence_ends.map_or(Some(calm_at), |at| Some(at.min(calm_at)));
    }
    let AlertState::Firing(firing) = &alert.state else { return silence_ends };
    let notified = rule.repeat.zip(context.reminded_from().filter(|_| !is_notified));
    let reminder = notified.map(|(repeat, notified_at)| reminder_at(repeat, notified_at, context.now));
    let accepted = close::accepted_at(rule, firing);
    let escalation = escalate::wake_at(rule, firing, context);
    [reminder, accepted, escalation, silence_ends].into_iter().flatten().min()
}
