//! What a configuration changes: of tenants, rules, channels and who sees whom, and of the alerts that a store has.

mod facts;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

use self::facts::Facts;
pub use self::state::{AlertChange, against_state};
use super::{Error, find, open};
use crate::{
    config::{Config, StoreLocation},
    domain::{ChannelName, Scope, TenantId, Timestamp},
};

/// Tenants by the channel that may show them.
type Sights = BTreeMap<ChannelName, BTreeSet<TenantId>>;

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
    /// What concerns the whole service.
    pub service: Section,
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
    /// By name, the fields that differ, each with what it was and what it is.
    pub changed: BTreeMap<String, BTreeMap<String, [Option<String>; 2]>>,
}

/// What a new configuration changes. Of secrets only their references are compared. A limited scope is shown its tenants, the channels
/// that belong to it, every rule, and nothing of the service.
///
/// # Errors
/// [`Error::Store`] if the new configuration's store exists and can't be read.
pub async fn difference(old: &Config, new: &Config, scope: &Scope, now: Timestamp) -> Result<Difference, Error> {
    let (before, after) = (shown(old, scope), shown(new, scope));
    let tenants = |config: &Config| within(facts::tenants(config), |id| find::tenant(config, scope, id).is_ok());
    let channels = |config: &Config| within(facts::channels(config), |name| find::channel(config, scope, name).is_ok());
    let rules = |config: &Config| rules(config, scope);
    let service = |config: &Config| within(facts::service(config), |_| scope.is_all());
    Ok(Difference {
        newly_seen: beyond(&after, &before),
        no_longer_seen: beyond(&before, &after),
        tenants: section(&tenants(old), &tenants(new)),
        rules: section(&rules(old), &rules(new)),
        channels: section(&channels(old), &channels(new)),
        service: section(&service(old), &service(new)),
        alerts: alerts(old, new, scope, now).await?,
    })
}

/// The rules. Which channels they notify is not shown to a limited scope: some are others'.
fn rules(config: &Config, scope: &Scope) -> BTreeMap<String, Facts> {
    let mut rules = facts::rules(config);
    if !scope.is_all() {
        for facts in rules.values_mut() {
            facts.remove("notify");
        }
    }
    rules
}

fn within(facts: BTreeMap<String, Facts>, is_within: impl Fn(&str) -> bool) -> BTreeMap<String, Facts> {
    facts.into_iter().filter(|(name, _)| is_within(name)).collect()
}

/// Alerts that the new configuration would change in its own store and the old one would not.
async fn alerts(old: &Config, new: &Config, scope: &Scope, now: Timestamp) -> Result<Option<Vec<AlertChange>>, Error> {
    let StoreLocation::Sqlite(path) = &new.store;
    if !Path::new(path).exists() {
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
    config.sights().into_iter().map(|(channel, sight)| (channel, of_scope(sight.may_show))).collect()
}

/// What `left` has and `right` has not.
fn beyond(left: &Sights, right: &Sights) -> Sights {
    let none = BTreeSet::new();
    let beyond = left.iter().map(|(channel, tenants)| {
        (channel.clone(), tenants.difference(right.get(channel).unwrap_or(&none)).cloned().collect::<BTreeSet<_>>())
    });
    beyond.filter(|(_, tenants)| !tenants.is_empty()).collect()
}

fn section(old: &BTreeMap<String, Facts>, new: &BTreeMap<String, Facts>) -> Section {
    let only_in = |left: &BTreeMap<String, Facts>, right: &BTreeMap<String, Facts>| {
        left.keys().filter(|name| !right.contains_key(*name)).cloned().collect()
    };
    let mut changed = BTreeMap::new();
    for (name, after) in new {
        let Some(before) = old.get(name).filter(|before| *before != after) else { continue };
        let fields: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let differing = fields.into_iter().filter(|field| before.get(*field) != after.get(*field));
        let pairs = differing
            .map(|field| ((*field).to_owned(), [before.get(field).cloned(), after.get(field).cloned()]))
            .collect();
        changed.insert(name.clone(), pairs);
    }
    Section { added: only_in(new, old), removed: only_in(old, new), changed }
}
