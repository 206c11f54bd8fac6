//! Accepts the alerts that are selected in a list, or every one that matches its filters. It asks first: a page lists them and says how many
//! they are, and its answer counts only for those alerts.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    alert_table,
    answer::{Answer, Visit, see},
    chrome::Place,
    params::Params,
    words,
};
use crate::{
    action::alert::{self, ACCEPTED_MAX, Accepted, AlertSet, Pick},
    query::{
        Error,
        alerts::{self, AlertLine},
    },
};

/// The most alerts that are listed. All of them are counted.
const LISTED_MAX: usize = 200;
/// The field of a form that names a selected alert.
const SELECTED: &str = "alert";
/// The fields of a form that say which alerts are meant if none is selected.
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
        most: Some(ACCEPTED_MAX),
        ..Pick::default()
    }
}

/// What somebody wrote as the reason.
pub(super) fn comment(fields: &Params) -> Option<&str> {
    fields.get("comment").map(str::trim).filter(|comment| !comment.is_empty())
}

/// The alerts that a pick would accept, and how many it means that have no level to accept.
async fn acceptable(visit: &Visit, pick: &Pick) -> Result<Accepted, Error> {
    let (config, now) = (visit.app.config(), visit.app.now());
    // What is said of them is checked when they are accepted.
    let pick = Pick { comment: None, ..pick.clone() };
    match alert::accept_all(visit.store(), &config, &visit.caller, &pick, true, now).await {
        Err(Error::NoAlert(_)) => Ok(Accepted { alerts: Vec::new(), without_level: 0, changed: 0 }),
        done => done,
    }
}

/// The same of what a form means: the alerts that it names, or all that match.
async fn meant(visit: &Visit, fields: &Params, pick: &Pick) -> Result<Accepted, Error> {
    if fields.get(SELECTED).is_none() {
        return acceptable(visit, pick).await;
    }
    let rows = selected(visit, fields).await?.into_iter().map(|line| line.row).collect();
    let (config, now) = (visit.app.config(), visit.app.now());
    alert::accept_rows(visit.store(), &config, &visit.caller, rows, &Pick::default(), true, now).await
}

/// The open alerts that are selected in a form.
pub(super) async fn selected(visit: &Visit, fields: &Params) -> Result<Vec<AlertLine>, Error> {
    alerts::open_of(visit.store(), &visit.app.config(), visit.scope(), &fields.all(SELECTED).collect()).await
}

/// How many alerts a list's filters would accept; 0 without any filter.
pub(super) async fn count(visit: &Visit, params: &Params, shift: Option<&str>) -> Result<usize, Error> {
    let pick = Pick { shift: shift.map(str::to_owned), most: None, ..pick(visit, params) };
    if !pick.has_filter() {
        return Ok(0);
    }
    Ok(acceptable(visit, &pick).await?.alerts.len())
}

/// Asks whether to accept everything that matches a list's filters, whatever is selected there.
pub(super) async fn ask_for_all(visit: &Visit, mut fields: Params) -> Answer {
    fields.0.retain(|(name, _)| name != SELECTED);
    ask(visit, &fields).await
}

/// Lists what would be accepted, and asks.
pub(super) async fn ask(visit: &Visit, fields: &Params) -> Answer {
    match meant(visit, fields, &pick(visit, fields)).await {
        Ok(meant) if meant.alerts.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(meant) => show(visit, fields, meant, Because::Begun).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Accepts what was listed, unless other alerts are meant by now.
pub(super) async fn accept(visit: &Visit, fields: &Params) -> Answer {
    let pick = pick(visit, fields);
    let meant = match meant(visit, fields, &pick).await {
        Ok(meant) if meant.alerts.is_empty() => return Ok(see("/alerts", "none-left")),
        Ok(meant) => meant,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    if fields.get("set") != Some(AlertSet::of(&meant.alerts).as_str()) {
        return show(visit, fields, meant, Because::Changed).await;
    }
    let (config, now, rows) = (visit.app.config(), visit.app.now(), meant.alerts.clone());
    match alert::accept_rows(visit.store(), &config, &visit.caller, rows, &pick, false, now).await {
        Ok(accepted) if accepted.alerts.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(Accepted { alerts, changed: 0, .. }) => Ok(see(&format!("/alerts?count={}", alerts.len()), "accepted")),
        Ok(Accepted { alerts, changed, .. }) => {
            Ok(see(&format!("/alerts?count={}&left={changed}", alerts.len()), "accepted"))
        }
        Err(Error::Invalid(problems)) => show(visit, fields, meant, Because::Wrong(problems)).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

async fn show(visit: &Visit, fields: &Params, meant: Accepted, because: Because) -> Answer {
    let set = AlertSet::of(&meant.alerts);
    let lines = match alerts::lines(visit.store(), &visit.app.config(), visit.scope(), meant.alerts).await {
        Ok(lines) => lines,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    let tenants: std::collections::BTreeSet<_> = lines.iter().map(|line| &line.row.key.tenant).collect();
    let listed = &lines[..lines.len().min(LISTED_MAX)];
    let is_of = |names: &[&str]| fields.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect();
    let (only, named) = (Params(is_of(&FILTERS)), Params(is_of(&[SELECTED])));
    let kept = if named.0.is_empty() { &only } else { &named };
    let kept = kept.0.iter().filter(|(_, value)| !value.is_empty());
    let kept = kept.map(|(name, value)| json!({ "name": name, "value": value }));
    let page = json!({
        "number": lines.len(),
        "count": words::counted(lines.len(), "alert"),
        "tenants": words::counted(tenants.len(), "tenant"),
        "is_one": lines.len() == 1,
        "alerts": alert_table::rows(visit, listed),
        "more": lines.len().checked_sub(LISTED_MAX).filter(|more| *more > 0),
        "without_level": (meant.without_level > 0).then(|| words::counted(meant.without_level, "other alert")),
        "is_one_without": meant.without_level == 1,
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
