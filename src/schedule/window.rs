//! A time that comes round: from each tick of one schedule, for a while or until the next tick of another.

use std::time::Duration;

use super::Schedule;
use crate::domain::Timestamp;

/// When a window that comes round is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowEnd {
    /// That much later: six hours are six hours, also when clocks change in between.
    After(Duration),
    /// At the next tick of this schedule, by the clock as it is shown.
    At(Schedule),
}

/// A window that comes round. Where it begins again before it is over, it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    from: Schedule,
    end: WindowEnd,
}

impl Window {
    /// A window from each tick of `from`.
    #[must_use]
    pub const fn new(from: Schedule, end: WindowEnd) -> Self {
        Self { from, end }
    }

    /// When it begins for the first time in our reckoning; `None`: never.
    #[must_use]
    pub fn first_begin(&self) -> Option<Timestamp> {
        self.from.next_tick(Timestamp::EPOCH)
    }

    /// When the occurrence ends that covers `now`; at that instant it covers nothing any more. `None`: none covers it. Where
    /// occurrences overlap, it is the end of one of them: ask again there.
    #[must_use]
    pub fn covers(&self, now: Timestamp) -> Option<Timestamp> {
        let end = match &self.end {
            WindowEnd::After(length) => {
                self.from.next_tick(now.minus(*length)).filter(|begin| *begin <= now)?.plus(*length)
            }
            // The latest beginning will do: what covers from an earlier one has no end between the two.
            WindowEnd::At(until) => until.next_tick(self.from.last_tick(now)?)?,
        };
        (end > now).then_some(end)
    }
}

#[cfg(test)]
mod tests;
