//! Acknowledges an alert, takes that back, and accepts what alerts lost as the new level.

use serde_json::json;

use super::record::{self, must};
use crate::{
    check::close,
    config::Config,
    domain::{Caller, Role, Scope, ScoreKind, TenantId, Timestamp},
    notify::silence::{Acknowledgement, signature_problems},
    query::{
        Error,
        alerts::{self, AlertRow, Which},
        find,
    },
    rule::AlertKey,
    store::{self, AlertFilter, Listings, NewEntry, Store},
};

/// The result of withdrawing an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The identity of the alert.
    pub alert: AlertKey,
    /// Whether the alert was acknowledged before.
    pub was_acknowledged: bool,
}

/// Which firing alerts to accept or acknowledge together: all that every given filter picks.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// Those that the notices of this fleet shift covered.
    pub shift: Option<String>,
    /// By the rule of that name.
    pub rule: Option<String>,
    /// Only the alert of this score.
    pub score: Option<ScoreKind>,
    /// Of the tenants of these ids; empty: of any.
    pub tenants: Vec<String>,
    /// Of tenants with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Who accepts them, if that is known. It picks nothing.
    pub by: Option<String>,
    /// Why, for the audit log. It picks nothing.
    pub comment: Option<String>,
}

/// Who accepts a level, and why.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signature<'a> {
    /// Who, if that is known; the message that says so names them.
    pub by: Option<&'a str>,
    /// Why, for the audit log.
    pub comment: Option<&'a str>,
}

impl Signature<'_> {
    /// Refuses a comment that says nothing, or too much.
    fn check(self) -> Result<(), Error> {
        let problems = self.comment.map_or_else(Vec::new, |comment| signature_problems("-", comment));
        if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
    }
}

/// The result of accepting several alerts in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Those that were accepted, or would be.
    pub alerts: Vec<AlertRow>,
    /// How many were picked that have no level to accept: those of `below`, `above` and `no_data` rules.
    pub without_level: usize,
    /// How many were picked and passed over, because they changed or ended in between.
    pub changed: usize,
}

/// The most alerts that are acknowledged in one step: it is one transaction, for which checks wait.
pub const ACKNOWLEDGED_MAX: usize = 1000;

/// The result of acknowledging several alerts in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// Those that were acknowledged, or would be.
    pub alerts: Vec<AlertRow>,
    /// How many were passed over because somebody acknowledged them before.
    pub acknowledged_before: usize,
    /// How many were passed over because they do not fire.
    pub not_firing: usize,
}

/// Notes that a person has seen an alert that fires: no reminder of it until it worsens or is over.
///
/// # Errors
/// [`Error::Invalid`] without author or comment; those of [`alerts::show`]; [`Error::Conflict`] if it does not fire.
pub async fn acknowledge(
    store: &dyn Store,
    caller: &Caller,
    which: &Which,
    by: Acknowledgement,
) -> Result<AlertKey, Error> {
    must(caller, Role::Analyst)?;
    let problems = signature_problems(&by.by, &by.comment);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let alert = alerts::show(store, &caller.scope, which).await?.key;
    let entry = NewEntry::by(caller, "alert.acknowledge", Some(record::alert(&alert)), by.at)
        .after(json!({ "by": by.by, "comment": by.comment }));
    if store.acknowledge(&alert, by, entry).await? {
        return Ok(alert);
    }
    Err(Error::Conflict("only a firing alert can be acknowledged".to_owned()))
}

/// Notes that a person has seen every firing alert that is picked; with `is_dry`, only says which these are.
///
/// # Errors
/// [`Error::NoAlert`] if none is picked; those of [`acknowledge_rows`].
pub async fn acknowledge_all(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    pick: &Pick,
    by: Acknowledgement,
    is_dry: bool,
) -> Result<Acknowledged, Error> {
    must(caller, Role::Analyst)?;
    let picked = picked(store, config, &caller.scope, pick).await?;
    acknowledge_rows(store, caller, picked, by, is_dry).await
}

/// Notes that a person has seen these alerts, in one transaction and with an entry for each; with `is_dry`, only says which it would.
///
/// # Errors
/// [`Error::Invalid`] without author or comment, or if they are more than [`ACKNOWLEDGED_MAX`]; [`Error::Store`].
pub async fn acknowledge_rows(
    store: &dyn Store,
    caller: &Caller,
    mut rows: Vec<AlertRow>,
    by: Acknowledgement,
    is_dry: bool,
) -> Result<Acknowledged, Error> {
    must(caller, Role::Analyst)?;
    let problems = signature_problems(&by.by, &by.comment);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    rows.retain(|row| caller.scope.includes(&row.key.tenant));
    if rows.len() > ACKNOWLEDGED_MAX {
        let (count, most) = (rows.len(), ACKNOWLEDGED_MAX);
        return Err(Error::invalid(format!(
            "{count} alerts are selected, and at most {most} are acknowledged in one step"
        )));
    }
    let entry = |row: &AlertRow| {
        NewEntry::by(caller, "alert.acknowledge", Some(record::alert(&row.key)), by.at)
            .after(json!({ "by": by.by, "comment": by.comment }))
    };
    let became = if is_dry {
        rows.iter().map(would_become).collect()
    } else {
        let all = rows.iter().map(|row| (row.key.clone(), entry(row))).collect();
        store.acknowledge_all(all, by.clone()).await?
    };
    let mut done = Acknowledged { alerts: Vec::new(), acknowledged_before: 0, not_firing: 0 };
    for (row, became) in rows.into_iter().zip(became) {
        match became {
            store::Acknowledged::Now => done.alerts.push(row),
            store::Acknowledged::Before => done.acknowledged_before += 1,
            store::Acknowledged::NotFiring => done.not_firing += 1,
        }
    }
    Ok(done)
}

