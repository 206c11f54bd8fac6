//! Tenants: their settings, credentials and scores, and how their checks fare; and those that are no longer configured.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use serde::Serialize;

use super::{Error, Listing, Page, error::Thing, find, neutral};
use crate::{
    channel::ChannelSettings,
    check::{backed_off, plan::Plan},
    config::{Config, StoreLocation, Tenant},
    domain::{Averages, EntraTenantId, Labels, Scope, ScoreKind, TenantId, Timestamp},
    microsoft::{AppCredential, CredentialMaterial, FailureClass},
    store::{
        AlertFilter, AlertRow, Checks, Failing, KnownTenant, Roster, Store, TenantRecord, postgres, sqlite::SqliteStore,
    },
};

/// The most tenants that are loaded together.
const BATCH: usize = 256;

/// A tenant, and how its checks fare.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct TenantStatus {
    /// Its id in the configuration.
    pub id: TenantId,
    /// The tenant's name as messages show it.
    pub name: String,
    /// The address of its Microsoft portal, without a page.
    pub portal: String,
    /// The tenant's id in Entra.
    pub entra_tenant_id: String,
    /// The tenant's labels in the configuration.
    pub labels: Labels,
    /// Channels of its own.
    pub channels: Vec<String>,
    /// The app that signs in to it.
    pub client_id: String,
    /// What that app proves itself with, newest first; empty in a list.
    pub credentials: Vec<Credential>,
    /// The newest reading of each series.
    pub scores: Vec<ScoreStatus>,
    /// When it was last checked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// When it is checked next.
    pub next_check_at: Option<Timestamp>,
    /// Whether that is later than the schedule says: nothing but people can help.
    pub asked_less_often: bool,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
    /// Where an administrator of the tenant consents to the app; `None`: that would not help.
    pub consent_link: Option<String>,
}

/// What an app proves itself with.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Credential {
    /// What it is, in words.
    pub kind: &'static str,
    /// As noted, or as the certificate says; `None`: nobody noted it.
    pub expires_at: Option<Timestamp>,
}

/// The newest reading of a series.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct ScoreStatus {
    /// The kind of score that it is about.
    pub kind: ScoreKind,
    /// Of which of several values.
    pub subject: Option<String>,
    /// The value, in the score's own unit.
    pub value: Option<f64>,
    /// When the value was observed: of a daily record, its day.
    pub observed_at: Option<Timestamp>,
}

/// One tenant with all that there is to say of it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct TenantDetail {
    /// Its alerts that pend or fire.
    pub alerts: Vec<AlertRow>,
    /// The channels whose audience it belongs to, whether or not a rule ever notifies them.
    pub may_be_shown_by: Vec<String>,
    /// What Microsoft says of other tenants beside its secure score; null: nothing is known.
    pub averages: Option<Averages>,
    /// The tenant and how it is checked.
    pub tenant: TenantStatus,
}

/// A tenant that is no longer configured.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct GoneTenant {
    /// What is known of it.
    #[serde(flatten)]
    pub known: KnownTenant,
    /// When its data is removed; `None`: it is kept.
    pub kept_until: Option<Timestamp>,
}

/// Which tenants. Everything that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those whose checks fail.
    pub failing: bool,
    /// Only those with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Only those in whose id or name this text is found, in capitals or not, or whose Entra id it is.
    pub search: Option<String>,
}

impl Filter {
    /// Whether what the configuration says of a tenant matches, as far as the scope sees it.
    fn matches(&self, scope: &Scope, tenant: &Tenant) -> bool {
        let has = |(key, value): &(String, String)| {
            scope.sees_labels() && tenant.labels.get(key.as_str()).is_some_and(|has| **has == **value)
        };
        let is_found = |text: &str| {
            let found = |name: &str| name.to_lowercase().contains(text);
            found(tenant.id.as_str()) || found(&tenant.name) || tenant.account.entra.to_string() == text
        };
        self.labels.iter().all(has) && self.search.as_deref().is_none_or(|text| is_found(&text.to_lowercase()))
    }
}

/// Tenants by id: all of them, or only those whose checks fail.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(
    store: &dyn Store,
    config: &Arc<Config>,
    scope: &Scope,
    only_failing: bool,
    page: &Page<TenantId>,
) -> Result<Listing<TenantStatus, TenantId>, Error> {
    matching(store, config, scope, &Filter { failing: only_failing, ..Filter::default() }, page).await
}

/// Tenants that match, by id.
///
/// # Errors
/// [`Error::Store`].
pub async fn matching(
    store: &dyn Store,
    config: &Arc<Config>,
    scope: &Scope,
    filter: &Filter,
    page: &Page<TenantId>,
) -> Result<Listing<TenantStatus, TenantId>, Error> {
    let plan = Plan::new(config.clone());
    let from = page.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let rest = config.tenants.range::<TenantId, _>((from, Bound::Unbounded)).map(|(_, tenant)| tenant.as_ref());
    let wanted: Vec<&Tenant> =
        rest.filter(|tenant| scope.includes(&tenant.id) && filter.matches(scope, tenant)).collect();
    let enough = page.to_read().map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let mut found = Vec::new();
    // Among those whose checks fail, nobody knows how many have to be evaluated.
    let batch = if filter.failing { BATCH } else { BATCH.min(enough) };
    for batch in wanted.chunks(batch) {
        let batch = statuses(store, &plan, scope, batch).await?.into_iter();
        found.extend(batch.filter(|status| !filter.failing || status.failing.is_some()));
        if found.len() >= enough {
            break;
        }
    }
    Ok(Listing::cut(found, page, |last| last.id.clone()))
}

