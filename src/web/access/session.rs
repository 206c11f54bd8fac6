//! Sessions, which live in the store. A browser holds a random value, of which the store keeps a digest.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::is_due;
use crate::{
    secret::password,
    store::{AccountRecord, NewEntry, NewSession, SecretDigest, StoreError},
    web::app::App,
};

/// A session is over after that long, however much it is used.
const SESSION_MAX: Duration = Duration::from_hours(12);
/// A session that nobody has used for that long is over.
const IDLE_MAX: Duration = Duration::from_hours(2);

/// The account that is signed in with that cookie.
pub(super) async fn find(app: &App, cookie: &str) -> Result<Option<AccountRecord>, StoreError> {
    let (digest, now) = (SecretDigest::of(cookie), app.now());
    let Some(session) = app.store.find_session(digest).await?.filter(|session| session.is_valid(IDLE_MAX, now)) else {
        return Ok(None);
    };
    if is_due(Some(session.seen_at), now)
        && let Err(error) = app.store.session_used(digest, now).await
    {
        tracing::warn!(account = session.account.name, %error, "the use of a session could not be noted");
    }
    Ok(Some(session.account))
}

/// Begins a session, and gives what the browser is to hold.
pub(super) async fn begin(app: &App, account: &AccountRecord, entry: NewEntry) -> Result<SecretString, StoreError> {
    let (secret, now) = (password::random(), app.now());
    let digest = SecretDigest::of(secret.expose_secret());
    let session = NewSession { digest, account: account.id, created_at: now, expires_at: now.plus(SESSION_MAX) };
    app.store.add_session(session, entry).await?;
    Ok(secret)
}
