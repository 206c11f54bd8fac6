//! One notification on its way to one channel.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hold, NotificationId};
use crate::domain::{ChannelName, TenantId, Timestamp};

/// A delivery's number in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Waits for its first or next attempt.
    Queued,
    /// An attempt is under way; recorded before it is made.
    Sending,
    /// Goes along with another delivery of its channel: a digest, or the newest of its alert. It fares as that one does.
    Merged,
    /// The receiver took it.
    Delivered,
    /// Given up: a dead letter, kept and resent on request.
    Dead,
    /// Waits for its channel, which refuses everything.
    Parked,
    /// Waits until somebody decides: a silence covers it, or other tenants may report the same thing.
    Held,
    /// Never sent: it was held, and over or superseded before anybody was notified. Resent on request.
    Suppressed,
}

impl DeliveryState {
    /// All states that a delivery can be in.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Merged,
        Self::Delivered,
        Self::Dead,
        Self::Parked,
        Self::Held,
        Self::Suppressed,
    ];

    /// The name in JSON, metrics and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Merged => "merged",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Parked => "parked",
            Self::Held => "held",
            Self::Suppressed => "suppressed",
        }
    }

    /// The state of a new delivery that is held for that reason; `None`: it is not held.
    #[must_use]
    pub const fn at_first(hold: Option<Hold>) -> Self {
        if hold.is_some() { Self::Held } else { Self::Queued }
    }

    /// Whether nothing becomes of it any more unless somebody asks.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead | Self::Suppressed)
    }

    /// Whether a person can have it sent again: it is not on its way, and not part of another message that is.
    #[must_use]
    pub const fn can_be_resent(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead | Self::Parked | Self::Held | Self::Suppressed)
    }

    /// Whether nobody has tried to send a delivery with that number of attempts. What is held was not tried since it is held.
    #[must_use]
    pub const fn is_untried(self, attempts: u32) -> bool {
        matches!(self, Self::Held) || self.can_be_withdrawn(attempts)
    }

    /// Whether what a delivery with that number of attempts says can be taken back: nobody has tried to send it, ever.
    #[must_use]
    pub const fn can_be_withdrawn(self, attempts: u32) -> bool {
        matches!(self, Self::Held | Self::Queued) && attempts == 0
    }

    /// Whether an end that an evaluation took back has been tried meanwhile, so that its alert must be evaluated again. What is
    /// suppressed was taken back before.
    #[must_use]
    pub const fn is_late(self, attempts: u32) -> bool {
        !matches!(self, Self::Suppressed) && !self.can_be_withdrawn(attempts)
    }

    /// Finds the state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One notification on its way to one channel, as listings show it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Delivery {
    /// The delivery's number in the store.
    pub id: DeliveryId,
    /// The notification that is delivered.
    pub notification: NotificationId,
    /// The channel that it is sent to.
    pub channel: ChannelName,
    /// About which tenant; `None` for operator messages about none.
    pub tenant: Option<TenantId>,
    /// The state of the delivery.
    pub state: DeliveryState,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// The earliest time of the next attempt.
    pub next_attempt_at: Timestamp,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// Why it is held, and when it is evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The delivery that it goes along with, or went along with.
    pub merged_into: Option<DeliveryId>,
    /// Why the last attempt failed; no URL, no secret.
    pub last_error: Option<String>,
    /// Whether an attempt may have arrived unseen, because the service stopped between sending and recording the answer.
    pub possible_duplicate: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_cannot_be_taken_back_and_what_is_final_can_be_resent() {
        use DeliveryState as State;
        for (state, resent, untried, untried_again, withdrawn, late) in [
            (State::Queued, false, true, false, true, false),
            (State::Sending, false, false, false, false, true),
            (State::Merged, false, false, false, false, true),
            (State::Delivered, true, false, false, false, true),
            (State::Dead, true, false, false, false, true),
            (State::Parked, true, false, false, false, true),
            (State::Held, true, true, true, true, false),
            (State::Suppressed, true, false, false, false, false),
        ] {
            assert_eq!(state.can_be_resent(), resent, "{state:?}");
            assert_eq!((state.is_untried(0), state.is_untried(1)), (untried, untried_again), "{state:?}");
            assert_eq!((state.can_be_withdrawn(0), state.can_be_withdrawn(1)), (withdrawn, false), "{state:?}");
            assert_eq!(state.is_late(0), late, "{state:?}");
            assert_eq!(state.is_late(1), state != State::Suppressed, "{state:?}");
        }
    }
}
