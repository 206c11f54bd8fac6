//! Accepts every alert that matches a list's filters. It asks first: a page lists them and says how many they are, and its answer counts
//! only for those alerts.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    alert_table,
    answer::{Answer, Visit, see},
    chrome::Place,
    params::Params,
    words,
};
use crate::{
    action::alert::{self, Pick},
    query::{Error, alerts},
    store::{AlertRow, hex},
};

/// The most alerts that are listed. All of them are counted.
const LISTED_MAX: usize = 200;
/// Bytes of the digest by which a set of alerts is known again.
const SET_BYTES: usize = 8;
/// The fields of a form that say which alerts are meant.
const FILTERS: [&str; 3] = ["rule", "tenant", "shift"];

/// Why somebody is asked.
enum Because {
    /// They want to accept what matches.
    Begun,
    /// What matches is no longer what they were shown.
    Changed,
    /// What they wrote can't stay as it is.
    Wrong(Vec<String>),
}

/// Which alerts a form means, and what it says of them.
fn pick(visit: &Visit, fields: &Params) -> Pick {
    let text = |name: &str| fields.get(name).map(str::to_owned);
    Pick {
        shift: text("shift"),
        rule: text("rule"),
        tenants: text("tenant").into_iter().collect(),
        by: Some(visit.caller.name.clone()),
        comment: comment(fields).map(str::to_owned),
        ..Pick::default()
    }
}

/// What somebody wrote as the reason.
pub(super) fn comment(fields: &Params) -> Option<&str> {
    fields.get("comment").map(str::trim).filter(|comment| !comment.is_empty())
}

/// The alerts that a pick would accept.
async fn acceptable(visit: &Visit, pick: &Pick) -> Result<Vec<AlertRow>, Error> {
    let (config, now) = (visit.app.config(), visit.app.now());
    // What is said of them is checked when they are accepted.
    let pick = Pick { comment: None, ..pick.clone() };
    match alert::accept_all(visit.store(), &config, &visit.caller, &pick, true, now).await {
        Ok(accepted) => Ok(accepted.alerts),
        Err(Error::NoAlert(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// How many alerts a list's filters would accept; 0 without any filter.
pub(super) async fn count(visit: &Visit, params: &Params, shift: Option<&str>) -> Result<usize, Error> {
    let pick = Pick { shift: shift.map(str::to_owned), ..pick(visit, params) };
    if pick.shift.is_none() && pick.rule.is_none() && pick.tenants.is_empty() {
        return Ok(0);
    }
    Ok(acceptable(visit, &pick).await?.len())
}

/// Lists what would be accepted, and asks.
pub(super) async fn ask(visit: &Visit, fields: &Params) -> Answer {
    match acceptable(visit, &pick(visit, fields)).await {
        Ok(rows) if rows.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(rows) => show(visit, fields, rows, Because::Begun).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Accepts what was listed, unless other alerts match by now.
pub(super) async fn accept(visit: &Visit, fields: &Params) -> Answer {
    let pick = pick(visit, fields);
    let rows = match acceptable(visit, &pick).await {
        Ok(rows) if rows.is_empty() => return Ok(see("/alerts", "none-left")),
        Ok(rows) => rows,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    if fields.get("set") != Some(set_of(&rows).as_str()) {
        return show(visit, fields, rows, Because::Changed).await;
    }
    let (config, now) = (visit.app.config(), visit.app.now());
    match alert::accept_rows(visit.store(), &config, &visit.caller, rows.clone(), &pick, false, now).await {
        Ok(accepted) if accepted.alerts.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(accepted) => Ok(see(&format!("/alerts?count={}", accepted.alerts.len()), "accepted")),
        Err(Error::Invalid(problems)) => show(visit, fields, rows, Because::Wrong(problems)).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// A digest of which alerts these are and of how far each has come, in whatever order: what has worsened since was not shown.
fn set_of(rows: &[AlertRow]) -> String {
    let text = |row: &AlertRow| {
        serde_json::to_string(&(&row.key, row.alert.generation, row.alert.sequence)).unwrap_or_default()
    };
    let mut keys: Vec<String> = rows.iter().map(text).collect();
    keys.sort_unstable();
    hex(&Sha256::digest(keys.join("\n"))[..SET_BYTES])
}

async fn show(visit: &Visit, fields: &Params, rows: Vec<AlertRow>, because: Because) -> Answer {
    let set = set_of(&rows);
    let lines = match alerts::lines(visit.store(), &visit.app.config(), visit.scope(), rows).await {
        Ok(lines) => lines,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    let tenants: std::collections::BTreeSet<_> = lines.iter().map(|line| &line.row.key.tenant).collect();
    let listed = &lines[..lines.len().min(LISTED_MAX)];
    let kept = FILTERS.iter().filter_map(|name| Some(json!({ "name": name, "value": fields.get(name)? })));
    let only = Params(fields.0.iter().filter(|(name, _)| FILTERS.contains(&name.as_str())).cloned().collect());
    let page = json!({
        "number": lines.len(),
        "count": words::counted(lines.len(), "alert"),
        "tenants": words::counted(tenants.len(), "tenant"),
        "is_one": lines.len() == 1,
        "alerts": alert_table::rows(visit, listed),
        "more": lines.len().checked_sub(LISTED_MAX).filter(|more| *more > 0),
        "kept": kept.collect::<Vec<Value>>(),
        "set": set,
        "comment": fields.text("comment"),
        "back": only.with("/alerts", "page", None),
        "has_changed": matches!(because, Because::Changed),
        "problems": if let Because::Wrong(problems) = &because { problems.as_slice() } else { &[] },
        "may_act": false,
    });
    let status = match because {
        Because::Begun => StatusCode::OK,
        Because::Changed => StatusCode::CONFLICT,
        Because::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    visit.show_as(status, Place::Alerts, "Accept alerts", "accept", &page).await
}
