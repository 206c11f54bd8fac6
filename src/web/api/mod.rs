//! The API, `/api/v1/…`: the questions of [`crate::query`] and the actions of [`crate::action`] over HTTP. [`table`] lists every route
//! once; the router and the `OpenAPI` document are made of it.

mod access;
mod alerts;
mod channels;
mod cursor;
mod deliveries;
mod events;
mod fleet;
mod input;
mod once;
mod openapi;
mod problem;
mod questions;
mod route;
mod rules;
mod samples;
mod search;
mod serve;
mod silences;
mod system;
mod table;
mod tenants;
mod words;

use std::sync::{Arc, OnceLock};

use axum::Router;
use serde_json::Value;
use tower_http::compression::CompressionLayer;

pub use self::questions::{Question, Questions};
use self::{
    input::Nothing,
    openapi::Document,
    problem::{FAILED, Problem},
    route::{Call, Route},
    serve::Who,
};
use super::app::App;
use crate::domain::Caller;

/// The path of the document.
const DOCUMENT: &str = "/openapi.json";

/// Every route, and the document that describes them, the one that answers it included.
fn described() -> (Vec<Route>, Value) {
    let written: Arc<OnceLock<Document>> = Arc::default();
    let document = written.clone();
    let answer = move |_: Call<Nothing>| {
        let document = document.get().cloned();
        async move { document.ok_or_else(|| Problem::new(FAILED)) }
    };
    let mut routes = table::routes();
    routes.push(Route::get(DOCUMENT, "describe", answer).says("This document"));
    let document = openapi::document(&routes);
    if let Value::Object(document) = &document {
        // Nobody has set it before.
        let _ = written.set(Document(document.clone()));
    }
    (routes, document)
}

pub(super) fn routes() -> Router<App> {
    serve::router(described().0, &Who::Asked).layer(CompressionLayer::new())
}

/// The API for one caller, whom no request has to prove.
pub fn of(app: App, caller: Caller) -> Router {
    serve::router(described().0, &Who::Always(caller)).with_state(app)
}

/// What the API can be asked, for one caller in this process.
#[must_use]
pub fn questions(app: App, caller: Caller) -> Questions {
    Questions::new(described().0, app, caller)
}

/// The `OpenAPI` document of every route, as JSON.
#[must_use]
pub fn document() -> Value {
    described().1
}

#[cfg(test)]
mod tests;
