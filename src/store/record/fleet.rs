//! Fleet shifts as the store keeps them.

use super::NewNotification;
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, fleet::Shift},
};

/// A fleet shift that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownShift {
    /// Made from what, which way and when: the same shift, the same id.
    pub id: String,
    /// How it went.
    pub shift: Shift,
    /// When it was noted.
    pub seen_at: Timestamp,
    /// When it is told: by then the rest of the fleet was read.
    pub tell_at: Timestamp,
    /// When it was told.
    pub told_at: Option<Timestamp>,
}

/// What a channel hears of a fleet shift.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftNotice {
    /// The notice, for one channel.
    pub notice: NewNotification,
    /// The held deliveries that go along with it, a list for each run, whole.
    pub runs: Vec<Vec<DeliveryId>>,
}
