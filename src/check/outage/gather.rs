//! Messages about the tenants of one outage go out together: the first is held until every other tenant has been checked once more, and
//! a chat then gets one message. A channel that shows only one of these tenants waits just as long.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Cause, Causes};
use crate::{
    config::Tenant,
    domain::Timestamp,
    notify::{Hold, HoldReason, Notification, NotificationType},
    rule::Resolution,
    store::{CheckOutcome, TenantRecord},
};

/// The longest that something is held for others: tenants may be checked once a day.
const WAIT_MAX: Duration = Duration::from_hours(1);
/// How long an escalation is held. Alerts that were sent together are due together, whenever their tenants are checked.
const ESCALATION_WAITS: Duration = Duration::from_mins(1);

/// Until when messages are gathered for each cause. Cheap to clone; clones share it. A restart forgets it, at the cost of one more
/// message.
#[derive(Debug, Clone, Default)]
pub struct Gathering(Arc<Mutex<BTreeMap<(Cause, Step), Timestamp>>>);

/// Each is gathered separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Began,
    Escalated,
    Ended,
}

impl Step {
    /// `None`: it is not about missing data, or it is the operator's or the result of what somebody did.
    fn of(notification: &Notification) -> Option<Self> {
        let data = &notification.data;
        if data.no_data.is_empty() || data.operator.is_some() {
            return None;
        }
        let resolution = data.alert.as_ref().and_then(|alert| alert.resolution);
        match notification.kind {
            NotificationType::AlertFiring | NotificationType::AlertReminder => Some(Self::Began),
            NotificationType::AlertEscalated => Some(Self::Escalated),
            NotificationType::AlertResolved if resolution.is_none_or(|why| why == Resolution::Recovered) => {
                Some(Self::Ended)
            }
            _ => None,
        }
    }

    /// How long the first of them waits for others, whose tenants are checked at that interval.
    const fn wait(self, interval: Duration) -> Duration {
        match self {
            Self::Began | Self::Ended => interval,
            Self::Escalated => ESCALATION_WAITS,
        }
    }
}

impl Gathering {
    /// Holds a tenant's messages about an outage that goes on or has just ended. `before`: what the store knew of the tenant.
    pub fn hold(&self, outcome: &mut CheckOutcome, tenant: &Tenant, before: Option<&TenantRecord>, causes: &Causes) {
        if causes.lately.is_empty() {
            return;
        }
        let failing = outcome.health.failing.as_ref().or(before.and_then(|known| known.health.failing.as_ref()));
        let Some(cause) = failing.and_then(|failing| Cause::of(tenant, &failing.class)) else { return };
        if !causes.lately.contains(&cause) {
            return;
        }
        let interval = tenant.schedule.interval_at(outcome.now);
        let mut gathering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for new in &mut outcome.notifications {
            let Some(step) = Step::of(&new.notification) else { continue };
            let known = gathering.get(&(cause.clone(), step)).copied();
            let until = until(known, step.wait(interval), outcome.now);
            gathering.insert((cause.clone(), step), until);
            new.hold = new.hold.or(Some(Hold { why: HoldReason::Outage, until }));
        }
    }
}

/// Until when a message is held whose tenant is checked at that interval; `known`: when the gathering for its cause ends, if one is
/// under way.
fn until(known: Option<Timestamp>, interval: Duration, now: Timestamp) -> Timestamp {
    let latest = now.plus(WAIT_MAX);
    // What lies further ahead than any wait was set by a clock that was ahead.
    let goes_on = known.filter(|until| *until > now && *until <= latest);
    goes_on.unwrap_or_else(|| now.plus(interval.min(WAIT_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_waits_one_interval_for_the_others_which_wait_no_longer_than_the_first() {
        let at = |minutes: i64| Timestamp::from_seconds(minutes * 60);
        for (known, interval, now, expected, why) in [
            (None, 15, 0, 15, "the first waits until each other was checked once"),
            (Some(15), 15, 7, 15, "whoever comes later joins the first"),
            (Some(15), 60, 7, 15, "however seldom it is checked"),
            (Some(15), 15, 15, 30, "what was gathered is out, and the next begins"),
            (None, 24 * 60, 0, 60, "nobody waits longer than an hour"),
            (Some(500), 15, 0, 15, "the clock was set back"),
        ] {
            let interval = Duration::from_mins(interval);
            assert_eq!(until(known.map(at), interval, at(now)), at(expected), "{why}");
        }
    }
}
