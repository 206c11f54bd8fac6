//! Who is notified: the rule's channels and the tenant's own, as far as each channel may see the tenant.

use std::collections::BTreeSet;

use crate::domain::{ChannelName, Labels, Selector, TenantId};

/// Which tenants a channel may show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Only these tenants; `None`: no limit by id.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// Only tenants with these labels.
    pub labels: Selector,
}

impl Audience {
    /// Whether the channel may show that tenant.
    #[must_use]
    pub fn admits(&self, tenant: &TenantId, labels: &Labels) -> bool {
        self.tenants.as_ref().is_none_or(|admitted| admitted.contains(tenant)) && self.labels.matches(labels)
    }

    /// Whether the channel may show everything, so that messages about no tenant or all tenants may go there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tenants.is_none() && self.labels.0.is_empty()
    }
}

/// The channels that are notified of a rule's alert of a tenant: the rule's, then the tenant's own, each once.
#[must_use]
pub fn recipients(rule: &[ChannelName], tenant: &[ChannelName]) -> Vec<ChannelName> {
    let mut notified: Vec<ChannelName> = Vec::with_capacity(rule.len() + tenant.len());
    for channel in rule.iter().chain(tenant) {
        if !notified.contains(channel) {
            notified.push(channel.clone());
        }
    }
    notified
}
