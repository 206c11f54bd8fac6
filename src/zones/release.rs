//! Releases of the IANA time zone data: their names, their order, their age.

use std::{fmt, time::Duration};

use crate::domain::Timestamp;

/// Data that is older is reported: governments change clocks several times a year, at times at a few weeks' notice.
pub const AGE_MAX: Duration = Duration::from_hours(365 * 24);

/// A release, like `2026f`. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    year: i16,
    /// 1 is `a`; 27 is `aa`, which no year has needed so far.
    number: u16,
}

impl Release {
    /// Reads a release's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, letters) = text.split_at_checked(4)?;
        let is_name = year.bytes().all(|one| one.is_ascii_digit())
            && (1..=2).contains(&letters.len())
            && letters.bytes().all(|one| one.is_ascii_lowercase());
        let number = letters.bytes().fold(0, |number, letter| number * 26 + u16::from(letter.saturating_sub(b'a')) + 1);
        is_name.then_some(Self { year: year.parse().ok()?, number })
    }

    /// Older than any release.
    pub(super) const fn unknown() -> Self {
        Self { year: 0, number: 1 }
    }

    /// That instant, or the nearest one of the release's year: a file may have been given any time.
    #[must_use]
    pub fn published_about(self, file_time: Timestamp) -> Timestamp {
        let new_year = |year: i16| {
            let day = jiff::civil::Date::new(year, 1, 1).ok()?;
            Some(Timestamp::from_seconds(jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_second()))
        };
        let (first, last) = (new_year(self.year), self.year.checked_add(1).and_then(new_year));
        let file_time = first.map_or(file_time, |first| file_time.max(first));
        last.map_or(file_time, |last| file_time.min(last))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |number: u16| char::from(b'a' + u8::try_from((number - 1) % 26).unwrap_or_default());
        write!(f, "{:04}", self.year)?;
        if self.number > 26 {
            write!(f, "{}", letter(self.number / 26))?;
        }
        write!(f, "{}", letter(self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_written_and_ordered() {
        let mut names = ["2026f", "2025b", "2027a", "2026aa", "2026z", "1999j"];
        names.sort_by_key(|name| Release::parse(name).unwrap());
        assert_eq!(names, ["1999j", "2025b", "2026f", "2026z", "2026aa", "2027a"]);
        for name in names {
            assert_eq!(Release::parse(name).unwrap().to_string(), name);
        }
        for bad in ["", "2026", "2026F", "26f", "2026abc", "2026-f", "ÄÄf", "２０26f", "unknown", "2026f "] {
            assert_eq!(Release::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_time_counts_within_the_year_of_the_release() {
        let release = Release::parse("2026f").unwrap();
        for (file_time, published) in [
            ("2026-11-14T00:00:00Z", "2026-11-14T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2031-05-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let file_time = Timestamp::parse(file_time).unwrap();
            assert_eq!(release.published_about(file_time).to_string(), published);
        }
    }
}
