//! What retries may cost a receiver's host. Many channels share one host: when it stumbles, their retries must neither keep it
//! down nor stand in the way of what was not tried yet.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::domain::Timestamp;

/// Each first try allows that much of a retry: retries are a fifth of a host's traffic at most, in the long run.
const PER_FIRST_TRY: f64 = 0.2;
/// However little is sent, a host gets one retry in that time: as much as the usual pace of a single channel.
const PER_RETRY_MAX: Duration = Duration::from_secs(1);
/// The most retries that may be saved up.
const SAVED_MAX: f64 = 20.0;
/// The most retries of one host that may be under way at a time; first tries have no such limit.
const IN_FLIGHT_MAX: u32 = 8;
/// When to ask again while that many are under way.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The retries that each host may be asked to take. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub(super) struct RetryBudget {
    hosts: Arc<Mutex<HashMap<String, Account>>>,
    /// How many replicas send to the same hosts: each may use its part.
    sharers: Arc<AtomicU32>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { hosts: Arc::default(), sharers: Arc::new(AtomicU32::new(1)) }
    }
}

#[derive(Debug)]
struct Account {
    saved: f64,
    as_of: Timestamp,
    in_flight: u32,
}

impl Account {
    fn new(sharers: u32, now: Timestamp) -> Self {
        Self { saved: saved_max(sharers), as_of: now, in_flight: 0 }
    }

    fn accrue(&mut self, sharers: u32, now: Timestamp) {
        let earned = now.since(self.as_of).as_secs_f64() / (PER_RETRY_MAX * sharers).as_secs_f64();
        self.saved = (self.saved + earned).min(saved_max(sharers));
        self.as_of = now;
    }

    /// From when on a retry may be made; `None`: now.
    fn retries_from(&self, sharers: u32, now: Timestamp) -> Option<Timestamp> {
        if self.in_flight >= (IN_FLIGHT_MAX / sharers).max(1) {
            Some(now.plus(ASK_AGAIN))
        } else if self.saved >= 1.0 {
            None
        } else {
            Some(now.plus((PER_RETRY_MAX * sharers).mul_f64(1.0 - self.saved)))
        }
    }
}

/// The most retries that one of several replicas may save up: one at least, as less than one would never be enough for any.
fn saved_max(sharers: u32) -> f64 {
    (SAVED_MAX / f64::from(sharers)).max(1.0)
}

impl RetryBudget {
    /// Notes how many replicas send to the same hosts.
    pub(super) fn shared_by(&self, replicas: u32) {
        self.sharers.store(replicas.max(1), Ordering::Relaxed);
    }

    fn sharers(&self) -> u32 {
        self.sharers.load(Ordering::Relaxed)
    }

    /// From when on a retry to that host may be made; now or earlier: at once.
    pub(super) fn retries_from(&self, host: &str, now: Timestamp) -> Timestamp {
        let mut hosts = self.hosts();
        let Some(account) = hosts.get_mut(host) else { return now };
        account.accrue(self.sharers(), now);
        account.retries_from(self.sharers(), now).unwrap_or(now)
    }

    /// Books an attempt; a retry is under way until what this returns is dropped.
    ///
    /// # Errors
    /// From when on a retry may be made, if that is later than now: others were quicker.
    pub(super) fn book(&self, host: &str, attempt: u32, now: Timestamp) -> Result<Option<UnderWay>, Timestamp> {
        let mut hosts = self.hosts();
        let account = hosts.entry(host.to_owned()).or_insert_with(|| Account::new(self.sharers(), now));
        account.accrue(self.sharers(), now);
        if attempt <= 1 {
            account.saved = (account.saved + PER_FIRST_TRY).min(saved_max(self.sharers()));
            return Ok(None);
        }
        if let Some(from) = account.retries_from(self.sharers(), now) {
            return Err(from);
        }
        account.saved -= 1.0;
        account.in_flight += 1;
        Ok(Some(UnderWay { budget: self.clone(), host: host.to_owned() }))
    }

    /// A retry that was taken costs nothing: the host is up again, and what waits for it may go.
    pub(super) fn credit(&self, host: &str, attempt: u32) {
        if attempt > 1
            && let Some(account) = self.hosts().get_mut(host)
        {
            account.saved = (account.saved + 1.0 + PER_FIRST_TRY).min(saved_max(self.sharers()));
        }
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
    fn a_host_that_stumbles_gets_what_was_saved_and_then_one_retry_a_second() {
        let budget = RetryBudget::default();
        for _ in 0..20 {
            assert_eq!(budget.retries_from("a", at(0)), at(0));
            assert!(budget.book("a", 2, at(0)).is_ok());
        }
        assert_eq!(budget.retries_from("a", at(0)), at(1));
        assert_eq!(budget.book("a", 2, at(0)).unwrap_err(), at(1), "others were quicker");
        assert_eq!(budget.retries_from("b", at(0)), at(0), "another host has its own");
        assert_eq!(budget.retries_from("a", at(1)), at(1));
    }

    #[test]
    fn five_first_tries_allow_one_retry_and_one_that_is_taken_costs_nothing() {
        let budget = RetryBudget::default();
        for _ in 0..20 {
            drop(budget.book("a", 3, at(0)));
        }
        for _ in 0..5 {
            assert!(budget.retries_from("a", at(0)) > at(0));
            assert!(budget.book("a", 1, at(0)).unwrap().is_none(), "a first try takes no slot of a retry");
        }
        for _ in 0..1_000 {
            drop(budget.book("a", 2, at(0)).unwrap());
            budget.credit("a", 2);
        }
        drop(budget.book("a", 2, at(0)).unwrap());
    }

    #[test]
    fn the_number_of_retries_under_way_is_limited() {
        let budget = RetryBudget::default();
        let mut under_way: Vec<_> = (0..8).map(|_| budget.book("a", 2, at(0)).unwrap()).collect();
        assert_eq!(budget.book("a", 2, at(0)).unwrap_err(), at(1));
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
