//! Sign-in with OpenID Connect: the way to the provider, the way back, and what people who came that way may do.

use std::net::IpAddr;

use axum::{
    extract::{Request, State as Shared},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;

use super::{
    cookie::{self, Purpose},
    page::{own_path, written},
    request, session, signer,
};
use crate::{
    config::Config,
    domain::{Caller, Origin},
    oidc::{self, Membership, Pending, Settings, SignInError, SignInFailure, SignedIn},
    query::find,
    store::{EntryBody, NewEntry, Person},
    web::{app::App, protect::refusal},
};

const TOO_OFTEN: &str = "Too many attempts. Please try again in a few minutes, or in 15 at the latest.";
const UNAVAILABLE: &str = "Nobody can sign in at the moment. Please try again in a minute.";

/// The link on the sign-in page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    href: String,
    /// Who is asked, as people know it.
    name: String,
}

/// The link on the sign-in page; `None`: people don't sign in that way.
pub(super) fn link(config: &Config, to: &str) -> Option<Link> {
    let settings = config.access.oidc.as_ref()?;
    let name = if settings.entra.is_some() {
        "Microsoft".to_owned()
    } else {
        url::Url::parse(&settings.issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    };
    let to = own_path(to).unwrap_or("/");
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    Some(Link { href: format!("/sign-in/oidc?{query}"), name })
}

/// Sends the browser to the provider. A link, because a form may not lead to another site.
pub(super) async fn start(Shared(app): Shared<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let config = app.config();
    let Some(settings) = &config.access.oidc else { return unknown() };
    let query = parts.uri.query().unwrap_or_default();
    let to = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to");
    let to = to.map(|(_, to)| to.into_owned()).unwrap_or_default();
    let begun = match app.providers.of(settings).begin(own_path(&to).unwrap_or("/")).await {
        Ok(begun) => begun,
        Err(error) => return failed(&error),
    };
    let pending = begun.pending.cookie();
    let mut response = Redirect::to(begun.url.as_str()).into_response();
    if let Some(cookie) = cookie::set_for(Purpose::Pending, &parts.headers, &config, Some(pending.expose_secret())) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Takes the browser back from the provider, and begins a session for whoever has a grant.
pub(super) async fn callback(Shared(app): Shared<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let config = app.config();
    let Some(settings) = &config.access.oidc else { return unknown() };
    let address = request::client(&parts, &config);
    if let Err(is_first) = app.sign_ins.admit_address(address, app.now()) {
        if is_first {
            record(&app, "sign-in.blocked", address, None).await;
        }
        return page(StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN, "");
    }
    let pending = cookie::read_for(Purpose::Pending, &parts.headers, &config);
    let finished = match pending.as_deref().and_then(Pending::of_cookie) {
        Some(pending) => app.providers.of(settings).finish(&pending, parts.uri.query().unwrap_or_default()).await,
        None => Err(SignInError::not_begun()),
    };
    let mut response = match finished {
        Ok(person) => begin(&app, &config, settings, &parts, person).await,
        Err(error) => {
            // Whoever did not begin here is nobody who tried.
            if error.failure != SignInFailure::NotBegun {
                record(&app, "sign-in.failed", address, Some(error.failure)).await;
            }
            failed(&error)
        }
    };
    // It is good for one answer.
    if let Some(cookie) = cookie::set_for(Purpose::Pending, &parts.headers, &config, None) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn begin(app: &App, config: &Config, settings: &Settings, head: &Parts, found: SignedIn) -> Response {
    let address = request::client(head, config);
    let person = Person {
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        subject: found.subject,
        name: found.name,
        groups: found.membership.groups,
        app_roles: found.membership.app_roles,
    };
    let entry = NewEntry::by(&signer::of_person(&person, address), "sign-in", None, app.now()).after(json!({
        "issuer": person.issuer, "subject": person.subject, "groups": person.groups, "app_roles": person.app_roles,
        "role": found.granted.role,
    }));
    let secret = session::begin_person(app, person, entry).await;
    let cookie = match &secret {
        Ok(secret) => {
            // What is not ended now ends in its time.
            let _ = session::end(app, head, config).await;
            cookie::set(&head.headers, config, Some(secret.expose_secret()))
        }
        Err(error) => {
            tracing::warn!(%error, "somebody could not sign in");
            None
        }
    };
    let Some(cookie) = cookie else { return page(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, "") };
    let mut response = Redirect::to(own_path(&found.target).unwrap_or("/")).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// What somebody who is signed in may do by the configuration in force; `None`: nothing any more.
pub(super) fn caller(config: &Config, person: Person, address: Option<IpAddr>) -> Option<Caller> {
    let settings = config.access.oidc.as_ref()?;
    if settings.issuer != person.issuer || settings.client_id != person.client_id {
        return None;
    }
    let id = signer::id(&person);
    let membership = Membership { groups: person.groups, app_roles: person.app_roles };
    let granted = oidc::decide(&settings.grants, &membership)?;
    let scope = granted.reach.scope(config.tenants.values().map(|tenant| (&tenant.id, &*tenant.labels)));
    let scope = find::seeing(config, &scope);
    Some(Caller {
        name: person.name,
        role: granted.role,
        scope,
        origin: Origin::Provider { address, person: Some(id) },
        request: None,
    })
}

async fn record(app: &App, action: &'static str, address: Option<IpAddr>, failure: Option<SignInFailure>) {
    let body = EntryBody {
        who: "unknown account".to_owned(),
        origin: Origin::SignIn { address },
        target: None,
        before: None,
        after: failure.map(|failure| json!({ "with": "OpenID Connect", "failure": failure.as_str() })),
    };
    if let Err(error) = app.store.record(NewEntry { at: app.now(), action, body, request: None }).await {
        tracing::warn!(%error, "a sign-in could not be recorded");
    }
}

fn unknown() -> Response {
    refusal(StatusCode::NOT_FOUND, "nobody signs in with OpenID Connect here; set `access.oidc`")
}

/// Says on a page why nobody was signed in, and in the log.
fn failed(error: &SignInError) -> Response {
    tracing::warn!(
        failure = error.failure.as_str(),
        hint = &*error.hint,
        "nobody was signed in with OpenID Connect: {error}"
    );
    let status = match error.failure {
        SignInFailure::NotBegun => StatusCode::BAD_REQUEST,
        SignInFailure::Declined
        | SignInFailure::TokenInvalid
        | SignInFailure::GroupsUnknown
        | SignInFailure::NotGranted => StatusCode::FORBIDDEN,
        SignInFailure::Unreachable
        | SignInFailure::Garbage
        | SignInFailure::AppRejected
        | SignInFailure::SecretUnreadable => StatusCode::BAD_GATEWAY,
    };
    page(status, &sentence(&error.what), &sentence(&error.hint))
}

/// A clause as a sentence of its own.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn page(status: StatusCode, what: &str, instead: &str) -> Response {
    written(status, "not-signed-in", &json!({ "what": what, "instead": instead }))
}
