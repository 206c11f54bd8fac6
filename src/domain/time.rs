//! Instants and durations. An instant is UTC nanoseconds; a duration is written `1h30m`.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Complaint;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262. Seven fraction digits, as Microsoft writes them, are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
#[schemars(with = "chrono::DateTime<Utc>", inline)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch: 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant that many nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds after the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The instant that many whole seconds after the epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Whole seconds after the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Reads RFC 3339 with 0 to 9 fraction digits and any offset; without an offset the time is UTC.
    /// `None`: not such a text, or out of range.
    ///
    /// ```
    /// use scorewatch::domain::{Complaint, Timestamp};
    ///
    /// let read_at = Timestamp::parse("2019-12-03T09:15:58.1665846Z").unwrap();
    /// assert_eq!(Timestamp::parse("2019-12-03T10:15:58.1665846+01:00"), Some(read_at));
    /// assert_eq!(Timestamp::parse("2019-12-03"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let utc = match DateTime::parse_from_rfc3339(text) {
            Ok(with_offset) => with_offset.to_utc(),
            Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?.and_utc(),
        };
        Self::from_chrono(utc)
    }

    /// From chrono; `None` when out of range.
    #[must_use]
    pub fn from_chrono(instant: DateTime<Utc>) -> Option<Self> {
        instant.timestamp_nanos_opt().map(Self)
    }

    /// To chrono, for calendars and time zones.
    #[must_use]
    pub const fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        if nanos <= 0 { Duration::ZERO } else { Duration::from_nanos(nanos.unsigned_abs()) }
    }

    /// That much later; saturates at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// That much earlier; saturates at the beginning of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// The first time after this one that is a multiple of `step` after 1970 began; this time itself if the step is zero.
    #[must_use]
    pub fn next_multiple_of(self, step: Duration) -> Self {
        let step = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
        if step == 0 {
            return self;
        }
        Self(self.0.div_euclid(step).saturating_add(1).saturating_mul(step))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many fraction digits as needed: `2019-12-03T09:15:58.166584600Z`, `2026-01-01T00:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))
    }
}

/// How much of `[from, until]` these periods cover. They are ordered by their beginning; where they overlap, the time counts once.
#[must_use]
pub fn covered(
    periods: impl IntoIterator<Item = (Timestamp, Timestamp)>,
    from: Timestamp,
    until: Timestamp,
) -> Duration {
    let (mut counted_to, mut sum) = (from, Duration::ZERO);
    for (began, ended) in periods {
        let end = ended.min(until);
        sum += end.since(began.max(counted_to));
        counted_to = counted_to.max(end);
    }
    sum
}

/// Longest duration that configuration may ask for: ten years.
pub const DURATION_MAX: Duration = Duration::from_hours(10 * 366 * 24);

/// Reads `500ms`, `10s`, `5m`, `1h30m`, `7d`: whole numbers with units, largest unit first, each at most once.
///
/// # Errors
/// A [`Complaint`] with what was probably meant.
///
/// ```
/// use std::time::Duration;
/// use scorewatch::domain::parse_duration;
///
/// assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
/// assert!(parse_duration("30m1h").is_err(), "the largest unit comes first");
/// assert!(parse_duration("1.5h").is_err(), "only whole numbers");
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, Complaint> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let malformed = || match suggested_duration(text) {
        Some(minutes) if text.trim().ends_with('M') => {
            let instead = format!("write `{minutes}` for minutes, or days, like `30d`, for months");
            Complaint::new(format!("`{text}` is not a duration: `M` may be minutes or months"), instead)
        }
        Some(suggested) => {
            Complaint::new(format!("`{text}` is not a duration"), format!("write it like `{suggested}`"))
        }
        None if is_number(text.trim()) => {
            let number = text.trim();
            let instead = format!("add the unit that you mean: `{number}s`, `{number}m`, `{number}h` or `{number}d`");
            Complaint::new(format!("`{text}` has no unit"), instead)
        }
        None => {
            Complaint::new(format!("`{text}` is not a duration"), "write it like `500ms`, `10s`, `5m`, `1h30m` or `7d`")
        }
    };
    let mut rest = text;
    let mut milliseconds: u64 = 0;
    let mut smallest_used = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(malformed)?;
        let number: u64 = rest[..digits].parse().map_err(|_| malformed())?;
        rest = &rest[digits..];
        let unit_end = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let position = UNITS.iter().position(|(unit, _)| *unit == &rest[..unit_end]).ok_or_else(malformed)?;
        if position < smallest_used {
            return Err(malformed());
        }
        smallest_used = position + 1;
        let part = number.checked_mul(UNITS[position].1);
        milliseconds = part.and_then(|part| milliseconds.checked_add(part)).ok_or_else(malformed)?;
        rest = &rest[unit_end..];
    }
    let duration = Duration::from_millis(milliseconds);
    if text.is_empty() {
        Err(malformed())
    } else if duration > DURATION_MAX {
        Err(Complaint::new(format!("`{text}` is longer than ten years"), "write a shorter one, like `400d`"))
    } else {
        Ok(duration)
    }
}

/// What was probably meant by a duration in other words: `24 hours`, `2w`, `daily`. A number alone may mean anything.
#[must_use]
pub fn suggested_duration(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let word = match text.as_str() {
        "hourly" => Some("1h"),
        "daily" => Some("24h"),
        "weekly" => Some("7d"),
        _ => None,
    };
    if let Some(word) = word {
        return Some(word.to_owned());
    }
    let number_end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let number: u64 = number.parse().ok()?;
    let unit = match unit.trim() {
        "hour" | "hours" | "hr" | "hrs" | "std" => "h",
        "day" | "days" | "d" => "d",
        "min" | "mins" | "minute" | "minutes" | "m" => "m",
        "sec" | "secs" | "second" | "seconds" | "s" => "s",
        "w" | "wk" | "week" | "weeks" => return Some(format!("{}d", number.checked_mul(7)?)),
        "y" | "yr" | "year" | "years" => return Some(format!("{}d", number.checked_mul(365)?)),
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Days are written from here on; `24h` reads better than `1d` where a window is meant.
const DAYS_FROM: Duration = Duration::from_hours(48);

/// Writes a duration the way [`parse_duration`] reads it; below a millisecond it is `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut milliseconds = duration.as_millis();
    let mut text = String::new();
    for (unit, size) in units.into_iter().skip(usize::from(duration < DAYS_FROM)) {
        let count = milliseconds / size;
        if count > 0 {
            // Writing to a `String` can't fail.
            let _ = write!(text, "{count}{unit}");
            milliseconds %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_times_are_kept_exactly_with_zero_to_seven_fraction_digits() {
        for (text, nanos) in [
            ("2019-12-03T09:15:58.1665846Z", 1_575_364_558_166_584_600),
            ("2019-12-03T09:15:58Z", 1_575_364_558_000_000_000),
            ("2019-12-03T09:15:58.1Z", 1_575_364_558_100_000_000),
            ("2019-12-03T10:15:58.166584+01:00", 1_575_364_558_166_584_000),
            ("2019-12-03T09:15:58.166", 1_575_364_558_166_000_000),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_nanos(nanos)), "{text}");
        }
        for bad in ["", "yesterday", "2019-12-03", "9999-12-31T23:59:59Z", "2019-13-03T09:15:58Z"] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("0s", 0),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
            assert_eq!(format_duration(Duration::from_millis(milliseconds)), text);
        }
        for bad in ["", "5", "m", "5 m", "-5m", "30m1h", "1h1h", "5y", "1.5h", "99999999999999999999d", "4000d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
