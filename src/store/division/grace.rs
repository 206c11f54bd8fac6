//! From when on a replica that is not heard of is taken for gone. Pure; times are those of the database's clock, in microseconds.

use std::time::Duration;

use super::Timing;

/// What a replica that looks at the others' leases knows of itself.
///
/// A lease that has run out shows that its holder is gone only if the database could be reached meanwhile. Whoever could not reach it
/// itself, or has only just started, does not know that: the others may have been cut off as well, and are about to renew. So it gives
/// them the time of one more lease.
#[derive(Debug)]
pub(in crate::store) struct Grace {
    timing: Timing,
    /// When it last looked; `None`: it has just started.
    looked_at: Option<i64>,
    /// Leases that ran out after this time count as good until `until`.
    since: i64,
    until: i64,
}

impl Grace {
    /// That of a replica that starts.
    pub(in crate::store) const fn new(timing: Timing) -> Self {
        Self { timing, looked_at: None, since: 0, until: 0 }
    }

    /// Notes that it looks. Returns the time by which a lease must have run out for its holder to be taken for gone.
    pub(in crate::store) fn look(&mut self, now: i64) -> i64 {
        let lease = micros(self.timing.lease);
        match self.looked_at {
            None => (self.since, self.until) = (0, now + lease),
            Some(before) if now - before <= micros(self.timing.gap()) => {}
            // The others did not have their time either meanwhile: it goes on for as long as the gap was, and so ends even if there is
            // one gap after the other.
            Some(before) if before < self.until => self.until += now - before,
            Some(before) => (self.since, self.until) = (before, now + lease),
        }
        self.looked_at = Some(now);
        // A clock that was set back makes nobody wait any longer.
        self.until = if now < self.until { self.until.min(now + lease) } else { 0 };
        if now < self.until { self.since.min(now) } else { now }
    }

    /// Whether the others are given time, as of the last look.
    pub(in crate::store) fn is_given(&self) -> bool {
        self.looked_at.is_some_and(|at| at < self.until)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at these seconds, one after the other; whose lease is taken for gone then, each with the second by which it had to run out.
    fn looks(seconds: &[i64]) -> Vec<(i64, i64)> {
        let mut grace = Grace::new(Timing::USUAL);
        seconds.iter().map(|at| (*at, grace.look(at * 1_000_000) / 1_000_000)).collect()
    }

    fn last(seconds: impl IntoIterator<Item = i64>) -> i64 {
        looks(&seconds.into_iter().collect::<Vec<_>>()).pop().unwrap().1
    }

    #[test]
    fn whoever_looks_all_the_time_takes_a_lease_at_its_word() {
        assert_eq!(last(1_000..1_016), 1_015);
        // Not every look succeeds.
        assert_eq!(last((1_000..1_100).step_by(4)), 1_096);
    }

    #[test]
    fn whoever_starts_gives_everybody_the_time_of_a_lease() {
        assert_eq!(last(1_000..1_015), 0);
    }

    #[test]
    fn what_ran_out_in_a_gap_may_still_be_renewed_and_what_ran_out_before_is_gone() {
        let before = || 1_000..1_050;
        assert_eq!(last(before().chain([1_070])), 1_049);
        assert_eq!(last(before().chain(1_070..1_085)), 1_049);
        assert_eq!(last(before().chain(1_070..1_086)), 1_085);
        // Another gap before the others had their time.
        assert_eq!(last(before().chain([1_070, 1_080, 1_084, 1_088, 1_092])), 1_049);
        assert_eq!(last(before().chain([1_070, 1_080, 1_084, 1_088, 1_092, 1_095])), 1_095);
        // One that outlasts what was left of their time.
        assert_eq!(last(before().chain([1_070, 1_086])), 1_049);
        assert_eq!(last(before().chain([1_070]).chain(1_086..1_101)), 1_049);
        assert_eq!(last(before().chain([1_070]).chain(1_086..1_102)), 1_101);
    }

    #[test]
    fn whoever_can_not_reach_the_database_again_and_again_takes_over_all_the_same() {
        // Half of the time it can't.
        let flapping = (1_050..1_150).filter(|second| second % 20 < 10);
        assert_eq!(last((1_000..1_050).chain([1_070]).chain(flapping.filter(|second| *second > 1_070))), 1_149);
    }

    #[test]
    fn a_clock_that_is_set_takes_nothing_from_anybody() {
        // Forward: all leases seem to run out at the same time.
        assert_eq!(last((1_000..1_050).chain([1_650])), 1_049);
        // Back: nobody is gone whose lease is good, and grace does not last for longer.
        assert_eq!(last((1_000..1_050).chain([1_650, 1_051])), 1_049);
        assert_eq!(last((1_000..1_050).chain([1_650]).chain(1_051..1_067)), 1_066);
        assert_eq!(last((1_000..1_050).chain([400])), 400);
    }
}
