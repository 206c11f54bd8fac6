//! Tenants that can't be read, one by one and many at once.

use std::collections::BTreeSet;

use super::Failing;
use crate::domain::{ChannelName, TenantId, Timestamp};

/// A tenant whose checks fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingTenant {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// When it was last checked.
    pub checked_at: Option<Timestamp>,
    /// Since when its checks fail, and how.
    pub failing: Failing,
    /// The operator's alert about it; `None`: it does not fire yet.
    pub blind: Option<Blind>,
}

/// The operator's alert about a tenant that can't be read fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// The channels that were notified of this tenant on its own; empty: none yet.
    pub notified_channels: Vec<ChannelName>,
}

/// Many tenants can't be read for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The reason; with `since` the outage's identity.
    pub cause: String,
    /// When the first of its tenants failed.
    pub since: Timestamp,
    /// Every tenant that it has hit so far.
    pub tenants: BTreeSet<TenantId>,
    /// When the operator was notified; `None`: not yet.
    pub notified_at: Option<Timestamp>,
    /// The channels that were notified.
    pub notified_channels: Vec<ChannelName>,
    /// When it was over; `None`: it goes on.
    pub over_at: Option<Timestamp>,
}
