//! Cron with seconds in a time zone.

use std::time::Duration;

use crate::domain::Timestamp;

/// A cron expression (six fields, seconds first) in an IANA time zone. It has a next tick: that was tried when it was read.
#[derive(Debug, Clone)]
pub struct Schedule {}

impl Schedule {
    /// Reads an expression and a zone.
    ///
    /// # Errors
    /// One sentence that says what is wrong and what to write.
    pub fn parse(_expression: &str, _zone: chrono_tz::Tz) -> Result<Self, String> {
        unimplemented!()
    }

    /// The first tick after `after`; `None` when there is none within the next years.
    #[must_use]
    pub fn next_tick(&self, _after: Timestamp) -> Option<Timestamp> {
        unimplemented!()
    }

    /// The first instant after `after` at which a tenant with that phase is due: a tick plus the phase.
    #[must_use]
    pub fn next_due(&self, after: Timestamp, phase: Duration) -> Option<Timestamp> {
        self.next_tick(after.minus(phase)).map(|tick| tick.plus(phase))
    }

    /// The gap between the tick at or before `at` and the one after it: how far apart two polls are around `at`.
    #[must_use]
    pub fn interval_at(&self, _at: Timestamp) -> Duration {
        unimplemented!()
    }
}
