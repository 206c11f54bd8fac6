//! Which alerts are meant, where several are accepted or acknowledged together.

use super::set::AlertSet;
use crate::{
    action::record::must,
    config::Config,
    domain::{Caller, Role, ScoreKind, Severity, TenantId},
    query::{
        Error,
        alerts::{self, AlertRow},
        find,
    },
    store::{AlertFilter, Listings},
};

/// Which firing alerts to accept or acknowledge together: all that every given filter picks.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// Those that the notices of this fleet shift covered.
    pub shift: Option<String>,
    /// By the rule of that name.
    pub rule: Option<String>,
    /// Only the alert of this score.
    pub score: Option<ScoreKind>,
    /// Only those of this severity.
    pub severity: Option<Severity>,
    /// Of the tenants of these ids; empty: of any.
    pub tenants: Vec<String>,
    /// Of tenants with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Who accepts them, if that is known. It picks nothing.
    pub by: Option<String>,
    /// Why, for the audit log. It picks nothing.
    pub comment: Option<String>,
    /// The [`AlertSet`] that the caller was shown; if other alerts are meant by now, nothing is done. It picks nothing.
    pub set: Option<String>,
    /// The most alerts that are accepted: if more are meant, nothing is done. `None`: any number. It picks nothing.
    pub most: Option<usize>,
}

impl Pick {
    /// Whether it has any filter: nobody means every alert by giving none.
    #[must_use]
    pub const fn has_filter(&self) -> bool {
        let Self { shift, rule, score, severity, tenants, labels, .. } = self;
        let has_list = !(tenants.is_empty() && labels.is_empty());
        has_list || shift.is_some() || rule.is_some() || score.is_some() || severity.is_some()
    }
}

/// The firing alerts of the caller's scope that every given filter picks.
///
/// # Errors
/// [`Error::Invalid`] without any filter; [`Error::NoAlert`] if none is picked, but [`Error::Conflict`] if the caller was shown some;
/// [`Error::Store`].
pub async fn picked(
    store: &dyn Listings,
    config: &Config,
    caller: &Caller,
    pick: &Pick,
) -> Result<Vec<AlertRow>, Error> {
    must(caller, Role::Analyst)?;
    if !pick.has_filter() {
        return Err(Error::invalid(
            "no alerts are selected; give a tenant and a rule, or `--shift`, `--rule`, `--score`, `--severity`, \
             `--tenant`, `--label`",
        ));
    }
    let (Pick { shift, rule, score, severity, tenants, labels, .. }, scope) = (pick, &caller.scope);
    let tenants: Vec<TenantId> = tenants.iter().map(|id| find::tenant_id(id)).collect::<Result<_, _>>()?;
    let filter = AlertFilter {
        rule: rule.as_deref().map(find::rule_name).transpose()?,
        firing_only: true,
        shift: shift.clone(),
        tenants: scope.tenants().cloned(),
        ..AlertFilter::default()
    };
    let has_labels = |tenant: &TenantId| {
        // Whoever does not see labels learns nothing of them by what they pick.
        let found = config.tenants.get(tenant).map(|tenant| &tenant.labels).filter(|_| scope.sees_labels());
        let has = |(key, value): &(String, String)| {
            found.is_some_and(|found| found.get(key.as_str()).is_some_and(|has| **has == **value))
        };
        labels.iter().all(has)
    };
    let is_picked = |row: &AlertRow| {
        score.is_none_or(|score| row.key.score == Some(score))
            && severity.is_none_or(|severity| alerts::severity(config, row) == Some(severity))
            && (tenants.is_empty() || tenants.contains(&row.key.tenant))
            && has_labels(&row.key.tenant)
    };
    let rows: Vec<AlertRow> = store.alerts(&filter).await?.into_iter().filter(is_picked).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    Err(if pick.set.is_some() { AlertSet::changed() } else { Error::NoAlert("no firing alert matches".to_owned()) })
}
