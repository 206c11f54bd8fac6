//! Whether the service does its work: what `/healthz` and `/readyz` answer. Microsoft's troubles are not ours: a tenant that
//! can't be read is reported and counted, and the service stays ready.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;

use crate::domain::{Timestamp, format_duration};

/// A scheduler that has not ticked for that long is stalled. It ticks every second or so.
pub const SCHEDULER_STALLED_AFTER: Duration = Duration::from_mins(1);

/// A store that has taken no write for that long is stuck, even if it reports no error. It is written at every heartbeat.
pub const STORE_STUCK_AFTER: Duration = Duration::from_mins(5);

/// Heartbeats of the parts, as they report them. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct Health {
    signs: Arc<Mutex<Signs>>,
    /// How often each of [`PARTS`] has done its work.
    progress: Arc<[AtomicU64; 3]>,
}

/// The parts that the watchdog expects to make progress.
pub const PARTS: [&str; 3] = ["planner", "dispatcher", "web"];

#[derive(Debug, Default)]
struct Signs {
    listening: bool,
    ticked_at: Option<Timestamp>,
    written_at: Option<Timestamp>,
    store_trouble: Option<(Timestamp, StoreTrouble)>,
    /// Those of [`PARTS`] that make no progress.
    stalled: Vec<&'static str>,
}

/// How a write to the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreTrouble {
    /// The disk is full.
    Full,
    /// Its file is not where it was: what is written goes nowhere.
    Gone(&'static str),
    /// Failed for any other reason.
    Failed,
}

/// How one part fares. Its JSON form is part of the answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sign {
    /// `listener`, `scheduler`, `store` or `dispatcher`.
    pub part: &'static str,
    /// Whether it does its work.
    pub good: bool,
    /// What is wrong; `None` when nothing is.
    pub trouble: Option<String>,
    /// When it last did its work; for the store in trouble, when the trouble began.
    pub at: Option<Timestamp>,
}

impl Health {
    /// The listener takes connections, or no longer does.
    pub fn listening(&self, up: bool) {
        self.signs().listening = up;
    }

    /// The scheduler looked for due tenants.
    pub fn scheduler_ticked(&self, now: Timestamp) {
        self.signs().ticked_at = Some(now);
        self.progress[0].fetch_add(1, Ordering::Relaxed);
    }

    /// The dispatcher has looked through what waits.
    pub fn dispatcher_swept(&self) {
        self.progress[1].fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered through the listener, or connections come and go while all places are taken.
    pub fn web_answered(&self) {
        self.progress[2].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each of [`PARTS`] has done its work.
    #[must_use]
    pub fn progress(&self) -> [u64; 3] {
        std::array::from_fn(|part| self.progress[part].load(Ordering::Relaxed))
    }

    /// Which of [`PARTS`] the watchdog has seen make no progress for its whole interval; none: all go on.
    pub fn stalls(&self, parts: Vec<&'static str>) {
        self.signs().stalled = parts;
    }

    /// Those of [`PARTS`] that make no progress. Only a restart helps.
    #[must_use]
    pub fn stalled(&self) -> Vec<&'static str> {
        self.signs().stalled.clone()
    }

    /// A write to the store succeeded; expected at least at every heartbeat.
    pub fn store_written(&self, now: Timestamp) {
        let mut signs = self.signs();
        signs.written_at = Some(now);
        signs.store_trouble = None;
    }

    /// Whether the last write to the store failed.
    #[must_use]
    pub fn is_store_in_trouble(&self) -> bool {
        self.signs().store_trouble.is_some()
    }

    /// A write to the store failed.
    pub fn store_failed(&self, now: Timestamp, trouble: StoreTrouble) {
        let mut signs = self.signs();
        let since = signs.store_trouble.map_or(now, |(since, _)| since);
        signs.store_trouble = Some((since, trouble));
    }

    /// How each part fares; the service is ready when every one is good.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Vec<Sign> {
        let signs = self.signs();
        vec![signs.listener(), signs.scheduler(now), signs.store(now), signs.dispatcher()]
    }

