//! Who is notified: the rule's channels and the tenant's own, as far as each channel may see the tenant.

use std::collections::BTreeSet;

use crate::{
    domain::{ChannelName, Labels, Selector, TenantId},
    rule::{Rule, Transition, TransitionKind},
};

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

/// The channels that a rule's alert of a tenant notifies after `escalated` escalation steps: the rule's, the tenant's own, and
/// those of the steps that were taken, each once.
#[must_use]
pub fn route(rule: &Rule, tenant: &[ChannelName], escalated: u32) -> Vec<ChannelName> {
    let further: Vec<ChannelName> = rule.escalated(0, escalated).cloned().collect();
    recipients(&recipients(&rule.notify, rule.of_tenant(tenant)), &further)
}

/// The channels that a notification of a transition is for: of an escalation, those that were not notified of the firing before;
/// of an end, no other than those that were.
#[must_use]
pub fn route_of_transition(
    rule: &Rule,
    tenant: &[ChannelName],
    transition: &Transition,
    notified: &[ChannelName],
) -> Vec<ChannelName> {
    let mut channels = route(rule, tenant, transition.escalated);
    match transition.kind {
        TransitionKind::Resolved(_) => channels.retain(|channel| notified.contains(channel)),
        TransitionKind::Escalated => {
            let before = transition.unacknowledged.map_or(0, |one| one.before);
            let further: Vec<_> = rule.escalated(before, transition.escalated).collect();
            channels.retain(|channel| further.contains(&channel) && !notified.contains(channel));
        }
        _ => {}
    }
    channels
}

/// All of these channels, each once.
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
