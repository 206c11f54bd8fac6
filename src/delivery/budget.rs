//! What retries may cost a receiver's host. Many channels share one host: when it stumbles, their retries must neither keep it
//! down nor stand in the way of what was not tried yet.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::Timestamp;

/// Each first try allows that much of a retry: retries are a fifth of a host's traffic at most, in the long run.
const PER_FIRST_TRY: f64 = 0.2;
/// However little is sent, a host gets one retry in that time.
const PER_RETRY_MAX: Duration = Duration::from_secs(10);
/// So many retries may be saved up.
const SAVED_MAX: f64 = 10.0;
/// So many retries of one host may be under way at a time; first tries have no such limit.
const IN_FLIGHT_MAX: u32 = 8;
/// When to ask again while that many are under way.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The retries that each host may be asked to take. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RetryBudget {
    hosts: Arc<Mutex<HashMap<String, Account>>>,
}

#[derive(Debug)]
struct Account {
    saved: f64,
    as_of: Timestamp,
    in_flight: u32,
}

impl Account {
    fn new(now: Timestamp) -> Self {
        Self { saved: SAVED_MAX, as_of: now, in_flight: 0 }
    }

    fn accrue(&mut self, now: Timestamp) {
        let earned = now.since(self.as_of).as_secs_f64() / PER_RETRY_MAX.as_secs_f64();
        self.saved = (self.saved + earned).min(SAVED_MAX);
        self.as_of = now;
    }
}

impl RetryBudget {
    /// From when on a retry to that host may be made; now or earlier: at once.
    pub(super) fn retries_from(&self, host: &str, now: Timestamp) -> Timestamp {
        let mut hosts = self.hosts();
        let Some(account) = hosts.get_mut(host) else { return now };
        account.accrue(now);
        if account.in_flight >= IN_FLIGHT_MAX {
            now.plus(ASK_AGAIN)
        } else if account.saved >= 1.0 {
            now
        } else {
            now.plus(PER_RETRY_MAX.mul_f64(1.0 - account.saved))
        }
    }

    /// Books an attempt; a retry is under way until what this returns is dropped.
    pub(super) fn book(&self, host: &str, attempt: u32, now: Timestamp) -> Option<UnderWay> {
        let mut hosts = self.hosts();
        let account = hosts.entry(host.to_owned()).or_insert_with(|| Account::new(now));
        account.accrue(now);
        if attempt <= 1 {
            account.saved = (account.saved + PER_FIRST_TRY).min(SAVED_MAX);
            return None;
        }
        account.saved = (account.saved - 1.0).max(0.0);
        account.in_flight += 1;
        Some(UnderWay { budget: self.clone(), host: host.to_owned() })
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A retry that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    budget: RetryBudget,
    host: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(account) = self.budget.hosts().get_mut(&self.host) {
            account.in_flight = account.in_flight.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    #[test]
    fn a_host_that_stumbles_gets_what_was_saved_and_then_one_retry_in_ten_seconds() {
        let budget = RetryBudget::default();
        for _ in 0..10 {
            assert_eq!(budget.retries_from("a", at(0)), at(0));
            drop(budget.book("a", 2, at(0)));
        }
        assert_eq!(budget.retries_from("a", at(0)), at(10));
        assert_eq!(budget.retries_from("a", at(4)), at(10));
        assert_eq!(budget.retries_from("b", at(0)), at(0), "another host has its own");
        assert_eq!(budget.retries_from("a", at(10)), at(10));
    }

    #[test]
    fn five_first_tries_allow_one_retry() {
        let budget = RetryBudget::default();
        for _ in 0..10 {
            drop(budget.book("a", 3, at(0)));
        }
        for _ in 0..5 {
            assert!(budget.retries_from("a", at(0)) > at(0));
            assert!(budget.book("a", 1, at(0)).is_none(), "a first try takes no slot of a retry");
        }
        assert_eq!(budget.retries_from("a", at(0)), at(0));
    }

    #[test]
    fn only_so_many_retries_are_under_way_at_a_time_however_many_are_saved() {
        let budget = RetryBudget::default();
        let mut under_way: Vec<_> = (0..8).map(|_| budget.book("a", 2, at(0))).collect();
        assert_eq!(budget.retries_from("a", at(0)), at(1));
        under_way.pop();
        assert_eq!(budget.retries_from("a", at(0)), at(0));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let budget = RetryBudget::default();
        drop(budget.book("a", 2, at(1_000_000)));
        assert_eq!(budget.retries_from("a", at(0)), at(0));
    }
}
