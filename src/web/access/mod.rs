//! Who sends a request. A handler that shows or changes anything about tenants takes a [`Caller`] as an argument, so none can be
//! written that forgets to ask.
//!
//! A caller is known by a token (`Authorization: Bearer`), by a session that the sign-in page began (a cookie), or, where the
//! configuration asks for no sign-in, by having reached loopback.

mod cookie;
mod oidc;
mod page;
mod request;
mod session;
mod sign_in;
mod signer;

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};

pub(super) use self::request::{Peer, client, guard};
use self::session::Holder;
use super::{app::App, listed::Listed, protect::refusal};
use crate::{
    action::token::TOKEN_PREFIX,
    config::{Config, access::is_loopback_name},
    domain::{Caller, Limits, Origin, Scope, Timestamp},
    oidc::settings::CALLBACK_PATH,
    query::find,
    store::{SecretDigest, StoreError},
};

/// How what is done over loopback without sign-in is signed.
const LOCAL_NAME: &str = "local";

/// How exactly the last use of a token or a session is known.
const USE_NOTED_EVERY: Duration = Duration::from_mins(1);

/// Signing in and out.
pub(super) fn table() -> Vec<Listed> {
    vec![
        Listed::get("/sign-in", sign_in::page),
        Listed::post("/sign-in", sign_in::sign_in),
        Listed::get("/sign-in/oidc", oidc::start),
        Listed::get(CALLBACK_PATH, oidc::callback),
        Listed::post("/sign-out", sign_in::sign_out),
    ]
}

impl FromRequestParts<App> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        identify(parts, app).await
    }
}

/// Lets a scrape of the metrics through: they are about all tenants.
pub(super) async fn may_scrape(parts: &Parts, app: &App) -> Result<(), Response> {
    let caller = identify(parts, app).await?;
    if caller.scope.is_all() {
        return Ok(());
    }
    Err(refusal(StatusCode::FORBIDDEN, "metrics are about all tenants, and this token or account is limited to some"))
}

/// Whether somebody may read what is wrong with the service and its channels: at this machine, or signed in and without limits.
pub(super) async fn may_see_trouble(parts: &Parts, app: Option<&App>) -> bool {
    if request::is_here(parts) {
        return true;
    }
    match app {
        Some(app) => identify(parts, app).await.is_ok_and(|caller| caller.scope.is_all()),
        None => false,
    }
}

async fn identify(parts: &Parts, app: &App) -> Result<Caller, Response> {
    let config = app.config();
    let address = request::client(parts, &config);
    let found = match (bearer(&parts.headers), cookie::read(&parts.headers, &config)) {
        (Some(token), _) => return of_token(app, &config, token, address).await,
        (None, Some(cookie)) => session::find(app, &cookie).await.map_err(|error| broken(&error))?,
        (None, None) => None,
    };
    let found = match found {
        Some(Holder::Account(account)) => {
            let scope = scope_of(&config, &account.limits);
            let origin = Origin::Session { address };
            Some(Caller { name: account.name, role: account.role, scope, origin, request: None })
        }
        Some(Holder::Person(person)) => oidc::caller(&config, person, address),
        None => None,
    };
    if let Some(caller) = found {
        return Ok(caller);
    }
    if !config.needs_sign_in() && request::is_local(parts) {
        return Ok(Caller { origin: Origin::Local { address }, ..Caller::local(LOCAL_NAME) });
    }
    Err(ask_to_sign_in(parts))
}

/// The token in the request, if there is one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A token that is not valid is refused, also where no token is needed: whoever sends one means it.
async fn of_token(app: &App, config: &Config, token: &str, address: Option<IpAddr>) -> Result<Caller, Response> {
    let now = app.now();
    let found = if token.starts_with(TOKEN_PREFIX) {
        app.store.find_token(SecretDigest::of(token)).await.map_err(|error| broken(&error))?
    } else {
        None
    };
    let Some(token) = found.filter(|token| token.is_valid(now)) else {
        return Err(unauthorized("the token is not valid: it is unknown, expired or revoked"));
    };
    if is_due(token.last_used_at, now)
        && let Err(error) = app.store.token_used(token.id, now).await
    {
        tracing::warn!(token = token.name, %error, "the use of a token could not be noted");
    }
    let scope = scope_of(config, &token.limits);
    let origin = Origin::Token { id: Some(token.id), address };
    Ok(Caller { name: token.name, role: token.role, scope, origin, request: None })
}

/// Whether a use is to be noted.
fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last.plus(USE_NOTED_EVERY) <= now)
}

/// The scope of limits by the configuration in force.
fn scope_of(config: &Config, limits: &Limits) -> Scope {
    let tenants = config.tenants.values().map(|tenant| (&tenant.id, tenant.account.entra, &*tenant.labels));
    find::seeing(config, &limits.scope(tenants))
}

/// A person is sent to the sign-in page and comes back from there; anything else is told that it is unauthorized.
fn ask_to_sign_in(parts: &Parts) -> Response {
    let accepts = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_page = accepts.contains("text/html") && !parts.uri.path().starts_with("/api/");
    if !is_page {
        return unauthorized("sign in first, or send a token: `Authorization: Bearer swt_…`");
    }
    let to = parts.uri.path_and_query().map(ToString::to_string).filter(|_| parts.method == Method::GET);
    let to = to.filter(|to| to != "/").and_then(|to| page::own_path(&to).map(str::to_owned));
    match to {
        Some(to) => {
            let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", &to).finish();
            Redirect::to(&format!("/sign-in?{query}")).into_response()
        }
        None => Redirect::to("/sign-in").into_response(),
    }
}

fn unauthorized(why: &str) -> Response {
    let mut response = refusal(StatusCode::UNAUTHORIZED, why);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn broken(error: &StoreError) -> Response {
    tracing::warn!(%error, "who sends a request could not be looked up");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "it can't be said now who you are; try again in a moment")
}

/// Whether the cookies that we set are for TLS only.
fn is_secure(headers: &HeaderMap, config: &Config) -> bool {
    config.is_reached_by_tls() || !request::host(headers).is_some_and(|host| is_loopback_name(&host))
}
