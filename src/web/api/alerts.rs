//! Alerts: listed, explained, acknowledged, accepted.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::Nothing,
    problem::{INVALID, Problem},
    route::{Call, Items, LIMIT_MAX, page},
    words,
};
use crate::{
    action::alert::{self, ACCEPTED_MAX, ACKNOWLEDGED_MAX, AlertSet, Pick},
    domain::{ScoreKind, Severity},
    notify::silence::Acknowledgement,
    query::{
        alerts::{self, AlertLine, AlertRow, Filter, StateName, Wanted, Which},
        explain::{self, Explained},
        ids,
    },
    rule::AlertKey,
};

/// Which alerts are listed.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Alerts {
    /// In this state; of several, in one of them. By default `pending` and `firing`.
    #[serde(default)]
    state: Vec<StateName>,
    /// Only alerts of the tenant with this id.
    tenant: Option<String>,
    /// Only alerts of the rule with this name.
    rule: Option<String>,
    /// Of this severity; of several, of one of them.
    #[serde(default)]
    severity: Vec<Severity>,
    /// Of this score; of several, of one of them.
    #[serde(default)]
    score: Vec<ScoreKind>,
    /// Of tenants with this label, `KEY=VALUE`; of several, with all of them.
    #[serde(default)]
    label: Vec<String>,
    /// Those that the notice of this fleet shift covered last, by its id or the first letters of it.
    shift: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Alerts>) -> Result<Items<AlertLine>, Problem> {
    let Alerts { state, tenant, rule, severity, score, label, shift, limit, after } = call.input;
    let page = page(limit, after.as_deref())?;
    let shift = ids::shift(call.store.as_ref(), &call.caller.scope, shift.as_deref()).await?;
    let filter = Filter { tenant, rule, shift, resolved: false };
    let labels = words::labels(&label)?;
    let wanted = Wanted { filter, states: state, severities: severity, scores: score, labels };
    let found = alerts::matching(call.store.as_ref(), &call.config, &call.caller.scope, &wanted, &page).await?;
    Ok(Items::of(found))
}

async fn meant<I>(call: &Call<I>) -> Result<Which, Problem> {
    Ok(ids::alert(call.store.as_ref(), &call.caller.scope, call.path("id")).await?)
}

async fn line<I>(call: &Call<I>, which: &Which) -> Result<AlertLine, Problem> {
    Ok(alerts::line(call.store.as_ref(), &call.config, &call.caller.scope, which).await?)
}

pub(super) async fn show(call: Call<Nothing>) -> Result<AlertLine, Problem> {
    line(&call, &meant(&call).await?).await
}

pub(super) async fn explain(call: Call<Nothing>) -> Result<Explained, Problem> {
    let which = meant(&call).await?;
    Ok(explain::of_alert(call.store.as_ref(), &call.config, &call.caller.scope, which, call.now).await?)
}

/// Why nobody needs to be reminded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledge {
    /// What was found out, for whoever looks next: at most 500 characters.
    comment: String,
}

pub(super) async fn acknowledge(call: Call<Acknowledge>) -> Result<AlertLine, Problem> {
    let which = meant(&call).await?;
    let by = Acknowledgement { at: call.now, by: call.caller.name.clone(), comment: call.input.comment.clone() };
    alert::acknowledge(call.store.as_ref(), &call.caller, &which, by).await?;
    line(&call, &which).await
}

pub(super) async fn unacknowledge(call: Call<Nothing>) -> Result<AlertLine, Problem> {
    let which = meant(&call).await?;
    alert::unacknowledge(call.store.as_ref(), &call.caller, &which, call.now).await?;
    line(&call, &which).await
}

/// Why what an alert lost is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptOne {
    /// Why, for the audit log: at most 500 characters.
    #[serde(default)]
    comment: Option<String>,
}

pub(super) async fn accept(call: Call<AcceptOne>) -> Result<AlertLine, Problem> {
    let which = meant(&call).await?;
    let signature = alert::Signature { by: Some(&call.caller.name), comment: call.input.comment.as_deref() };
    alert::accept(call.store.as_ref(), &call.config, &call.caller, &which, signature, call.now).await?;
    line(&call, &which).await
}

/// Which firing alerts to accept together: all that everything given selects, at most 1000. Something must be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    /// Those that the notices of this fleet shift covered, by its id or the first letters of it.
    #[serde(default)]
    shift: Option<String>,
    /// By the rule of that name.
    #[serde(default)]
    rule: Option<String>,
    /// Only the alert on this score.
    #[serde(default)]
    score: Option<ScoreKind>,
    /// Only alerts of this severity: that of their newest notification.
    #[serde(default)]
    severity: Option<Severity>,
    /// Of one of the tenants of these ids.
    #[serde(default)]
    tenants: Vec<String>,
    /// Of tenants with all of these labels.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Why, for the audit log: at most 500 characters.
    #[serde(default)]
    comment: Option<String>,
    /// `set` of the answer to a `dry_run`: if other alerts are meant by now, or one of them has come further, nothing is done (`409`).
    #[serde(default)]
    set: Option<String>,
    /// Whether only to say which these are.
    #[serde(default)]
    dry_run: bool,
}

/// Which alerts were accepted, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Accepted {
    /// The alerts whose level was accepted, or would be.
    alerts: Vec<AlertKey>,
    /// How many were selected that have no level to accept: those of `below`, `above` and `no_data` rules.
    without_level: usize,
    /// How many were selected and passed over, because they changed or ended in between.
    changed: usize,
    /// How many tenants these alerts are of.
    tenants: usize,
    /// Of a `dry_run`: which alerts these are and how far each has come, as a digest; send it along to do it to these alone.
    set: Option<AlertSet>,
    /// Whether nothing was done.
    dry_run: bool,
}

