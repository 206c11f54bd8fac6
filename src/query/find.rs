//! Finds what a person names. What lies outside the caller's scope is not found.

use std::{collections::BTreeSet, sync::Arc};

use super::{Error, error::Thing};
use crate::{
    channel::ChannelSettings,
    config::{Config, Seen, Tenant},
    domain::{ChannelName, Extras, Scope, SeenChannels, TenantId},
    rule::{Rule, RuleName},
};

/// The tenant of that id.
///
/// # Errors
/// [`Error::NotFound`].
pub fn tenant<'a>(config: &'a Config, scope: &Scope, id: &str) -> Result<&'a Arc<Tenant>, Error> {
    let found = config.tenants.get(id).filter(|tenant| scope.includes(&tenant.id));
    found.ok_or_else(|| {
        let of_scope = config.tenants.keys().filter(|id| scope.includes(id));
        Error::not_among(Thing::Tenant, id, of_scope.map(TenantId::as_str))
    })
}

/// The tenants of these ids; without any, every tenant of the scope.
///
/// # Errors
/// [`Error::NotFound`].
pub fn tenants(config: &Config, scope: &Scope, ids: &[String]) -> Result<Vec<Arc<Tenant>>, Error> {
    if ids.is_empty() {
        return Ok(config.tenants.values().filter(|tenant| scope.includes(&tenant.id)).cloned().collect());
    }
    ids.iter().map(|id| tenant(config, scope, id).cloned()).collect()
}

/// The channel of that name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn channel<'a>(config: &'a Config, scope: &Scope, name: &str) -> Result<&'a Arc<ChannelSettings>, Error> {
    let found = config.channels.get(name).filter(|settings| shows_only(config, scope, settings));
    found.ok_or_else(|| Error::not_among(Thing::Channel, name, channels(config, scope).map(|of| of.name.as_str())))
}

/// The channels that belong to the scope, by name.
pub fn channels<'a>(config: &'a Config, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<ChannelSettings>> {
    config.channels.values().filter(|settings| shows_only(config, scope, settings))
}

/// The rule of that name, if the scope sees it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn rule<'a>(config: &'a Config, scope: &'a Scope, name: &str) -> Result<&'a Arc<Rule>, Error> {
    let found = rules(config, scope).find(|rule| rule.name.as_str() == name);
    found.ok_or_else(|| Error::not_among(Thing::Rule, name, rules(config, scope).map(|rule| rule.name.as_str())))
}

/// The rules that select a tenant of the scope, in the order of the configuration: another customer's rule may name them.
pub fn rules<'a>(config: &'a Config, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<Rule>> {
    let selects = |rule: &Rule| {
        config.tenants.values().any(|tenant| scope.includes(&tenant.id) && rule.tenants.matches(&tenant.labels))
    };
    config.rules.iter().filter(move |rule| scope.is_all() || selects(rule))
}

/// Whether a channel belongs to the scope: it can show somebody, and nobody beyond the scope. The queue, the failures and the drills of
/// a channel that others share are not one tenant's business.
#[must_use]
pub fn shows_only(config: &Config, scope: &Scope, channel: &ChannelSettings) -> bool {
    let Some(tenants) = scope.tenants() else { return true };
    is_of(config, tenants, channel)
}

/// Whether a channel can show one of these tenants, and nobody else.
fn is_of(config: &Config, tenants: &BTreeSet<TenantId>, channel: &ChannelSettings) -> bool {
    let admits = |tenant: &&Arc<Tenant>| channel.audience.admits(&tenant.id, &tenant.labels);
    // Most channels show none of them, which is cheap to see.
    let shows_one = tenants.iter().filter_map(|id| config.tenants.get(id)).any(|tenant| admits(&tenant));
    !channel.audience.is_open()
        && shows_one
        && config.tenants.values().filter(admits).all(|tenant| tenants.contains(&tenant.id))
}

/// The scope with what it sees, by this configuration, in addition to the facts about its tenants.
#[must_use]
pub fn seeing(config: &Config, scope: &Scope) -> Scope {
    let Seen { labels, about, channels, operator } = config.access.show;
    scope.clone().with(|tenants| {
        let of_them = || config.channels.values().filter(|channel| is_of(config, tenants, channel));
        let channels = if channels {
            SeenChannels::All
        } else {
            SeenChannels::These(of_them().map(|channel| channel.name.clone()).collect())
        };
        Extras { labels, about, operator, channels }
    })
}

/// Reads a tenant's id.
pub(crate) fn tenant_id(text: &str) -> Result<TenantId, Error> {
    TenantId::parse(text).map_err(|error| Error::invalid(format!("`{text}` is not a tenant id: {error}")))
}

/// Reads a rule's name.
pub(crate) fn rule_name(text: &str) -> Result<RuleName, Error> {
    RuleName::parse(text).map_err(|error| Error::invalid(format!("`{text}` is not a rule name: {error}")))
}

/// Reads a channel's name.
pub(crate) fn channel_name(text: &str) -> Result<ChannelName, Error> {
    ChannelName::parse(text).map_err(|error| Error::invalid(format!("`{text}`: {error}")))
}
