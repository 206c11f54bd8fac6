//! One notification on its way to one channel.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hold, NotificationId};
use crate::domain::{ChannelName, TenantId, Timestamp};

/// A delivery's number in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    /// Whether nothing becomes of it any more unless somebody asks.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead | Self::Suppressed)
    }

    /// Finds the state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One notification on its way to one channel, as listings show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
