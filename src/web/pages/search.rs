//! `GET /search`: whatever is in the box at the top: a tenant's id or name, or the id of an alert, a fleet shift or a message.

use axum::{extract::Query, http::StatusCode};

use super::{
    answer::{Answer, Visit, go},
    params::Params,
    words::encoded,
};
use crate::query::{
    Error, find,
    ids::{self, Named},
    search,
};

/// `GET /search`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let text = params.text("q");
    let text = text.trim();
    if text.is_empty() {
        return Ok(go("/"));
    }
    let config = visit.app.config();
    if find::tenant(&config, visit.scope(), text).is_ok() {
        return Ok(go(&format!("/tenants/{}", encoded(text))));
    }
    let is_part = search::tenants(&config, visit.scope(), text).next().is_some();
    match ids::named(visit.store(), visit.scope(), text).await {
        Ok(Named::Alert(_)) => return Ok(go(&format!("/alerts/{}", encoded(text)))),
        Ok(Named::Shift(shift)) => return Ok(go(&of_shift(&shift))),
        // A name may look like an id.
        Err(error @ Error::Ambiguous { .. }) if !is_part => return Err(visit.refuse(&error).await),
        Err(error @ (Error::Store(_) | Error::Failed(_))) => return Err(visit.refuse(&error).await),
        Err(_) => {}
    }
    if is_part {
        return Ok(go(&format!("/?q={}", encoded(text))));
    }
    match ids::delivery(visit.store(), visit.scope(), text).await {
        Ok(_) => return Ok(go(&format!("/deliveries/{}", encoded(text)))),
        Err(error @ (Error::Ambiguous { .. } | Error::Store(_) | Error::Failed(_))) => {
            return Err(visit.refuse(&error).await);
        }
        Err(_) => {}
    }
    let line = format!(
        "No tenant, alert or message matches “{text}”. Search for a part of a tenant's name, or an id as messages show it."
    );
    Err(visit.say(StatusCode::NOT_FOUND, "Nothing found", &[line]).await)
}

/// The page that lists what belongs to a fleet shift.
pub(super) fn of_shift(shift: &str) -> String {
    format!("/alerts?show=all&shift={}", encoded(shift))
}
