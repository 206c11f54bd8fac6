//! Takes back the end of an alert that only a fleet shift caused: the score rose because every tenant's did, and the tenant has
//! recovered nothing of what it lost. That is known only after the other tenants have been read.

use std::time::Duration;

use super::{EvaluationContext, Outcome, Seen, firing, notify};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Ended, Escalated, Firing, Rule, ShiftedBy, TransitionKind, baseline, shift::Levels},
};

/// An end is not put down to a shift that is found later than this.
const EXPECTED_WITHIN: Duration = Duration::from_hours(48);
/// Added to the time of a reading so that the shifts that it shows count.
const JUST_AFTER: Duration = Duration::from_nanos(1);

/// The alert as it is still firing, if a known fleet shift is the reason why it ended. `None`: there is no such shift, or the loss is
/// recovered anyway.
#[must_use]
pub fn reopened(rule: &Rule, alert: &Alert, shifts: &[ShiftedBy]) -> Option<Alert> {
    let Ended { by, firing, rebased_at, .. } = alert.ended.as_deref()?;
    rule.when.change()?;
    // It was over by the shifts known then; only one found since can change that.
    shifts.iter().find(|shift| shift.at <= by.at)?;
    let reading = Sample { at: by.at.plus(JUST_AFTER), ..*by };
    let baseline = Levels::of(firing, &firing.terms.when, reading, shifts).baseline;
    if firing::is_over(&firing.terms, by.value, baseline, firing.worst_seen) {
        return None;
    }
    let firing = Firing { end_taken_back: alert.sequence, ..firing.clone() };
    let mut flapping = alert.flapping.clone();
    flapping.changes.truncate(flapping.changes.len().saturating_sub(1));
    Some(Alert { state: AlertState::Firing(firing), rebased_at: *rebased_at, ended: None, flapping, ..alert.clone() })
}

/// Evaluates a reopened alert. An end that can be withdrawn is taken back silently; otherwise the alert fires again.
pub(super) fn go_on(
    rule: &Rule,
    alert: &Alert,
    reopened: &Alert,
    believed: Option<Sample>,
    context: &EvaluationContext<'_>,
) -> Outcome {
    let Some(firing) = reopened.firing() else { return Outcome::default() };
    if context.can_be_withdrawn {
        let outcome = firing::go_on(rule, reopened, firing, believed, context);
        return Outcome { alert: outcome.alert.or_else(|| Some(reopened.clone())), ..outcome };
    }
    let known = Alert { ended: None, ..alert.clone() };
    let ended_at = alert.ended.as_ref().map(|ended| ended.by.at);
    let (Some(sample), Some(ended_at)) = (believed.or_else(|| baseline::newest(context.window)), ended_at) else {
        return Outcome { alert: Some(known), transition: None };
    };
    let reading = Sample { at: sample.at.max(ended_at.plus(JUST_AFTER)), ..sample };
    let judged = firing::judged_by(rule, reopened, firing, reading, context);
    if judged.is_over {
        return Outcome { alert: Some(known), transition: None };
    }
    let restarted = Firing {
        fired_at: sample.at,
        terms: rule.terms(),
        baseline: judged.baseline,
        measured_at: Some(reading.at),
        worst_notified: Some(sample.value),
        worst_notified_at: Some(sample.at),
        worst_seen: Some(sample.value),
        worst_before: None,
        worst_before_at: None,
        taken_back: 0,
        end_taken_back: 0,
        escalated: Escalated::default(),
        ..judged.seen
    };
    notify(&known, &restarted, TransitionKind::Fired, Seen { at: sample.at, sample: Some(sample) })
}

/// Forgets how an alert ended once it can no longer be put down to a shift.
pub(super) fn forget(alert: &Alert, outcome: Outcome, now: Timestamp) -> Outcome {
    let is_settled =
        |alert: &Alert| alert.ended.as_ref().is_some_and(|ended| now.since(ended.judged_at) > EXPECTED_WITHIN);
    let after = outcome.alert.as_ref().unwrap_or(alert);
    if !is_settled(after) {
        return outcome;
    }
    Outcome { alert: Some(Alert { ended: None, ..after.clone() }), ..outcome }
}
