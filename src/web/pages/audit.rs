//! `GET /audit`: who did what, newest first. It is about all tenants, so it is shown to administrators who may see everything.

use axum::extract::Query;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    words::Clockface,
};
use crate::{
    domain::{Origin, Role},
    query::{
        Page,
        audit::{self, Entry},
    },
};

const PAGE: u32 = 100;

/// `GET /audit`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    visit.require(Role::Admin).await?;
    let params = Params(pairs);
    let after = params.get("after").and_then(|number| number.parse().ok());
    match audit::list(visit.store(), visit.scope(), params.get("action"), &Page { after, ..Page::first(PAGE) }).await {
        Ok(listing) => {
            let face = visit.face();
            let next = listing.next.map(|next| {
                let address = params.with("/audit", "page", None);
                format!("{address}{}after={next}", if address.contains('?') { '&' } else { '?' })
            });
            let page = json!({
                "entries": listing.items.iter().map(|entry| row(&face, entry)).collect::<Vec<_>>(),
                "has_entries": !listing.items.is_empty(),
                "action": params.text("action"),
                "next": next,
            });
            visit.show(Place::Audit, "Audit", "audit", &page).await
        }
        Err(error) => Err(visit.refuse(&error).await),
    }
}

fn row(face: &Clockface, entry: &Entry) -> Value {
    let address = |kind: &str, address: &Option<std::net::IpAddr>| {
        address.map_or_else(|| kind.to_owned(), |address| format!("{kind}, {address}"))
    };
    let origin = match &entry.body.origin {
        Origin::Command { uid, sudo_user } => {
            let sudo = sudo_user.as_ref().map(|user| format!(", sudo by {user}")).unwrap_or_default();
            format!("command, uid {uid}{sudo}")
        }
        Origin::Local { address: from } => address("loopback", from),
        Origin::Token { address: from } => address("token", from),
        Origin::Session { address: from } => address("page", from),
        other => serde_json::to_value(other)
            .ok()
            .and_then(|value| Some(value.get("via")?.as_str()?.to_owned()))
            .unwrap_or_default(),
    };
    json!({
        "seq": entry.seq,
        "at": face.moment(entry.at),
        "action": entry.action,
        "who": entry.body.who,
        "origin": origin,
        "target": entry.body.target,
        "before": entry.body.before.as_ref().map(ToString::to_string),
        "after": entry.body.after.as_ref().map(ToString::to_string),
        "erased": entry.erased,
    })
}
