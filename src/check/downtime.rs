//! When we ourselves were down: stopped, suspended while running (SIGSTOP, a machine that was put to sleep), or without a store to write to.
//!
//! Whoever works looks at a clock that goes on through a suspension. A look that comes much later than the one before shows that
//! nobody looked in between. So the first visit after a suspension already knows of it, before anything is judged.
//!
//! A virtual machine whose host stops it without letting it see the time pass looks, once its clock is corrected, like one whose
//! clock was set ahead. That cannot be distinguished from within, and does not count as a suspension.
//!
//! While the store can't be written to, nothing that we read counts. Time without it is known here as long as it goes on, so that the first
//! visit afterward knows of it; whether it was downtime depends on whether another replica could write meanwhile, which the store says.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// Those of them that were noticed here, whatever the store knows.
    noticed: Vec<Downtime>,
    /// Those that the store does not know.
    unrecorded: Vec<Downtime>,
    /// What both clocks showed when the store was last written to.
    written: Option<Look>,
    /// Whether it could not be written to since.
    is_failing: bool,
    /// What both clocks showed at the last look.
    looked: Option<Look>,
}

/// What the clock that goes on through a suspension shows, and what time it is.
type Look = (Duration, Timestamp);

impl Known {
    /// The time without a store that goes on.
    fn unwritten(&self, look: Look) -> Option<Downtime> {
        let (was_up, was_at) = self.written.filter(|_| self.is_failing)?;
        over_since(was_up, was_at, look)
    }
}

/// The time since then, if it is long enough.
fn over_since(was_up: Duration, was_at: Timestamp, (uptime, now): Look) -> Option<Downtime> {
    let passed = uptime.saturating_sub(was_up);
    // The clock may have been set back meanwhile.
    (passed >= minimum()).then(|| Downtime { from: was_at.min(now.minus(passed)), until: now })
}

/// How long it must be.
#[must_use]
pub fn minimum() -> Duration {
    crash_point::downtime_min(DOWNTIME_MIN)
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
        let look = (clock.uptime(), clock.now());
        let mut known = self.known();
        let before = known.looked.replace(look);
        if let Some(downtime) = before.and_then(|(was_up, was_at)| over_since(was_up, was_at, look)) {
            known.periods = known.periods.iter().copied().chain([downtime]).collect();
            known.noticed.push(downtime);
            known.unrecorded.push(downtime);
        }
        match known.unwritten(look) {
            Some(goes_on) => known.periods.iter().copied().chain([goes_on]).collect(),
            None => known.periods.clone(),
        }
    }

    /// Notes that the store could not be written to.
    pub fn store_failed(&self, clock: &Clock) {
        let mut known = self.known();
        // What was never written to has been failing since now.
        known.written.get_or_insert((clock.uptime(), clock.now()));
        known.is_failing = true;
    }

    /// Notes that the store was written to.
    pub fn store_written(&self, clock: &Clock) {
        let mut known = self.known();
        (known.written, known.is_failing) = (Some((clock.uptime(), clock.now())), false);
    }

    /// The time for which the store could not be written to from here, if that goes on and is long enough.
    #[must_use]
    pub fn unwritten(&self, clock: &Clock) -> Option<Downtime> {
        self.known().unwritten((clock.uptime(), clock.now()))
    }

    /// Takes what the store knows by now: other replicas record downtime, too.
    pub fn stored(&self, periods: Vec<Downtime>) {
        let mut known = self.known();
        let mut all: Vec<Downtime> = periods.into_iter().chain(known.noticed.iter().copied()).collect();
        all.sort_unstable_by_key(|downtime| (downtime.from, downtime.until));
        all.dedup();
        known.periods = all.into();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The periods that are still to be recorded and reported, oldest first.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<Downtime> {
        self.known().unrecorded.clone()
    }

    /// Notes that a period was recorded.
    pub fn recorded(&self, downtime: Downtime) {
        self.known().unrecorded.retain(|one| *one != downtime);
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
    fn time_without_a_store_counts_from_the_last_write_while_it_goes_on() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000_000));
        let downtimes = Downtimes::default();
        // On both clocks; a look in between would show minutes in which nobody looked as a suspension.
        let pass = |minutes| clock.suspend(Duration::from_mins(minutes));
        downtimes.store_written(&clock);
        let from = clock.now();
        pass(10);
        assert_eq!(downtimes.unwritten(&clock), None, "nobody has tried to write");
        downtimes.store_failed(&clock);
        let goes_on = Downtime { from, until: clock.now() };
        assert_eq!((downtimes.look(&clock).as_ref(), downtimes.unwritten(&clock)), (&[goes_on][..], Some(goes_on)));
        pass(1);
        assert_eq!(downtimes.look(&clock).as_ref(), [Downtime { until: clock.now(), ..goes_on }]);
        downtimes.store_written(&clock);
        assert!(downtimes.look(&clock).is_empty(), "the store says whether another replica wrote meanwhile");
        pass(4);
        downtimes.store_failed(&clock);
        assert!(downtimes.look(&clock).is_empty(), "too short");
        assert!(downtimes.unrecorded().is_empty());
    }

    #[test]
    fn downtime_that_another_replica_recorded_counts_beside_our_own() {
        let at = Timestamp::from_seconds;
        let clock = Clock::manual(at(1_000_000));
        let of = |from, until| Downtime { from: at(from), until: at(until) };
        let downtimes = Downtimes::new(vec![of(1, 500)]);
        assert_eq!(downtimes.look(&clock).as_ref(), [of(1, 500)]);
        clock.suspend(Duration::from_hours(1));
        let own = of(1_000_000, 1_003_600);
        assert_eq!(downtimes.look(&clock).as_ref(), [of(1, 500), own]);
        // The oldest is older than what is kept; the other replica recorded one while we were suspended, and one before.
        downtimes.stored(vec![of(900_000, 900_600), own, of(1_001_000, 1_002_000)]);
        assert_eq!(downtimes.look(&clock).as_ref(), [of(900_000, 900_600), own, of(1_001_000, 1_002_000)]);
        downtimes.stored(vec![]);
        assert_eq!((downtimes.look(&clock).as_ref(), downtimes.unrecorded()), (&[own][..], vec![own]));
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
