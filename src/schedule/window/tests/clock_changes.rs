//! Windows around every change of every zone's clock, against a scan of the minutes that shares no code with them.

use super::*;
use crate::schedule::scan::{Clock, DAY, HOUR, Minutes, Times, changes_anywhere};

/// A window, written without cron: the times at which it begins, and those at which it ends or how many minutes later.
#[derive(Debug, Clone)]
struct Shape {
    from: Times,
    end: Result<Times, i64>,
}

impl Shape {
    fn window(&self, zone: &Zone) -> Window {
        let schedule = |times: &Times| Schedule::parse(&times.expression(), zone.clone()).unwrap();
        let end = match &self.end {
            Ok(until) => WindowEnd::At(schedule(until)),
            Err(length) => WindowEnd::After(Duration::from_mins(length.unsigned_abs())),
        };
        Window::new(schedule(&self.from), end)
    }

    /// The minutes at which its occurrences begin and end.
    fn occurrences(&self, minutes: &Minutes) -> Vec<(i64, i64)> {
        let times = minutes.times();
        let mut occurrences = Vec::new();
        let ends = self.end.as_ref().map(|until| until.within(&times)).unwrap_or_default();
        for time in self.from.within(&times) {
            let begins = if self.end.is_err() && minutes.first(time).is_none() && minutes.lacks_day_of(time) {
                Vec::new()
            } else if self.from.are_one_a_day() || minutes.first(time).is_none() {
                minutes.first_or_left_out(time).into_iter().collect()
            } else {
                minutes.all(time)
            };
            let until = ends.iter().copied().find(|end| *end > time);
            for begin in begins {
                let end = match (&self.end, until) {
                    (Err(length), _) => Some(begin + length),
                    (Ok(_), Some(until)) => minutes.reaches(until, begin),
                    (Ok(_), None) => None,
                };
                occurrences.extend(end.filter(|end| *end > begin).map(|end| (begin, end)));
            }
        }
        occurrences
    }
}

/// Windows that begin and end before, in and after what the clock leaves out or shows twice at this change.
fn shapes(clock: &Clock, change: i64, number: usize) -> Vec<Shape> {
    const STEPS: [i64; 8] = [-90, -30, 0, 15, 30, 45, 60, 90];
    let first = clock.shown(change).min(clock.shown(change - 1) + 1);
    let daily = |step: i64| Times::daily(first + step);
    let weekly = |step: i64| Times::weekly(first + step);
    // Over the changes, each pair comes up again and again.
    let mut shapes: Vec<Shape> = (0..STEPS.len() * STEPS.len())
        .filter(|pair| (pair + number).is_multiple_of(8))
        .map(|pair| Shape { from: daily(STEPS[pair % 8]), end: Ok(daily(STEPS[pair / 8])) })
        .collect();
    let hours =
        |step: i64| vec![(first + step).rem_euclid(DAY) / HOUR, (first + step + 11 * HOUR).rem_euclid(DAY) / HOUR];
    let twice = |step: i64, minute: i64| Times { hours: hours(step), minutes: vec![minute], weekday: None };
    let hourly = |minutes: &[i64]| Times { hours: (0..24).collect(), minutes: minutes.to_vec(), weekday: None };
    shapes.extend([
        Shape { from: weekly(0), end: Ok(weekly(60)) },
        Shape { from: weekly(15), end: Ok(weekly(15)) },
        Shape { from: weekly(-24 * HOUR), end: Ok(weekly(30)) },
        Shape { from: weekly(30), end: Ok(weekly(50 * HOUR)) },
        Shape { from: daily(-3 * HOUR), end: Ok(daily(5 * HOUR)) },
        Shape { from: daily(STEPS[number % 8]), end: Err(90) },
        Shape { from: weekly(30), end: Err(30 * HOUR) },
        Shape { from: twice(0, 0), end: Ok(twice(60, 0)) },
        Shape { from: twice(-60, 0), end: Ok(twice(0, 30)) },
        Shape { from: twice(0, 30), end: Err(45) },
        Shape { from: hourly(&[0]), end: Ok(hourly(&[30])) },
        Shape { from: hourly(&[10, 40]), end: Ok(daily(30)) },
    ]);
    shapes
}

