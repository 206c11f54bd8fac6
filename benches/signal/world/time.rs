//! Periods in which nothing is sent, and periods in which nothing is read.

use std::time::Duration;

use scorewatch::domain::Timestamp;

use super::{DAY, START, at};

/// How long a maintenance window lasts.
pub const WINDOW: Duration = Duration::from_hours(4);

/// A period in which nothing was read, from and until.
pub type Gap = (Timestamp, Timestamp);

/// The maintenance window that contains that time, from and until: every Saturday from 22:00 to 02:00.
pub fn window_around(time: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let week = (time.as_seconds() - START.as_seconds()).div_euclid(7 * DAY);
    let from = at(week * 7 * DAY + 5 * DAY + 22 * 3600);
    let until = from.plus(WINDOW);
    (from <= time && time < until).then_some((from, until))
}

/// The first time at or after the given one that is not in a gap; gaps may overlap.
pub fn after_gaps(gaps: &[Gap], time: Timestamp) -> Timestamp {
    let over = gaps.iter().filter(|(from, until)| *from <= time && time < *until).map(|(_, until)| *until).max();
    over.map_or(time, |until| after_gaps(gaps, until))
}

/// The last time at or before the given one that is not in a gap.
pub fn before_gaps(gaps: &[Gap], time: Timestamp) -> Timestamp {
    let from = gaps.iter().filter(|(from, until)| *from < time && time <= *until).map(|(from, _)| *from).min();
    from.map_or(time, |from| before_gaps(gaps, from))
}
