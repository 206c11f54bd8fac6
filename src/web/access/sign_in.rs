//! The page on which people sign in with a password, and the end of a session.

use axum::{
    Form,
    extract::{FromRequest, Query, Request, State as Shared, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{
    cookie, is_secure, oidc,
    page::{own_path, written},
    request, session, signer,
};
use crate::{
    config::{Config, access::is_loopback_name},
    domain::{Caller, Origin},
    secret::password::{self, PASSWORD_BYTES_MAX, PasswordError},
    store::{AccountRecord, EntryBody, NewEntry, StoreError},
    web::app::App,
};

/// Longest name that is looked up, in bytes.
const NAME_BYTES_MAX: usize = crate::domain::access::ACCESS_NAME_BYTES_MAX;

/// After how long another attempt may be let through.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("60");
const WRONG: &str = "The name or the password is wrong.";
const TOO_OFTEN: &str = "Too many attempts. Please try again in a few minutes, or in 15 at the latest.";
const BUSY: &str = "Too many people sign in at the same time. Please try again in a moment.";
const UNAVAILABLE: &str = "Nobody can sign in at the moment. Please try again in a minute.";
const NO_TLS: &str =
    "This page was loaded without TLS, so nobody can sign in here. Use its address that begins with https://.";

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Target {
    #[serde(default)]
    to: String,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
struct Filled {
    #[serde(default)]
    name: String,
    password: SecretString,
    #[serde(default)]
    to: String,
}

/// Shows the form, and how else one can sign in.
pub(super) async fn page(
    Shared(app): Shared<App>,
    caller: Result<Caller, Response>,
    target: Result<Query<Target>, QueryRejection>,
) -> Response {
    let to = target.map(|Query(target)| target.to).unwrap_or_default();
    if caller.is_ok() {
        return Redirect::to(own_path(&to).unwrap_or("/")).into_response();
    }
    let config = app.config();
    let nobody = config.access.oidc.is_none() && app.store.accounts().await.is_ok_and(|accounts| accounts.is_empty());
    let hint = if nobody {
        Some("Nobody has an account yet. Make one with `scorewatch account add NAME --role admin`.")
    } else {
        None
    };
    form_with(StatusCode::OK, hint, "", &to, oidc::link(&config, &to).as_ref())
}

/// Begins a session for whoever knows the password.
pub(super) async fn sign_in(Shared(app): Shared<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let head = parts.clone();
    let Ok(Form(filled)) = Form::<Filled>::from_request(Request::from_parts(parts, body), &app).await else {
        return form(StatusCode::BAD_REQUEST, Some("Please fill in both fields."), "", "");
    };
    let config = app.config();
    let link = oidc::link(&config, &filled.to);
    let refused = |status, why| form_with(status, Some(why), &filled.name, &filled.to, link.as_ref());
    if lacks_tls(&head.headers, &config) {
        return refused(StatusCode::BAD_REQUEST, NO_TLS);
    }
    match verified(&app, &head, &config, &filled).await {
        Ok(account) => begin(&app, &head, &config, &account, &filled.to).await,
        Err(Refused::Wrong) => refused(StatusCode::UNAUTHORIZED, WRONG),
        Err(Refused::TooOften) => {
            let mut response = refused(StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN);
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
            response
        }
        Err(Refused::Busy) => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
        Err(Refused::Unavailable) => refused(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
    }
}

/// Why nobody is signed in.
enum Refused {
    Wrong,
    TooOften,
    Busy,
    Unavailable,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "somebody could not sign in");
        Self::Unavailable
    }
}

impl From<PasswordError> for Refused {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Unavailable,
        }
    }
}

/// The account, if name and password belong together. An unknown name takes as long as a wrong password, and gets the same answer.
async fn verified(app: &App, head: &Parts, config: &Config, filled: &Filled) -> Result<AccountRecord, Refused> {
    let (address, now) = (request::client(head, config), app.now());
    let name = filled.name.trim().to_ascii_lowercase();
    let is_possible = name.len() <= NAME_BYTES_MAX && filled.password.expose_secret().len() <= PASSWORD_BYTES_MAX;
    let key = if is_possible { name.as_str() } else { "" };
    let found = if is_possible { app.store.find_account(key).await? } else { None };
    // Whoever types the password where the name belongs does not find it in the log.
    let who = found.as_ref().map_or_else(|| "unknown account".to_owned(), |(account, _)| account.name.clone());
    let entry = |action| NewEntry {
        at: now,
        action,
        body: EntryBody {
            who: who.clone(),
            origin: Origin::SignIn { address },
            target: None,
            before: None,
            after: None,
        },
        request: None,
    };
    if let Err(is_first) = app.sign_ins.admit(key, address, now) {
        if is_first {
            app.store.record(entry("sign-in.blocked")).await?;
        }
        return Err(Refused::TooOften);
    }
    let (account, hash) = found.unzip();
    let does_match = password::matches(filled.password.clone(), hash.map(|hash| hash.0)).await?;
    let Some(account) = account.filter(|account| does_match && account.disabled_at.is_none()) else {
        app.store.record(entry("sign-in.failed")).await?;
        return Err(Refused::Wrong);
    };
    app.sign_ins.succeeded(key, address, now);
    Ok(account)
}

async fn begin(app: &App, head: &Parts, config: &Config, account: &AccountRecord, to: &str) -> Response {
    let caller = signer::of_account(account, request::client(head, config));
    let entry = NewEntry::by(&caller, "sign-in", None, app.now());
    let begun = session::begin(app, account, entry).await;
    if begun.is_ok() {
        // What is not ended now ends in its time.
        let _ = session::end(app, head, config).await;
    }
    let cookie =
        begun.as_ref().ok().and_then(|secret| cookie::set(&head.headers, config, Some(secret.expose_secret())));
    let Some(cookie) = cookie else {
        return form(StatusCode::SERVICE_UNAVAILABLE, Some(UNAVAILABLE), &account.name, to);
    };
    let mut response = Redirect::to(own_path(to).unwrap_or("/")).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// Ends the session of this browser.
pub(super) async fn sign_out(Shared(app): Shared<App>, head: HeaderMap, request: Request) -> Response {
    let config = app.config();
    let (parts, _) = request.into_parts();
    if session::end(&app, &parts, &config).await.is_err() {
        let still = "You are still signed in. Please try again in a minute.";
        return form(StatusCode::SERVICE_UNAVAILABLE, Some(still), "", "");
    }
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = cookie::set(&head, &config, None) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether the browser would not keep the cookie, because it loaded the page without TLS from another machine.
fn lacks_tls(headers: &HeaderMap, config: &Config) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let is_plain = origin.is_some_and(|origin| {
        origin
            .strip_prefix("http://")
            .is_some_and(|authority| !is_loopback_name(crate::config::access::without_port(authority)))
    });
    is_plain && is_secure(headers, config)
}

/// The form as a page, with a remark above it.
fn form(status: StatusCode, remark: Option<&str>, name: &str, to: &str) -> Response {
    form_with(status, remark, name, to, None)
}

/// The same with another way to sign in above it.
fn form_with(
    status: StatusCode,
    remark: Option<&str>,
    name: &str,
    to: &str,
    provider: Option<&oidc::Link>,
) -> Response {
    let filled =
        json!({ "remark": remark, "name": name, "to": own_path(to).unwrap_or_default(), "provider": provider });
    written(status, "sign-in", &filled)
}
