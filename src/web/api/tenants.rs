//! Tenants.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    domain::Caller,
    query::{Page, tenants},
    web::{app::App, protect::refusal},
};

/// `GET /api/v1/tenants`.
pub(super) async fn list(caller: Caller, State(app): State<App>) -> Response {
    match tenants::list(app.store.as_ref(), &app.config(), &caller.scope, false, &Page::first(100)).await {
        Ok(listing) => Json(listing).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
