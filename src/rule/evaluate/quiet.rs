//! An alert that does not fire meets a reading.

use super::{Outcome, Seen, Situation, tell};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Firing, Pending, Rule, TransitionKind, baseline::baseline},
};

/// Readings may be this many intervals apart before what happened between them is unknown and `for` starts again.
const GAP_INTERVALS_MAX: u32 = 3;

/// What becomes of it: nothing, pending, or firing.
pub(super) fn judge(rule: &Rule, alert: &Alert, reading: Sample, situation: &Situation<'_>) -> Outcome {
    let baseline = baseline(&rule.when, reading, alert.rebased_at, &situation.of_state(&alert.state));
    if !rule.when.holds(reading.value, baseline) {
        let was_pending = matches!(alert.state, AlertState::Pending(_));
        return Outcome { alert: was_pending.then(|| with_state(alert, AlertState::Inactive)), transition: None };
    }
    let since = match &alert.state {
        AlertState::Pending(pending) => held_since(rule, pending, reading.at, situation),
        _ => reading.at,
    };
    if reading.at.since(since) < rule.hold {
        let pending = Pending { since, last_held: reading.at, when: rule.when };
        return Outcome { alert: Some(with_state(alert, AlertState::Pending(pending))), transition: None };
    }
    let firing = Firing {
        since,
        fired_at: reading.at,
        terms: rule.terms(),
        baseline,
        worst_told: Some(reading.value),
        worst_seen: Some(reading.value),
        untold: None,
        taken_back: 0,
    };
    tell(alert, &firing, TransitionKind::Fired, Seen { at: reading.at, sample: Some(reading) })
}

/// Since when the condition has held without a gap, an edit or a step back in time.
pub(in crate::rule) fn held_since(
    rule: &Rule,
    pending: &Pending,
    at: Timestamp,
    situation: &Situation<'_>,
) -> Timestamp {
    // A source slower than our polls leaves no gap by being so: a daily record is new once a day, however often it is asked for.
    let interval = situation.poll_interval.max(situation.source_interval);
    let has_gap = at.since(pending.last_held) > interval.saturating_mul(GAP_INTERVALS_MAX);
    let is_other = pending.when != rule.when;
    if has_gap || is_other || at < pending.since { at } else { pending.since }
}

fn with_state(alert: &Alert, state: AlertState) -> Alert {
    Alert { state, ..alert.clone() }
}
