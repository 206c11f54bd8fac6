//! Months and days of the calendar.

use std::{fmt, str::FromStr, time::Duration};

use jiff::civil;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Schedule, Zone};
use crate::domain::{Complaint, Timestamp};

/// A month of the calendar, such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
pub struct Month {
    year: i16,
    /// From 1 to 12.
    month: i8,
}

impl Month {
    /// The month that the zone's clock shows at that time.
    #[must_use]
    pub fn at(now: Timestamp, zone: &Zone) -> Self {
        let shown = zone.clock_at(now);
        Self { year: shown.year(), month: shown.month() }
    }

    /// The year of the Gregorian calendar.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Its number in the year, from 1 to 12.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.month
    }

    /// How many days it has, from 28 to 31.
    #[must_use]
    pub fn days(self) -> i8 {
        civil::Date::new(self.year, self.month, 1).map_or(31, civil::Date::days_in_month)
    }

    /// The month before it; `None`: beyond the range of time.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        match self.month {
            1 => Some(Self { year: self.year.checked_sub(1).filter(|year| *year >= 0)?, month: 12 }),
            month => Some(Self { month: month - 1, ..self }),
        }
    }

    /// When it begins and when the next one does, in that zone; `None`: beyond the range of time.
    #[must_use]
    pub fn bounds(self, zone: &Zone) -> Option<(Timestamp, Timestamp)> {
        let next = if self.month == 12 {
            Self { year: self.year.checked_add(1)?, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        };
        let begin = |month: Self| {
            let first = civil::Date::new(month.year, month.month, 1).ok()?;
            zone.instant_of(first.at(0, 0, 0, 0))
        };
        Some((begin(self)?, begin(next)?))
    }
}

impl Schedule {
    /// Whether there are months without a tick, looking at a common year.
    #[must_use]
    pub fn skips_months(&self) -> bool {
        let has_tick = |month| {
            let (begin, end) = Month { year: 2001, month }.bounds(self.zone())?;
            Some(self.next_tick(begin.minus(Duration::from_secs(1)))? < end)
        };
        (1..=12).any(|month| has_tick(month) == Some(false))
    }
}

impl FromStr for Month {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new(format!("`{text}` is not a month"), "write it like `2026-11`");
        let (year, month) = text.split_once('-').filter(|_| text.len() == 7).ok_or_else(complaint)?;
        let is_digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
        let (true, true, 4) = (is_digits(year), is_digits(month), year.len()) else { return Err(complaint()) };
        let (Ok(year), Ok(month @ 1..=12)) = (year.parse(), month.parse()) else { return Err(complaint()) };
        Ok(Self { year, month })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|complaint: Complaint| D::Error::custom(complaint.to_string()))
    }
}

/// A day of the calendar, such as `2026-11-30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
pub struct Day {
    /// The month that it is a day of.
    pub month: Month,
    /// The number in the month, from 1 to 31.
    pub number: i8,
}

impl Day {
    /// The day that the zone's clock shows at that time.
    #[must_use]
    pub fn at(now: Timestamp, zone: &Zone) -> Self {
        Self { month: Month::at(now, zone), number: zone.clock_at(now).day() }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{:02}", self.month, self.number)
    }
}

impl FromStr for Day {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new(format!("`{text}` is not a day"), "write it like `2026-11-30`");
        let (month, number) = text.rsplit_once('-').filter(|(_, number)| number.len() == 2).ok_or_else(complaint)?;
        let month: Month = month.parse()?;
        let number = number.parse().ok().filter(|number| (1..=month.days()).contains(number)).ok_or_else(complaint)?;
        Ok(Self { month, number })
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|complaint: Complaint| D::Error::custom(complaint.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_local_midnight_and_ends_where_the_next_begins() {
        for (month, zone, from, until) in [
            ("2026-11", "UTC", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12", "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            // Clocks are set forward on 29 March.
            ("2026-03", "Europe/Berlin", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
            ("2026-01", "Pacific/Auckland", "2025-12-31T11:00:00Z", "2026-01-31T11:00:00Z"),
        ] {
            let bounds = month.parse::<Month>().unwrap().bounds(&Zone::built_in(zone).unwrap());
            let instant = |text| Timestamp::parse(text).unwrap();
            assert_eq!(bounds, Some((instant(from), instant(until))), "{month} {zone}");
        }
    }

    #[test]
    fn a_schedule_skips_the_months_that_lack_its_days() {
        for (expression, skips) in [
            ("0 0 8 1 * *", false),
            ("0 0 8 28 * *", false),
            ("0 0 8 29 * *", true),
            ("0 0 8 31 * *", true),
            ("0 0 8 1 */3 *", true),
            ("0 0 8 L * *", false),
            ("0 0 8 * * MON#1", false),
            ("0 0 8 * * MON", false),
        ] {
            let schedule = Schedule::parse(expression, Zone::built_in("Europe/Berlin").unwrap()).unwrap();
            assert_eq!(schedule.skips_months(), skips, "{expression}");
        }
    }

    #[test]
    fn only_a_year_and_a_month_are_a_month() {
        for text in
            ["", "2026", "2026-1", "2026-13", "2026-00", "26-11-1", "2026-11-01", "november", "+026-11", "2026/11"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        assert_eq!("0001-01".parse::<Month>().unwrap().to_string(), "0001-01");
    }

    #[test]
    fn the_present_month_is_the_one_that_the_zone_shows() {
        let now = Timestamp::parse("2026-11-30T23:30:00Z").unwrap();
        for (zone, month) in [("UTC", "2026-11"), ("Europe/Berlin", "2026-12")] {
            assert_eq!(Month::at(now, &Zone::built_in(zone).unwrap()).to_string(), month);
        }
    }

    #[test]
    fn a_month_and_a_day_are_read_as_they_are_written() {
        for (text, is_day) in [("2026-11-30", true), ("2026-11-31", false), ("2026-02-00", false), ("2026-11-1", false)]
        {
            let day = text.parse::<Day>();
            assert_eq!(day.is_ok(), is_day, "{text}");
            assert!(day.is_err() || day.unwrap().to_string() == text, "{text}");
        }
        let before = |text: &str| text.parse::<Month>().unwrap().before().map(|month| month.to_string());
        assert_eq!(before("2027-01").as_deref(), Some("2026-12"));
        assert_eq!(before("2026-12").as_deref(), Some("2026-11"));
        assert_eq!(before("0000-01"), None);
    }
}
