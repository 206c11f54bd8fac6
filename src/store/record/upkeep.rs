//! What is known of the service itself.

use serde::Serialize;

use crate::domain::Timestamp;

/// A period in which the service was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Downtime {
    /// The last heartbeat before.
    pub from: Timestamp,
    /// When the service was up again.
    pub until: Timestamp,
}
