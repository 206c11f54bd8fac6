//! Acknowledges an alert, takes that back, and accepts what alerts lost as the new level.

mod pick;
mod set;
mod step;

use serde_json::json;

pub use self::{
    pick::{Pick, picked},
    set::AlertSet,
    step::{Deed, OneStep},
};
use super::record::{self, must};
use crate::{
    check::close,
    config::Config,
    domain::{Caller, Role, Timestamp},
    notify::silence::{Acknowledgement, signature_problems},
    query::{
        Error,
        alerts::{self, AlertRow, Which},
    },
    rule::AlertKey,
    store::{self, NewEntry, SeenAlert, Store},
};

/// The result of withdrawing an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The identity of the alert.
    pub alert: AlertKey,
    /// Whether the alert was acknowledged before.
    pub was_acknowledged: bool,
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

/// The most alerts that are accepted by one request over HTTP, which has ten seconds: each is a transaction of its own.
pub const ACCEPTED_MAX: usize = 1000;

/// What could be done to alerts, by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// How many fire that nobody has acknowledged.
    pub to_acknowledge: usize,
    /// How many have a level to accept.
    pub to_accept: usize,
}

impl Possible {
    /// What could be done to these.
    #[must_use]
    pub fn of(rows: &[AlertRow]) -> Self {
        let is_unseen = |row: &&AlertRow| matches!(would_become(row), store::Acknowledged::Now);
        let to_accept = rows.iter().filter(|row| has_level(row)).count();
        Self { to_acknowledge: rows.iter().filter(is_unseen).count(), to_accept }
    }
}

/// Refuses to do something to more alerts than that in one step.
fn at_most(most: usize, rows: &[AlertRow], done: &str) -> Result<(), Error> {
    let count = rows.len();
    if count <= most {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{count} alerts match, and at most {most} are {done} in one step, so nothing was done; select fewer, such as \
         those of one rule, severity or tenant"
    )))
}

/// The result of acknowledging several alerts in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledged {
    /// Those that were acknowledged, or would be.
    pub alerts: Vec<AlertRow>,
    /// How many were passed over because somebody acknowledged them before.
    pub acknowledged_before: usize,
    /// How many were passed over because they do not fire.
    pub not_firing: usize,
    /// How many were passed over because they came further in between than they were shown.
    pub changed: usize,
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
/// Those of [`picked`] and of [`acknowledge_rows`].
pub async fn acknowledge_all(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    pick: &Pick,
    by: Acknowledgement,
    is_dry: bool,
) -> Result<Acknowledged, Error> {
    let picked = picked(store, config, caller, pick).await?;
    acknowledge_rows(store, caller, picked, by, pick.set.as_deref(), is_dry).await
}

/// Notes that a person has seen these alerts, in one transaction and with an entry for each; with `is_dry`, only says which it would. One
/// that has come further by then than it had here is passed over.
///
/// `set`: the [`AlertSet`] that the caller was shown of those that would be acknowledged.
///
/// # Errors
/// [`Error::Invalid`] without author or comment, or if more than [`ACKNOWLEDGED_MAX`] would be acknowledged; [`Error::Conflict`] if the set
/// has changed; [`Error::Store`].
pub async fn acknowledge_rows(
    store: &dyn Store,
    caller: &Caller,
    mut rows: Vec<AlertRow>,
    by: Acknowledgement,
    set: Option<&str>,
    is_dry: bool,
) -> Result<Acknowledged, Error> {
    must(caller, Role::Analyst)?;
    let problems = signature_problems(&by.by, &by.comment);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    rows.retain(|row| caller.scope.includes(&row.key.tenant));
    let would_become = rows.iter().map(would_become).collect();
    let mut done = Acknowledged { alerts: Vec::new(), acknowledged_before: 0, not_firing: 0, changed: 0 };
    done.count(rows, would_become);
    at_most(ACKNOWLEDGED_MAX, &done.alerts, "acknowledged")?;
    AlertSet::check(set, &done.alerts)?;
    if is_dry || done.alerts.is_empty() {
        return Ok(done);
    }
    let rows = std::mem::take(&mut done.alerts);
    let entry = |row: &AlertRow| {
        NewEntry::by(caller, "alert.acknowledge", Some(record::alert(&row.key)), by.at)
            .after(json!({ "by": by.by, "comment": by.comment }))
    };
    let seen = |row: &AlertRow| SeenAlert {
        alert: row.key.clone(),
        generation: row.alert.generation,
        sequence: row.alert.sequence,
    };
    let all = rows.iter().map(|row| (seen(row), entry(row))).collect();
    let became = store.acknowledge_all(all, by.clone()).await?;
    done.count(rows, became);
    Ok(done)
}

impl Acknowledged {
    /// Adds what became of these.
    fn count(&mut self, rows: Vec<AlertRow>, became: Vec<store::Acknowledged>) {
        for (row, became) in rows.into_iter().zip(became) {
            match became {
                store::Acknowledged::Now => self.alerts.push(row),
                store::Acknowledged::Before => self.acknowledged_before += 1,
                store::Acknowledged::NotFiring => self.not_firing += 1,
                store::Acknowledged::Changed => self.changed += 1,
            }
        }
    }
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
/// Those of [`picked`] and of [`accept_rows`].
pub async fn accept_all(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    pick: &Pick,
    is_dry: bool,
    now: Timestamp,
) -> Result<Accepted, Error> {
    let picked = picked(store, config, caller, pick).await?;
    accept_rows(store, config, caller, picked, pick, is_dry, now).await
}

/// Accepts these alerts, which the caller was shown, with what the pick says of them; with `is_dry`, only says which ones it would.
///
/// # Errors
/// [`Error::Invalid`] for a comment that is blank or too long, or if more would be accepted than the pick allows; [`Error::Conflict`] if the
/// set has changed that the caller was shown; [`Error::Store`].
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
    at_most(pick.most.unwrap_or(usize::MAX), &acceptable, "accepted")?;
    AlertSet::check(pick.set.as_deref(), &acceptable)?;
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

/// Whether it fires by a `drop` or `rise`: a floor is a floor.
fn has_level(row: &AlertRow) -> bool {
    row.alert.firing().is_some_and(|firing| firing.terms.when.change().is_some())
}