/// Asks just before, at and after each beginning and end near the change. Returns how often it asked.
fn hold_to_the_scan(clock: &Clock, zone: &Zone, change: i64, number: usize) -> usize {
    let minutes = Minutes::of(clock, change - 10 * DAY..change + 12 * DAY);
    let near = change - 30 * HOUR..change + 30 * HOUR;
    let mut asked = 0;
    for shape in shapes(clock, change, number) {
        let window = shape.window(zone);
        let occurrences = shape.occurrences(&minutes);
        let edges = occurrences.iter().flat_map(|(begin, end)| [*begin, *end]).chain([change]);
        let mut edges: Vec<i64> = edges.filter(|edge| near.contains(edge)).collect();
        edges.sort_unstable();
        edges.dedup();
        // Windows that come every hour are examined next to the change.
        edges.sort_by_key(|edge| (edge - change).abs());
        for second in edges.iter().take(6).flat_map(|edge| [edge * 60 - 1, edge * 60, edge * 60 + 29]) {
            let covering = occurrences.iter().filter(|(begin, end)| (begin * 60..end * 60).contains(&second));
            let ends: Vec<i64> = covering.map(|(_, end)| end * 60).collect();
            let found = window.covers(Timestamp::from_seconds(second)).map(Timestamp::as_seconds);
            let at = Timestamp::from_seconds(second);
            assert!(
                found.map_or(ends.is_empty(), |found| ends.contains(&found)),
                "{} at {at}: {shape:?}\ncovers until {:?}, the scan says {:?}",
                clock.zone,
                found.map(Timestamp::from_seconds),
                ends.iter().map(|end| Timestamp::from_seconds(*end)).collect::<Vec<_>>(),
            );
            asked += 1;
        }
    }
    asked
}

#[test]
fn around_every_change_of_every_clock_windows_cover_what_a_scan_of_the_minutes_finds() {
    let changes = changes_anywhere(&(2024..2035));
    assert!(changes.len() > 400, "only {} changes", changes.len());
    let mut asked = 0;
    for (number, (clock, change)) in changes.iter().enumerate() {
        asked += hold_to_the_scan(clock, &Zone::built_in(clock.zone).unwrap(), *change, number);
    }
    assert!(asked > 100_000, "asked {asked} times");
}

#[test]
fn days_that_are_left_out_and_the_odd_changes_of_the_past_are_not_an_exception() {
    for (name, years) in [
        // A whole day is left out.
        ("Pacific/Apia", 2009..2013),
        ("Pacific/Fakaofo", 2011..2013),
        ("Pacific/Kwajalein", 1993..1994),
        // Half an hour, at midnight, by minutes, and standard time in summer.
        ("Australia/Lord_Howe", 2010..2024),
        ("America/Havana", 2010..2024),
        ("Asia/Beirut", 2010..2024),
        ("Africa/Cairo", 2010..2024),
        ("Asia/Gaza", 2010..2024),
        ("America/Asuncion", 2010..2024),
        ("America/Caracas", 2007..2017),
        ("Asia/Pyongyang", 2015..2019),
        ("America/St_Johns", 2006..2012),
        ("Antarctica/Troll", 2010..2024),
        ("Europe/Dublin", 2010..2024),
        ("Africa/Casablanca", 2010..2024),
    ] {
        let (clock, zone) = (Clock::of(name), Zone::built_in(name).unwrap());
        let changes = clock.changes(years);
        assert!(!changes.is_empty(), "{name}");
        for (number, change) in changes.into_iter().enumerate() {
            hold_to_the_scan(&clock, &zone, change, number);
        }
    }
}
