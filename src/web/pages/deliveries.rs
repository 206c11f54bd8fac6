//! `GET /deliveries`: what was sent to whom, what waits, and what could not be delivered. `GET /deliveries/{id}`: one with its attempts.

use std::collections::BTreeSet;

use axum::extract::{Path, Query};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Visit},
    chrome::Place,
    params::Params,
    words::Clockface,
};
use crate::{
    domain::Role,
    query::{
        self, Page,
        deliveries::{self, DeliveryId, DeliveryLine, DeliveryState},
        ids,
    },
    template::summary,
};

const PAGE: u32 = 100;

/// `GET /deliveries`.
pub(super) async fn page(visit: Visit, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let config = visit.app.config();
        let filter = deliveries::Filter {
            states: params.get("state").map(str::to_owned).into_iter().collect(),
            channel: params.get("channel").map(str::to_owned),
            tenant: params.get("tenant").map(str::to_owned),
        };
        let after = params.get("after").and_then(|id| id.parse().ok()).map(DeliveryId);
        let listing =
            deliveries::list(visit.store(), visit.scope(), &filter, &Page { after, ..Page::first(PAGE) }).await?;
        let next = listing.next.map(|next| {
            let address = params.with("/deliveries", "page", None);
            format!("{address}{}after={next}", if address.contains('?') { '&' } else { '?' })
        });
        let lines = deliveries::lines(visit.store(), visit.scope(), listing.items).await?;
        let states = DeliveryState::ALL.map(|state| {
            json!({
                "name": state.as_str(),
                "path": params.with("/deliveries", "state", Some(state.as_str())),
                "is_here": params.get("state") == Some(state.as_str()),
            })
        });
        let channels = query::find::channels(&config, visit.scope());
        Ok::<_, query::Error>(json!({
            "states": states,
            "all": params.with("/deliveries", "state", None),
            "is_all": params.get("state").is_none(),
            "state": params.text("state"),
            "tenant": params.text("tenant"),
            "channels": channels.map(|channel| json!({
                "name": channel.name, "is_here": params.get("channel") == Some(channel.name.as_str()),
            })).collect::<Vec<_>>(),
            "deliveries": delivery_rows(&visit, &lines).await?,
            "has_deliveries": !lines.is_empty(),
            "is_limited": !visit.scope().is_all(),
            "may_drill": visit.caller.may(Role::Admin),
            "is_filtered": filter != deliveries::Filter::default(),
            "next": next,
        }))
    };
    match shown.await {
        Ok(page) => visit.show(Place::Deliveries, "Deliveries", "deliveries", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Deliveries as the template `delivery-table` shows them.
pub(super) async fn delivery_rows(visit: &Visit, lines: &[DeliveryLine]) -> Result<Value, query::Error> {
    let targets = lines.iter().filter_map(|line| line.delivery.merged_into);
    let seen = deliveries::seen(visit.store(), visit.scope(), targets).await?;
    let face = visit.face();
    Ok(lines.iter().map(|line| delivery_row(&face, line, &seen)).collect())
}

/// `seen`: the deliveries that a link can lead to.
fn delivery_row(face: &Clockface, line: &DeliveryLine, seen: &BTreeSet<DeliveryId>) -> Value {
    let delivery = &line.delivery;
    let merged_into = delivery.merged_into.filter(|target| seen.contains(target));
    json!({
        "id": delivery.id,
        "headline": if line.headline.is_empty() { line.kind.as_str() } else { &line.headline },
        "type": line.kind.as_str(),
        "channel": delivery.channel,
        "tenant": delivery.tenant,
        "state": delivery.state.as_str(),
        "queued": face.moment(delivery.queued_at),
        "finished": face.optional(delivery.finished_at),
        "attempts": delivery.attempts,
        "error": delivery.last_error,
        "merged_into": merged_into,
        "is_line": delivery.merged_into.is_some() && merged_into.is_none(),
        "held": delivery.hold.map(|hold| json!({ "why": hold.why.as_str(), "until": face.moment(hold.until) })),
        "next_attempt": face.optional((delivery.state == DeliveryState::Queued).then_some(delivery.next_attempt_at)),
    })
}

/// `GET /deliveries/{id}`, by its number or the short id of its message.
pub(super) async fn one(visit: Visit, Path(id): Path<String>, Query(pairs): Query<Vec<(String, String)>>) -> Answer {
    let params = Params(pairs);
    let shown = async {
        let id = ids::delivery(visit.store(), visit.scope(), &id).await?;
        let detail = deliveries::show(visit.store(), visit.scope(), id).await?;
        let face = visit.face();
        let notification = &detail.notification;
        let said = summary(notification, &face.locale());
        let covers = deliveries::lines(visit.store(), visit.scope(), detail.covers.clone()).await?;
        let line = DeliveryLine::new(detail.delivery.clone(), notification);
        let short = notification.data.notification.short_id.to_string();
        let seen = deliveries::seen(visit.store(), visit.scope(), detail.delivery.merged_into).await?;
        let mut page = delivery_row(&face, &line, &seen);
        let alert = match &notification.data.alert {
            // One whose rule has left the configuration has no page.
            Some(alert) => ids::alert(visit.store(), visit.scope(), &alert.id).await.is_ok().then_some(&alert.id),
            None => None,
        };
        let channel =
            query::find::channel(&visit.app.config(), visit.scope(), detail.delivery.channel.as_str()).is_ok();
        let attempt = |attempt: &crate::store::Attempt| {
            json!({
                "number": attempt.number,
                "started": face.moment(attempt.started_at),
                "finished": face.optional(attempt.finished_at),
                "outcome": attempt.outcome.as_deref().unwrap_or("unknown"),
                "error": attempt.error,
            })
        };
        // The number that limited people are shown means nothing to them.
        let name = if visit.scope().is_all() { id.to_string() } else { short.clone() };
        let more = json!({
            "name": name,
            "short_id": short,
            "notification": detail.delivery.notification,
            "possible_duplicate": detail.delivery.possible_duplicate,
            "note": said.note,
            "facts": said.facts.iter().map(|fact| json!({ "name": fact.name, "value": fact.value })).collect::<Vec<_>>(),
            "causes": said.causes,
            "attempt_list": detail.attempts.iter().map(attempt).collect::<Vec<_>>(),
            "covers": delivery_rows(&visit, &covers).await?,
            "has_channel": channel,
            "has_covers": !covers.is_empty(),
            "alert": alert,
            "may_resend": visit.caller.may(Role::Analyst) && detail.delivery.state.can_be_resent(),
            "done": params.get("done") == Some("resent"),
        });
        if let (Some(page), Value::Object(more)) = (page.as_object_mut(), more) {
            page.extend(more);
        }
        Ok::<_, query::Error>((format!("Delivery {name}"), page))
    };
    match shown.await {
        Ok((title, page)) => visit.show(Place::Deliveries, &title, "delivery", &page).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}
