//! How often somebody may try to sign in: often enough for people, too rarely for guessing, and so that a stranger who guesses does not
//! lock a person out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// Attempts are counted over that time.
const WINDOW: Duration = Duration::from_mins(15);
/// Most attempts with one account from one address. Whoever guesses from elsewhere does not lock the person out.
const OF_PAIR_MAX: u32 = 10;
/// Most attempts from one address: several people may share it.
const OF_ADDRESS_MAX: u32 = 50;
/// Most attempts with one account at once from all addresses from which nobody has signed in with it.
const OF_ACCOUNT_MAX: u32 = 100;
/// After that long, one more of these is possible: about 10,000 a day, of passwords that have at least 15 characters.
const OF_ACCOUNT_INTERVAL: Duration = Duration::from_secs(9);
/// For how long an address from which somebody signed in with an account is known.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// How often what is over is removed, if there is much.
const PRUNE_INTERVAL: Duration = Duration::from_secs(5);
/// Most keys that are counted; beyond that, whoever is new is counted together.
const KEYS_MAX: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Pair(String, IpAddr),
    Account(String),
    Everybody,
}

impl Key {
    /// How many attempts are possible, and after which time again: all of them at once, or one after the other.
    const fn limit(&self) -> Limit {
        let most = match self {
            Self::Account(_) => {
                return Limit { most: OF_ACCOUNT_MAX, forgotten_after: OF_ACCOUNT_INTERVAL, at_once: 1 };
            }
            Self::Address(_) | Self::Everybody => OF_ADDRESS_MAX,
            Self::Pair(..) => OF_PAIR_MAX,
        };
        Limit { most, forgotten_after: WINDOW, at_once: most }
    }
}

/// How many attempts are counted, and how they are forgotten.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: u32,
    /// After that long,
    forgotten_after: Duration,
    /// that number of attempts is forgotten.
    at_once: u32,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    attempts: u32,
    /// When it was last said that there were too many.
    reported_at: Option<Timestamp>,
}

impl Count {
    const fn new(now: Timestamp) -> Self {
        Self { since: now, attempts: 0, reported_at: None }
    }

    /// Forgets what is long enough ago.
    fn forget(&mut self, limit: Limit, now: Timestamp) {
        let elapsed = now.since(self.since);
        let times = u32::try_from(elapsed.as_nanos() / limit.forgotten_after.as_nanos().max(1)).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_sub(times.saturating_mul(limit.at_once));
        // A clock that was set back begins anew.
        if self.attempts == 0 || now < self.since {
            self.since = now;
        } else {
            self.since = self.since.plus(limit.forgotten_after.saturating_mul(times));
        }
    }

    /// Counts one more; `Err`: it is one too many, and whether that is to be said.
    fn add(&mut self, limit: Limit, now: Timestamp) -> Result<(), bool> {
        if self.attempts < limit.most {
            self.attempts += 1;
            return Ok(());
        }
        let is_new = self.reported_at.is_none_or(|at| now < at || at.plus(WINDOW) <= now);
        if is_new {
            self.reported_at = Some(now);
        }
        Err(is_new)
    }
}

/// The attempts of the last minutes, and from where people have signed in. Both are forgotten at a restart.
#[derive(Debug, Default)]
pub(super) struct SignIns(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    counts: HashMap<Key, Count>,
    /// When somebody last signed in with an account from an address.
    known: HashMap<(String, IpAddr), Timestamp>,
    /// When what is over was last removed.
    pruned_at: Option<Timestamp>,
}

impl SignIns {
    /// Counts an attempt. `Err`: it is one too many, and whether it is the first such for a while.
    pub(super) fn admit(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), bool> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, address) = (account.to_owned(), network(address));
        let pair = Key::Pair(account.clone(), address);
        if counted.known.get(&(account.clone(), address)).is_some_and(|at| now < at.plus(KNOWN_FOR)) {
            // Whatever strangers do, from wherever they do it.
            return counted.count(pair, now);
        }
        let account = Key::Account(account);
        if counted.is_full_for(&[&Key::Address(address), &pair, &account], now) {
            return counted.count(Key::Everybody, now);
        }
        // The address comes first: what is refused for it counts against no account.
        counted.count(Key::Address(address), now)?;
        counted.count(pair.clone(), now)?;
        let added = counted.count(account, now);
        if added.is_err() {
            // No password was tried, so it is not counted against whoever may have come from a new address.
            counted.take_back(&pair);
        }
        added
    }

    /// The same of somebody who comes back from a provider, where an account is not known before it is proven.
    pub(super) fn admit_address(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), bool> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key::Address(network(address));
        let key = if counted.is_full_for(&[&key], now) { Key::Everybody } else { key };
        counted.count(key, now)
    }

    /// Does not count this attempt, and forgets those before it with the account from that address: somebody knew the password.
    pub(super) fn succeeded(&self, account: &str, address: Option<IpAddr>, now: Timestamp) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, address) = (account.to_owned(), network(address));
        counted.counts.remove(&Key::Pair(account.clone(), address));
        counted.take_back(&Key::Address(address));
        counted.take_back(&Key::Account(account.clone()));
        counted.take_back(&Key::Everybody);
        if counted.known.len() >= KEYS_MAX {
            counted.prune(now);
        }
        if counted.known.len() < KEYS_MAX {
            counted.known.insert((account, address), now);
        }
    }
}

impl Counted {
    /// Whether so much is counted that one of these can't be.
    fn is_full_for(&mut self, keys: &[&Key], now: Timestamp) -> bool {
        let misses_one = |counts: &HashMap<Key, Count>| keys.iter().any(|key| !counts.contains_key(*key));
        if self.counts.len() >= KEYS_MAX && misses_one(&self.counts) {
            self.prune(now);
        }
        self.counts.len() >= KEYS_MAX && misses_one(&self.counts)
    }

