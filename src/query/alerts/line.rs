//! An alert with what a listing says of it: how grave it is, what the score is now, and what was lost.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use serde::Serialize;

use super::AlertRow;
use crate::{
    config::Config,
    domain::{Scope, SeriesId, Severity, TenantId, Timestamp},
    notify::identity::alert_id,
    query::{Error, Page, neutral},
    rule::{AlertKey, AlertState, Condition},
    store::{SeriesRecord, Store, TenantRecord},
};

/// An alert with what a listing says of it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AlertLine {
    /// Its id, the same for its whole life, as webhooks receive it.
    pub id: String,
    /// Its first letters, for people: `7Q4M2K`.
    pub short_id: String,
    /// How bad it is: by its newest notification, or by its rule if there is none.
    pub severity: Option<Severity>,
    /// The newest value of its score, in the score's own unit; `None` for a whole tenant, or if it was never read.
    pub value: Option<f64>,
    /// What it is compared with: the baseline, or the rule's threshold.
    pub compared_with: Option<f64>,
    /// By how many points the value is worse than the baseline; negative: it is better by now. `None` for a threshold, from which
    /// nothing was lost.
    pub loss: Option<f64>,
    /// The same in percent of the baseline; `None` for a threshold.
    pub loss_percent: Option<f64>,
    /// Since when it has been pending or firing; `None`: it has resolved.
    pub since: Option<Timestamp>,
    /// The alert as it is stored.
    #[serde(flatten)]
    pub row: AlertRow,
}

/// The alerts of the scope with what a listing says of them: those that fire first, the most severe first, the longest first.
///
/// # Errors
/// [`Error::Store`].
pub async fn lines(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    mut rows: Vec<AlertRow>,
) -> Result<Vec<AlertLine>, Error> {
    rows.retain(|row| scope.includes(&row.key.tenant));
    let mut lines = in_order(store, config, scope, rows).await?;
    AlertLine::sort(&mut lines);
    Ok(lines)
}

/// What a listing is sorted by: the alerts that fire first, the most severe first, the longest first.
fn urgency(line: &AlertLine) -> (u8, Reverse<Option<Severity>>, Option<Timestamp>, Reverse<Timestamp>) {
    let rank = match line.row.alert.state {
        AlertState::Firing(_) => 0,
        AlertState::Pending(_) => 1,
        AlertState::Inactive => 2,
    };
    (rank, Reverse(line.severity), line.since, Reverse(line.row.changed_at))
}

impl AlertLine {
    /// Sorts alerts: those that fire first, the most severe first, the longest first.
    pub fn sort(lines: &mut [Self]) {
        lines.sort_by_key(urgency);
    }
}

/// The open alerts of the scope that have one of these ids, whole or short.
///
/// # Errors
/// [`Error::Store`].
pub async fn open_of(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    wanted: &BTreeSet<&str>,
) -> Result<Vec<AlertLine>, Error> {
    let open = super::list(store, scope, &super::Filter::default(), &Page::ALL).await?.items;
    let mut found = lines(store, config, scope, open).await?;
    found.retain(|line| wanted.contains(line.id.as_str()) || wanted.contains(line.short_id.as_str()));
    Ok(found)
}

/// Alerts with what a listing says of them, in the order of the rows.
pub(super) async fn in_order(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    rows: Vec<AlertRow>,
) -> Result<Vec<AlertLine>, Error> {
    let records = records(store, &rows).await?;
    let id = |row: &AlertRow| id(store, &records, &row.key);
    let lines = rows.into_iter().map(|row| line(config, &records, id(&row), row));
    Ok(lines.map(|line| AlertLine { row: neutral::row(scope, line.row), ..line }).collect())
}

/// How bad an alert is: by its newest notification, or by its rule if there is none.
pub(crate) fn severity(config: &Config, row: &AlertRow) -> Option<Severity> {
    let noted = row.last_notification.as_ref().and_then(|last| last.data.alert.as_ref()).map(|alert| alert.severity);
    noted.or_else(|| config.rules.iter().find(|rule| rule.name == row.key.rule).map(|rule| rule.severity))
}

/// What the store knows of the alerts' tenants.
async fn records(store: &dyn Store, rows: &[AlertRow]) -> Result<HashMap<TenantId, TenantRecord>, Error> {
    let tenants: BTreeSet<_> = rows.iter().map(|row| row.key.tenant.clone()).collect();
    let tenants: Vec<_> = tenants.into_iter().collect();
    Ok(store.load(&tenants).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect())
}

/// The ids of alerts, in the order of the rows.
///
/// # Errors
/// [`Error::Store`].
pub(in crate::query) async fn ids(store: &dyn Store, rows: &[AlertRow]) -> Result<Vec<String>, Error> {
    let records = records(store, rows).await?;
    Ok(rows.iter().map(|row| id(store, &records, &row.key)).collect())
}

fn id(store: &dyn Store, records: &HashMap<TenantId, TenantRecord>, alert: &AlertKey) -> String {
    let key = records.get(&alert.tenant).map_or(alert.tenant.as_str(), |record| record.identity.key.as_str());
    alert_id(store.identity(), key, alert)
}

/// The first letters of an alert's id.
pub(in crate::query) fn short(id: &str) -> &str {
    const SHORT_LETTERS: usize = 6;
    let letters = id.split_once('_').map_or(id, |(_, letters)| letters);
    letters.get(..SHORT_LETTERS).unwrap_or(letters)
}

fn line(config: &Config, records: &HashMap<TenantId, TenantRecord>, id: String, row: AlertRow) -> AlertLine {
    let value = value(records, &row.key);
    let (when, since, baseline) = match &row.alert.state {
        AlertState::Firing(firing) => (Some(firing.terms.when), Some(firing.since), firing.baseline),
        AlertState::Pending(pending) => {
            (Some(pending.when), Some(pending.since), pending.against.map(|against| against.baseline.value))
        }
        AlertState::Inactive => (None, None, None),
    };
    let compared_with = match when {
        Some(Condition::Below(bound) | Condition::Above(bound)) => Some(bound),
        _ => baseline,
    };
    let both = when.zip(value).zip(compared_with);
    AlertLine {
        short_id: short(&id).to_owned(),
        id,
        severity: severity(config, &row),
        loss: both.and_then(|((when, value), compared)| when.loss(value, compared)),
        loss_percent: both.and_then(|((when, value), compared)| when.loss_percent(value, compared)),
        value,
        compared_with,
        since,
        row,
    }
}

/// The newest value that an alert is about, as its rule judges it.
fn value(records: &HashMap<TenantId, TenantRecord>, key: &AlertKey) -> Option<f64> {
    let record = records.get(&key.tenant)?;
    let is_it = |series: &&SeriesRecord| Some(series.score) == key.score && series.subject == key.subject;
    let one = record.series.iter().find(is_it)?;
    let newest = one.window.last()?;
    Some(record.excluded.value(SeriesId { score: one.score, subject: one.subject.as_ref() }, *newest))
}
