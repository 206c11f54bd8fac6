//! When a channel must be left alone: its receiver asked for time, or has failed several times in a row.

use std::time::Duration;

use crate::notify::backoff::{self, Bounds};

/// A receiver may stumble this often in a row before its whole channel waits, and not only what it stumbled over.
const FAILURES_MAX: u32 = 2;

/// What an attempt says about its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It answered as it should, be it by a refusal.
    Good,
    /// It did not, and asked for that much time.
    Failing {
        /// Zero: it asked for none.
        asked: Duration,
    },
}

/// How a channel's receiver fared lately.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
}

impl Breaker {
    /// How long the channel is left alone after an attempt, apart from its pace. What the receiver asks for concerns the channel,
    /// not only the delivery that it was asked of. `draw`: see [`backoff::wait`].
    pub(super) fn after(&mut self, standing: Standing, bounds: Bounds, draw: f64) -> Duration {
        let Standing::Failing { asked } = standing else {
            self.failures = 0;
            return Duration::ZERO;
        };
        self.failures = self.failures.saturating_add(1);
        match self.failures.checked_sub(FAILURES_MAX) {
            Some(in_a_row @ 1..) => asked.max(backoff::wait(bounds, in_a_row, draw)),
            _ => asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds =
        Bounds { first: Duration::from_secs(2), max: Duration::from_secs(7), give_up: Duration::from_hours(24) };

    #[test]
    fn a_channel_waits_as_its_receiver_asks_and_longer_the_longer_it_fails() {
        let mut breaker = Breaker::default();
        let (good, failing) = (Standing::Good, |seconds| Standing::Failing { asked: Duration::from_secs(seconds) });
        for (standing, halves) in [
            (failing(0), 0),
            (failing(0), 0),
            (failing(0), 2),
            (failing(0), 4),
            (failing(9), 18),
            (failing(0), 7),
            (failing(0), 7),
            (good, 0),
            (failing(30), 60),
            (good, 0),
            (failing(0), 0),
        ] {
            assert_eq!(breaker.after(standing, BOUNDS, 0.5), Duration::from_millis(500 * halves), "{standing:?}");
        }
    }
}
