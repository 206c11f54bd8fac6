//! Fleet shifts as the store keeps them.

use super::NewNotification;
use crate::notify::DeliveryId;

/// What a channel hears of a fleet shift.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftNotice {
    /// The notice, for one channel.
    pub notice: NewNotification,
    /// The held deliveries that go along with it, a list for each run, whole.
    pub runs: Vec<Vec<DeliveryId>>,
}
