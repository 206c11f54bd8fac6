//! Alerts: those that match, and one of them.

mod line;

use serde::{Deserialize, Serialize};

pub(crate) use self::line::severity;
pub use self::line::{AlertLine, lines, open_of};
pub(super) use self::line::{ids, short};
use super::{Candidate, Error, Listing, Page, find};
pub use crate::store::AlertRow;
use crate::{
    config::Config,
    domain::{Scope, ScoreKind, Severity, Subject, TenantId, Timestamp},
    rule::{AlertKey, AlertState},
    store::{AlertFilter, AlertPlace, Listings, Store},
};

/// The most alerts that are read together.
const BATCH: u32 = 512;

/// Which alerts. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of the tenant of that id.
    pub tenant: Option<String>,
    /// By the rule of that name.
    pub rule: Option<String>,
    /// Those that the notice of this fleet shift covered last.
    pub shift: Option<String>,
    /// Those that are over as well, not only those that pend or fire.
    pub resolved: bool,
}

/// Filters that the store cannot apply itself. An alert matches a list if it matches any item of it; an empty list matches every alert,
/// but an empty list of states only those that are pending or firing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By what the store knows; its `resolved` is not read.
    pub filter: Filter,
    /// In one of these states.
    pub states: Vec<StateName>,
    /// Of one of these severities.
    pub severities: Vec<Severity>,
    /// Of one of these scores.
    pub scores: Vec<ScoreKind>,
    /// Of tenants with all of these labels.
    pub labels: Vec<(String, String)>,
}

/// The state of an alert, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StateName {
    /// The condition holds, but not yet for as long as the rule asks.
    Pending,
    /// It has been reported and is not over.
    Firing,
    /// It has fired and is over.
    Resolved,
}

impl StateName {
    const fn of(row: &AlertRow) -> Self {
        match row.alert.state {
            AlertState::Pending(_) => Self::Pending,
            AlertState::Firing(_) => Self::Firing,
            AlertState::Inactive => Self::Resolved,
        }
    }
}

/// One alert, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the rule in the configuration.
    pub rule: String,
    /// The subject; may be left out if there is one alert only.
    pub subject: Option<String>,
    /// That very alert: an id names one, whatever else its rule has alerted on before it was edited.
    pub exact: Option<AlertKey>,
}

impl Which {
    /// That very alert, with its names.
    #[must_use]
    pub fn of(key: &AlertKey) -> Self {
        let subject = key.subject.as_ref().map(ToString::to_string);
        Self { exact: Some(key.clone()), ..Self::named(key.tenant.as_str(), key.rule.as_str(), subject) }
    }

    /// The alert that these names mean.
    #[must_use]
    pub fn named(tenant: &str, rule: &str, subject: Option<String>) -> Self {
        Self { tenant: tenant.to_owned(), rule: rule.to_owned(), subject, exact: None }
    }
}

/// An alert by its names: `contoso device-score-drop`, and of which of several values.
pub(super) fn named(key: &AlertKey) -> String {
    let score = key.score.map_or("all scores", ScoreKind::as_str);
    let subject = key.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
    format!("{} {} ({score}{subject})", key.tenant, key.rule)
}

/// Where a page of alerts ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// When the last alert of the page had last changed.
    pub changed_at: Timestamp,
    /// The identity of that alert.
    pub alert: AlertKey,
}

/// Alerts that match, newest change first.
///
/// # Errors
/// [`Error::Invalid`] for what can't be a tenant's id or a rule's name; [`Error::Store`].
pub async fn list(
    store: &dyn Listings,
    scope: &Scope,
    filter: &Filter,
    page: &Page<Cursor>,
) -> Result<Listing<AlertRow, Cursor>, Error> {
    let place = |cursor: &Cursor| AlertPlace { changed_at: cursor.changed_at, alert: cursor.alert.clone() };
    let filter = AlertFilter {
        tenant: filter.tenant.as_deref().map(find::tenant_id).transpose()?,
        rule: filter.rule.as_deref().map(find::rule_name).transpose()?,
        open_only: !filter.resolved,
        shift: filter.shift.clone(),
        tenants: scope.tenants().cloned(),
        // A cursor that names another tenant's alert says nothing of whether there is one.
        after: page.after.as_ref().filter(|cursor| scope.includes(&cursor.alert.tenant)).map(place),
        limit: page.to_read(),
        ..AlertFilter::default()
    };
    let rows = store.alerts(&filter).await?;
    Ok(Listing::cut(rows, page, |last| Cursor { changed_at: last.changed_at, alert: last.key.clone() }))
}

