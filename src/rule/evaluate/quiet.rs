//! An alert that does not fire meets a reading.

use super::{EvaluationContext, MISSED_MAX, Outcome, Seen, notify};
use crate::{
    domain::{Sample, Timestamp},
    rule::{
        Against, Alert, AlertState, Escalated, Firing, Pending, Rule, TransitionKind,
        baseline::{self, Reference},
    },
};

/// What becomes of it: nothing, pending, or firing.
pub(super) fn judge(rule: &Rule, alert: &Alert, reading: Sample, context: &EvaluationContext<'_>) -> Outcome {
    let reference = baseline::reference(&rule.when, reading, alert, context);
    let baseline = reference.map(|reference| reference.value);
    if !rule.when.holds(reading.value, baseline) {
        let was_pending = matches!(alert.state, AlertState::Pending(_));
        return Outcome { alert: was_pending.then(|| with_state(alert, AlertState::Inactive)), transition: None };
    }
    let (since, against) = match &alert.state {
        AlertState::Pending(pending) => {
            let known = pending.against.filter(|_| pending.when == rule.when);
            (held_since(rule, pending, reading.at, context), known.or_else(|| reference.map(against)))
        }
        _ => (reading.at, reference.map(against)),
    };
    if reading.at.since(since) < rule.hold {
        let pending = Pending { since, last_held: reading.at, when: rule.when, against };
        return Outcome { alert: Some(with_state(alert, AlertState::Pending(pending))), transition: None };
    }
    let firing = Firing {
        since,
        fired_at: reading.at,
        terms: rule.terms(),
        baseline,
        measured_at: None,
        worst_notified: Some(reading.value),
        worst_notified_at: Some(reading.at),
        worst_seen: Some(reading.value),
        worst_before: None,
        worst_before_at: None,
        taken_back: 0,
        end_taken_back: 0,
        gap: against.and_then(|against| against.gap),
        unread: Vec::new(),
        escalated: Escalated::default(),
    };
    notify(alert, &firing, TransitionKind::Fired, Seen { at: reading.at, sample: Some(reading) })
}

const fn against(reference: Reference) -> Against {
    let baseline = Sample { at: reference.newest_at, value: reference.value };
    Against { baseline, gap: reference.gap }
}

/// Since when the condition has held without a gap, an edit or a step back in time.
pub(in crate::rule) fn held_since(
    rule: &Rule,
    pending: &Pending,
    at: Timestamp,
    context: &EvaluationContext<'_>,
) -> Timestamp {
    let has_gap = context.missed_checks > MISSED_MAX;
    let is_other = pending.when != rule.when;
    if has_gap || is_other || at < pending.since { at } else { pending.since }
}

fn with_state(alert: &Alert, state: AlertState) -> Alert {
    Alert { state, ..alert.clone() }
}
