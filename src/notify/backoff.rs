//! How long to wait before the next attempt.
//!
//! Full jitter: a wait is drawn evenly between nothing and a bound that doubles with each attempt, so that many deliveries
//! that failed together do not come back together.

use std::time::Duration;

use crate::domain::Timestamp;

/// Bounds of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The first wait's upper bound; doubled with each further attempt.
    pub first: Duration,
    /// No bound is longer.
    pub max: Duration,
    /// A delivery that would be older than this at its next attempt is given up.
    pub give_up: Duration,
}

/// When to try again after `attempts` attempts have failed, the last of them at `now`; `None`: give up.
///
/// `draw` is a random number; only its part in `0.0..1.0` counts, and anything else is taken as 0. `asked` is what the receiver asked for: the next attempt is
/// never earlier, even beyond `max`.
///
/// ```
/// use std::time::Duration;
/// use scorewatch::{domain::Timestamp, notify::backoff::{Bounds, next_attempt}};
///
/// let bounds =
///     Bounds { first: Duration::from_secs(2), max: Duration::from_mins(15), give_up: Duration::from_hours(24) };
/// let (queued_at, now) = (Timestamp::EPOCH, Timestamp::from_seconds(10));
/// // The third try comes within eight seconds; half of them were drawn.
/// assert_eq!(next_attempt(bounds, 3, 0.5, None, queued_at, now), Some(Timestamp::from_seconds(14)));
/// let day_later = Timestamp::from_seconds(86_400);
/// assert_eq!(next_attempt(bounds, 9, 0.5, None, queued_at, day_later), None, "it is given up");
/// ```
#[must_use]
pub fn next_attempt(
    bounds: Bounds,
    attempts: u32,
    draw: f64,
    asked: Option<Duration>,
    queued_at: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let next = now.plus(wait(bounds, attempts, draw).max(asked.unwrap_or_default()));
    (next <= queued_at.plus(bounds.give_up)).then_some(next)
}

/// A wait after `attempts` failed attempts: `draw` of `min(first · 2^(attempts − 1), max)`.
#[must_use]
pub fn wait(bounds: Bounds, attempts: u32, draw: f64) -> Duration {
    let doublings = attempts.saturating_sub(1);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    let bound = bounds.first.saturating_mul(factor).min(bounds.max);
    let share = if (0.0..1.0).contains(&draw) { draw } else { 0.0 };
    bound.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds =
        Bounds { first: Duration::from_secs(2), max: Duration::from_mins(15), give_up: Duration::from_hours(24) };

    #[test]
    fn the_bound_doubles_up_to_the_most() {
        for (attempts, bound_seconds) in
            [(0, 2), (1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (32, 900), (33, 900), (u32::MAX, 900)]
        {
            let half = wait(BOUNDS, attempts, 0.5);
            assert_eq!(half, Duration::from_secs(bound_seconds) / 2, "{attempts}");
            assert_eq!(wait(BOUNDS, attempts, 0.0), Duration::ZERO);
        }
        assert_eq!(wait(BOUNDS, 3, f64::NAN), Duration::ZERO);
    }

    #[test]
    fn a_delivery_is_given_up_once_its_next_attempt_would_be_too_late() {
        let queued = Timestamp::from_seconds(1_000_000);
        let late = queued.plus(BOUNDS.give_up);
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(next_attempt(BOUNDS, 1, 0.0, None, queued, late), Some(late));
        assert_eq!(next_attempt(BOUNDS, 1, 0.0, asked(1), queued, late), None);
        assert_eq!(
            next_attempt(BOUNDS, 1, 0.0, asked(3_600), queued, queued),
            Some(queued.plus(Duration::from_hours(1)))
        );
    }

    proptest! {
        #[test]
        fn no_attempt_is_earlier_than_asked_nor_later_than_its_bound(
            attempts in 0_u32..100, draw in 0.0..1.0_f64, asked in proptest::option::of(0_u64..7_200), age in 0_u64..90_000,
        ) {
            let queued = Timestamp::from_seconds(1_000_000);
            let now = queued.plus(Duration::from_secs(age));
            let asked = asked.map(Duration::from_secs);
            if let Some(next) = next_attempt(BOUNDS, attempts, draw, asked, queued, now) {
                prop_assert!(next.since(now) >= asked.unwrap_or_default());
                prop_assert!(next.since(now) <= BOUNDS.max.max(asked.unwrap_or_default()));
                prop_assert!(next.since(queued) <= BOUNDS.give_up);
            } else {
                prop_assert!(age + BOUNDS.max.max(asked.unwrap_or_default()).as_secs() >= BOUNDS.give_up.as_secs());
            }
        }
    }
}
