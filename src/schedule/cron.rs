//! Cron with seconds in a time zone.
//!
//! Six fields: second, minute, hour, day of month, month, day of week. When both days are given, either will do, as in
//! crontab(5); `+` before the day of week asks for both: `0 0 8 13 * +FRI` is 08:00 on every Friday the 13th.
//!
//! Where clocks change, a schedule with one second, one minute and one hour keeps one run a day: a time that is left out
//! runs at the first instant after the gap, a time that comes twice runs the first time. Only a day that is left out as a
//! whole has no run. Any other schedule follows the clock as it is shown: what is left out does not run, what comes twice
//! runs twice, and so `0 */15 * * * *` runs every 15 real minutes throughout.

mod asked;

use std::{fmt, sync::Arc, time::Duration};

use croner::{
    Cron, JobType,
    parser::{CronParser, Seconds, Year},
};

use self::asked::Asked;
use super::{
    Zone, cause,
    occurrence::{self, LeftOut, Occurrence, Reading},
};
use crate::domain::{Complaint, Timestamp};

/// How far the gaps between ticks are examined: a whole week, and what leads into the next.
const GAPS_WITHIN: Duration = Duration::from_hours(8 * 24);
/// Most ticks that are examined for it.
const GAP_TICKS_MAX: usize = 1_500;

/// A cron expression (six fields, seconds first) in an IANA time zone. It has a next tick: that was tried when it was read.
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Arc<Definition>);

#[derive(PartialEq, Eq)]
struct Definition {
    expression: String,
    zone: Zone,
    cron: Cron,
    /// Whether it has one second, one minute and one hour.
    is_daily: bool,
    asked: Asked,
}

/// As it is written: configurations are compared by it, and what it was asked changes nothing.
impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schedule").field(&self.expression).field(&self.zone).finish()
    }
}

/// The times between two ticks of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// The shortest time between two ticks.
    pub shortest: Duration,
    /// The longest time between two ticks.
    pub longest: Duration,
}

impl Gaps {
    /// Whether it pauses: at night, at weekends.
    #[must_use]
    pub fn pauses(&self) -> bool {
        self.longest > self.shortest * 2
    }
}

