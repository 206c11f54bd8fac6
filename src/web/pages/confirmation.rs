//! Asks before something is done to many alerts: before every one that matches a list's filters is acknowledged or accepted, and before
//! those are accepted that are selected in it. A page lists them and says how many they are, and its answer counts only for those alerts.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    alert_filters::{self, NAMES},
    alert_table,
    answer::{Answer, Visit, see, sentence},
    chrome::Place,
    params::Params,
    words,
};
use crate::{
    action::alert::{self, ACCEPTED_MAX, Accepted, Acknowledged, AlertSet, Deed, OneStep, Pick},
    notify::silence::Acknowledgement,
    query::{
        Error,
        alerts::{self, AlertLine, AlertRow},
    },
};

/// The most alerts that are listed. All of them are counted.
const LISTED_MAX: usize = 200;
/// The field of a form that names a selected alert.
const SELECTED: &str = "alert";
/// What a comment says that nobody wrote.
pub(super) const COMMENT: &str = "From the dashboard.";

/// What is done to many alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// What they lost is accepted as the new level.
    Accept,
    /// Somebody has seen them.
    Acknowledge,
}

impl Act {
    const fn deed(self) -> Deed {
        match self {
            Self::Accept => Deed::Accept,
            Self::Acknowledge => Deed::Acknowledge,
        }
    }

    /// What was done, as the list of alerts names it.
    const fn done(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Acknowledge => "acknowledged",
        }
    }
}

/// Why somebody is asked.
enum Because {
    /// They want to act on what matches.
    Begun,
    /// What matches is no longer what they were shown.
    Changed,
    /// What they wrote can't stay as it is.
    Wrong(Vec<String>),
}

/// What something is done to, or would be.
struct Meant {
    alerts: Vec<AlertRow>,
    /// How many others are left as they are.
    left: usize,
    /// How many more it could be done to, in the steps after this one.
    later: usize,
}

/// What somebody wrote as the reason.
pub(super) fn comment(fields: &Params) -> Option<&str> {
    fields.get("comment").map(str::trim).filter(|comment| !comment.is_empty())
}

/// That whoever sends the form has seen alerts, and what they wrote to it.
pub(super) fn seen(visit: &Visit, fields: &Params) -> Acknowledgement {
    let comment = comment(fields).unwrap_or(COMMENT).to_owned();
    Acknowledgement { at: visit.app.now(), by: visit.caller.name.clone(), comment }
}

/// The open alerts that are selected in a form.
pub(super) async fn selected(visit: &Visit, fields: &Params) -> Result<Vec<AlertLine>, Error> {
    alerts::open_of(visit.store(), &visit.app.config(), visit.scope(), &fields.all(SELECTED).collect()).await
}

/// The firing alerts that a pick means; without one, or if nothing matches, none.
pub(super) async fn picked(visit: &Visit, pick: Option<Pick>) -> Result<Vec<AlertRow>, Error> {
    let Some(pick) = pick else { return Ok(Vec::new()) };
    match alert::picked(visit.store(), &visit.app.config(), &visit.caller, &pick).await {
        Err(Error::NoAlert(_)) => Ok(Vec::new()),
        found => found,
    }
}

/// What a form means: the alerts that it names, or all that match its filters; of more than one step takes, the first ones.
async fn meant(visit: &Visit, act: Act, fields: &Params) -> Result<Meant, Error> {
    let rows = if fields.get(SELECTED).is_some() {
        selected(visit, fields).await?.into_iter().map(|line| line.row).collect()
    } else {
        picked(visit, alert_filters::pick(&alert_filters::read(visit, fields).await?)).await?
    };
    let OneStep { rows, later } = OneStep::of(act.deed(), rows);
    // What is said of them is checked when it is done.
    Ok(Meant { later, ..apply(visit, act, &Params::default(), rows, true).await? })
}

/// Acts on these alerts with what the form says of them; with `is_dry`, only says on which ones it would.
async fn apply(visit: &Visit, act: Act, fields: &Params, rows: Vec<AlertRow>, is_dry: bool) -> Result<Meant, Error> {
    match act {
        Act::Accept => {
            let (by, comment) = (Some(visit.caller.name.clone()), comment(fields).map(str::to_owned));
            let pick = Pick { by, comment, most: Some(ACCEPTED_MAX), ..Pick::default() };
            let (config, now) = (visit.app.config(), visit.app.now());
            let done = alert::accept_rows(visit.store(), &config, &visit.caller, rows, &pick, is_dry, now).await?;
            let Accepted { alerts, without_level, changed } = done;
            Ok(Meant { alerts, left: without_level + changed, later: 0 })
        }
        Act::Acknowledge => {
            let by = seen(visit, fields);
            let done = alert::acknowledge_rows(visit.store(), &visit.caller, rows, by, None, is_dry).await?;
            let Acknowledged { alerts, acknowledged_before, not_firing, changed } = done;
            Ok(Meant { alerts, left: acknowledged_before + not_firing + changed, later: 0 })
        }
    }
}