/// What would become of an alert if it was acknowledged.
fn would_become(row: &AlertRow) -> store::Acknowledged {
    match (row.alert.firing(), &row.acknowledged) {
        (None, _) => store::Acknowledged::NotFiring,
        (Some(_), Some(_)) => store::Acknowledged::Before,
        (Some(_), None) => store::Acknowledged::Now,
    }
}

/// Takes an acknowledgement back: reminders go on.
///
/// # Errors
/// Those of [`alerts::show`].
pub async fn unacknowledge(
    store: &dyn Store,
    caller: &Caller,
    which: &Which,
    now: Timestamp,
) -> Result<TakenBack, Error> {
    must(caller, Role::Analyst)?;
    let alert = alerts::show(store, &caller.scope, which).await?.key;
    let entry = NewEntry::by(caller, "alert.unacknowledge", Some(record::alert(&alert)), now);
    let was_acknowledged = store.unacknowledge(&alert, entry).await?;
    Ok(TakenBack { alert, was_acknowledged })
}

/// Accepts what one firing alert lost as the new level: it is resolved, and its channels are notified of it and of by whom.
///
/// # Errors
/// [`Error::Invalid`] for a comment that is blank or too long; those of [`alerts::show`]; [`Error::Conflict`] if it does not fire by a
/// `drop` or `rise`, or no longer as it was shown.
pub async fn accept(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    which: &Which,
    signature: Signature<'_>,
    now: Timestamp,
) -> Result<AlertKey, Error> {
    must(caller, Role::Analyst)?;
    signature.check()?;
    let row = alerts::show(store, &caller.scope, which).await?;
    if is_accepted(store, config, caller, &row, signature, now).await? {
        return Ok(row.key);
    }
    let why = if has_level(&row) {
        "the alert has changed meanwhile; look at it again"
    } else {
        "only a firing alert of a `drop` or `rise` rule can be accepted"
    };
    Err(Error::Conflict(why.to_owned()))
}

/// Accepts every firing alert that is picked and has a level; with `is_dry`, only says which these are.
///
/// # Errors
/// [`Error::Invalid`] without any filter; [`Error::NoAlert`] if none is picked; [`Error::Store`].
pub async fn accept_all(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    pick: &Pick,
    is_dry: bool,
    now: Timestamp,
) -> Result<Accepted, Error> {
    must(caller, Role::Analyst)?;
    let picked = picked(store, config, &caller.scope, pick).await?;
    accept_rows(store, config, caller, picked, pick, is_dry, now).await
}

/// Accepts these alerts, which the caller was shown, with what the pick says of them; with `is_dry`, only says which ones it would.
///
/// # Errors
/// As [`accept_all`].
pub async fn accept_rows(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    picked: Vec<AlertRow>,
    pick: &Pick,
    is_dry: bool,
    now: Timestamp,
) -> Result<Accepted, Error> {
    must(caller, Role::Analyst)?;
    let signature = Signature { by: pick.by.as_deref(), comment: pick.comment.as_deref() };
    signature.check()?;
    let (acceptable, floors): (Vec<AlertRow>, Vec<AlertRow>) = picked.into_iter().partition(has_level);
    let (meant, mut alerts) = (acceptable.len(), Vec::with_capacity(acceptable.len()));
    for row in acceptable {
        if is_dry || is_accepted(store, config, caller, &row, signature, now).await? {
            alerts.push(row);
        }
    }
    let changed = meant - alerts.len();
    Ok(Accepted { alerts, without_level: floors.len(), changed })
}

/// Accepts the level of one alert, which has an entry of its own. Whether it was there to be accepted.
async fn is_accepted(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    row: &AlertRow,
    signature: Signature<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let Signature { by, comment } = signature;
    let entry = NewEntry::by(caller, "alert.accept", Some(record::alert(&row.key)), now)
        .after(json!({ "by": by, "comment": comment }));
    Ok(close::accept(store, config, row, by, &entry).await?.is_some())
}

/// The firing alerts that every given filter picks.
async fn picked(store: &dyn Listings, config: &Config, scope: &Scope, pick: &Pick) -> Result<Vec<AlertRow>, Error> {
    let Pick { shift, rule, score, tenants, labels, by: _, comment: _ } = pick;
    if shift.is_none() && rule.is_none() && score.is_none() && tenants.is_empty() && labels.is_empty() {
        return Err(Error::invalid(
            "no alerts are selected; give a tenant and a rule, or `--shift`, `--rule`, `--score`, `--tenant`, \
             `--label`",
        ));
    }
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
            && (tenants.is_empty() || tenants.contains(&row.key.tenant))
            && has_labels(&row.key.tenant)
    };
    let rows: Vec<AlertRow> = store.alerts(&filter).await?.into_iter().filter(is_picked).collect();
    if rows.is_empty() { Err(Error::NoAlert("no firing alert matches".to_owned())) } else { Ok(rows) }
}

/// Whether it fires by a `drop` or `rise`: a floor is a floor.
fn has_level(row: &AlertRow) -> bool {
    row.alert.firing().is_some_and(|firing| firing.terms.when.change().is_some())
}
