//! The dashboard: pages written on the server, for people.

use axum::Router;

use super::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
}
