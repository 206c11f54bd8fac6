//! Every change of every zone's clock from 2024 to 2034, against a scan of the minutes that knows nothing of cron.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Timelike, Weekday};

use super::*;
use crate::schedule::scan::{self, Clock, DAY, HOUR};

/// A shape, written without cron.
enum Meaning {
    /// Every minute whose local time satisfies this.
    Minutes(fn(NaiveDateTime) -> bool),
    /// Once on each day that satisfies this, at that hour and minute.
    Daily(i64, i64, fn(NaiveDate) -> bool),
}
use Meaning::{Daily, Minutes};

fn is_weekday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn shapes() -> Vec<(&'static str, Meaning)> {
    vec![
        ("0 * * * * *", Minutes(|_| true)),
        ("0 */15 * * * *", Minutes(|local| local.minute() % 15 == 0)),
        ("0 0 * * * *", Minutes(|local| local.minute() == 0)),
        ("0 0 */2 * * *", Minutes(|local| local.minute() == 0 && local.hour() % 2 == 0)),
        ("0 10,40 1-3 * * *", Minutes(|local| [10, 40].contains(&local.minute()) && (1..=3).contains(&local.hour()))),
        ("0 0 0 * * *", Daily(0, 0, |_| true)),
        ("0 30 0 * * *", Daily(0, 30, |_| true)),
        ("0 45 1 * * *", Daily(1, 45, |_| true)),
        ("0 30 2 * * *", Daily(2, 30, |_| true)),
        ("0 0 3 * * *", Daily(3, 0, |_| true)),
        ("0 30 8 * * MON-FRI", Daily(8, 30, is_weekday)),
        ("0 15 2 29 * SUN", Daily(2, 15, |day| day.day() == 29 || day.weekday() == Weekday::Sun)),
    ]
}

/// What a clock shows that shows this minute.
fn shown(time: i64) -> NaiveDateTime {
    DateTime::from_timestamp(time * 60, 0).unwrap().naive_utc()
}

/// The minutes in `(from, until]` at which it should tick.
fn expected(meaning: &Meaning, minutes: &scan::Minutes, from: i64, until: i64) -> BTreeSet<i64> {
    let mut ticks: BTreeSet<i64> = match meaning {
        Minutes(matches) => minutes.range.clone().filter(|minute| matches(shown(minutes.shown(*minute)))).collect(),
        Daily(hour, minute, on) => {
            let at = hour * HOUR + minute;
            let times = minutes.times().filter(|time| time.rem_euclid(DAY) == at && on(shown(*time).date()));
            times
                .filter(|time| minutes.first(*time).is_some() || !minutes.lacks_day_of(*time))
                .filter_map(|time| minutes.first_or_left_out(time))
                .collect()
        }
    };
    ticks.retain(|tick| *tick > from && *tick <= until);
    ticks
}

/// Two days more on each side, so that a day at the edge is seen whole.
fn around(clock: &Clock, from: i64, until: i64) -> scan::Minutes {
    scan::Minutes::of(clock, from - 2 * DAY..until + 2 * DAY)
}

/// The minutes in `(from, until]` at which it ticks.
fn ticks(schedule: &Schedule, from: i64, until: i64) -> Vec<i64> {
    let next = |after: &Timestamp| schedule.next_tick(*after);
    std::iter::successors(next(&Timestamp::from_seconds(from * 60)), next)
        .map(|tick| tick.as_seconds() / 60)
        .take_while(|tick| *tick <= until)
        .collect()
}

#[test]
fn the_zones_change_their_clocks_as_often_as_they_should() {
    let changes: Vec<usize> = ZONES.iter().map(|zone| Clock::of(zone).changes(2026..2028).len()).collect();
    assert_eq!(changes, [4, 4, 4, 4, 0, 0]);
}

fn hold_to_the_scan(clock: &Clock, change: i64) {
    let (from, until) = (change - 2 * DAY, change + 2 * DAY);
    let minutes = around(clock, from, until);
    for (expression, meaning) in shapes() {
        let expected: Vec<i64> = expected(&meaning, &minutes, from, until).into_iter().collect();
        let schedule = schedule(expression, clock.zone);
        let place = || format!("{expression} in {} around {}", clock.zone, Timestamp::from_seconds(change * 60));
        assert_eq!(ticks(&schedule, from, until), expected, "{}", place());
        let backwards = std::iter::successors(expected.last().copied(), |tick| {
            let before = Timestamp::from_seconds(tick * 60 - 1);
            schedule.last_tick(before).map(|tick| tick.as_seconds() / 60).filter(|tick| *tick > from)
        });
        assert!(backwards.eq(expected.iter().rev().copied()), "backwards, {}", place());
    }
}

