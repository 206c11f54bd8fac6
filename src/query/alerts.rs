//! Alerts: those that match, and one of them.

mod line;

use serde::{Deserialize, Serialize};

pub use self::line::{AlertLine, lines};
pub(super) use self::line::{ids, short};
use super::{Error, Listing, Page, find};
pub use crate::store::AlertRow;
use crate::{
    domain::{Scope, ScoreKind, Subject, Timestamp},
    rule::AlertKey,
    store::{AlertFilter, AlertPlace, Listings},
};

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

/// One alert, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the rule in the configuration.
    pub rule: String,
    /// The subject; may be left out if there is one alert only.
    pub subject: Option<String>,
}

impl Which {
    /// The names of that alert.
    #[must_use]
    pub fn of(key: &AlertKey) -> Self {
        let subject = key.subject.as_ref().map(ToString::to_string);
        Self { tenant: key.tenant.to_string(), rule: key.rule.to_string(), subject }
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
        after: page.after.as_ref().map(place),
        limit: page.to_read(),
        ..AlertFilter::default()
    };
    let rows = store.alerts(&filter).await?;
    Ok(Listing::cut(rows, page, |last| Cursor { changed_at: last.changed_at, alert: last.key.clone() }))
}

/// The one alert that is named, whatever its state.
///
/// # Errors
/// [`Error::NoAlert`]; [`Error::Ambiguous`] if there are several and no subject was named; [`Error::Invalid`]; [`Error::Store`].
pub async fn show(store: &dyn Listings, scope: &Scope, which: &Which) -> Result<AlertRow, Error> {
    let Which { tenant, rule, subject } = which;
    let filter = AlertFilter {
        tenant: Some(find::tenant_id(tenant)?),
        rule: Some(find::rule_name(rule)?),
        tenants: scope.tenants().cloned(),
        ..AlertFilter::default()
    };
    let is_intended =
        |row: &AlertRow| subject.is_none() || row.key.subject.as_ref().map(Subject::as_str) == subject.as_deref();
    let mut matching: Vec<_> = store.alerts(&filter).await?.into_iter().filter(is_intended).collect();
    match matching.len() {
        0 => Err(Error::NoAlert(format!("there is no alert of rule `{rule}` for tenant `{tenant}`"))),
        1 => Ok(matching.swap_remove(0)),
        count => Err(Error::Ambiguous {
            what: format!("rule `{rule}` has {count} alerts for tenant `{tenant}`"),
            candidates: matching.iter().map(|row| subject_of(&row.key)).collect(),
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
