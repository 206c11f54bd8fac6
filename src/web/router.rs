//! Every route.

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware, routing::get};

use super::{
    State, access, api,
    app::App,
    busy, confirm, connections, health, listed, metrics, pages, people,
    protect::{self, refusal},
};

/// The API, the pages, and signing in and out.
pub fn dashboard(app: App) -> Router {
    let routes = Router::new().merge(listed::router(access::table())).merge(api::routes()).merge(pages::routes());
    routes.layer(middleware::from_fn_with_state(app.clone(), busy::admit)).with_state(app)
}

/// The method and the path of every route of the dashboard that is not the API's: pages, forms, and signing in and out.
#[must_use]
pub fn dashboard_routes() -> Vec<(&'static str, &'static str)> {
    access::table().into_iter().chain(pages::table()).map(|listed| (listed.method, listed.path)).collect()
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
        .layer(middleware::from_fn(people::answer))
        .layer(middleware::map_response(protect::set_headers))
}
