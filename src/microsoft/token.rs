//! Tokens by client credentials: asked for once per life and credential, renewed early, never written anywhere.
//!
//! Entra answers an app that repeats the same token request with AADSTS50196, and counts refusals too. So tokens are shared,
//! one request at a time is under way per credential, and a refusal is remembered until the secret or the time has changed.

mod cache;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{Account, Failure, FailureClass, Proof, is_object, refusal, wire::Wire};
use crate::{
    domain::Timestamp,
    egress::{Answer, Method, Request},
    secret::{SecretError, SecretReference},
    telemetry::Metrics,
};
use cache::{Cache, Flight, Key};

/// The most bytes of a token answer; tokens have some 2,000.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// A token is renewed that long before its end, or at four fifths of its life if that is later.
const RENEW_BEFORE_END: Duration = Duration::from_mins(5);
/// No token lives longer than a day, whatever `expires_in` says ("Access tokens in the Microsoft identity platform").
const LIFE_SECONDS_MAX: u64 = 24 * 3600;

/// A token as its header says it, and its number, by which it can be given back.
pub(super) struct Token {
    /// `Bearer …`.
    pub(super) bearer: SecretString,
    pub(super) serial: u32,
}

/// Which token is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) account: &'a Account,
    pub(super) scope: &'a str,
    /// When the tenant is visited next: a token that ends before is not kept.
    pub(super) next_check_at: Timestamp,
}

/// Every token of the process.
pub(super) struct Tokens {
    cache: Mutex<Cache>,
    /// Keyed at random for each process, so that a fingerprint tells nothing about its secret.
    fingerprints: RandomState,
    metrics: Metrics,
    read_secret: ReadSecret,
}

/// How a reference becomes its secret: [`SecretReference::resolve`].
pub(super) type ReadSecret = fn(&SecretReference) -> Result<SecretString, SecretError>;

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// A place in the queue of one credential; given up when dropped, also by a caller that was cancelled.
struct Seat<'a> {
    tokens: &'a Tokens,
    key: Key,
    flight: Flight,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let flight = std::mem::take(&mut self.flight);
        self.tokens.cache().leave(self.key, flight);
    }
}

impl Tokens {
    pub(super) fn new(metrics: Metrics, read_secret: ReadSecret) -> Self {
        Self { cache: Mutex::default(), fingerprints: RandomState::new(), metrics, read_secret }
    }

    /// A token that is good for a while.
    pub(super) async fn get(&self, wire: &Wire, wanted: Wanted<'_>) -> Result<Token, Failure> {
        let key = self.key(wanted);
        if let Some(known) = self.known(key, wire.clock.now(), wanted) {
            return known;
        }
        let seat = Seat { tokens: self, key, flight: self.cache().join(key) };
        let _turn = seat.flight.lock().await;
        if let Some(known) = self.known(key, wire.clock.now(), wanted) {
            return known;
        }
        let secret = self.read_secret(&wanted.account.app.proof).await?;
        let fingerprint = self.fingerprints.hash_one(secret.expose_secret());
        if let Some(refusal) = self.cache().refusal(key, Some(fingerprint), wire.clock.now()) {
            return Err(refusal);
        }
        let asked_at = wire.clock.now();
        let granted = request(wire, wanted, &secret).await;
        self.metrics.token_requested(granted.as_ref().map_or_else(|failure| failure.class.as_str(), |_| "ok"));
        let now = wire.clock.now();
        match granted {
            Ok(Grant { bearer, life }) => {
                let renew_at = asked_at.plus(life.saturating_sub(RENEW_BEFORE_END).max(life * 4 / 5));
                Ok(self.cache().keep(key, bearer, renew_at, now, wanted.next_check_at))
            }
            Err(mut failure) => {
                let (wait, is_about_the_secret) = pause(&failure);
                if failure.class == FailureClass::Throttled {
                    failure.retry_after = Some(wait);
                }
                let fingerprint = is_about_the_secret.then_some(fingerprint);
                self.cache().refuse(key, failure.clone(), fingerprint, now, wait);
                Err(failure)
            }
        }
    }

    /// Gives back a token that an API refused, so that the next caller gets a new one.
    pub(super) fn forget(&self, wanted: Wanted<'_>, token: &Token) {
        let key = self.key(wanted);
        self.cache().forget(key, token.serial);
    }

    /// Keeps everybody off an API that asked this app and tenant to wait: asking earlier prolongs it.
    pub(super) fn hold(&self, wanted: Wanted<'_>, failure: &Failure, now: Timestamp, wait: Duration) {
        let key = self.key(wanted);
        self.cache().refuse(key, failure.clone(), None, now, wait);
    }

