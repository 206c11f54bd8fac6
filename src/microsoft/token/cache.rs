//! What is remembered between token requests: tokens, refusals, and who is asking right now. In memory only.
//!
//! A token is kept only while it will still be good at its tenant's next check, as a hundred thousand unused ones are a few
//! hundred megabytes; otherwise it lingers for the rest of the check at hand.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Token, compact::Compact};
use crate::{
    domain::Timestamp,
    microsoft::{Failure, FailureClass},
};

/// How long a token stays that will be of no use at the next check: a check asks for several scores.
const LINGER: Duration = Duration::from_mins(1);
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// What was remembered further ahead than that was so before the clock was set back, and holds no longer.
const AHEAD_MAX: Duration = Duration::from_secs(5);

/// One credential at one place: small, as there are as many as tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: Uuid,
    pub(super) client: Uuid,
    /// Number of the login host and scope, given by [`Cache::realm`].
    pub(super) realm: u32,
}

struct Kept {
    token: Compact,
    /// From here on a new one is asked for.
    renew_at: Timestamp,
    /// From here on it may be forgotten.
    keep_until: Timestamp,
    serial: u32,
}

struct Remembered {
    failure: Failure,
    since: Timestamp,
    until: Timestamp,
    /// The secret that was refused; `None`: the refusal has nothing to do with it.
    fingerprint: Option<u64>,
}

/// Whoever holds the lock asks; the others wait, and then find the answer here.
pub(super) type Flight = Arc<Mutex<()>>;

#[derive(Default)]
pub(super) struct Cache {
    kept: HashMap<Key, Kept>,
    /// One for each secret of a credential, as long as it holds.
    refused: HashMap<Key, Vec<Remembered>>,
    /// Since when a federated credential matches nothing.
    unmatched: HashMap<Key, Timestamp>,
    flights: HashMap<Key, Flight>,
    realms: HashMap<String, u32>,
    serial: u32,
    sweep_at: Option<Timestamp>,
}

impl Cache {
    /// The number of that login host and scope.
    pub(super) fn realm(&mut self, login: &str, scope: &str) -> u32 {
        let next = u32::try_from(self.realms.len()).unwrap_or(u32::MAX);
        // Neither part can hold a space.
        *self.realms.entry(format!("{login} {scope}")).or_insert(next)
    }

    /// The token, if there is one that needs no renewal.
    pub(super) fn token(&mut self, key: Key, now: Timestamp, next_check_at: Timestamp) -> Option<Token> {
        let kept = self.kept.get_mut(&key).filter(|kept| now < kept.renew_at)?;
        kept.keep_until = kept.keep_until.max(keep_until(now, kept.renew_at, next_check_at));
        Some(Token { bearer: kept.token.bearer(), serial: kept.serial })
    }

    /// Takes a token in, and forgets what has had its time.
    pub(super) fn keep(
        &mut self,
        key: Key,
        bearer: SecretString,
        renew_at: Timestamp,
        now: Timestamp,
        next_check_at: Timestamp,
        proven_by: u64,
    ) -> Token {
        self.sweep(now);
        self.serial = self.serial.wrapping_add(1);
        let keep_until = keep_until(now, renew_at, next_check_at);
        self.kept.insert(key, Kept { token: Compact::of(&bearer), renew_at, keep_until, serial: self.serial });
        let token = Token { bearer, serial: self.serial };
        self.unmatched.remove(&key);
        if let Entry::Occupied(mut refused) = self.refused.entry(key) {
            // Another secret of the same app may have been refused just now, and still is.
            refused.get_mut().retain(|one| now < one.until && one.fingerprint.is_some_and(|other| other != proven_by));
            if refused.get().is_empty() {
                refused.remove();
            }
        }
        token
    }

    /// Since when the federated credential matches nothing; from now on, if it matched until now.
    pub(super) fn unmatched_since(&mut self, key: Key, now: Timestamp) -> Timestamp {
        *self.unmatched.entry(key).or_insert(now)
    }

    /// Forgets that token, unless it has been renewed meanwhile.
    pub(super) fn forget(&mut self, key: Key, serial: u32) {
        if let Entry::Occupied(kept) = self.kept.entry(key)
            && kept.get().serial == serial
        {
            kept.remove();
        }
    }

    /// Forgets the tokens and the refusals of an app in a tenant, except that it was asked to wait.
    pub(super) fn forget_all(&mut self, tenant: Uuid, client: Uuid) {
        for &realm in self.realms.values() {
            let key = Key { tenant, client, realm };
            self.kept.remove(&key);
            if let Entry::Occupied(mut refused) = self.refused.entry(key) {
                refused.get_mut().retain(|one| one.failure.class == FailureClass::Throttled);
                if refused.get().is_empty() {
                    refused.remove();
                }
            }
        }
    }

    /// Remembers a failure for that long.
    pub(super) fn refuse(
        &mut self,
        key: Key,
        failure: Failure,
        fingerprint: Option<u64>,
        now: Timestamp,
        wait: Duration,
    ) {
        self.sweep(now);
        let refused = self.refused.entry(key).or_default();
        refused.retain(|one| now < one.until && one.fingerprint != fingerprint);
        refused.push(Remembered { failure, since: now, until: now.plus(wait), fingerprint });
    }

    /// The failure that makes asking pointless: with that secret, or, if `None` is given, with any.
    pub(super) fn refusal(&self, key: Key, fingerprint: Option<u64>, now: Timestamp) -> Option<Failure> {
        let holds = |one: &&Remembered| {
            now < one.until
                && one.since.since(now) <= AHEAD_MAX
                && (one.fingerprint.is_none() || one.fingerprint == fingerprint)
        };
        let remembered = self.refused.get(&key)?.iter().find(holds)?;
        let mut failure = remembered.failure.clone();
        if failure.retry_after.is_some() {
            failure.retry_after = Some(remembered.until.since(now));
        }
        Some(failure)
    }

    /// Joins whoever is asking, or is the first.
    pub(super) fn join(&mut self, key: Key) -> Flight {
        Arc::clone(self.flights.entry(key).or_default())
    }

    /// Leaves; the last one takes the flight out.
    pub(super) fn leave(&mut self, key: Key, flight: Flight) {
        drop(flight);
        if self.flights.get(&key).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            self.flights.remove(&key);
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        if self.sweep_at.is_some_and(|at| now < at && at.since(now) <= SWEEP_INTERVAL) {
            return;
        }
        self.sweep_at = Some(now.plus(SWEEP_INTERVAL));
        self.kept.retain(|_, kept| now < kept.keep_until);
        self.refused.retain(|_, refused| {
            refused.retain(|one| now < one.until);
            !refused.is_empty()
        });
        if self.kept.capacity() > 1024 && self.kept.capacity() / 4 > self.kept.len() {
            self.kept.shrink_to(self.kept.len() * 2);
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        (self.kept.len(), self.refused.len(), self.flights.len())
    }
}

fn keep_until(now: Timestamp, renew_at: Timestamp, next_check_at: Timestamp) -> Timestamp {
    if next_check_at < renew_at { renew_at } else { renew_at.min(now.plus(LINGER)) }
}
