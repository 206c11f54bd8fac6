//! The API, `/api/v1/…`: the questions of [`crate::query`] and the actions of [`crate::action`] over HTTP.

mod tenants;

use axum::{Router, routing::get};

use super::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/tenants", get(tenants::list))
}
