//! What Microsoft lets one app ask of one tenant, kept by ourselves: a call that would exceed it is not made.
//!
//! Asking on while throttled prolongs it, and a limit that the score calls eat up is one that people's own queries run into, too.
//! Only this process is counted: what others ask by the same app is Microsoft's to count, and its 429 is heeded.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use super::{Account, Failure, FailureClass, cloud::Api, source};
use crate::domain::{Clause, ScoreKind, Timestamp};

/// Calls are counted in intervals of this many seconds: a few bytes for each tenant that is checked now and then.
const SLOT_SECONDS: i64 = 5;
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);
/// One call may be made a second time at once.
const KEPT_FOR_A_SECOND_TRY: u32 = 1;

/// The most calls of one app to one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The most calls in any minute.
    pub minute: u32,
    /// The most calls in any hour.
    pub hour: u32,
}

/// Defender for Endpoint: as its pages say under "Limitations" of most calls. Those of the scores say nothing, and are taken for alike.
pub const DEFENDER_LIMITS: CallLimits = CallLimits { minute: 100, hour: 1_500 };
/// Graph: the secure scores' 150 a minute, and 10,000 in 10 minutes ("Microsoft Graph service-specific throttling limits").
const GRAPH_LIMITS: CallLimits = CallLimits { minute: 150, hour: 60_000 };

/// How many calls of Defender's one check makes for these scores.
#[must_use]
pub fn defender_calls(scores: &[ScoreKind]) -> u32 {
    let mut firsts: Vec<_> = scores
        .iter()
        .map(|score| source::of(*score))
        .filter(|source| source.api() == Api::Defender)
        .filter_map(|source| source.scores().first())
        .collect();
    firsts.sort_unstable();
    firsts.dedup();
    u32::try_from(firsts.len()).unwrap_or(u32::MAX)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tenant: Uuid,
    app: Uuid,
    is_defender: bool,
}

impl Key {
    fn of(account: &Account, api: Api) -> Self {
        Self { tenant: account.entra.0, app: account.app.client_id, is_defender: api == Api::Defender }
    }

    const fn limits(self) -> CallLimits {
        if self.is_defender { DEFENDER_LIMITS } else { GRAPH_LIMITS }
    }
}

/// The number of calls within one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spent {
    slot: i64,
    calls: u32,
}

/// The calls of the last hour, oldest first.
#[derive(Debug, Default)]
struct Line(Vec<Spent>);

impl Line {
    /// Forgets what was an hour ago. What lies ahead was so before the clock was set back: it counts as if it were now.
    fn advance(&mut self, now: Timestamp) {
        let here = slot(now);
        for spent in &mut self.0 {
            spent.slot = spent.slot.min(here);
        }
        let gone = self.0.partition_point(|spent| now.since(end(spent.slot)) >= HOUR);
        self.0.drain(..gone);
    }

    fn note(&mut self, now: Timestamp) {
        let here = slot(now);
        match self.0.last_mut().filter(|last| last.slot == here) {
            Some(last) => last.calls = last.calls.saturating_add(1),
            None => self.0.push(Spent { slot: here, calls: 1 }),
        }
    }

    /// How long until one more call keeps to the limits; zero: now.
    fn wait(&self, limits: CallLimits, now: Timestamp) -> Duration {
        let wait = |window: Duration, most: u32| {
            let mut above = most.saturating_sub(KEPT_FOR_A_SECOND_TRY);
            // Newest first: the slot that brings the window to its limit has to leave it.
            let full = self.0.iter().rev().take_while(|spent| now.since(end(spent.slot)) < window).find(|spent| {
                above = above.saturating_sub(spent.calls);
                above == 0
            });
            full.map_or(Duration::ZERO, |spent| end(spent.slot).plus(window).since(now))
        };
        wait(MINUTE, limits.minute).max(wait(HOUR, limits.hour))
    }
}

const fn slot(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(SLOT_SECONDS)
}

/// When a slot is over: its calls may all have been at its end.
const fn end(slot: i64) -> Timestamp {
    Timestamp::from_seconds(slot.saturating_add(1).saturating_mul(SLOT_SECONDS))
}

#[derive(Debug, Default)]
struct Book {
    lines: HashMap<Key, Line>,
    sweep_at: Option<Timestamp>,
}

/// The calls of this process.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<Book>);

impl Budget {
    /// Whether one more call keeps to the limits; it is not counted yet.
    ///
    /// # Errors
    /// [`FailureClass::Throttled`], with how long it is until then.
    pub(super) fn admit(&self, account: &Account, api: Api, now: Timestamp) -> Result<(), Failure> {
        let key = Key::of(account, api);
        let mut book = self.book();
        let Some(line) = book.lines.get_mut(&key) else { return Ok(()) };
        line.advance(now);
        let wait = line.wait(key.limits(), now);
        drop(book);
        if wait.is_zero() {
            return Ok(());
        }
        let CallLimits { minute, hour } = key.limits();
        let what = format!(
            "not requested: Microsoft allows an app {minute} requests a minute and {hour} an hour per tenant, which \
             this service would exceed"
        );
        let mut failure = Failure::new(FailureClass::Throttled, what);
        failure.hint = Some(Clause::CheckLessOften.english().into());
        failure.retry_after = Some(wait);
        Err(failure)
    }

    /// Counts a call that is made now.
    pub(super) fn note(&self, account: &Account, api: Api, now: Timestamp) {
        let mut book = self.book();
        book.sweep(now);
        let line = book.lines.entry(Key::of(account, api)).or_default();
        line.advance(now);
        line.note(now);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Forgets tenants that were not asked for an hour.
    fn sweep(&mut self, now: Timestamp) {
        if self.sweep_at.is_some_and(|at| now < at && at.since(now) <= SWEEP_INTERVAL) {
            return;
        }
        self.sweep_at = Some(now.plus(SWEEP_INTERVAL));
        self.lines.retain(|_, line| {
            line.advance(now);
            !line.0.is_empty()
        });
        if self.lines.capacity() > 1024 && self.lines.capacity() / 4 > self.lines.len() {
            self.lines.shrink_to(self.lines.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests;
