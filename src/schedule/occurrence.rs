//! When a zone's clock shows the times of a cron expression.
//!
//! Cron knows nothing of zones here: it names times as clocks show them. Between two changes of a clock every such time is
//! one instant; what is left out or comes twice at a change is decided by [`Reading`].

use croner::Cron;
use jiff::civil::DateTime;

use super::zone::{SECONDS_MAX, Stretch, Zone, date_time, seconds_of};

const DAY: i64 = 24 * 3600;

/// What holds where a clock is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Whether a time that is left out counts as the instant at which it is left out.
    pub(super) left_out: LeftOut,
    /// Whether a time that comes twice counts twice.
    pub(super) again: bool,
}

/// Whether a time that clocks leave out counts as the instant at which it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    Dropped,
    /// Unless no time of its day is ever shown: a day that does not exist has no morning.
    KeptInItsDay,
    Kept,
}

/// An instant at which a clock shows a time that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// The instant in Unix time, in seconds.
    pub(super) second: i64,
    /// The time as written, in seconds on that clock; where it is left out, the clock shows a later one.
    pub(super) shown: i64,
}

/// The first time at or after that one, on any clock.
pub(super) fn shown_from(cron: &Cron, shown: i64) -> Option<i64> {
    cron.find_next_occurrence::<DateTime>(&date_time(shown)?, true).ok().and_then(seconds_of)
}

/// The last time before that one, on any clock.
fn shown_before(cron: &Cron, shown: i64) -> Option<i64> {
    cron.find_previous_occurrence::<DateTime>(&date_time(shown - 1)?, true).ok().and_then(seconds_of)
}

/// The first occurrence at or after `from`, in Unix time; `None`: there is none within the range of time.
pub(super) fn first_from(cron: &Cron, zone: &Zone, from: i64, reading: Reading) -> Option<Occurrence> {
    let mut from = from;
    // The search is the cost: what was found for an earlier time is the answer for all up to it.
    let mut known: Option<(i64, i64)> = None;
    loop {
        let stretch = zone.stretch_at(from);
        if from == stretch.begin
            && let Some(shown) = left_out(cron, &stretch, reading.left_out)
        {
            return Some(Occurrence { second: from, shown });
        }
        let mut lowest = stretch.shown_at(from);
        if !reading.again {
            lowest = lowest.max(stretch.unchanged);
        }
        let shown = match known {
            Some((asked, found)) if (asked..=found).contains(&lowest) => found,
            _ => shown_from(cron, lowest)?,
        };
        known = Some((lowest, shown));
        let second = stretch.second_of(shown);
        if second < stretch.end {
            return Some(Occurrence { second, shown });
        }
        if stretch.end >= SECONDS_MAX {
            return None;
        }
        from = stretch.end;
    }
}

/// The last occurrence before `until`, in Unix time; `None`: there is none within the range of time.
pub(super) fn last_before(cron: &Cron, zone: &Zone, until: i64, reading: Reading) -> Option<Occurrence> {
    let mut until = until;
    let mut known: Option<(i64, Option<i64>)> = None;
    loop {
        let stretch = zone.stretch_at(until - 1);
        let highest = stretch.shown_at(until);
        let shown = match known {
            Some((asked, found)) if highest <= asked && found.is_none_or(|found| found < highest) => found,
            _ => shown_before(cron, highest),
        };
        known = Some((highest, shown));
        let first = stretch.shown_at(stretch.begin);
        let lowest = if reading.again { first } else { first.max(stretch.unchanged) };
        if let Some(shown) = shown.filter(|shown| *shown >= lowest) {
            return Some(Occurrence { second: stretch.second_of(shown), shown });
        }
        if let Some(shown) = left_out(cron, &stretch, reading.left_out) {
            return Some(Occurrence { second: stretch.begin, shown });
        }
        if stretch.begin <= -SECONDS_MAX {
            return None;
        }
        until = stretch.begin;
    }
}

/// The last time that is left out where this stretch begins, if it counts.
fn left_out(cron: &Cron, stretch: &Stretch, reading: LeftOut) -> Option<i64> {
    let (first, after) = (stretch.unchanged, stretch.shown_at(stretch.begin));
    if first >= after || reading == LeftOut::Dropped {
        return None;
    }
    let mut until = after;
    loop {
        let shown = shown_before(cron, until).filter(|shown| *shown >= first)?;
        let midnight = shown - shown.rem_euclid(DAY);
        let lacks_its_day = first <= midnight && midnight + DAY <= after;
        if reading == LeftOut::Kept || !lacks_its_day {
            return Some(shown);
        }
        until = midnight;
    }
}
