//! Who sends a request. A handler that shows or changes anything about tenants takes a [`Caller`] as an argument, so none can be
//! written that forgets to ask.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::Response,
};

use super::{app::App, protect::refusal};
use crate::domain::Caller;

/// How what is done over loopback without sign-in is signed.
const LOCAL_NAME: &str = "local";

impl FromRequestParts<App> for Caller {
    type Rejection = Response;

    async fn from_request_parts(_parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        if app.config().listen.ip().is_loopback() {
            return Ok(Self::local(LOCAL_NAME));
        }
        Err(refusal(StatusCode::UNAUTHORIZED, "sign in first"))
    }
}
