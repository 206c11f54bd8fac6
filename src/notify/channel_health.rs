//! How a channel's receiver fares, and how long the channel is left alone: its pace, and its circuit breaker.
//!
//! Kept in the store, so that a restart neither forgives a receiver that is down nor sends faster than the channel's pace.

use std::time::Duration;

use serde::Serialize;

use super::backoff::{self, Bounds};
use crate::domain::Timestamp;

/// A receiver may stumble this often in a row before its whole channel waits, and not only what it stumbled over.
const FAILURES_MAX: u32 = 2;
/// A channel that has failed for this long is reported to the operator.
pub const TROUBLE_REPORTED_AFTER: Duration = Duration::from_mins(5);

/// What an attempt says about its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fared {
    /// It answered as it should, be it by a refusal.
    Well,
    /// It did not, and asked for that much time.
    Badly {
        /// Zero: it asked for none.
        asked: Duration,
    },
}

/// How a channel's receiver fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChannelHealth {
    /// Failures in a row.
    pub failures: u32,
    /// Since when it fails; `None`: it does not.
    pub failing_since: Option<Timestamp>,
    /// The period before that in which it failed.
    pub failed: Option<FailedPeriod>,
    /// When it was last sent something, and its rest began.
    pub cooldown_from: Timestamp,
    /// Nothing is sent before: the pace, what the receiver asked for, or an open breaker.
    pub cooldown_until: Timestamp,
    /// When it last was certain that messages arrive.
    pub proven_at: Option<Timestamp>,
}

/// A period in which a receiver failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FailedPeriod {
    /// When the first attempt of the period failed.
    pub from: Timestamp,
    /// The first success after it.
    pub until: Timestamp,
}

impl Default for ChannelHealth {
    /// Nothing is known yet.
    fn default() -> Self {
        let (cooldown_from, cooldown_until) = (Timestamp::EPOCH, Timestamp::EPOCH);
        Self { failures: 0, failing_since: None, failed: None, cooldown_from, cooldown_until, proven_at: None }
    }
}

impl ChannelHealth {
    /// How the channel stands after an attempt that ended at `now`. What a receiver asks for concerns its channel, not only the
    /// delivery that it was asked of. From the third failure in a row on, the breaker is open: one attempt per ever longer wait.
    ///
    /// `draw`: see [`backoff::wait`].
    #[must_use]
    pub fn after(self, fared: Fared, pace: Duration, bounds: Bounds, draw: f64, now: Timestamp) -> Self {
        match fared {
            Fared::Well => Self {
                failures: 0,
                failing_since: None,
                failed: self.failing_since.map(|from| FailedPeriod { from, until: now }).or(self.failed),
                cooldown_from: now,
                cooldown_until: now.plus(pace),
                proven_at: self.proven_at,
            },
            Fared::Badly { asked } => {
                let failures = self.failures.saturating_add(1);
                let open = match failures.checked_sub(FAILURES_MAX) {
                    Some(in_a_row @ 1..) => backoff::wait(bounds, in_a_row, draw),
                    _ => Duration::ZERO,
                };
                Self {
                    failures,
                    failing_since: self.failing_since.or(Some(now)),
                    cooldown_from: now,
                    cooldown_until: now.plus(pace.max(asked).max(open)),
                    ..self
                }
            }
        }
    }

    /// Until when nothing may be sent, if that is later than now. A rest that has not begun yet was set by a clock that was ahead,
    /// and one that is longer than any may be is none.
    #[must_use]
    pub fn rest(&self, longest: Duration, now: Timestamp) -> Option<Timestamp> {
        let is_sane = self.cooldown_from <= now && self.cooldown_until <= now.plus(longest);
        (is_sane && self.cooldown_until > now).then_some(self.cooldown_until)
    }

    /// How the channel stands after a drill: as after any attempt, but a failed drill opens no breaker. What failed when nobody
    /// needed it must not keep the next alert waiting.
    #[must_use]
    pub fn after_drill(self, fared: Fared, pace: Duration, bounds: Bounds, draw: f64, now: Timestamp) -> Self {
        match fared {
            Fared::Badly { asked } if !self.is_open() => Self {
                failing_since: self.failing_since.or(Some(now)),
                cooldown_from: now,
                cooldown_until: now.plus(pace.max(asked)),
                ..self
            },
            _ => self.after(fared, pace, bounds, draw, now),
        }
    }

    /// Whether the breaker is open: the whole channel waits for its receiver.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.failures > FAILURES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_millis(500);
    const BOUNDS: Bounds =
        Bounds { first: Duration::from_secs(2), max: Duration::from_secs(7), give_up: Duration::from_hours(24) };

    #[test]
    fn a_channel_rests_as_its_receiver_asks_and_longer_the_longer_it_fails() {
        let mut health = ChannelHealth::default();
        let (good, failing) = (Fared::Well, |seconds| Fared::Badly { asked: Duration::from_secs(seconds) });
        let now = Timestamp::from_seconds(1_000_000);
        for (fared, halves, is_open) in [
            (failing(0), 1, false),
            (failing(0), 1, false),
            (failing(0), 2, true),
            (failing(0), 4, true),
            (failing(9), 18, true),
            (failing(0), 7, true),
            (failing(0), 7, true),
            (good, 1, false),
            (failing(30), 60, false),
            (good, 1, false),
            (failing(0), 1, false),
        ] {
            health = health.after(fared, PACE, BOUNDS, 0.5, now);
            assert_eq!(health.cooldown_until, now.plus(Duration::from_millis(500 * halves)), "{fared:?}");
            assert_eq!(health.is_open(), is_open, "{fared:?}");
        }
    }

    #[test]
    fn a_drill_that_fails_opens_no_breaker_and_one_that_arrives_closes_it() {
        let now = Timestamp::from_seconds(1_000_000);
        let failed = Fared::Badly { asked: Duration::from_secs(3) };
        let drilled = |health: ChannelHealth, fared| health.after_drill(fared, PACE, BOUNDS, 0.5, now);
        let mut health = ChannelHealth::default();
        for _ in 0..5 {
            health = drilled(health, failed);
            assert_eq!((health.failures, health.failing_since), (0, Some(now)));
            assert_eq!(health.cooldown_until, now.plus(Duration::from_secs(3)), "what the receiver asks for is kept");
        }
        let open = ChannelHealth { failures: 3, ..health };
        assert_eq!(drilled(open, failed), open.after(failed, PACE, BOUNDS, 0.5, now), "an open one is tried with it");
        assert_eq!(drilled(open, Fared::Well).failures, 0);
    }

    #[test]
    fn a_period_of_failure_begins_with_the_first_and_ends_with_the_next_success() {
        let at = Timestamp::from_seconds;
        let bad = Fared::Badly { asked: Duration::ZERO };
        let mut health = ChannelHealth::default();
        for (seconds, fared, failing_since, failed) in [
            (10, bad, Some(10), None),
            (20, bad, Some(10), None),
            (30, Fared::Well, None, Some((10, 30))),
            (40, Fared::Well, None, Some((10, 30))),
            (50, bad, Some(50), Some((10, 30))),
            (60, Fared::Well, None, Some((50, 60))),
        ] {
            health = health.after(fared, PACE, BOUNDS, 0.0, at(seconds));
            assert_eq!(health.failing_since, failing_since.map(at), "{seconds}");
            let period = failed.map(|(from, until)| FailedPeriod { from: at(from), until: at(until) });
            assert_eq!(health.failed, period, "{seconds}");
        }
    }
}
