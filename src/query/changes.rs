//! What a configuration changes: of tenants, rules, channels and who sees whom, and of the alerts that a store has.

mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

pub use self::state::{AlertChange, against_state, unknown_controls};
use super::{Error, find, open};
use crate::{
    config::{Config, Fields, Outline, StoreLocation},
    domain::{ChannelName, Scope, TenantId, Timestamp},
};

/// Tenants by the channel that may show them.
type Sights = BTreeMap<ChannelName, BTreeSet<TenantId>>;

/// A configuration, and what its files say.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// One of the two configurations that are compared.
    pub config: &'a Config,
    /// What its files say.
    pub written: &'a Outline,
}

/// What is different between two configurations.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Channels that can newly see a tenant: the line to read first.
    pub newly_seen: BTreeMap<ChannelName, BTreeSet<TenantId>>,
    /// Channels that can no longer see a tenant.
    pub no_longer_seen: BTreeMap<ChannelName, BTreeSet<TenantId>>,
    /// How tenants differ, by id.
    pub tenants: Section,
    /// How rules differ, by name.
    pub rules: Section,
    /// How channels differ, by name.
    pub channels: Section,
    /// What concerns the whole service: each field with what it was and what it is.
    pub service: Changed,
    /// Alerts that the new configuration would change and the old one would not; `None`: there is no store yet.
    pub alerts: Option<Vec<AlertChange>>,
}

/// Things of one kind, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Those that only the new configuration has.
    pub added: Vec<String>,
    /// Those that only the old configuration has.
    pub removed: Vec<String>,
    /// By name, the fields that differ.
    pub changed: BTreeMap<String, Changed>,
}

/// The fields that differ, each with what it was and what it is, in the files' own words; `None`: it was not or is not there.
pub type Changed = BTreeMap<String, [Option<String>; 2]>;

/// What a new configuration changes. Of secrets only their references are compared. A limited scope is shown its tenants, the channels
/// that belong to it, every rule, and nothing of the service.
///
/// # Errors
/// [`Error::Store`] if the new configuration's store exists and can't be read.
pub async fn difference(
    old: Version<'_>,
    new: Version<'_>,
    scope: &Scope,
    now: Timestamp,
) -> Result<Difference, Error> {
    let (before, after) = (shown(old.config, scope), shown(new.config, scope));
    let (was, is) = (within(old, scope), within(new, scope));
    Ok(Difference {
        newly_seen: beyond(&after, &before),
        no_longer_seen: beyond(&before, &after),
        tenants: section(&was.tenants, &is.tenants),
        rules: section(&was.rules, &is.rules),
        channels: section(&was.channels, &is.channels),
        service: changed(&was.service, &is.service),
        alerts: alerts(old.config, new.config, scope, now).await?,
    })
}

/// What a scope is shown of the files. Which channels a rule notifies is not shown to a limited one: some are others'. Nor are labels and
/// what the author of a rule wrote, unless it sees them.
fn within(Version { config, written }: Version<'_>, scope: &Scope) -> Outline {
    let mut shown = written.clone();
    shown.tenants.retain(|id, _| find::tenant(config, scope, id).is_ok());
    shown.channels.retain(|name, _| find::channel(config, scope, name).is_ok());
    if !scope.is_all() {
        shown.service.clear();
        let is_label = |key: &str, of: &str| key.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
        for fields in shown.rules.values_mut() {
            fields.retain(|key, _| match key.as_str() {
                "notify" => false,
                "about" | "runbook" => scope.sees_about(),
                key => scope.sees_labels() || !is_label(key, "tenants"),
            });
        }
        for fields in shown.tenants.values_mut() {
            fields.retain(|key, _| scope.sees_labels() || !is_label(key, "labels"));
        }
    }
    shown
}

/// Alerts that the new configuration would change in its own store and the old one would not.
async fn alerts(old: &Config, new: &Config, scope: &Scope, now: Timestamp) -> Result<Option<Vec<AlertChange>>, Error> {
    if let StoreLocation::Sqlite(path) = &new.store
        && !Path::new(path).exists()
    {
        return Ok(None);
    }
    let store = open(new).await?;
    let changes = async {
        let anyway = against_state(&*store, old, scope, now).await?;
        let mut changes = against_state(&*store, new, scope, now).await?;
        changes.retain(|change| change.what != "stays" && !anyway.contains(change));
        Ok(Some(changes))
    };
    let changes = changes.await;
    store.close().await;
    changes
}

/// The tenants of the scope that each channel may show.
fn shown(config: &Config, scope: &Scope) -> Sights {
    let of_scope = |tenants: BTreeSet<TenantId>| tenants.into_iter().filter(|tenant| scope.includes(tenant)).collect();
    let sights = config.sights().into_iter().filter(|(channel, _)| scope.sees_channel(channel));
    sights.map(|(channel, sight)| (channel, of_scope(sight.may_show))).collect()
}

/// What `left` has and `right` has not.
fn beyond(left: &Sights, right: &Sights) -> Sights {
    let none = BTreeSet::new();
    let beyond = left.iter().map(|(channel, tenants)| {
        (channel.clone(), tenants.difference(right.get(channel).unwrap_or(&none)).cloned().collect::<BTreeSet<_>>())
    });
    beyond.filter(|(_, tenants)| !tenants.is_empty()).collect()
}

fn section(old: &BTreeMap<String, Fields>, new: &BTreeMap<String, Fields>) -> Section {
    let only_in = |left: &BTreeMap<String, Fields>, right: &BTreeMap<String, Fields>| {
        left.keys().filter(|name| !right.contains_key(*name)).cloned().collect()
    };
    let both = new.iter().filter_map(|(name, after)| Some((name, changed(old.get(name)?, after))));
    let changed = both.filter(|(_, changed)| !changed.is_empty()).map(|(name, changed)| (name.clone(), changed));
    Section { added: only_in(new, old), removed: only_in(old, new), changed: changed.collect() }
}

/// The fields that differ.
fn changed(before: &Fields, after: &Fields) -> Changed {
    let fields: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differing = fields.into_iter().filter(|field| before.get(*field) != after.get(*field));
    differing.map(|field| (field.clone(), [before.get(field).cloned(), after.get(field).cloned()])).collect()
}
