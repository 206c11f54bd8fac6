//! Deliveries: what was sent to whom, with which answers, and sending it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::Nothing,
    problem::Problem,
    route::{Call, Items, LIMIT_MAX, page},
};
use crate::{
    action::delivery,
    query::{
        Listing,
        deliveries::{self, DeliveryDetail, DeliveryId, DeliveryLine, DeliveryState, Filter},
        ids,
    },
};

/// Which deliveries are listed.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Deliveries {
    /// In this state; of several, in one of them.
    #[serde(default)]
    state: Vec<DeliveryState>,
    /// Only deliveries to the channel with this name.
    channel: Option<String>,
    /// Only deliveries about the tenant with this id.
    tenant: Option<String>,
    /// At most that many items.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

pub(super) async fn list(call: Call<Deliveries>) -> Result<Items<DeliveryLine>, Problem> {
    let Deliveries { state, channel, tenant, limit, after } = call.input;
    let page = page::<DeliveryId>(limit, after.as_deref())?;
    let states = state.into_iter().map(|state| state.as_str().to_owned()).collect();
    let (store, scope) = (call.store.as_ref(), &call.caller.scope);
    let Listing { items, next } = deliveries::list(store, scope, &Filter { states, channel, tenant }, &page).await?;
    Ok(Items::of(Listing { items: deliveries::lines(store, scope, items).await?, next }))
}

async fn meant(call: &Call<Nothing>) -> Result<DeliveryId, Problem> {
    Ok(ids::delivery(call.store.as_ref(), &call.caller.scope, call.path("id")).await?)
}

pub(super) async fn show(call: Call<Nothing>) -> Result<DeliveryDetail, Problem> {
    let id = meant(&call).await?;
    Ok(deliveries::as_sent(call.store.as_ref(), &call.config, &call.caller.scope, id).await?)
}

/// A delivery that is queued again.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Resent {
    /// The number of the delivery that is sent again.
    delivery: DeliveryId,
}

pub(super) async fn resend(call: Call<Nothing>) -> Result<Resent, Problem> {
    let delivery = meant(&call).await?;
    delivery::resend(call.store.as_ref(), Some(&call.config), &call.caller, delivery, call.now).await?;
    Ok(Resent { delivery })
}
