//! Sessions, which live in the store. A browser holds a random value, of which the store keeps a digest.

use std::time::Duration;

use axum::http::request::Parts;
use secrecy::{ExposeSecret, SecretString};

use super::{cookie, is_due, request, signer};
use crate::{
    config::Config,
    secret::password,
    store::{AccountRecord, NewEntry, NewPersonSession, NewSession, Person, SecretDigest, StoreError},
    web::app::App,
};

/// A session is over after that long, however much it is used.
const SESSION_MAX: Duration = Duration::from_hours(12);

/// Who is signed in.
pub(super) enum Holder {
    /// Somebody with an account of ours.
    Account(AccountRecord),
    /// Somebody whom a provider of OpenID Connect knows.
    Person(Person),
}

impl Holder {
    /// How what they do is signed.
    fn name(&self) -> &str {
        match self {
            Self::Account(account) => &account.name,
            Self::Person(person) => &person.name,
        }
    }
}

/// Who is signed in with that cookie.
pub(super) async fn find(app: &App, cookie: &str) -> Result<Option<Holder>, StoreError> {
    let (digest, now) = (SecretDigest::of(cookie), app.now());
    let of_account = app.store.find_session(digest).await?;
    let of_account = of_account.filter(|session| session.is_valid(now));
    let found = match of_account {
        Some(session) => Some((Holder::Account(session.account), session.seen_at)),
        None => app
            .store
            .find_person_session(digest)
            .await?
            .filter(|session| session.is_valid(now))
            .map(|session| (Holder::Person(session.person), session.seen_at)),
    };
    let Some((holder, seen_at)) = found else { return Ok(None) };
    if is_due(Some(seen_at), now)
        && let Err(error) = app.store.session_used(digest, now).await
    {
        tracing::warn!(account = holder.name(), %error, "the use of a session could not be noted");
    }
    Ok(Some(holder))
}

/// Ends the session of the cookie that the browser has, if it has one.
///
/// # Errors
/// [`StoreError`]; then it goes on.
pub(super) async fn end(app: &App, head: &Parts, config: &Config) -> Result<(), StoreError> {
    let Some(cookie) = cookie::read(&head.headers, config) else { return Ok(()) };
    let (digest, address) = (SecretDigest::of(&cookie), request::client(head, config));
    let ended = async {
        let account =
            app.store.find_session(digest).await?.map(|session| signer::of_account(&session.account, address));
        let person = app.store.find_person_session(digest).await?;
        let caller = account.or(person.map(|session| signer::of_person(&session.person, address)));
        let Some(caller) = caller else { return Ok(()) };
        app.store.end_session(digest, NewEntry::by(&caller, "sign-out", None, app.now())).await.map(drop)
    };
    let ended: Result<(), StoreError> = ended.await;
    if let Err(error) = &ended {
        tracing::warn!(%error, "a session could not be ended");
    }
    ended
}

/// Begins a session, and gives what the browser is to hold.
pub(super) async fn begin(app: &App, account: &AccountRecord, entry: NewEntry) -> Result<SecretString, StoreError> {
    let (secret, now) = (password::random(), app.now());
    let digest = SecretDigest::of(secret.expose_secret());
    let session = NewSession { digest, account: account.id, created_at: now, expires_at: now.plus(SESSION_MAX) };
    app.store.add_session(session, entry).await?;
    Ok(secret)
}

/// Begins a session of somebody whom a provider knows, and gives what the browser is to hold.
pub(super) async fn begin_person(app: &App, person: Person, entry: NewEntry) -> Result<SecretString, StoreError> {
    let (secret, now) = (password::random(), app.now());
    let digest = SecretDigest::of(secret.expose_secret());
    let session = NewPersonSession { digest, person, created_at: now, expires_at: now.plus(SESSION_MAX) };
    app.store.add_person_session(session, entry).await?;
    Ok(secret)
}
