//! Cron with seconds in a time zone.
//!
//! Six fields: second, minute, hour, day of month, month, day of week. When both days are given, either will do, as in
//! crontab(5); `+` before the day of week asks for both: `0 0 8 13 * +FRI` is 08:00 on every Friday the 13th.
//!
//! Where clocks change, a schedule with one second, one minute and one hour keeps one run a day: a time that is left out
//! runs at the first instant after the gap, a time that comes twice runs the first time. Any other schedule follows
//! the clock as it is shown: what is left out does not run, what comes twice runs twice, and so `0 */15 * * * *` runs every
//! 15 real minutes throughout.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::domain::Timestamp;

/// Longest expression, in bytes; every minute of an hour, written out, fits.
const EXPRESSION_BYTES_MAX: usize = 512;

/// A cron expression (six fields, seconds first) in an IANA time zone. It has a next tick: that was tried when it was read.
/// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Arc<Definition>);

#[derive(Debug, PartialEq, Eq)]
struct Definition {
    expression: String,
    zone: Tz,
    cron: Cron,
}

impl Schedule {
    /// Reads an expression and a zone.
    ///
    /// # Errors
    /// One sentence that says what is wrong and what to write.
    pub fn parse(expression: &str, zone: Tz) -> Result<Self, String> {
        let expression = expression.trim();
        check_shape(expression)?;
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|why| {
            format!("`{expression}` is no schedule ({why}); write six fields, seconds first, like `0 */15 * * * *`")
        })?;
        // Calendars repeat: what has a tick after the epoch has one after every instant.
        if next_by_cron(&cron, zone, Timestamp::EPOCH).is_none() {
            return Err(format!("`{expression}` never comes round; write days that exist, like `0 0 8 1 * *`"));
        }
        Ok(Self(Arc::new(Definition { expression: expression.to_owned(), zone, cron })))
    }

    /// The expression as written.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The time zone whose clock the expression speaks of.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.0.zone
    }

    /// The first tick after `after`; `None` only where the range of [`Timestamp`] ends.
    #[must_use]
    pub fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        next_by_cron(&self.0.cron, self.0.zone, after)
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
    /// The seconds and minutes of an expression are the same in every hour that it takes, so the first such hour tells of all.
    #[must_use]
    pub fn busiest(&self, at_most: usize) -> (usize, usize) {
        // A midnight at which no clock is changed anywhere: hours begin with it.
        let midnight = self.0.zone.with_ymd_and_hms(2001, 1, 1, 0, 0, 0).earliest().and_then(instant);
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

    /// The last tick at or before `at`; `None` only where the range of [`Timestamp`] begins.
    #[must_use]
    pub fn last_tick(&self, at: Timestamp) -> Option<Timestamp> {
        let local = local(self.0.zone, at)?;
        self.0.cron.find_previous_occurrence(&local, true).ok().and_then(instant)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.expression, self.0.zone)
    }
}

/// Refuses what the parser would take in another sense or explain badly.
fn check_shape(expression: &str) -> Result<(), String> {
    const NICKNAMES: [(&str, &str); 7] = [
        ("@yearly", "0 0 0 1 1 *"),
        ("@annually", "0 0 0 1 1 *"),
        ("@monthly", "0 0 0 1 * *"),
        ("@weekly", "0 0 0 * * SUN"),
        ("@daily", "0 0 0 * * *"),
        ("@midnight", "0 0 0 * * *"),
        ("@hourly", "0 0 * * * *"),
    ];
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("a schedule has at most {EXPRESSION_BYTES_MAX} characters; use ranges and steps"));
    }
    if expression.contains('@') {
        let written = NICKNAMES.iter().find(|(nickname, _)| expression.eq_ignore_ascii_case(nickname));
        let instead = written.map_or("0 0 * * * *", |(_, instead)| instead);
        return Err(format!("`{expression}` is a nickname, which schedules don't have; write `{instead}`"));
    }
    match expression.split_whitespace().count() {
        6 => Ok(()),
        5 => Err(format!("`{expression}` has five fields; put the seconds first: `0 {expression}`")),
        fields => Err(format!(
            "`{expression}` has {fields} fields; write six (second, minute, hour, day of month, month, day of week), \
             like `0 */15 * * * *`"
        )),
    }
}

/// Whole seconds suffice: a tick after the second that `at` lies in is a tick after `at`.
fn local(zone: Tz, at: Timestamp) -> Option<DateTime<Tz>> {
    zone.timestamp_opt(at.as_seconds(), 0).single()
}

fn instant(local: DateTime<Tz>) -> Option<Timestamp> {
    Timestamp::from_chrono(local.to_utc())
}

fn next_by_cron(cron: &Cron, zone: Tz, after: Timestamp) -> Option<Timestamp> {
    cron.find_next_occurrence(&local(zone, after)?, false).ok().and_then(instant)
}

#[cfg(test)]
mod tests;
