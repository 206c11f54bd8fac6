//! We are blind, or see again. The one condition that time alone can make true, and any reading ends.

use std::time::Duration;

use super::{Outcome, Seen, Situation, firing, remind, resolve, tell};
use crate::{
    domain::Sample,
    rule::{Alert, AlertState, Firing, Resolution, Rule, TransitionKind, baseline},
};

/// Whether we were without data for as long as the rule asks, our own absence apart.
fn is_silent(silence: Duration, situation: &Situation<'_>) -> bool {
    situation.now.since(situation.last_data).saturating_sub(situation.away) >= silence
}

/// A `no_data` rule whose alert does not fire.
pub(super) fn watch(
    rule: &Rule,
    alert: &Alert,
    reading: Option<Sample>,
    silence: Duration,
    situation: &Situation<'_>,
) -> Outcome {
    if reading.is_none() && is_silent(silence, situation) {
        let firing = Firing {
            since: situation.last_data,
            fired_at: situation.now,
            terms: rule.terms(),
            baseline: None,
            worst_told: None,
            worst_seen: None,
            untold: None,
            taken_back: 0,
        };
        return tell(alert, &firing, TransitionKind::Fired, Seen { at: situation.now, sample: None });
    }
    // Pending only from another condition, before the rule was edited.
    let was_pending = matches!(alert.state, AlertState::Pending(_));
    Outcome { alert: was_pending.then_some(Alert { state: AlertState::Inactive, ..alert.clone() }), transition: None }
}

/// An alert that fired for want of data. Any reading ends it, a zero that is not yet confirmed and one under an edited rule
/// included: data came. It ends at the time of the evaluation, as its beginning is a wall time too.
pub(super) fn go_on(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    reading: Option<Sample>,
    situation: &Situation<'_>,
) -> Outcome {
    match reading {
        Some(_) => resolve(alert, firing, Resolution::Recovered, Seen { at: situation.now, sample: reading }),
        None => remind(rule, alert, firing, None, situation.now, situation.told_at).unwrap_or_default(),
    }
}

/// An alert that fired by another condition, before its rule was edited to `no_data`. A reading ends it. So does the silence:
/// what was told was not that we are blind, so that is told anew, by the next tick.
pub(super) fn take_over(
    rule: &Rule,
    alert: &Alert,
    firing: &Firing,
    believed: Option<Sample>,
    silence: Duration,
    situation: &Situation<'_>,
) -> Outcome {
    if let Some(reading) = believed {
        let was_over = firing::is_over(&firing.terms, reading.value, firing);
        let why = if was_over { Resolution::Recovered } else { Resolution::RuleChanged };
        return resolve(alert, firing, why, Seen { at: reading.at, sample: believed });
    }
    let newest = baseline::newest(situation.window);
    if is_silent(silence, situation) {
        return resolve(alert, firing, Resolution::RuleChanged, Seen { at: situation.now, sample: newest });
    }
    remind(rule, alert, firing, newest, situation.now, situation.told_at).unwrap_or_default()
}
