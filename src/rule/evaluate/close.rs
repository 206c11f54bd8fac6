//! Alerts that end though no score recovered: accepted as the new level, or without the rule, tenant or subject they were about.

use super::{Outcome, Seen, Step, flapping, notify, resolve};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Firing, Resolution, Rule, TransitionKind, Unstable, baseline},
};

/// A person accepts the loss as the new level: the samples before the newest are not a baseline any more.
/// `None` unless the alert fires by a `drop` or `rise`; a bound can't be accepted, only edited or silenced.
#[must_use]
pub fn accept(alert: &Alert, window: &[Sample], now: Timestamp) -> Option<Step> {
    let AlertState::Firing(firing) = &alert.state else { return None };
    firing.terms.when.change()?;
    Some(without_wake(accept_as(alert, firing, baseline::newest(window), now)))
}

/// Says once more that an alert fires, whatever its `repeat`: nobody was notified of it before. `None`: it does not fire.
#[must_use]
pub fn remind_once(alert: &Alert, window: &[Sample], now: Timestamp) -> Option<Step> {
    let AlertState::Firing(firing) = &alert.state else { return None };
    let sample = baseline::newest(window).filter(|_| firing.worst_seen.is_some());
    let Outcome { alert, transition } = notify(alert, firing, TransitionKind::Reminder, Seen { at: now, sample });
    Some(Step { alert, transition, wake_at: None })
}

/// Ends an alert whose rule, tenant or subject is gone, or that a person's edit leaves without a reason. One that fires is reported
/// as over, a pending one vanishes. Keep the closed alert if it ever fired: should the rule come back, its generations,
/// and with them the ids of its notifications, must go on and not begin again.
#[must_use]
pub fn close(alert: &Alert, why: Resolution, window: &[Sample], now: Timestamp) -> Step {
    without_wake(match &alert.state {
        AlertState::Firing(firing) => {
            let is_measured = firing.worst_seen.is_some();
            let sample = baseline::newest(window).filter(|_| is_measured);
            resolve(alert, firing, why, Seen { at: now, sample })
        }
        _ => match &alert.flapping.unstable {
            // It was reported as unstable, so its end is reported.
            Some(Unstable { fired, .. }) => {
                resolve(alert, fired, why, Seen { at: now, sample: baseline::newest(window) })
            }
            None if matches!(alert.state, AlertState::Pending(_)) => {
                Outcome { alert: Some(Alert { state: AlertState::Inactive, ..alert.clone() }), transition: None }
            }
            None => Outcome::default(),
        },
    })
}

/// Whether the loss has lasted for so long that the rule takes it for the new level.
pub(super) fn is_accepted_by_now(rule: &Rule, firing: &Firing, now: Timestamp) -> bool {
    accepted_at(rule, firing).is_some_and(|at| now >= at)
}

/// When that will be; `drop` and `rise` only.
pub(in crate::rule) fn accepted_at(rule: &Rule, firing: &Firing) -> Option<Timestamp> {
    rule.when.change().and(firing.terms.when.change())?;
    rule.accept_after.map(|after| firing.fired_at.plus(after))
}

/// Ends it as the new level, which the newest sample is.
pub(super) fn accept_as(alert: &Alert, firing: &Firing, newest: Option<Sample>, now: Timestamp) -> Outcome {
    let rebased_at = Some(newest.map_or(firing.fired_at, |sample| sample.at));
    let alert = Alert { rebased_at, ..alert.clone() };
    resolve(&alert, firing, Resolution::Accepted, Seen { at: now, sample: newest })
}

fn without_wake(outcome: Outcome) -> Step {
    let outcome = flapping::forget(outcome);
    Step { alert: outcome.alert, transition: outcome.transition, wake_at: None }
}
