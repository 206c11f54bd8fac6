//! A time that comes round: from each time that one schedule names, for a while or until the next time that another names.
//!
//! A window with an `until` lasts as long as its zone's clock shows a time from `from` up to `until`. Its end belongs to its
//! beginning as they are written, before any zone is asked: `0 0 2 * * SUN` until `0 0 3 * * SUN` is an hour on every Sunday's
//! clock. So where clocks are changed, a window is never longer than what is written, except for the time that clocks show twice:
//!
//! - A beginning or an end that is left out is the instant at which it is left out. A window both of whose ends are left out is
//!   empty that day.
//! - A window begins when its first time is shown first, and ends when its last time is shown first after that. If `from` names
//!   several times a day, a time that is shown twice begins it twice, as a schedule ticks twice.
//!
//! A window with a length begins in the same way, and lasts that long by real time.

use std::time::Duration;

use super::{
    Schedule,
    cron::instant,
    occurrence::{LeftOut, Reading},
};
use crate::domain::Timestamp;

/// When a window that comes round is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowEnd {
    /// That much later: six hours are six hours, also when clocks change in between.
    After(Duration),
    /// When the clock by which the window begins shows the next time that this schedule names; the schedule's own zone does
    /// not count.
    At(Schedule),
}

/// A window that comes round. Where it begins again before it is over, it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    from: Schedule,
    end: WindowEnd,
}

impl Window {
    /// A window from each time that `from` names.
    #[must_use]
    pub const fn new(from: Schedule, end: WindowEnd) -> Self {
        Self { from, end }
    }

    /// When it begins for the first time in our reckoning; `None`: never.
    #[must_use]
    pub fn first_begin(&self) -> Option<Timestamp> {
        self.from.first_from(1, self.beginnings(self.from.shows_twice())).and_then(|begin| instant(begin.second))
    }

    /// When it begins next after `now`, and when that occurrence ends; `None`: never again.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let reading = self.beginnings(self.from.shows_twice());
        let begin = self.from.first_from(now.as_seconds() + 1, reading).and_then(|begin| instant(begin.second))?;
        Some((begin, self.covers(begin).unwrap_or(begin)))
    }

    /// The schedule by which it begins.
    #[must_use]
    pub const fn from(&self) -> &Schedule {
        &self.from
    }

    /// When the occurrence ends that covers `now`; at that instant it covers nothing any more. `None`: none covers it. Where
    /// occurrences overlap, it is the end of one of them: ask again there.
    #[must_use]
    pub fn covers(&self, now: Timestamp) -> Option<Timestamp> {
        let end = match &self.end {
            WindowEnd::After(length) => {
                let reading = self.beginnings(self.from.shows_twice());
                let begin = self
                    .from
                    .first_from(now.minus(*length).as_seconds() + 1, reading)
                    .and_then(|begin| instant(begin.second));
                begin.filter(|begin| *begin <= now).map(|begin| begin.plus(*length))
            }
            // A beginning that is shown for the second time may have a nearer end than one that was shown once, later on the clock.
            WindowEnd::At(until) => {
                let end = |again| self.end_of_last(until, now, self.beginnings(again));
                if self.from.shows_twice() { end(true).max(end(false)) } else { end(false) }
            }
        };
        end.filter(|end| *end > now)
    }

    /// When the occurrence ends, or ended, that began last. The last will do: what covers from an earlier one has no end in between.
    fn end_of_last(&self, until: &Schedule, now: Timestamp, reading: Reading) -> Option<Timestamp> {
        let begin = self.from.last_before(now.as_seconds() + 1, reading)?;
        let end = self.from.zone().reaches(until.shown_after(begin.shown)?, begin.second)?;
        Some(Timestamp::from_seconds(end))
    }

    fn beginnings(&self, again: bool) -> Reading {
        let left_out = match self.end {
            // On a day that does not exist nothing begins that has an end of its own.
            WindowEnd::After(_) => LeftOut::KeptInItsDay,
            WindowEnd::At(_) => LeftOut::Kept,
        };
        Reading { left_out, again }
    }
}

#[cfg(test)]
mod tests;
