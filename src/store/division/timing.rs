//! For how long a lease is good, and how long before its end its holder stops.

use std::time::Duration;

/// The times of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Timing {
    /// For how long a replica that is not heard of keeps its shards, on the database's clock.
    pub(in crate::store) lease: Duration,
}

impl Timing {
    /// The times of a running service: a lease of 15 seconds.
    pub(in crate::store) const USUAL: Self = Self { lease: Duration::from_secs(15) };

    /// How often the lease is renewed.
    pub(in crate::store) fn renewed_every(self) -> Duration {
        self.lease / 3
    }

    /// For how long a renewal that was asked for now lets its holder work: it stops a fifth of the lease before its end, so that clocks
    /// that run at different speeds and a process that is slow to notice do no harm.
    pub(in crate::store) fn good_for(self) -> Duration {
        self.lease / 5 * 4
    }

    /// How long the database may take to answer the keeper: there is time for a second try.
    pub(in crate::store) fn answered_within(self) -> Duration {
        self.lease / 5
    }

    /// How often the keeper looks whether shards are free, and whether other replicas are to have some. What a replica that leaves gives
    /// up waits that long for its next owner, and a look is two small queries.
    pub(in crate::store) fn looks_every(self) -> Duration {
        Duration::from_millis(500).min(self.lease / 30)
    }

    /// After how long without a look the keeper does not know whether others could reach the database: one look may fail for lack of an
    /// answer, and the next one takes a moment to connect.
    pub(in crate::store) fn gap(self) -> Duration {
        self.answered_within() + self.lease / 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_stops_before_its_lease_ends_and_has_two_tries_to_renew_it() {
        for lease in [Timing::USUAL.lease, Duration::from_secs(3), Duration::from_mins(1)] {
            let timing = Timing { lease };
            assert!(timing.good_for() < timing.lease);
            let second_try = timing.renewed_every() + timing.answered_within() + timing.looks_every();
            assert!(second_try + timing.answered_within() <= timing.good_for(), "{lease:?}");
        }
        assert_eq!(Timing::USUAL.renewed_every(), Duration::from_secs(5));
        assert_eq!(Timing::USUAL.good_for(), Duration::from_secs(12));
        assert_eq!(Timing::USUAL.looks_every(), Duration::from_millis(500));
        assert_eq!(Timing::USUAL.gap(), Duration::from_millis(5_500));
        // Whoever was cut off for less than a gap has had the time to renew, even if it notices late that it can.
        let noticed_within = Timing::USUAL.answered_within() + Timing::USUAL.looks_every();
        assert!(Timing::USUAL.renewed_every() + Timing::USUAL.gap() + noticed_within < Timing::USUAL.lease);
    }
}
