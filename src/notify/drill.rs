//! Drills: a marked message from time to time shows that a channel still works before somebody needs it.

use std::time::Duration;

use super::{DeliveryState, Notification, NotificationId, NotificationType, compose, notification::Links};
use crate::domain::{ChannelName, Timestamp};

/// The drills of many channels that fall due together are sent within so much time, each channel's at its own moment. No wait
/// of a channel may be shorter than this, or a moment this far ahead would count as a clock that was set back.
pub const SPREAD: Duration = Duration::from_hours(1);
/// A channel that is unproven for this much longer than its interval is reported to the operator: a week has a working day on
/// which somebody can press the button, whatever the holiday.
const GRACE: Duration = Duration::from_hours(7 * 24);
/// So much time a drill has to arrive and to be seen before its channel can be said to be unproven. The shortest interval
/// between drills is longer, so that it comes to an end.
const TIME_TO_ARRIVE: Duration = Duration::from_hours(12);

/// What is known of whether a channel's messages arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastVerified {
    /// When the channel was first seen; the time until its first drill begins here. `None`: it has not been seen yet.
    pub seen_at: Option<Timestamp>,
    /// When its newest drill was, or is, to be sent; without a drill when it was first seen.
    pub drilled_at: Option<Timestamp>,
    /// When it last was certain that messages arrive.
    pub proven_at: Option<Timestamp>,
}

impl LastVerified {
    /// When the drill was due that is due by `now`; `None`: none is. What a clock noted that has been set back since counts for
    /// nothing.
    #[must_use]
    pub fn drill_due_at(&self, interval: Duration, now: Timestamp) -> Option<Timestamp> {
        self.drilled_at?;
        let last = credible(self.drilled_at, now).max(credible(self.proven_at, now));
        let due_at = last.map_or(now, |last| last.plus(interval));
        (due_at <= now).then_some(due_at)
    }

    /// Since when the channel is unproven, if that is so long that the operator must be notified of it: its last proof, or when it
    /// was first seen. The same for one episode.
    #[must_use]
    pub fn missing_since(&self, interval: Duration, now: Timestamp) -> Option<Timestamp> {
        let since = credible(self.proven_at, now).max(self.seen_at)?;
        let had_its_time = self.drilled_at.is_some_and(|drilled_at| now >= drilled_at.plus(TIME_TO_ARRIVE));
        (had_its_time && now >= since.plus(interval).plus(GRACE)).then_some(since)
    }
}

/// The time, unless it lies further ahead than any drill is planned: then the clock has been set back since it was noted.
fn credible(at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    at.filter(|at| *at <= now.plus(SPREAD))
}

/// Whether a drill covers an earlier one of its channel in that state: one that waits, and is not part of something else.
#[must_use]
pub const fn covers(earlier: DeliveryState) -> bool {
    matches!(earlier, DeliveryState::Queued | DeliveryState::Parked)
}

/// When a channel last was certain that messages arrive, once a person says at `now` that a drill arrived which was delivered then.
/// Whoever says it late says no more than that it arrived when it was delivered. A proof from further ahead was noted by a clock that
/// has been set back since.
#[must_use]
pub fn confirmed(proven_at: Option<Timestamp>, delivered_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let seen_at = delivered_at.map_or(now, |at| at.min(now));
    credible(proven_at, now).map_or(seen_at, |proven_at| proven_at.max(seen_at))
}

/// The id of the drill that is due at that time, or asked for then: the same channel and time, the same drill.
#[must_use]
pub fn id(store: &str, channel: &ChannelName, due_at: Timestamp) -> NotificationId {
    NotificationId::of_parts(&["drill", store, channel.as_str(), &due_at.to_string()])
}

/// The drill of one channel; `confirm` is where a person can say that it arrived, `at` when it is to be sent.
#[must_use]
pub fn message(id: NotificationId, confirm: Option<String>, at: Timestamp) -> Notification {
    let mut drill = compose::without_alert(NotificationType::Drill, id, at);
    drill.data.links = Links { confirm, ..Links::default() };
    drill
}

#[cfg(test)]
mod tests;
