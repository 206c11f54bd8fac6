//! A route of the dashboard as its table lists it. The router is made of the tables, and so is the test that asks every route as every
//! role with every scope.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodRouter, get, post},
};

use super::app::App;

/// A page, or what a form does.
pub(super) struct Listed {
    /// The HTTP method, `GET` or `POST`.
    pub(super) method: &'static str,
    /// Its path, with names in braces.
    pub(super) path: &'static str,
    handler: MethodRouter<App>,
}

impl Listed {
    /// A page, which is read with `GET`.
    pub(super) fn get<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self { method: "GET", path, handler: get(handler) }
    }

    /// What a form does.
    pub(super) fn post<H: Handler<T, App>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self { method: "POST", path, handler: post(handler) }
    }
}

/// These routes as a router.
pub(super) fn router(table: Vec<Listed>) -> Router<App> {
    table.into_iter().fold(Router::new(), |router, Listed { path, handler, .. }| router.route(path, handler))
}
