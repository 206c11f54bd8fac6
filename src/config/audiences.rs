//! Refuses what could send one tenant's alert to another's channel.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

use super::{
    Channels,
    scope::{Problems, Scope},
    spelling::nearest,
    tenants::Tenants,
};
use crate::{
    channel::ChannelSettings,
    diagnostic::{Place, Problem},
    domain::{Labels, TenantId},
    rule::Rule,
};

/// Most tenants that a problem names.
const NAMED_MAX: usize = 3;

/// What to do about it.
const INSTEAD: &str = "narrow the tenants, name another channel, or widen the channel's `tenants:` or `labels:`";

pub(super) type Rules = Vec<(Arc<Rule>, Place)>;
type ByLabels<'a> = BTreeMap<&'a Labels, Vec<&'a TenantId>>;

/// Reports every rule, and every tenant, that would notify a channel of a tenant which it may not show.
pub(super) fn check(rules: &Rules, tenants: &Tenants, channels: &Channels, problems: &mut Problems) {
    let mut by_labels = ByLabels::new();
    for tenant in tenants.by_id.values() {
        by_labels.entry(&tenant.labels).or_default().push(&tenant.id);
    }
    // Of a channel that names a tenant which does not exist, that is the cause.
    let is_known =
        |channel: &ChannelSettings| channel.audience.tenants.iter().flatten().all(|id| tenants.places.contains_key(id));
    let channels: Channels = channels
        .iter()
        .filter(|(_, channel)| is_known(channel))
        .map(|(name, one)| (name.clone(), one.clone()))
        .collect();
    for (rule, place) in rules {
        check_rule(rule, place, &by_labels, &channels, problems);
    }
    let unshown = tenants.unshown.iter().filter(|unshown| channels.contains_key(&unshown.channel));
    problems.list.extend(unshown.map(|unshown| unshown.problem.clone()));
}

/// An audience around a tenant that does not exist is a slip of the pen: the channel would show nobody.
pub(super) fn check_known(at: &Scope<'_>, tenants: &Tenants, channels: &Channels, problems: &mut Problems) {
    if tenants.nameless {
        return;
    }
    for (name, channel) in channels {
        let (list, known) = (at.key(name.as_str()), tenants.places.keys().map(TenantId::as_str));
        for id in channel.audience.tenants.iter().flatten().filter(|id| !tenants.places.contains_key(*id)) {
            let instead = match nearest(id.as_str(), known.clone()) {
                Some(suggested) => format!("did you mean `{suggested}`?"),
                None => "write the `id` of a tenant, or define that tenant".to_owned(),
            };
            problems.error(&list.key("tenants"), format!("there is no tenant `{id}`"), instead);
        }
    }
}

/// Audiences by label are tried once per set of labels, not once per tenant.
fn check_rule(rule: &Rule, place: &Place, by_labels: &ByLabels<'_>, channels: &Channels, problems: &mut Problems) {
    let selected: Vec<_> = by_labels.iter().filter(|(labels, _)| rule.tenants.matches(labels)).collect();
    let named = rule.notify.iter().map(|name| ("notify", name));
    let named = named.chain(rule.escalate.iter().flat_map(|step| &step.notify).map(|name| ("escalate", name)));
    for (key, channel) in named.filter_map(|(key, name)| Some((key, channels.get(name)?))) {
        if channel.audience.is_open() {
            continue;
        }
        let outside: BTreeSet<&TenantId> = selected
            .iter()
            .flat_map(|(labels, ids)| ids.iter().filter(|id| !channel.audience.admits(id, labels)).copied())
            .collect();
        if outside.is_empty() {
            continue;
        }
        let named: Vec<String> = outside.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
        let mut what = format!(
            "rule `{}` would notify channel `{}` of tenants that it may not show: {}",
            rule.name,
            channel.name,
            named.join(", ")
        );
        if outside.len() > NAMED_MAX {
            // Writing to a `String` can't fail.
            let _ = write!(what, " and {} more", outside.len() - NAMED_MAX);
        }
        problems.list.push(Problem::error(place.clone(), key, what, INSTEAD));
    }
}