#[test]
fn around_every_change_of_every_clock_ticks_are_what_a_scan_of_the_minutes_finds() {
    // Ticks of every minute make this slow, and the clocks of a region change alike.
    for (clock, change) in scan::changes_anywhere(&(2024..2035)).into_iter().step_by(5) {
        hold_to_the_scan(&clock, change);
    }
    for (name, years) in [
        ("Pacific/Apia", 2011..2013),
        ("Pacific/Fakaofo", 2011..2013),
        ("America/Caracas", 2007..2017),
        ("Asia/Pyongyang", 2015..2019),
        ("America/St_Johns", 2008..2010),
        ("America/Havana", 2022..2024),
        ("America/Nuuk", 2023..2026),
    ] {
        let clock = Clock::of(name);
        for change in clock.changes(years) {
            hold_to_the_scan(&clock, change);
        }
    }
    hold_to_the_scan(&Clock::of(KATHMANDU), 29_500_000);
}

#[test]
fn a_search_may_begin_at_any_second_around_a_clock_change() {
    for zone in ZONES {
        let clock = Clock::of(zone);
        for change in clock.changes(2026..2028) {
            let (from, until) = ((change - 2 * HOUR) * 60, (change + 2 * HOUR) * 60);
            let minutes = around(&clock, change - DAY, change + 8 * DAY);
            for (expression, meaning) in shapes() {
                let schedule = schedule(expression, zone);
                let expected = expected(&meaning, &minutes, change - DAY, change + 8 * DAY);
                for start in (from..until).step_by(97) {
                    let found = schedule.next_tick(Timestamp::from_seconds(start)).unwrap().as_seconds();
                    let wanted = expected.range(start.div_euclid(60) + 1..).next().unwrap() * 60;
                    assert_eq!(found, wanted, "{expression} in {zone} after {}", Timestamp::from_seconds(start));
                }
            }
        }
    }
}

#[test]
fn a_daily_job_runs_exactly_once_each_local_day() {
    for zone in ZONES {
        let clock = Clock::of(zone);
        for expression in ["0 0 0 * * *", "0 30 0 * * *", "0 45 1 * * *", "0 30 2 * * *", "0 0 3 * * *"] {
            let schedule = schedule(expression, zone);
            let from = at("2025-12-31T18:00:00Z").as_seconds() / 60;
            let days: Vec<NaiveDate> =
                ticks(&schedule, from, from + 730 * DAY).iter().map(|tick| shown(clock.shown(*tick)).date()).collect();
            assert!(days.windows(2).all(|pair| pair[0] + Days::new(1) == pair[1]), "{expression} in {zone}");
            assert!(days.len() >= 729);
        }
    }
}

#[test]
fn every_fifteen_minutes_means_fifteen_real_minutes() {
    for zone in ZONES {
        let from = at("2026-01-01T00:00:00Z").as_seconds() / 60;
        let found = ticks(&schedule("0 */15 * * * *", zone), from, from + 730 * DAY);
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] == 15), "{zone}");
        assert_eq!(found.len(), 730 * 96);
    }
}

#[test]
fn zones_that_changed_their_rules_of_late_are_up_to_date() {
    // Vancouver and Winnipeg keep summer time for good, Casablanca's clock has gone back to universal time.
    for (zone, at, shown) in [
        ("America/Vancouver", "2026-11-30T20:00:00Z", "2026-11-30T13:00:00"),
        ("America/Winnipeg", "2026-11-30T20:00:00Z", "2026-11-30T15:00:00"),
        ("America/Edmonton", "2026-11-30T20:00:00Z", "2026-11-30T14:00:00"),
        ("Africa/Casablanca", "2026-11-30T20:00:00Z", "2026-11-30T20:00:00"),
        ("Europe/Berlin", "2026-11-30T20:00:00Z", "2026-11-30T21:00:00"),
    ] {
        let at = Timestamp::parse(at).unwrap();
        assert_eq!(self::zone(zone).clock_at(at).to_string(), shown, "{zone}");
    }
}
