//! Fleet shifts as the store keeps them.

use crate::{
    domain::ChannelName,
    notify::{DeliveryId, fleet::notice::Others, notification::DigestItem, release::Fate},
};

/// What a channel is to hear of a fleet shift.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftNotice {
    /// The channel.
    pub channel: ChannelName,
    /// The alerts that the shift explains there.
    pub members: Vec<ShiftMember>,
    /// Tenants that it names besides.
    pub others: Others,
}

/// An alert that goes along with the notice of a shift.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftMember {
    /// What becomes of what waits there of its earlier firings.
    pub earlier: Vec<(DeliveryId, Fate)>,
    /// The held deliveries of its newest firing, oldest first and whole.
    pub run: Vec<DeliveryId>,
    /// What the newest of them says.
    pub item: DigestItem,
}
