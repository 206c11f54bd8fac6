//! `GET /healthz`: the process lives. `GET /readyz`: it does its work, whatever Microsoft says.

use axum::{
    Json,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::State;

pub(super) async fn alive() -> Response {
    Json(json!({ "alive": true, "version": env!("CARGO_PKG_VERSION") })).into_response()
}

pub(super) async fn ready(Shared(state): Shared<State>) -> Response {
    let signs = state.health.verdict(state.clock.now());
    let ready = signs.iter().all(|sign| sign.good);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "signs": signs }))).into_response()
}