/// One tenant with its credentials, its open alerts, and the channels that may show it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn show(store: &dyn Store, config: &Arc<Config>, scope: &Scope, id: &str) -> Result<TenantDetail, Error> {
    let tenant = find::tenant(config, scope, id)?;
    let mut status = statuses(store, &Plan::new(config.clone()), scope, &[tenant]).await?;
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), open_only: true, ..AlertFilter::default() };
    let alerts = store.alerts(&filter).await?;
    let mut status = status.pop().ok_or_else(|| Error::not_found(Thing::Tenant, id))?;
    let app = tenant.account.app.clone();
    status.credentials = tokio::task::spawn_blocking(move || credentials(&app)).await?;
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    // An id that belonged to another tenant before says nothing about this one.
    let is_it = record.is_some_and(|record| record.identity.is(tenant.account.entra));
    let averages = if is_it && tenant.scores.iter().any(|score| score.has_witness()) {
        store.averages(std::slice::from_ref(&tenant.id)).await?.pop().map(|(_, averages)| averages)
    } else {
        None
    };
    let alerts = alerts.into_iter().map(|row| neutral::row(scope, row)).collect();
    Ok(TenantDetail { alerts, may_be_shown_by: may_show(config, scope, tenant), averages, tenant: status })
}

/// Tenants that are no longer configured, but still have data in the store, by id.
///
/// # Errors
/// [`Error::Store`].
pub async fn gone(
    store: &dyn Roster,
    config: &Config,
    scope: &Scope,
    page: &Page<TenantId>,
) -> Result<Listing<GoneTenant, TenantId>, Error> {
    let mut gone = store.roster().await?;
    let follows = |known: &KnownTenant| page.after.as_ref().is_none_or(|after| known.id > *after);
    gone.retain(|known| known.gone_since.is_some() && scope.includes(&known.id) && follows(known));
    gone.sort_by(|one, other| one.id.cmp(&other.id));
    let kept = |known: KnownTenant| GoneTenant {
        kept_until: known.gone_since.map(|since| since.plus(config.retention)),
        known,
    };
    Ok(Listing::cut(gone.into_iter().map(kept).collect(), page, |last| last.known.id.clone()))
}

/// The name of every tenant of the scope that the store knows, each with its Entra id if that is noted, whatever the version that
/// wrote the store. A store that is not there knows none.
///
/// # Errors
/// [`Error::Store`].
pub async fn names(config: &Config, scope: &Scope) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, Error> {
    let mut names = match &config.store {
        StoreLocation::Sqlite(path) => SqliteStore::names(path).await?,
        StoreLocation::Postgres(database) => postgres::names(&super::database::settings(database)).await?,
    };
    names.retain(|tenant, _| scope.includes(tenant));
    Ok(names)
}

async fn statuses(
    store: &dyn Checks,
    plan: &Plan,
    scope: &Scope,
    tenants: &[&Tenant],
) -> Result<Vec<TenantStatus>, Error> {
    let mut statuses = Vec::with_capacity(tenants.len());
    for batch in tenants.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let records: HashMap<_, _> =
            store.load(&ids).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect();
        statuses.extend(batch.iter().map(|tenant| {
            let record = records.get(&tenant.id).filter(|record| record.identity.is(tenant.account.entra));
            status(plan, scope, tenant, record)
        }));
    }
    Ok(statuses)
}

fn status(plan: &Plan, scope: &Scope, tenant: &Tenant, record: Option<&TenantRecord>) -> TenantStatus {
    let series = record.map_or(&[][..], |record| record.series.as_slice());
    let scores = series.iter().map(|series| ScoreStatus {
        kind: series.score,
        subject: series.subject.as_ref().map(ToString::to_string),
        value: series.window.last().map(|sample| sample.value),
        observed_at: series.window.last().map(|sample| sample.at),
    });
    let failing = neutral::failing(scope, record.and_then(|record| record.health.failing.clone()));
    let class = failing.as_ref().and_then(|failing| FailureClass::from_name(&failing.class));
    TenantStatus {
        consent_link: class.filter(|class| class.needs_consent()).map(|_| tenant.account.consent_link()),
        id: tenant.id.clone(),
        name: tenant.name.to_string(),
        portal: tenant.account.hosts.portal.clone(),
        entra_tenant_id: tenant.account.entra.to_string(),
        labels: if scope.sees_labels() { tenant.labels.as_ref().clone() } else { Labels::default() },
        channels: neutral::channels(scope, tenant.notify.clone()).iter().map(ToString::to_string).collect(),
        client_id: shown_app(&tenant.account.app),
        credentials: Vec::new(),
        scores: scores.collect(),
        checked_at: record.and_then(|record| record.health.checked_at),
        next_check_at: record.map(|record| record.health.next_due_at),
        asked_less_often: record.is_some_and(|record| backed_off::is_backed_off(plan, tenant, &record.health)),
        failing,
    }
}

/// The id of an app, unless its credential could not be read.
fn shown_app(app: &AppCredential) -> String {
    if app.materials.is_empty() { "-".to_owned() } else { app.client_id.to_string() }
}

/// Opens certificates, to see how long they hold.
fn credentials(app: &AppCredential) -> Vec<Credential> {
    let line =
        |material: &CredentialMaterial| Credential { kind: material.kind.words(), expires_at: material.expires_at() };
    app.materials.iter().map(line).collect()
}

/// The channels whose audience the tenant belongs to, whether or not a rule ever notifies them.
fn may_show(config: &Config, scope: &Scope, tenant: &Tenant) -> Vec<String> {
    let admits = |channel: &&Arc<ChannelSettings>| {
        scope.sees_channel(&channel.name) && channel.audience.admits(&tenant.id, &tenant.labels)
    };
    config.channels.values().filter(admits).map(|channel| channel.name.to_string()).collect()
}
