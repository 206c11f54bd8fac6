//! Tokens by client credentials: asked for once per life and credential, renewed early, never written anywhere.
//!
//! Entra answers an app that repeats the same token request with AADSTS50196, and counts refusals too. So tokens are shared,
//! one request at a time is under way per credential, and a refusal is remembered until the secret or the time has changed.

mod ask;
mod cache;
mod compact;
mod passed_over;

use std::{
    collections::BTreeSet,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;

use super::{
    Account, CredentialKind, CredentialMaterial, Failure, FailureClass,
    credential::{AppCredential, ReadSecret},
    wire::Wire,
};
use crate::{domain::Timestamp, secret::SecretReference, telemetry::Metrics};
use ask::Grant;
use cache::{Cache, Flight, Key};
pub use passed_over::{PassedOver, Rejected};
use passed_over::{Refused, is_about_material};

/// A token is renewed that long before its end, or at four fifths of its life if that is later.
const RENEW_BEFORE_END: Duration = Duration::from_mins(5);
/// How long a new federated credential may take until all of Entra knows it ("Important considerations and restrictions for
/// federated identity credentials": minutes).
const SPREADS_WITHIN: Duration = Duration::from_mins(10);

/// A token as its header says it, and its number, by which it can be given back.
pub(super) struct Token {
    /// The value of the `Authorization` header: `Bearer …`.
    pub(super) bearer: SecretString,
    pub(super) serial: u32,
}

/// The key of a token: account and scope.
#[derive(Clone, Copy)]
pub(super) struct TokenRequest<'a> {
    pub(super) account: &'a Account,
    pub(super) scope: &'a str,
    /// When the tenant is visited next: a token that ends before is not kept.
    pub(super) next_check_at: Timestamp,
}