    fn count(&mut self, key: Key, now: Timestamp) -> Result<(), bool> {
        let limit = key.limit();
        let count = self.counts.entry(key).or_insert(Count::new(now));
        count.forget(limit, now);
        count.add(limit, now)
    }

    /// Removes what is over, now and then: under a flood, looking through everything for each attempt would be what hurts.
    fn prune(&mut self, now: Timestamp) {
        if self.pruned_at.is_some_and(|at| at <= now && now < at.plus(PRUNE_INTERVAL)) {
            return;
        }
        self.pruned_at = Some(now);
        self.known.retain(|_, at| now < at.plus(KNOWN_FOR));
        self.counts.retain(|key, count| {
            count.forget(key.limit(), now);
            count.attempts > 0
        });
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(count) = self.counts.get_mut(key) {
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
    fn attempts_are_limited_by_address_and_account_and_again_possible_later() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for _ in 0..OF_PAIR_MAX {
            assert_eq!(signs.admit("ann", ip("192.0.2.1"), now), Ok(()));
        }
        assert_eq!(signs.admit("ann", ip("192.0.2.1"), now), Err(true), "the first that is refused is recorded");
        assert_eq!(signs.admit("ann", ip("192.0.2.1"), now), Err(false));
        assert_eq!(signs.admit("bob", ip("192.0.2.1"), now), Ok(()));
        assert_eq!(signs.admit("ann", ip("198.51.100.1"), now), Ok(()), "from elsewhere, the account is not locked");
        assert_eq!(signs.admit("ann", ip("192.0.2.1"), now.plus(WINDOW)), Ok(()));
    }

    #[test]
    fn attempts_from_one_network_are_limited_whatever_the_account() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for number in 0..OF_ADDRESS_MAX {
            let address = ip(&format!("2001:db8::{number}"));
            assert_eq!(signs.admit(&format!("user-{number}"), address, now), Ok(()));
        }
        assert_eq!(signs.admit("carol", ip("2001:db8::ffff"), now), Err(true), "one network is one address");
        for _ in 0..OF_PAIR_MAX {
            assert_eq!(signs.admit("dan", ip("2001:db8::ffff"), now), Err(false), "and counts against no account");
        }
        assert_eq!(signs.admit("dan", ip("2001:db8:1::1"), now), Ok(()));
        assert_eq!(signs.admit("carol", ip("2001:db8:1::1"), now), Ok(()));
    }

    #[test]
    fn guesses_from_many_addresses_are_slowed_and_lock_no_known_address_out() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        let of = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        let home = ip("198.51.100.1");
        signs.succeeded("ann", home, now);
        let guess = |now: Timestamp| (0..1_000).filter(|number| signs.admit("ann", of(*number), now).is_ok()).count();
        assert_eq!(guess(now), OF_ACCOUNT_MAX as usize, "of a thousand");
        assert_eq!(signs.admit("ann", home, now), Ok(()), "from where she has signed in");
        let new = ip("203.0.113.9");
        assert!(signs.admit("ann", new, now).is_err(), "from a new address, she has to wait");
        assert_eq!(signs.admit("ann", new, now.plus(OF_ACCOUNT_INTERVAL)), Ok(()), "for some seconds");
        let mut tried = OF_ACCOUNT_MAX as usize;
        for second in 10..24 * 3600 {
            // One guess each second, each from another address.
            let address = of(u32::try_from(second).unwrap() + 1_000);
            tried += usize::from(signs.admit("ann", address, now.plus(Duration::from_secs(second))).is_ok());
        }
        assert!((9_000..11_000).contains(&tried), "{tried} in a day");
        let day = now.plus(Duration::from_hours(24));
        assert_eq!(signs.admit("ann", home, day), Ok(()));
    }

    #[test]
    fn who_knows_the_password_is_not_counted() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for number in 0..u32::try_from(2 * KEYS_MAX).unwrap() {
            let address = if number % 2 == 0 { ip("192.0.2.1") } else { Some(IpAddr::from(number.to_be_bytes())) };
            assert_eq!(signs.admit("ann", address, now), Ok(()));
            signs.succeeded("ann", address, now);
        }
        assert!(signs.0.lock().unwrap().known.len() <= KEYS_MAX);
    }

    #[test]
    fn a_flood_of_names_does_not_fill_the_memory() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        for number in 0..u32::try_from(KEYS_MAX).unwrap() + 100 {
            let _ = signs.admit(&number.to_string(), Some(IpAddr::from(number.to_be_bytes())), now);
        }
        // An attempt that finds room counts three keys.
        assert!(signs.0.lock().unwrap().counts.len() <= KEYS_MAX + 3);
    }

    #[test]
    fn a_flood_of_names_and_addresses_locks_nobody_out_where_they_are_known() {
        let (signs, now) = (SignIns::default(), Timestamp::EPOCH);
        let home = ip("198.51.100.1");
        signs.succeeded("ann", home, now);
        for number in 0..u32::try_from(KEYS_MAX).unwrap() {
            let _ = signs.admit(&number.to_string(), Some(IpAddr::from((number / 50).to_be_bytes())), now);
        }
        let new = ip("203.0.113.9");
        assert!(signs.admit("bob", new, now).is_err(), "who is new is counted with everybody");
        let day = now.plus(Duration::from_hours(24));
        for later in [now, day] {
            assert_eq!(signs.admit("ann", home, later), Ok(()), "from where she has signed in");
            signs.succeeded("ann", home, later);
        }
        assert_eq!(signs.admit("bob", new, now.plus(WINDOW)), Ok(()), "after a while, who is new, too");
    }
}