    /// What needs no request: a refusal that holds for any secret, or a token.
    fn known(&self, key: Key, now: Timestamp, wanted: Wanted<'_>) -> Option<Result<Token, Failure>> {
        let mut cache = self.cache();
        if let Some(refusal) = cache.refusal(key, None, now) {
            return Some(Err(refusal));
        }
        cache.token(key, now, wanted.next_check_at).map(Ok)
    }

    fn key(&self, wanted: Wanted<'_>) -> Key {
        let account = wanted.account;
        let realm = self.cache().realm(&account.hosts.login, wanted.scope);
        Key { tenant: account.entra.0, client: account.app.client_id, realm }
    }

    /// Reads off the runtime's threads, as a secret may lie on a slow disk.
    async fn read_secret(&self, proof: &Proof) -> Result<SecretString, Failure> {
        let Proof::Secret(reference) = proof;
        let (read, reference) = (self.read_secret, reference.clone());
        let unreadable = |what: String| Failure::new(FailureClass::SecretUnreadable, what);
        match tokio::task::spawn_blocking(move || read(&reference)).await {
            Ok(secret) => secret.map_err(|error| unreadable(format!("the client secret can't be read: {error}"))),
            Err(_) => Err(unreadable("the client secret can't be read".to_owned())),
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        self.cache().sizes()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a failure keeps us from asking again, and whether a changed secret ends that.
fn pause(failure: &Failure) -> (Duration, bool) {
    const MINUTE: Duration = Duration::from_mins(1);
    match failure.class {
        FailureClass::Throttled => (failure.retry_after.unwrap_or(5 * MINUTE), false),
        // Whoever waited for this very request gets its outcome; whoever comes later asks again.
        FailureClass::Unreachable | FailureClass::MicrosoftDown | FailureClass::Garbage => {
            (failure.retry_after.unwrap_or(Duration::from_secs(1)), true)
        }
        // Only another secret helps.
        FailureClass::SecretWrong | FailureClass::SecretExpired => (10 * MINUTE, true),
        // Consent, licence or policy may change on Microsoft's side.
        _ => (MINUTE, true),
    }
}

struct Grant {
    bearer: SecretString,
    life: Duration,
}

/// Asks Entra ("OAuth 2.0 client credentials flow on the Microsoft identity platform").
async fn request(wire: &Wire, wanted: Wanted<'_>, secret: &SecretString) -> Result<Grant, Failure> {
    let account = wanted.account;
    let url = format!("{}/{}/oauth2/v2.0/token", account.hosts.login, account.entra);
    let mut client_id = uuid::Uuid::encode_buffer();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", account.app.client_id.hyphenated().encode_lower(&mut client_id))
        .append_pair("scope", wanted.scope)
        .append_pair("client_secret", secret.expose_secret())
        .append_pair("grant_type", "client_credentials")
        .finish();
    let form = Bytes::from(form);
    let outgoing = || Request {
        method: Method::Post,
        url: SecretString::from(url.as_str()),
        headers: vec![
            ("accept", SecretString::from("application/json")),
            ("content-type", SecretString::from("application/x-www-form-urlencoded")),
        ],
        body: form.clone(),
    };
    let answer = wire.send(account.hosts.loopback, ANSWER_BYTES_MAX, outgoing).await;
    let answer = answer.map_err(|error| Failure::no_answer("Entra", &error))?;
    if answer.status == 200 { read(&answer) } else { Err(refusal::of_sign_in(&answer, wire.clock.now())) }
}

#[derive(Deserialize)]
struct RawGrant {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Value,
}

/// Reads a grant. The token is opaque: nothing in it is looked at.
fn read(answer: &Answer) -> Result<Grant, Failure> {
    let garbage = |what: &'static str| Failure::new(FailureClass::Garbage, what);
    if !is_object(&answer.body) {
        return Err(garbage("Entra's answer is no JSON object"));
    }
    let raw: RawGrant =
        serde_json::from_slice(&answer.body).map_err(|_| garbage("Entra's answer holds no token that can be read"))?;
    let token = raw.access_token.expose_secret();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(garbage("Entra's answer holds a token that is none"));
    }
    let seconds = match &raw.expires_in {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let seconds = seconds.ok_or_else(|| garbage("Entra's answer does not say how long its token lives"))?;
    let mut bearer = String::with_capacity("Bearer ".len() + token.len());
    bearer.push_str("Bearer ");
    bearer.push_str(token);
    Ok(Grant { bearer: bearer.into(), life: Duration::from_secs(seconds.clamp(1, LIFE_SECONDS_MAX)) })
}