pub(super) async fn accept_many(call: Call<Accept>) -> Result<Accepted, Problem> {
    let Accept { shift, rule, score, severity, tenants, labels, comment, set, dry_run } = call.input;
    let (by, labels) = (Some(call.caller.name.clone()), labels.into_iter().collect());
    let most = Some(ACCEPTED_MAX);
    let mut pick = Pick { shift, rule, score, severity, tenants, labels, by, comment, set, most };
    if !pick.has_filter() {
        let error = "nothing is selected; give `shift`, `rule`, `score`, `severity`, `tenants` or `labels`".to_owned();
        return Err(Problem::of_errors(INVALID, vec![error]));
    }
    pick.shift = ids::shift(call.store.as_ref(), &call.caller.scope, pick.shift.as_deref()).await?;
    let caller = &call.caller;
    let done = alert::accept_all(call.store.as_ref(), &call.config, caller, &pick, dry_run, call.now).await?;
    Ok(Accepted {
        tenants: tenants_of(&done.alerts),
        set: dry_run.then(|| AlertSet::of(&done.alerts)),
        alerts: done.alerts.into_iter().map(|row| row.key).collect(),
        without_level: done.without_level,
        changed: done.changed,
        dry_run,
    })
}

/// How many tenants alerts are of.
fn tenants_of(rows: &[AlertRow]) -> usize {
    rows.iter().map(|row| &row.key.tenant).collect::<BTreeSet<_>>().len()
}

/// Which alerts to acknowledge together: those that are named, or all firing ones that everything else given selects, at most 1000.
/// Something must be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgeMany {
    /// The open alerts with these ids, whole or short (`7Q4M2K`); then nothing else may be selected by.
    #[serde(default)]
    #[schemars(length(max = ACKNOWLEDGED_MAX))]
    alerts: Vec<String>,
    /// Those that the notices of this fleet shift covered, by its id or the first letters of it.
    #[serde(default)]
    shift: Option<String>,
    /// By the rule of that name.
    #[serde(default)]
    rule: Option<String>,
    /// Only the alert on this score.
    #[serde(default)]
    score: Option<ScoreKind>,
    /// Only alerts of this severity: that of their newest notification.
    #[serde(default)]
    severity: Option<Severity>,
    /// Of one of the tenants of these ids.
    #[serde(default)]
    tenants: Vec<String>,
    /// Of tenants with all of these labels.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// What was found out, for whoever looks next: at most 500 characters.
    comment: String,
    /// `set` of the answer to a `dry_run`: if other alerts are meant by now, or one of them has come further, nothing is done (`409`).
    #[serde(default)]
    set: Option<String>,
    /// Whether only to say which these are.
    #[serde(default)]
    dry_run: bool,
}

/// Which alerts were acknowledged, or would be, and how many were passed over.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AcknowledgedMany {
    /// The alerts that were acknowledged, or would be.
    alerts: Vec<AlertKey>,
    /// How many were passed over because somebody acknowledged them before.
    acknowledged_before: usize,
    /// How many were passed over because they do not fire; of alerts that are named, also those that are over or are not there.
    not_firing: usize,
    /// How many were passed over because they worsened, or began again, in between.
    changed: usize,
    /// How many tenants these alerts are of.
    tenants: usize,
    /// Of a `dry_run`: which alerts these are and how far each has come, as a digest; send it along to do it to these alone.
    set: Option<AlertSet>,
    /// Whether nothing was done.
    dry_run: bool,
}

pub(super) async fn acknowledge_many(call: Call<AcknowledgeMany>) -> Result<AcknowledgedMany, Problem> {
    let AcknowledgeMany { alerts, shift, rule, score, severity, tenants, labels, comment, set, dry_run } = call.input;
    let labels = labels.into_iter().collect();
    let mut pick = Pick { shift, rule, score, severity, tenants, labels, set, ..Pick::default() };
    let has_filter = pick.has_filter();
    if alerts.is_empty() != has_filter {
        let what =
            "select either by `alerts` or by `shift`, `rule`, `score`, `severity`, `tenants` and `labels`".to_owned();
        return Err(Problem::of_errors(INVALID, vec![what]));
    }
    let (store, caller) = (call.store.as_ref(), &call.caller);
    let by = Acknowledgement { at: call.now, by: caller.name.clone(), comment };
    let (done, missing) = if has_filter {
        pick.shift = ids::shift(store, &caller.scope, pick.shift.as_deref()).await?;
        (alert::acknowledge_all(store, &call.config, caller, &pick, by, dry_run).await?, 0)
    } else {
        if alerts.len() > ACKNOWLEDGED_MAX {
            let what = format!("`alerts` names {}, and at most {ACKNOWLEDGED_MAX} can be named", alerts.len());
            return Err(Problem::of_errors(INVALID, vec![what]));
        }
        let wanted: BTreeSet<&str> = alerts.iter().map(String::as_str).collect();
        let lines = alerts::open_of(store, &call.config, &caller.scope, &wanted).await?;
        let is_found = |id: &&&str| lines.iter().any(|line| line.id == **id || line.short_id == **id);
        let missing = wanted.len() - wanted.iter().filter(is_found).count();
        let rows = lines.into_iter().map(|line| line.row).collect();
        (alert::acknowledge_rows(store, caller, rows, by, pick.set.as_deref(), dry_run).await?, missing)
    };
    Ok(AcknowledgedMany {
        tenants: tenants_of(&done.alerts),
        set: dry_run.then(|| AlertSet::of(&done.alerts)),
        alerts: done.alerts.into_iter().map(|row| row.key).collect(),
        acknowledged_before: done.acknowledged_before,
        not_firing: done.not_firing + missing,
        changed: done.changed,
        dry_run,
    })
}