/// Alerts that match, newest change first, with what a listing says of them.
///
/// # Errors
/// As [`list`].
pub async fn matching(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    wanted: &Wanted,
    page: &Page<Cursor>,
) -> Result<Listing<AlertLine, Cursor>, Error> {
    let Wanted { filter, states, severities, scores, labels } = wanted;
    let filter = Filter { resolved: states.contains(&StateName::Resolved), ..filter.clone() };
    let has_labels = |tenant: &TenantId| {
        // Whoever does not see labels learns nothing of them by what they ask for.
        let found = config.tenants.get(tenant).map(|tenant| &tenant.labels).filter(|_| scope.sees_labels());
        let has = |(key, value): &(String, String)| {
            found.is_some_and(|found| found.get(key.as_str()).is_some_and(|has| **has == **value))
        };
        labels.iter().all(has)
    };
    let is_wanted = |row: &AlertRow| {
        (states.is_empty() || states.contains(&StateName::of(row)))
            && (scores.is_empty() || row.key.score.is_some_and(|score| scores.contains(&score)))
            && (severities.is_empty()
                || line::severity(config, row).is_some_and(|severity| severities.contains(&severity)))
            && has_labels(&row.key.tenant)
    };
    let enough = page.to_read().map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let is_narrowed = !(scores.is_empty() && severities.is_empty() && states.is_empty() && labels.is_empty());
    // Where every alert that is read is wanted, no more are read than are listed.
    let together = if is_narrowed { BATCH } else { page.to_read().unwrap_or(BATCH).min(BATCH) };
    let (mut rows, mut after) = (Vec::new(), page.after.clone());
    loop {
        let batch = list(store, scope, &filter, &Page { after, ..Page::first(together) }).await?;
        rows.extend(batch.items.into_iter().filter(is_wanted));
        after = batch.next;
        if after.is_none() || rows.len() >= enough {
            break;
        }
    }
    let of = |last: &AlertRow| Cursor { changed_at: last.changed_at, alert: last.key.clone() };
    let Listing { items, next } = Listing::cut(rows, page, of);
    Ok(Listing { items: line::in_order(store, config, scope, items).await?, next })
}

/// One alert, with what a listing says of it.
///
/// # Errors
/// As [`show`].
pub async fn line(store: &dyn Store, config: &Config, scope: &Scope, which: &Which) -> Result<AlertLine, Error> {
    let row = show(store, scope, which).await?;
    let line = line::in_order(store, config, scope, vec![row]).await?.pop();
    line.ok_or_else(|| Error::NoAlert("there is no such alert".to_owned()))
}

/// The one alert that is named, whatever its state. Where names mean several, those that are over are left aside: a rule whose score was
/// edited leaves one behind of each score that it has fired on.
///
/// # Errors
/// [`Error::NoAlert`]; [`Error::Ambiguous`] if names alone mean several; [`Error::Invalid`]; [`Error::Store`].
pub async fn show(store: &dyn Listings, scope: &Scope, which: &Which) -> Result<AlertRow, Error> {
    let Which { tenant, rule, subject, exact } = which;
    let filter = AlertFilter {
        tenant: Some(find::tenant_id(tenant)?),
        rule: Some(find::rule_name(rule)?),
        tenants: scope.tenants().cloned(),
        ..AlertFilter::default()
    };
    let is_intended = |row: &AlertRow| match exact {
        Some(exact) => row.key == *exact,
        None => subject.is_none() || row.key.subject.as_ref().map(Subject::as_str) == subject.as_deref(),
    };
    let mut matching: Vec<_> = store.alerts(&filter).await?.into_iter().filter(is_intended).collect();
    let is_open = |row: &AlertRow| row.alert.state != AlertState::Inactive;
    if matching.len() > 1 && matching.iter().any(is_open) {
        matching.retain(is_open);
    }
    match matching.len() {
        0 => Err(Error::NoAlert(format!("there is no alert of rule `{rule}` for tenant `{tenant}`"))),
        1 => Ok(matching.swap_remove(0)),
        count => Err(Error::Ambiguous {
            what: format!("rule `{rule}` has {count} alerts for tenant `{tenant}`"),
            candidates: matching.iter().map(|row| Candidate { says: subject_of(&row.key), page: None }).collect(),
        }),
    }
}

/// What distinguishes an alert from others of its rule and tenant.
fn subject_of(key: &AlertKey) -> String {
    match (&key.subject, key.score) {
        (Some(subject), _) => format!("--subject '{subject}'"),
        (None, score) => score.map_or("all scores", ScoreKind::as_str).to_owned(),
    }
}