/// Every token of the process.
pub(super) struct Tokens {
    cache: Mutex<Cache>,
    /// Keyed at random for each process, so that a fingerprint reveals nothing about its secret.
    fingerprints: RandomState,
    metrics: Metrics,
    read_secret: ReadSecret,
    passed_over: Mutex<Vec<PassedOver>>,
    rejected: Mutex<BTreeSet<Rejected>>,
}

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
        Self {
            cache: Mutex::default(),
            fingerprints: RandomState::new(),
            metrics,
            read_secret,
            passed_over: Mutex::default(),
            rejected: Mutex::default(),
        }
    }

    /// A token that is good for a while.
    pub(super) async fn get(&self, wire: &Wire, token_request: TokenRequest<'_>) -> Result<Token, Failure> {
        let key = self.key(token_request);
        if let Some(known) = self.known(key, wire.clock.now(), token_request) {
            return known;
        }
        let seat = Seat { tokens: self, key, flight: self.cache().join(key) };
        let _turn = seat.flight.lock().await;
        if let Some(known) = self.known(key, wire.clock.now(), token_request) {
            return known;
        }
        let app = &token_request.account.app;
        let mut newest: Option<Refused> = None;
        let mut left = app.materials.iter().enumerate();
        while let Some((place, material)) = left.next() {
            match self.prove(wire, token_request, key, material).await {
                Ok(token) => {
                    self.note_accepted(app, place);
                    self.note_passed_over(app, newest);
                    return Ok(token);
                }
                Err(refused) if refused.is_about_material() && left.len() > 0 => drop(newest.get_or_insert(refused)),
                // Of several that are refused, the operator means the newest.
                Err(refused) if refused.is_about_material() => {
                    return Err(self.in_time(key, newest.unwrap_or(refused).failure, wire.clock.now()));
                }
                Err(refused) => return Err(refused.failure),
            }
        }
        Err(Failure::new(FailureClass::ConfigurationWrong, "the app has no credential"))
    }

    /// Asks with one of the app's secrets; a second time with a fresh assertion where that may help.
    async fn prove(
        &self,
        wire: &Wire,
        token_request: TokenRequest<'_>,
        key: Key,
        material: &CredentialMaterial,
    ) -> Result<Token, Refused> {
        let (mut is_repeated, mut is_read_again) = (false, !material.references().any(SecretReference::is_stored));
        loop {
            let loaded = material.read(self.read_secret).await.map_err(|failure| Refused {
                failure,
                kind: material.kind,
                mark: 0,
            })?;
            let refused = |failure| Refused { failure, kind: material.kind, mark: loaded.mark() };
            let fingerprint = self.fingerprints.hash_one(loaded.identity());
            let asked_at = wire.clock.now();
            let known = self.cache().refusal(key, Some(fingerprint), asked_at);
            if let Some(failure) = known.filter(|_| !is_repeated).or_else(|| loaded.refusal(asked_at)) {
                if is_read_again || !is_about_material(&failure) {
                    return Err(refused(failure));
                }
                // Its store may hold another one by now.
                material.references().for_each(SecretReference::doubt);
                is_read_again = true;
                continue;
            }
            let granted = ask::request(wire, token_request, &loaded).await;
            self.metrics.token_requested(granted.as_ref().map_or_else(|failure| failure.class.as_str(), |_| "ok"));
            let now = wire.clock.now();
            match granted {
                Ok(Grant { bearer, life }) => {
                    let renew_at = asked_at.plus(life.saturating_sub(RENEW_BEFORE_END).max(life * 4 / 5));
                    return Ok(self.cache().keep(key, bearer, renew_at, now, token_request.next_check_at, fingerprint));
                }
                Err(failure) if !is_repeated && passes_with_a_fresh_assertion(material.kind, &failure) => {
                    is_repeated = true;
                    if failure.class == FailureClass::FederationUnmatched {
                        wire.pause().await;
                    }
                }
                Err(mut failure) => {
                    let (wait, is_about_the_secret) = pause(&failure);
                    if failure.class == FailureClass::Throttled {
                        failure.retry_after = Some(wait);
                    }
                    let fingerprint = is_about_the_secret.then_some(fingerprint);
                    self.cache().refuse(key, failure.clone(), fingerprint, now, wait);
                    if is_read_again || !is_about_material(&failure) {
                        return Err(refused(failure));
                    }
                    material.references().for_each(SecretReference::doubt);
                    (is_read_again, is_repeated) = (true, false);
                }
            }
        }
    }

    /// A federated credential that matches nothing may be new, and on its way to all of Entra: that passes.
    fn in_time(&self, key: Key, failure: Failure, now: Timestamp) -> Failure {
        if failure.class != FailureClass::FederationUnmatched {
            return failure;
        }
        let since = self.cache().unmatched_since(key, now);
        if now.since(since) >= SPREADS_WITHIN {
            return failure;
        }
        let what = format!("{}, or a new one has not reached all of Entra yet", failure.what);
        Failure { class: FailureClass::MicrosoftDown, what: what.into(), ..failure }
    }

    /// Gives back a token that an API refused, so that the next caller gets a new one.
    pub(super) fn forget(&self, token_request: TokenRequest<'_>, token: &Token) {
        let key = self.key(token_request);
        self.cache().forget(key, token.serial);
    }

    /// Forgets what was granted and refused to an account.
    pub(super) fn forget_all(&self, account: &Account) {
        self.cache().forget_all(account.entra.0, account.app.client_id);
    }

    /// Keeps everybody off an API that asked this app and tenant to wait: asking earlier prolongs it.
    pub(super) fn hold(&self, token_request: TokenRequest<'_>, failure: &Failure, now: Timestamp, wait: Duration) {
        let key = self.key(token_request);
        self.cache().refuse(key, failure.clone(), None, now, wait);
    }

    /// What needs no request: a refusal that holds for any secret, or a token.
    fn known(&self, key: Key, now: Timestamp, token_request: TokenRequest<'_>) -> Option<Result<Token, Failure>> {
        let mut cache = self.cache();
        if let Some(refusal) = cache.refusal(key, None, now) {
            return Some(Err(refusal));
        }
        cache.token(key, now, token_request.next_check_at).map(Ok)
    }

    fn key(&self, token_request: TokenRequest<'_>) -> Key {
        let account = token_request.account;
        let realm = self.cache().realm(&account.hosts.login, token_request.scope);
        Key { tenant: account.entra.0, client: account.app.client_id, realm }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        self.cache().sizes()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the token lives that an answer grants.
pub(super) fn read(answer: &crate::egress::Answer) -> Result<Duration, Failure> {
    ask::read(answer).map(|grant| grant.life)
}

/// How long a failure keeps us from asking again, and whether a changed secret ends that.
fn pause(failure: &Failure) -> (Duration, bool) {
    const MINUTE: Duration = Duration::from_mins(1);
    match failure.class {
        FailureClass::Throttled => (failure.retry_after.unwrap_or(5 * MINUTE), false),
        // Whoever waited for this very request gets its outcome; whoever comes later asks again.
        FailureClass::Unreachable
        | FailureClass::MicrosoftDown
        | FailureClass::Garbage
        | FailureClass::AnswerTooLarge => (failure.retry_after.unwrap_or(Duration::from_secs(1)), true),
        // Only another secret helps.
        FailureClass::SecretWrong | FailureClass::SecretExpired | FailureClass::CertificateUnknown => {
            (10 * MINUTE, true)
        }
        // Consent, license or policy may change on Microsoft's side.
        _ => (MINUTE, true),
    }
}

/// Whether the same credential may be taken a moment later, with another assertion or a token read again.
fn passes_with_a_fresh_assertion(kind: CredentialKind, failure: &Failure) -> bool {
    kind != CredentialKind::Secret
        && matches!(failure.class, FailureClass::ClockWrong | FailureClass::FederationUnmatched)
}
