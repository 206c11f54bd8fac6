//! `GET /search`: whatever is in the box at the top: a tenant's id or name, or the id of an alert, a fleet shift or a message.

use axum::{extract::Query, http::StatusCode};

use super::{
    answer::{Answer, Visit, go},
    params::Params,
    words::encoded,
};
use crate::query::search::{self, Target};

/// `GET /search`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let text = params.text("q");
    let text = text.trim();
    if text.is_empty() {
        return Ok(go("/"));
    }
    let config = visit.app.config();
    match search::target(visit.store(), &config, visit.scope(), text).await {
        Ok(Some(target)) => return Ok(go(&address(&target, text))),
        Ok(None) => {}
        Err(error) => return Err(visit.refuse(&error).await),
    }
    let line = format!(
        "No tenant, alert or message matches “{text}”. Search for a part of a tenant's name, or an id as messages show it."
    );
    Err(visit.say(StatusCode::NOT_FOUND, "Nothing found", &[line]).await)
}

/// The page that shows what a text means.
fn address(target: &Target, text: &str) -> String {
    let text = encoded(text);
    match target {
        Target::Tenant => format!("/tenants/{text}"),
        Target::Alert => format!("/alerts/{text}"),
        Target::Shift(shift) => of_shift(shift),
        Target::Tenants => format!("/?q={text}"),
        Target::Delivery => format!("/deliveries/{text}"),
    }
}

/// The page that lists what belongs to a fleet shift.
pub(super) fn of_shift(shift: &str) -> String {
    format!("/alerts?show=all&shift={}", encoded(shift))
}
