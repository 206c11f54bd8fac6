//! What is known of channels.

use serde::Serialize;

use crate::{
    domain::{ChannelName, Timestamp},
    notify::{ChannelHealth, channel_health::FailedPeriod, destination::KnownDestination, drill::LastVerified},
};

/// A channel that rejects everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedChannel {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Why the channel was parked.
    pub reason: String,
    /// The time since when this has been so.
    pub since: Timestamp,
}

/// What is known of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelRecord {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Whether it rejects everything.
    pub parked: Option<ParkedChannel>,
    /// The last period in which it did, if that is over.
    pub was_parked: Option<FailedPeriod>,
    /// How its receiver fares.
    pub health: ChannelHealth,
    /// Why its last failed attempt failed.
    pub last_error: Option<String>,
    /// Where it leads, and led before; see [`crate::store::ChannelIdentity`].
    #[serde(skip)]
    pub leads: KnownDestination,
    /// Where it led at the last look, as a fingerprint that includes all its secrets.
    #[serde(skip)]
    pub access: Option<String>,
    /// When it was first seen.
    pub seen_at: Option<Timestamp>,
    /// When it was last drilled, or first seen.
    pub drilled_at: Option<Timestamp>,
}

impl ChannelRecord {
    /// Whether its receiver accepted what it was last sent, as far as is known.
    #[must_use]
    pub const fn works(&self) -> bool {
        self.parked.is_none() && self.health.failing_since.is_none()
    }

    /// What is known of whether its messages arrive.
    #[must_use]
    pub const fn last_verified(&self) -> LastVerified {
        LastVerified { seen_at: self.seen_at, drilled_at: self.drilled_at, proven_at: self.health.proven_at }
    }
}
