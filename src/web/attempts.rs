//! How often somebody may try to sign in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// Attempts are counted over that time.
const WINDOW: Duration = Duration::from_mins(15);
/// Most attempts with one account.
const OF_ACCOUNT_MAX: u32 = 10;
/// Most attempts from one address: several people may share it.
const OF_ADDRESS_MAX: u32 = 50;
/// Most keys that are counted; beyond that, whoever is new is counted together.
const KEYS_MAX: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Account(String),
    Address(IpAddr),
    Everybody,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    attempts: u32,
}

/// The attempts of the last minutes. They are forgotten at a restart.
#[derive(Debug, Default)]
pub(super) struct SignIns(Mutex<HashMap<Key, Count>>);

impl SignIns {
    /// Counts an attempt. `Err`: it is one too many, and whether it is the first such.
    pub(super) fn admit(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), bool> {
        // The address comes first: one that is refused counts against no account, or it could lock everybody out.
        let account = (Key::Account(account.to_owned()), OF_ACCOUNT_MAX);
        self.admit_each([(Key::Address(network(address)), OF_ADDRESS_MAX), account], now)
    }

    /// The same of somebody who comes back from a provider, where an account is not known before it is proven.
    pub(super) fn admit_address(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), bool> {
        self.admit_each([(Key::Address(network(address)), OF_ADDRESS_MAX)], now)
    }

    fn admit_each<const KEYS: usize>(&self, keys: [(Key, u32); KEYS], now: Timestamp) -> Result<(), bool> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, most) in keys {
            if counts.len() >= KEYS_MAX && !counts.contains_key(&key) {
                counts.retain(|_, count| now < count.since.plus(WINDOW));
            }
            let key = if counts.len() >= KEYS_MAX && !counts.contains_key(&key) { Key::Everybody } else { key };
            let count = counts.entry(key).or_insert(Count { since: now, attempts: 0 });
            if count.since.plus(WINDOW) <= now {
                *count = Count { since: now, attempts: 0 };
            }
            count.attempts = count.attempts.saturating_add(1);
            if count.attempts > most {
                return Err(count.attempts == most + 1);
            }
        }
        Ok(())
    }

    /// Forgets the attempts with an account, and this one from its address: somebody knew the password.
    pub(super) fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&Key::Account(account.to_owned()));
        if let Some(count) = counts.get_mut(&Key::Address(network(address))) {
            count.attempts = count.attempts.saturating_sub(1);
        }
    }
}

/// Whoever has one IPv6 address has its whole network of 64 bits.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(v6)) => IpAddr::from((u128::from(v6) & !u128::from(u64::MAX)).to_be_bytes()),
        Some(v4) => v4,
        None => IpAddr::from([0, 0, 0, 0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn attempts_are_limited_by_account_and_by_address_and_again_possible_later() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for number in 0..OF_ACCOUNT_MAX {
            assert_eq!(signs.admit("ann", ip(&format!("192.0.2.{number}")), now), Ok(()));
        }
        assert_eq!(signs.admit("ann", ip("198.51.100.1"), now), Err(true), "the first that is refused is recorded");
        assert_eq!(signs.admit("ann", ip("198.51.100.1"), now), Err(false));
        assert_eq!(signs.admit("bob", ip("198.51.100.1"), now), Ok(()));
        assert_eq!(signs.admit("ann", ip("198.51.100.1"), now.plus(WINDOW)), Ok(()));
        for number in 0..OF_ADDRESS_MAX {
            let address = ip(&format!("2001:db8::{number}"));
            assert_eq!(signs.admit(&format!("user-{number}"), address, now), Ok(()));
        }
        assert_eq!(signs.admit("carol", ip("2001:db8::ffff"), now), Err(true), "one network is one address");
        for _ in 0..OF_ACCOUNT_MAX {
            assert_eq!(signs.admit("dan", ip("2001:db8::ffff"), now), Err(false), "and counts against no account");
        }
        assert_eq!(signs.admit("dan", ip("2001:db8:1::1"), now), Ok(()));
        assert_eq!(signs.admit("carol", ip("2001:db8:1::1"), now), Ok(()));
    }

    #[test]
    fn who_knows_the_password_is_not_counted() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for _ in 0..200 {
            assert_eq!(signs.admit("ann", ip("192.0.2.1"), now), Ok(()));
            signs.succeeded("ann", ip("192.0.2.1"));
        }
    }

    #[test]
    fn a_flood_of_names_does_not_fill_the_memory() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for number in 0..u32::try_from(KEYS_MAX).unwrap() + 100 {
            let _ = signs.admit(&number.to_string(), Some(IpAddr::from(number.to_be_bytes())), now);
        }
        assert!(signs.0.lock().unwrap().len() <= KEYS_MAX + 1);
    }
}