/// Asks whether to act on everything that matches a list's filters, whatever is selected there.
pub(super) async fn ask_for_all(visit: &Visit, act: Act, mut fields: Params) -> Answer {
    fields.0.retain(|(name, _)| name != SELECTED);
    ask(visit, act, &fields).await
}

/// Lists what would be acted on, and asks.
pub(super) async fn ask(visit: &Visit, act: Act, fields: &Params) -> Answer {
    match meant(visit, act, fields).await {
        Ok(meant) if meant.alerts.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(meant) => show(visit, act, fields, meant, Because::Begun).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Acts on what was listed, unless other alerts are meant by now.
pub(super) async fn obey(visit: &Visit, act: Act, fields: &Params) -> Answer {
    let meant = match meant(visit, act, fields).await {
        Ok(meant) if meant.alerts.is_empty() => return Ok(see("/alerts", "none-left")),
        Ok(meant) => meant,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    if fields.get("set") != Some(AlertSet::of(&meant.alerts).as_str()) {
        return show(visit, act, fields, meant, Because::Changed).await;
    }
    match apply(visit, act, fields, meant.alerts.clone(), false).await {
        Ok(Meant { alerts, .. }) if alerts.is_empty() => Ok(see("/alerts", "none-left")),
        Ok(Meant { alerts, left, .. }) => Ok(see(&done_at(fields, alerts.len(), left, meant.later), act.done())),
        Err(Error::Invalid(problems)) => show(visit, act, fields, meant, Because::Wrong(problems)).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Where a browser is sent after something was done to that many alerts, and others were left: where more of them wait, to these.
fn done_at(fields: &Params, count: usize, left: usize, later: usize) -> String {
    let mut pairs = if later > 0 { filters(fields).0 } else { Vec::new() };
    for (name, number) in [("count", count), ("left", left), ("later", later)] {
        pairs.extend((number > 0).then(|| (name.to_owned(), number.to_string())));
    }
    Params(pairs).address("/alerts")
}

/// Those of a form's fields that are filters of the list of alerts.
fn filters(fields: &Params) -> Params {
    Params(fields.0.iter().filter(|(name, _)| NAMES.contains(&name.as_str())).cloned().collect())
}

async fn show(visit: &Visit, act: Act, fields: &Params, meant: Meant, because: Because) -> Answer {
    let set = AlertSet::of(&meant.alerts);
    let lines = match alerts::lines(visit.store(), &visit.app.config(), visit.scope(), meant.alerts).await {
        Ok(lines) => lines,
        Err(error) => return Err(visit.refuse(&error).await),
    };
    let tenants: BTreeSet<_> = lines.iter().map(|line| &line.row.key.tenant).collect();
    let listed = &lines[..lines.len().min(LISTED_MAX)];
    let named = fields.0.iter().filter(|(name, _)| name == SELECTED).cloned().collect();
    let (only, named) = (filters(fields), Params(named));
    let kept = if named.0.is_empty() { &only } else { &named };
    let kept = kept.0.iter().filter(|(_, value)| !value.is_empty());
    let kept = kept.map(|(name, value)| json!({ "name": name, "value": value }));
    let problems = if let Because::Wrong(problems) = &because { problems.as_slice() } else { &[] };
    let page = json!({
        "accepts": act == Act::Accept,
        "done": act.done(),
        "number": lines.len(),
        "count": words::counted(lines.len(), "alert"),
        "tenants": words::counted(tenants.len(), "tenant"),
        "is_one": lines.len() == 1,
        "alerts": alert_table::rows(visit, listed),
        "more": lines.len().checked_sub(LISTED_MAX).filter(|more| *more > 0),
        "left": (meant.left > 0).then(|| words::counted(meant.left, "other alert")),
        "is_one_left": meant.left == 1,
        "all": (meant.later > 0).then(|| lines.len() + meant.later),
        "one_step": act.deed().most(),
        "kept": kept.collect::<Vec<Value>>(),
        "set": set,
        "comment": fields.text("comment"),
        "back": only.with("/alerts", "page", None),
        "has_changed": matches!(because, Because::Changed),
        "problems": problems.iter().map(|problem| sentence(problem)).collect::<Vec<_>>(),
        "may_act": false,
    });
    let status = match because {
        Because::Begun => StatusCode::OK,
        Because::Changed => StatusCode::CONFLICT,
        Because::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let title = if act == Act::Accept { "Accept alerts" } else { "Acknowledge alerts" };
    visit.show_as(status, Place::Alerts, title, "confirmation", &page).await
}
