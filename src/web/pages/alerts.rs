//! `GET /alerts`: every open and past alert of all tenants, and what can be done to many of them at once.

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    alert_filters::{self, NAMES, SHOWN},
    alert_table,
    answer::{Answer, Visit},
    chrome::Place,
    confirmation,
    params::Params,
    words,
};
use crate::{
    action::alert::{Deed, Possible},
    domain::{Role, ScoreKind, Severity},
    query::{
        self, Page,
        alerts::{self, AlertLine, Filter, StateName, Wanted},
        find,
    },
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
    let later = number("later").map(|later| match later {
        1 => " One more matches and is left for another step.".to_owned(),
        later => format!(" {later} more match and are left for another step."),
    });
    Some(format!("{verb}{count}{how}. {follows}{}{}", left.unwrap_or_default(), later.unwrap_or_default()))
}

/// `GET /alerts`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        if let Some(tenant) = params.get("tenant") {
            find::tenant(&config, visit.scope(), tenant)?;
        }
        let wanted = alert_filters::read(&visit, &params).await?;
        let after = params.get("after").and_then(|text| serde_json::from_str(text).ok());
        let page = Page { after, ..Page::first(PAGE) };
        let listing = alerts::matching(visit.store(), &config, visit.scope(), &wanted, &page).await?;
        let next = listing.next.and_then(|next| serde_json::to_string(&next).ok());
        let next = next.map(|next| {
            let address = params.with("/alerts", "page", None);
            format!("{address}{}after={}", if address.contains('?') { '&' } else { '?' }, words::encoded(&next))
        });
        let mut lines = listing.items;
        if !wanted.states.contains(&StateName::Resolved) {
            AlertLine::sort(&mut lines);
        }
        let may_act = visit.caller.may(Role::Analyst);
        let pick = alert_filters::pick(&wanted).filter(|_| may_act);
        let possible = Possible::of(&confirmation::picked(&visit, pick).await?);
        let mut shown = filters(&visit, &params, &wanted);
        shown["done"] = json!(done(&params));
        shown["count"] = json!(words::counted(lines.len(), "alert"));
        shown["alerts"] = alert_table::rows(&visit, &lines);
        shown["has_alerts"] = json!(!lines.is_empty());
        shown["may_act"] = json!(may_act);
        shown["acknowledge_all"] = json!(all_of(Deed::Acknowledge, possible.to_acknowledge));
        shown["accept_all"] = json!(all_of(Deed::Accept, possible.to_accept));
        shown["next"] = json!(next);
        Ok::<_, query::Error>(shown)
    };
    match shown.await {
        Ok(page) => visit.show(Place::Alerts, "Alerts", "alerts", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// What a button says that does something to all that match, or to as many as one step takes. `None`: there is nothing that it could be
/// done to.
fn all_of(deed: Deed, count: usize) -> Option<String> {
    let verb = match deed {
        Deed::Accept => "Accept",
        Deed::Acknowledge => "Acknowledge",
    };
    match count {
        0 => None,
        1 => Some(format!("{verb} the one that matches…")),
        count if count > deed.most() => Some(format!("{verb} the first {} of {count} that match…", deed.most())),
        count => Some(format!("{verb} all {count} that match…")),
    }
}

/// The filters, as they are and as they can be.
fn filters(visit: &Visit, params: &Params, wanted: &Wanted) -> Value {
    let config = visit.app.config();
    let choice = |name: &'static str, value: &str, text: &str| {
        let is_here = params.get(name) == Some(value);
        json!({ "name": value, "text": text, "is_here": is_here })
    };
    let tab = |(show, text, states): &(&str, &str, &[StateName])| {
        let path = params.with("/alerts", "show", (!show.is_empty()).then_some(*show));
        json!({ "path": path, "text": text, "is_here": wanted.states == *states })
    };
    let rules = find::rules(&config, visit.scope()).map(|rule| rule.name.as_str());
    let has_states = !wanted.states.is_empty() && !wanted.states.contains(&StateName::Resolved);
    let is_narrowed =
        Wanted { states: Vec::new(), filter: Filter { resolved: false, ..wanted.filter.clone() }, ..wanted.clone() };
    let kept = NAMES.iter().filter_map(|name| Some(json!({ "name": name, "value": params.get(name)? })));
    json!({
        "shown": SHOWN.iter().map(tab).collect::<Vec<_>>(),
        "show": params.text("show"),
        "rules": rules.map(|rule| choice("rule", rule, rule)).collect::<Vec<_>>(),
        "severities": Severity::ALL.map(|severity| choice("severity", severity.as_str(), severity.as_str())),
        "scores": ScoreKind::ALL.map(|score| choice("score", score.as_str(), words::score_name(score))),
        "tenant": params.text("tenant"),
        "shift": wanted.filter.shift.as_deref().unwrap_or_default(),
        "shift_name": words::shift_name(visit.scope()),
        "kept": kept.collect::<Vec<_>>(),
        "is_filtered": has_states || is_narrowed != Wanted::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_promises_no_more_than_one_step_does() {
        for (count, says) in [
            (0, None),
            (1, Some("Acknowledge the one that matches…")),
            (1000, Some("Acknowledge all 1000 that match…")),
            (3412, Some("Acknowledge the first 1000 of 3412 that match…")),
        ] {
            assert_eq!(all_of(Deed::Acknowledge, count).as_deref(), says);
        }
    }
}
