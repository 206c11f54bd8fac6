//! Every route.

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware, routing::get};

use super::{
    State, access, api,
    app::App,
    busy, confirm, connections, health, metrics, pages,
    protect::{self, refusal},
};

/// The API, the pages, and signing in and out.
pub(super) fn dashboard(app: App) -> Router {
    let routes = Router::new().merge(access::routes()).merge(api::routes()).merge(pages::routes());
    routes.layer(middleware::from_fn_with_state(app.clone(), busy::admit)).with_state(app)
}

/// The routes of probes, metrics and confirmations, beside those of `dashboard`.
pub(super) fn router(state: State, dashboard: Router) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::page))
        .route("/confirm/{id}", get(confirm::ask).post(confirm::take))
        .with_state(state.clone())
        .merge(dashboard)
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not found") })
        .method_not_allowed_fallback(|| async { refusal(StatusCode::METHOD_NOT_ALLOWED, "method not allowed") })
        .layer(middleware::from_fn(connections::admit))
        .layer(middleware::from_fn_with_state(state, access::guard))
        .layer(DefaultBodyLimit::max(protect::BODY_BYTES_MAX))
        .layer(middleware::from_fn(protect::cap_body))
        .layer(middleware::map_response(protect::set_headers))
}
