//! Limits on what anybody may ask of the store without sign-in.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Semaphore;

use crate::{domain::Timestamp, notify::NotificationId};

/// The most requests a second of one kind: more than people press buttons, less than the store notices.
pub(super) const PER_SECOND_MAX: u32 = 20;
/// Keys that are counted in one second; beyond that, whoever is new is not limited.
const KEYS_MAX: usize = 10_000;
/// Drills that are looked up at the same time.
const LOOKUPS_MAX: usize = 4;

/// Who asks for drills, and which.
#[derive(Debug)]
pub(super) struct Confirmations {
    /// How often an address asked for what is not a drill.
    pub(super) misses: Rate<Option<IpAddr>>,
    /// How often a drill was asked for.
    pub(super) drills: Rate<NotificationId>,
    /// Of addresses that did so rarely.
    pub(super) lookups: Semaphore,
    /// Of addresses that did so often: one at a time, because a person with a real link may share such an address.
    pub(super) slow_lookups: Semaphore,
}

impl Default for Confirmations {
    fn default() -> Self {
        Self {
            misses: Rate::default(),
            drills: Rate::default(),
            lookups: Semaphore::new(LOOKUPS_MAX),
            slow_lookups: Semaphore::new(1),
        }
    }
}

/// Counts the requests of one second by a key.
#[derive(Debug)]
pub(super) struct Rate<K>(Mutex<(i64, HashMap<K, u32>)>);

impl<K> Default for Rate<K> {
    fn default() -> Self {
        Self(Mutex::new((Timestamp::EPOCH.as_seconds(), HashMap::new())))
    }
}

impl<K: Eq + Hash> Rate<K> {
    /// Counts a request; `false`: it is one too many.
    pub(super) fn admits(&self, key: K, now: Timestamp) -> bool {
        self.within(now, |counts| {
            if counts.len() >= KEYS_MAX && !counts.contains_key(&key) {
                return true;
            }
            let count = counts.entry(key).or_default();
            *count = count.saturating_add(1);
            *count <= PER_SECOND_MAX
        })
    }

    /// Whether as many requests were counted as are admitted.
    pub(super) fn is_used_up(&self, key: &K, now: Timestamp) -> bool {
        self.within(now, |counts| counts.get(key).is_some_and(|count| *count >= PER_SECOND_MAX))
    }

    fn within<T>(&self, now: Timestamp, count: impl FnOnce(&mut HashMap<K, u32>) -> T) -> T {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != now.as_seconds() {
            *counted = (now.as_seconds(), HashMap::new());
        }
        count(&mut counted.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_counted_apart_and_a_second_later_again() {
        let (rate, now) = (Rate::default(), Timestamp::from_seconds(1));
        for number in 0..=PER_SECOND_MAX {
            assert_eq!(rate.is_used_up(&"a", now), number >= PER_SECOND_MAX, "{number}");
            assert_eq!(rate.admits("a", now), number < PER_SECOND_MAX, "{number}");
        }
        assert!(rate.admits("b", now) && !rate.is_used_up(&"b", now));
        let later = Timestamp::from_seconds(2);
        assert!(rate.admits("a", later) && !rate.is_used_up(&"a", later));
    }
}
