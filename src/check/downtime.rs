//! When we ourselves were down: stopped, or suspended while running (SIGSTOP, a machine that was put to sleep).
//!
//! Whoever works looks at a clock that goes on through a suspension. A look that comes much later than the one before shows that
//! nobody looked in between. So the first visit after a suspension already knows of it, before anything is judged.
//!
//! A virtual machine whose host stops it without letting it see the time pass looks, once its clock is corrected, like one whose
//! clock was set ahead. That cannot be distinguished from within, and does not count as a suspension.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{clock::Clock, crash_point, domain::Timestamp, store::Downtime};

/// A shorter time in which nobody looked is a restart, or a machine that is busy.
pub const DOWNTIME_MIN: Duration = Duration::from_mins(5);

/// The periods in which we were down. Cheap to clone; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Downtimes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Ordered by their beginning.
    periods: Arc<[Downtime]>,
    /// Those that the store does not know.
    unrecorded: Vec<Downtime>,
    /// What both clocks showed at the last look.
    looked: Option<(Duration, Timestamp)>,
}

impl Downtimes {
    /// Those that the store knows.
    #[must_use]
    pub fn new(periods: Vec<Downtime>) -> Self {
        Self(Arc::new(Mutex::new(Known { periods: periods.into(), ..Known::default() })))
    }

    /// Looks at the clock, and gives the periods up to now.
    #[must_use]
    pub fn look(&self, clock: &Clock) -> Arc<[Downtime]> {
        let (uptime, now) = (clock.uptime(), clock.now());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.looked.replace((uptime, now));
        if let Some((was_up, was_at)) = before {
            let unattended = uptime.saturating_sub(was_up);
            if unattended >= crash_point::downtime_min(DOWNTIME_MIN) {
                // The clock may have been set back meanwhile.
                let downtime = Downtime { from: was_at.min(now.minus(unattended)), until: now };
                known.periods = known.periods.iter().copied().chain([downtime]).collect();
                known.unrecorded.push(downtime);
            }
        }
        known.periods.clone()
    }

    /// The periods that are still to be recorded and reported, oldest first.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<Downtime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unrecorded.clone()
    }

    /// Notes that a period was recorded.
    pub fn recorded(&self, downtime: Downtime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unrecorded.retain(|one| *one != downtime);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_is_known_at_the_first_look_after_it_and_recorded_once() {
        let start = Timestamp::from_seconds(1_000_000);
        let (clock, downtimes) = (Clock::manual(start), Downtimes::default());
        assert!(downtimes.look(&clock).is_empty());
        clock.advance(Duration::from_hours(3));
        assert!(downtimes.look(&clock).is_empty(), "time in which we ran");
        clock.suspend(Duration::from_mins(4));
        assert!(downtimes.look(&clock).is_empty(), "too short");
        let from = clock.now();
        clock.suspend(Duration::from_hours(2));
        let downtime = Downtime { from, until: clock.now() };
        assert_eq!(downtimes.look(&clock).as_ref(), [downtime]);
        assert_eq!(downtimes.look(&clock).as_ref(), [downtime]);
        assert_eq!(downtimes.unrecorded(), [downtime]);
        downtimes.recorded(downtime);
        assert_eq!((downtimes.unrecorded(), downtimes.look(&clock).len()), (Vec::new(), 1));
    }

    #[test]
    fn a_clock_set_ahead_is_not_a_suspension_and_one_set_back_does_not_hide_one() {
        let start = Timestamp::from_seconds(1_000_000);
        let (clock, downtimes) = (Clock::manual(start), Downtimes::default());
        assert!(downtimes.look(&clock).is_empty());
        clock.set(start.plus(Duration::from_hours(24 * 365)));
        assert!(downtimes.look(&clock).is_empty());
        clock.suspend(Duration::from_hours(2));
        clock.set(start);
        let period = downtimes.look(&clock)[0];
        assert_eq!((period.from, period.until), (start.minus(Duration::from_hours(2)), start));
    }
}
