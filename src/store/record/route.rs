//! Routes: where the notifications of an alert go, and what a changed configuration changes of that.

use std::collections::BTreeSet;

use crate::{
    domain::{ChannelName, Timestamp},
    notify::Hold,
    rule::AlertKey,
};

/// Where a channel leads and how it gets in, as keyed fingerprints: equal for equal settings, and of no use to whoever reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelIdentity {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Of where its messages go.
    pub destination: String,
    /// Of that and all its secrets.
    pub access: String,
}

/// What may be on another route by a changed configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routed {
    /// Alerts that fire, and those of which something waits.
    pub alerts: Vec<RoutedAlert>,
    /// Channels for which something about no alert waits, and whether that is for the operator.
    pub others: Vec<(ChannelName, bool)>,
}

/// An alert, and the channels that have to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedAlert {
    /// The identity of the alert.
    pub alert: AlertKey,
    /// Whether it fires and somebody was to be notified of it.
    pub is_firing: bool,
    /// How many of its rule's escalation steps its firing has taken.
    pub escalated: u32,
    /// The channels that notifications of this firing were queued for.
    pub notified_channels: Vec<ChannelName>,
    /// The channels for which something of it waits.
    pub waiting: BTreeSet<ChannelName>,
}

/// The routes by the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// Alerts whose route is another one.
    pub alerts: Vec<Reroute>,
    /// Every channel that is configured.
    pub channels: BTreeSet<ChannelName>,
    /// The operator's channels that may show everything.
    pub operator: Vec<ChannelName>,
}

/// An alert whose route is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reroute {
    /// The identity of the alert.
    pub alert: AlertKey,
    /// The channels that are notified of it from now on.
    pub route: Vec<ChannelName>,
    /// Why what is new to a channel is held, and until when; `None`: it is sent.
    pub hold: Option<Hold>,
}

/// What became of the routes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rerouted {
    /// Channels that have something to send.
    pub busy: BTreeSet<ChannelName>,
    /// How many notifications were queued for channels that are new to their alert.
    pub queued: u64,
    /// How many that waited for a channel that has left go to another one.
    pub moved: u64,
    /// How many of them have nowhere to go: dead letters.
    pub dead: u64,
    /// When that happened, if it has happened.
    pub at: Option<Timestamp>,
}
