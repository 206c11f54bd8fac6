//! `GET /healthz`: the process lives; it fails only while a part makes no progress, as a restart helps. `GET /readyz`: it does its
//! work, whatever Microsoft says. A receiver that does not work is not our failure, and no restart helps: the service is ready, and
//! says which channels are in trouble. Strangers learn which part does not work, and nothing else.

use std::time::Duration;

use axum::{
    Json,
    extract::{Request, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::{State, access};
use crate::{
    config::Config,
    domain::{ChannelName, Timestamp},
    store::{ChannelRecord, StoreError},
};

/// How long the answer waits for what the store knows of channels; without it, nothing is said of them.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) async fn alive(Shared(state): Shared<State>) -> Response {
    let (stalled, version) = (state.health.stalled(), env!("CARGO_PKG_VERSION"));
    if stalled.is_empty() {
        return Json(json!({ "alive": true, "version": version })).into_response();
    }
    let body = json!({ "alive": false, "version": version, "stalled": stalled });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

pub(super) async fn ready(Shared(state): Shared<State>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let signs = state.health.verdict(state.clock.now());
    let ready = signs.iter().all(|sign| sign.good);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Who asks is looked up in the store, which may hang: then nobody is known.
    let known = tokio::time::timeout(STORE_TIMEOUT, access::may_see_trouble(&parts, state.app.as_ref())).await;
    if !known.unwrap_or(false) {
        let signs: Vec<_> = signs.iter().map(|sign| json!({ "part": sign.part, "good": sign.good })).collect();
        return (status, Json(json!({ "ready": ready, "signs": signs }))).into_response();
    }
    let known = tokio::time::timeout(STORE_TIMEOUT, state.channels.channels()).await;
    let known = known.unwrap_or_else(|_| Err(StoreError::Failed("no answer in time".to_owned())));
    let config = state.config.borrow().clone();
    let (channels, operator) = match &known {
        Ok(records) => (json!(in_trouble(&config, records)), json!(operator(&config, records))),
        Err(_) => (json!(null), json!(null)),
    };
    let body = json!({ "ready": ready, "signs": signs, "channels_in_trouble": channels, "operator": operator });
    (status, Json(body)).into_response()
}

/// A channel that does not work.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct InTrouble<'a> {
    channel: &'a ChannelName,
    /// The channel's state: `parked` or `failing`.
    state: &'static str,
    since: Timestamp,
}

fn in_trouble<'a>(config: &Config, records: &'a [ChannelRecord]) -> Vec<InTrouble<'a>> {
    let configured = records.iter().filter(|record| config.channels.contains_key(&record.channel));
    let trouble = |record: &'a ChannelRecord| {
        let parked = record.parked.as_ref().map(|parked| ("parked", parked.since));
        let (state, since) = parked.or(record.health.failing_since.map(|since| ("failing", since)))?;
        Some(InTrouble { channel: &record.channel, state, since })
    };
    configured.filter_map(trouble).collect()
}

/// Whether the operator can be notified of anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operator {
    /// At least one of the operator's channels works.
    Reachable,
    /// None of them does: what there is to say waits.
    Unreachable,
    /// No channel is configured for the operator.
    Nobody,
}

/// Whether the operator can be reached; see [`Operator`].
pub(super) fn operator(config: &Config, records: &[ChannelRecord]) -> Operator {
    let is_in_trouble =
        |channel: &ChannelName| records.iter().any(|record| record.channel == *channel && !record.works());
    match &*config.operator.notify {
        [] => Operator::Nobody,
        channels if channels.iter().all(is_in_trouble) => Operator::Unreachable,
        _ => Operator::Reachable,
    }
}