impl Schedule {
    /// Reads an expression and a zone.
    ///
    /// # Errors
    /// A [`Complaint`] about the expression.
    ///
    /// ```
    /// use scorewatch::{domain::Timestamp, schedule::{Schedule, Zone}};
    ///
    /// let berlin = Zone::built_in("Europe/Berlin").unwrap();
    /// let daily = Schedule::parse("0 0 8 * * *", berlin).unwrap();
    /// let at = |text| Timestamp::parse(text).unwrap();
    /// // The clocks go forward on 28 March 2027.
    /// assert_eq!(daily.next_tick(at("2027-03-27T12:00:00Z")), Some(at("2027-03-28T06:00:00Z")));
    /// assert!(Schedule::parse("*/15 * * * *", Zone::utc()).is_err(), "the first field is seconds");
    /// ```
    pub fn parse(expression: &str, zone: Zone) -> Result<Self, Complaint> {
        let expression = expression.trim();
        cause::check_shape(expression)?;
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|_| cause::of(expression, |other| parser.parse(other).is_ok()))?;
        // Calendars repeat: what comes round after the epoch comes round after every instant.
        if occurrence::shown_from(&cron, 0).is_none() {
            return Err(Complaint::new(
                format!("`{expression}` never occurs"),
                "write days that exist, like `0 0 8 1 * *`",
            ));
        }
        let is_daily = cron.determine_job_type() == JobType::FixedTime;
        Ok(Self(Arc::new(Definition {
            expression: expression.to_owned(),
            zone,
            cron,
            is_daily,
            asked: Asked::default(),
        })))
    }

    /// The expression as written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The time zone whose clock the expression speaks of.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.0.zone
    }

    /// The first tick after `after`; `None` only where the range of [`Timestamp`] ends.
    #[must_use]
    pub fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        // Ticks are whole seconds: one after the second that `after` lies in is one after `after`.
        let from = after.as_seconds() + 1;
        let tick = self.0.asked.first_from(from, || Some(self.first_from(from, self.ticks())?.second))?;
        instant(tick)
    }

    /// The first instant after `after` at which a tenant with that phase is due: a tick plus the phase.
    #[must_use]
    pub fn next_due(&self, after: Timestamp, phase: Duration) -> Option<Timestamp> {
        self.next_tick(after.minus(phase)).map(|tick| tick.plus(phase))
    }

    /// The gap between the tick at or before `at` and the one after it: how far apart two polls are around `at`.
    #[must_use]
    pub fn interval_at(&self, at: Timestamp) -> Duration {
        let Some(next) = self.next_tick(at) else { return Duration::ZERO };
        self.last_tick(at).map_or(Duration::ZERO, |last| next.since(last))
    }

    /// The most ticks in any minute and in any hour, counted up to `at_most`.
    ///
    /// The seconds and minutes of an expression are the same in every hour that it takes, so the first such hour
    /// represents all.
    #[must_use]
    pub fn busiest(&self, at_most: usize) -> (usize, usize) {
        // A midnight at which no clock is changed anywhere: hours begin with it.
        let midnight = self.0.zone.instant_of(jiff::civil::date(2001, 1, 1).at(0, 0, 0, 0));
        let before = midnight.unwrap_or(Timestamp::EPOCH).minus(Duration::from_secs(1));
        let ticks = std::iter::successors(self.next_tick(before), |tick| self.next_tick(*tick)).take(at_most);
        let (mut first, mut minute, mut hour) = (None, 0, 0);
        for tick in ticks {
            let age = tick.since(*first.get_or_insert(tick));
            if age >= Duration::from_hours(1) {
                break;
            }
            minute += usize::from(age < Duration::from_mins(1));
            hour += 1;
        }
        (minute, hour)
    }

    /// The times between its ticks in a week in which no clock is changed; `None`: it has a single tick.
    #[must_use]
    pub fn gaps(&self) -> Option<Gaps> {
        // A Monday.
        let midnight = self.0.zone.instant_of(jiff::civil::date(2001, 1, 1).at(0, 0, 0, 0));
        let begin = midnight.unwrap_or(Timestamp::EPOCH).minus(Duration::from_secs(1));
        let first = self.next_tick(begin)?;
        let mut last = first;
        let mut gaps: Option<Gaps> = None;
        for _ in 0..GAP_TICKS_MAX {
            let Some(tick) = self.next_tick(last).filter(|_| last.since(first) < GAPS_WITHIN) else { break };
            let gap = tick.since(last);
            let known = gaps.unwrap_or(Gaps { shortest: gap, longest: gap });
            gaps = Some(Gaps { shortest: known.shortest.min(gap), longest: known.longest.max(gap) });
            last = tick;
        }
        gaps
    }

    /// The last tick at or before `at`; `None` only where the range of [`Timestamp`] begins.
    #[must_use]
    pub fn last_tick(&self, at: Timestamp) -> Option<Timestamp> {
        self.last_before(at.as_seconds() + 1, self.ticks()).and_then(|tick| instant(tick.second))
    }

    /// What counts as a tick where clocks are changed.
    fn ticks(&self) -> Reading {
        let left_out = if self.0.is_daily { LeftOut::KeptInItsDay } else { LeftOut::Dropped };
        Reading { left_out, again: self.shows_twice() }
    }

    /// Whether a time that clocks show twice counts twice.
    pub(super) fn shows_twice(&self) -> bool {
        !self.0.is_daily
    }

    pub(super) fn first_from(&self, second: i64, reading: Reading) -> Option<Occurrence> {
        occurrence::first_from(&self.0.cron, &self.0.zone, second, reading)
    }

    pub(super) fn last_before(&self, second: i64, reading: Reading) -> Option<Occurrence> {
        occurrence::last_before(&self.0.cron, &self.0.zone, second, reading)
    }

    /// The first time after `shown` on any clock, in seconds on it.
    pub(super) fn shown_after(&self, shown: i64) -> Option<i64> {
        occurrence::shown_from(&self.0.cron, shown + 1)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.expression, self.0.zone)
    }
}

/// `None`: beyond the range of time.
pub(super) fn instant(second: i64) -> Option<Timestamp> {
    let at = Timestamp::from_seconds(second);
    (at.as_seconds() == second).then_some(at)
}

#[cfg(test)]
mod tests;
