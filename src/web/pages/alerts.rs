//! `GET /alerts`: every open and past alert of all tenants, and what can be done to many of them at once.

use axum::extract::Query;
use serde_json::json;

use super::{
    accept, alert_table,
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    words,
};
use crate::{
    domain::Role,
    query::{self, Page, alerts, find, ids},
};

/// How many alerts a page has at most. Those that are open are rarely more.
const PAGE: u32 = 200;

/// What is said after something was done to alerts: what it was, how, and what follows from it.
const DONE: [(&str, &str, &str, &str); 3] = [
    ("acknowledged", "Acknowledged", "", "No reminders are sent until an alert worsens or resolves."),
    ("silenced", "Silenced", "", "Alerts go on; their notifications are held until the silence ends."),
    (
        "accepted",
        "Accepted",
        " as the new level",
        "Accepted alerts are resolved, and their channels are notified of it.",
    ),
];
/// What is said after nothing was done.
const NOT_DONE: [(&str, &str); 2] = [
    ("nothing", "Nothing was selected."),
    ("none-left", "Nothing was done: none of the selected alerts is firing, or the action does not apply to them."),
];

/// What the page says was done, and to how many.
pub(super) fn done(params: &Params) -> Option<String> {
    let name = params.get("done")?;
    if let Some((_, text)) = NOT_DONE.into_iter().find(|(is, _)| *is == name) {
        return Some(text.to_owned());
    }
    let (_, verb, how, follows) = DONE.into_iter().find(|(is, ..)| *is == name)?;
    let number = |name: &str| params.get(name).and_then(|text| text.parse::<usize>().ok()).filter(|count| *count > 0);
    let count = number("count").map(|count| format!(" {}", words::counted(count, "alert"))).unwrap_or_default();
    let left = number("left").map(|left| {
        let was = if left == 1 { "was" } else { "were" };
        format!(" {left} of those selected {was} left alone: not firing, already so, changed meanwhile, or the action does not apply.")
    });
    Some(format!("{verb}{count}{how}. {follows}{}", left.unwrap_or_default()))
}

/// `GET /alerts`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        if let Some(tenant) = params.get("tenant") {
            find::tenant(&config, visit.scope(), tenant)?;
        }
        let is_past = params.get("show") == Some("all");
        let shift = ids::shift(visit.store(), visit.scope(), params.get("shift")).await?;
        let filter = alerts::Filter {
            tenant: params.get("tenant").map(str::to_owned),
            rule: params.get("rule").map(str::to_owned),
            shift,
            resolved: is_past,
        };
        let after = params.get("after").and_then(|text| serde_json::from_str(text).ok());
        let listing = alerts::list(visit.store(), visit.scope(), &filter, &Page { after, ..Page::first(PAGE) }).await?;
        let next = listing.next.and_then(|next| serde_json::to_string(&next).ok());
        let next = next.map(|next| {
            let address = params.with("/alerts", "page", None);
            format!("{address}{}after={}", if address.contains('?') { '&' } else { '?' }, words::encoded(&next))
        });
        let mut lines = alerts::lines(visit.store(), &config, visit.scope(), listing.items).await?;
        if is_past {
            lines.sort_by_key(|line| std::cmp::Reverse(line.row.changed_at));
        }
        let may_act = visit.caller.may(Role::Analyst);
        let acceptable = if may_act { accept::count(&visit, &params, filter.shift.as_deref()).await? } else { 0 };
        let rules: Vec<&str> = find::rules(&config, visit.scope()).map(|rule| rule.name.as_str()).collect();
        Ok::<_, query::Error>(json!({
            "done": done(&params),
            "is_past": is_past,
            "open_path": params.with("/alerts", "show", None),
            "past_path": params.with("/alerts", "show", Some("all")),
            "rules": rules.iter().map(|rule| json!({ "name": rule, "is_here": params.get("rule") == Some(rule) })).collect::<Vec<_>>(),
            "tenant": params.text("tenant"),
            "shift": filter.shift.as_deref().unwrap_or_default(),
            "shift_name": words::shift_name(visit.scope()),
            "rule": params.text("rule"),
            "is_filtered": filter != alerts::Filter { resolved: is_past, ..alerts::Filter::default() },
            "count": words::counted(lines.len(), "alert"),
            "alerts": alert_table::rows(&visit, &lines),
            "has_alerts": !lines.is_empty(),
            "may_act": may_act,
            "accept_all": (acceptable > 0).then(|| match acceptable {
                1 => "Accept the one that matches…".to_owned(),
                count => format!("Accept all {count} that match…"),
            }),
            "next": next,
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Alerts, "Alerts", "alerts", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}
