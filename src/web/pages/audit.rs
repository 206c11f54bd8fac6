//! `GET /audit`: who did what, when, from where.

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
};
use crate::{
    domain::Role,
    query::{
        self, Page,
        audit::{self, Entry},
    },
};

/// Entries on a page.
const ENTRIES: u32 = 100;

/// Kinds of actions that can be picked.
const KINDS: [&str; 12] = [
    "account",
    "alert",
    "channel",
    "configuration",
    "delivery",
    "report",
    "service",
    "sign-in",
    "sign-out",
    "silence",
    "tenant",
    "token",
];

/// `GET /audit`. It is about all tenants, so nobody who is limited to some sees it.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    visit.require(Role::Admin).await?;
    let params = Params(pairs);
    let shown = async {
        let kind = params.get("action");
        let page = Page { after: params.get("after").and_then(|after| after.parse().ok()), ..Page::first(ENTRIES) };
        let listing = audit::list(visit.store(), visit.scope(), kind, &page).await?;
        let kinds = KINDS.map(|name| json!({ "name": name, "is_here": kind == Some(name) }));
        Ok::<_, query::Error>(json!({
            "kinds": kinds,
            "is_all": visit.scope().is_all(),
            "entries": listing.items.iter().map(|entry| line(&visit, entry)).collect::<Vec<_>>(),
            "has_entries": !listing.items.is_empty(),
            "next": listing.next.map(|next| params.with("/audit", "after", Some(&next.to_string()))),
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Audit, "Audit", "audit", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

fn line(visit: &Visit, entry: &Entry) -> Value {
    let text = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    json!({
        "seq": entry.seq,
        "at": visit.face().moment(entry.at),
        "who": entry.body.who,
        "origin": entry.body.origin.to_string(),
        "action": entry.action,
        "target": entry.body.target,
        "before": text(&entry.body.before),
        "after": text(&entry.body.after),
        "erased": entry.erased,
        "hash": entry.hash.get(..12),
    })
}
