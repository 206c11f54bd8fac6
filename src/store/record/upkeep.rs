//! What is known of the service itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// The newest sign that the service lives, whichever replica gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// When it was given, on the clock of whoever gave it. Everybody reads the same.
    pub at: Timestamp,
    /// How long ago that is on the clock that all replicas share, which is the database's; `None`: there is no such clock, or it was not
    /// noted.
    pub age: Option<Duration>,
}

impl Heartbeat {
    /// When it was given, on the clock that shows `now`.
    #[must_use]
    pub fn on_clock(&self, now: Timestamp) -> Timestamp {
        self.age.map_or(self.at, |age| now.minus(age))
    }
}

/// A period in which the service was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Downtime {
    /// The last heartbeat before.
    pub from: Timestamp,
    /// When the service was up again.
    pub until: Timestamp,
}

/// A changed configuration that a running service rejects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedConfiguration {
    /// The same as long as the same is rejected, wherever the files are.
    pub fingerprint: String,
    /// How many errors it has; at least one.
    pub errors: usize,
    /// The first of them, with its place.
    pub first: String,
    /// Since when this service has rejected one after the other, on its own clock.
    pub since: Timestamp,
}

/// A running service that shares the store with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaRecord {
    /// Drawn at its start.
    pub id: String,
    /// The process and the machine, for people.
    pub place: String,
    /// The version of Scorewatch that the replica runs.
    pub version: String,
    /// Its configuration; the same as long as it says the same.
    pub fingerprint: String,
    /// When it started, on the database's clock, as all times here.
    pub started_at: Timestamp,
    /// When it last renewed its lease.
    pub heard_at: Timestamp,
    /// Whether its lease is good: it is heard of.
    pub is_living: bool,
    /// How many shards it owns.
    pub shards: u32,
    /// Whether it does what is done once for the whole fleet.
    pub leads: bool,
    /// How late the checks of the last minute began at most, as of its last heartbeat; `None`: it does not say.
    pub lateness: Option<Duration>,
    /// The changed configuration that it rejects; `None`: it rejects none, or does not say.
    pub rejected: Option<RejectedConfiguration>,
}
