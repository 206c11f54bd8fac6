//! What is asked about alerts and deliveries, and counts.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{Delivery, DeliveryId, DeliveryState, Notification, silence::Acknowledgement},
    rule::{Alert, AlertKey, RuleName, durations_in_words},
    store::Owed,
};

/// Which alerts. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only alerts of this tenant.
    pub tenant: Option<TenantId>,
    /// Only alerts of this rule.
    pub rule: Option<RuleName>,
    /// Pending and firing ones only.
    pub open_only: bool,
    /// Only alerts that fire now.
    pub firing_only: bool,
    /// Those that the notice of this fleet shift covered last.
    pub shift: Option<String>,
    /// Those about which this is still to be done.
    pub owes: Option<Owed>,
    /// Of one of these tenants; `None`: of any.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Those that follow there in the listing.
    pub after: Option<AlertPlace>,
    /// At most that many; `None`: all.
    pub limit: Option<u32>,
}

/// A place in a listing of alerts: behind that alert, as it last changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPlace {
    /// When the alert had last changed.
    pub changed_at: Timestamp,
    /// The identity of the alert.
    pub alert: AlertKey,
}

/// An alert in a listing.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AlertRow {
    /// The identity of the alert.
    #[serde(flatten)]
    pub key: AlertKey,
    /// The state of the alert.
    #[serde(flatten, serialize_with = "durations_in_words")]
    pub alert: Alert,
    /// When its newest notification became final.
    pub notified_at: Option<Timestamp>,
    /// The channels that notifications of this generation were queued for.
    pub notified_channels: Vec<ChannelName>,
    /// Whether a person has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// The fleet shift whose notice covered it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<String>,
    /// What is still to be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owes: Option<Owed>,
    /// The newest notification of this alert, for its facts.
    pub last_notification: Option<Notification>,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Which deliveries. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In one of these states; empty: any.
    pub states: Vec<DeliveryState>,
    /// Only deliveries to this channel.
    pub channel: Option<ChannelName>,
    /// Only deliveries about this tenant.
    pub tenant: Option<TenantId>,
    /// About one of these tenants; `None`: about any, several or none.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Of notifications whose id begins like this; its `msg_` is part of it.
    pub notification: Option<String>,
    /// Those that were made before this one.
    pub before: Option<DeliveryId>,
    /// At most that many; 0: a thousand.
    pub limit: u32,
}

/// One delivery with its message and attempts.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct DeliveryDetail {
    /// The delivery and its current state.
    pub delivery: Delivery,
    /// The message with all its facts.
    pub notification: Notification,
    /// The attempts, oldest first; at most the newest fifty.
    pub attempts: Vec<Attempt>,
    /// The deliveries that are merged into it, oldest first.
    pub covers: Vec<Delivery>,
}

/// One attempt to send a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Attempt {
    /// The number of the attempt, from 1.
    pub number: u32,
    /// When it was recorded, just before it was made.
    pub started_at: Timestamp,
    /// When its outcome was recorded; `None`: unknown, the service stopped in between.
    pub finished_at: Option<Timestamp>,
    /// `delivered`, `retry`, `plainer`, `rejected`, `dead`, `parked`; `None`: unknown.
    pub outcome: Option<String>,
    /// What went wrong with the attempt, if it failed.
    pub error: Option<String>,
}

/// Counts for metrics and listings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many tenants the store knows.
    pub tenants: u64,
    /// Tenants whose checks fail.
    pub failing: u64,
    /// The same by the class of their newest failure.
    pub failing_by_class: Vec<(String, u64)>,
    /// Alerts that pend and that fire.
    pub pending: u64,
    /// How many alerts fire now.
    pub firing: u64,
    /// Unfinished, dead and suppressed deliveries by channel and state. Delivered ones are counted by the process, not here.
    pub deliveries: Vec<(ChannelName, DeliveryState, u64)>,
    /// By channel, when its oldest unfinished delivery was queued; what is held waits for no receiver and does not count.
    pub oldest_queued_at: Vec<(ChannelName, Timestamp)>,
}

/// What became of an alert that a person has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It is acknowledged from now on.
    Now,
    /// It was acknowledged before.
    Before,
    /// It does not fire, so there is nothing to acknowledge.
    NotFiring,
    /// It fires, but no longer as it did when it was read: it has worsened since, or is over and has begun again.
    Changed,
}

/// An alert as a person has seen it.
#[derive(Debug, Clone)]
pub struct SeenAlert {
    /// The alert.
    pub alert: AlertKey,
    /// Which of its firings that was.
    pub generation: u64,
    /// How far it had come.
    pub sequence: u64,
}