    /// A reporter that panicked leaves values that are whole.
    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signs {
    fn listener(&self) -> Sign {
        let trouble = (!self.listening).then(|| "accepts no connections".to_owned());
        Sign::new("listener", trouble.or_else(|| self.stall("web")), None)
    }

    fn dispatcher(&self) -> Sign {
        Sign::new("dispatcher", self.stall("dispatcher"), None)
    }

    fn stall(&self, part: &str) -> Option<String> {
        self.stalled.contains(&part).then(|| "makes no progress".to_owned())
    }

    fn scheduler(&self, now: Timestamp) -> Sign {
        let trouble = silence(self.ticked_at, now, SCHEDULER_STALLED_AFTER, "has not ticked");
        Sign::new("scheduler", trouble.or_else(|| self.stall("planner")), self.ticked_at)
    }

    fn store(&self, now: Timestamp) -> Sign {
        let stuck = || silence(self.written_at, now, STORE_STUCK_AFTER, "has not been written to");
        match self.store_trouble {
            Some((since, StoreTrouble::Full)) => Sign::new("store", Some("the disk is full".to_owned()), Some(since)),
            Some((since, StoreTrouble::Gone(what))) => Sign::new("store", Some(what.to_owned()), Some(since)),
            Some((since, StoreTrouble::Failed)) => {
                Sign::new("store", Some("can't be written to".to_owned()), Some(since))
            }
            None => Sign::new("store", stuck(), self.written_at),
        }
    }
}

impl Sign {
    fn new(part: &'static str, trouble: Option<String>, at: Option<Timestamp>) -> Self {
        Self { part, good: trouble.is_none(), trouble, at }
    }
}

fn silence(last: Option<Timestamp>, now: Timestamp, longest: Duration, what: &str) -> Option<String> {
    match last.map(|last| now.since(last)) {
        None => Some(format!("{what} yet")),
        Some(silent) if silent >= longest => {
            Some(format!("{what} for {}", format_duration(Duration::from_secs(silent.as_secs()))))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn alive() -> Health {
        let health = Health::default();
        health.listening(true);
        health.scheduler_ticked(at(0));
        health.store_written(at(0));
        health
    }

    fn troubles(health: &Health, now: Timestamp) -> Vec<String> {
        let bad = health.verdict(now).into_iter().filter(|sign| !sign.good);
        bad.map(|sign| format!("{} {}", sign.part, sign.trouble.unwrap())).collect()
    }

    #[test]
    fn before_its_parts_report_the_service_is_not_ready() {
        assert_eq!(
            troubles(&Health::default(), at(0)),
            ["listener accepts no connections", "scheduler has not ticked yet", "store has not been written to yet"]
        );
    }

    #[test]
    fn clones_share_and_a_living_service_is_ready() {
        let health = alive();
        assert!(troubles(&health.clone(), at(1)).is_empty());
    }

    #[test]
    fn a_scheduler_is_stalled_after_a_minute_and_recovers_with_its_next_tick() {
        let health = alive();
        assert!(troubles(&health, at(59)).is_empty());
        assert_eq!(troubles(&health, at(60)), ["scheduler has not ticked for 1m"]);
        health.scheduler_ticked(at(61));
        assert!(troubles(&health, at(61)).is_empty());
    }

    #[test]
    fn a_clock_that_steps_back_stalls_nobody() {
        assert!(troubles(&alive(), at(-3600)).is_empty());
    }

    #[test]
    fn a_store_in_trouble_is_not_ready_until_a_write_succeeds() {
        let health = alive();
        health.store_failed(at(10), StoreTrouble::Failed);
        assert_eq!(troubles(&health, at(10)), ["store can't be written to"]);
        health.store_failed(at(15), StoreTrouble::Gone("file was deleted"));
        assert_eq!(troubles(&health, at(15)), ["store file was deleted"]);
        health.store_failed(at(20), StoreTrouble::Full);
        assert_eq!(troubles(&health, at(20)), ["store the disk is full"]);
        assert_eq!(health.verdict(at(20))[2].at, Some(at(10)));
        assert!(health.is_store_in_trouble());
        health.store_written(at(30));
        assert!(!health.is_store_in_trouble());
        assert!(troubles(&health, at(30)).is_empty());
    }

    #[test]
    fn a_part_that_stalls_makes_the_service_unready_until_it_goes_on() {
        for (stalled, trouble) in [
            ("planner", "scheduler makes no progress"),
            ("dispatcher", "dispatcher makes no progress"),
            ("web", "listener makes no progress"),
        ] {
            let health = alive();
            health.stalls(vec![stalled]);
            assert_eq!(troubles(&health, at(1)), [trouble]);
            assert_eq!(health.clone().stalled(), [stalled]);
            health.stalls(Vec::new());
            assert!(troubles(&health, at(1)).is_empty() && health.stalled().is_empty());
        }
    }

    #[test]
    fn a_store_that_hangs_without_an_error_is_noticed() {
        let health = alive();
        health.scheduler_ticked(at(300));
        assert_eq!(troubles(&health, at(300)), ["store has not been written to for 5m"]);
    }
}
