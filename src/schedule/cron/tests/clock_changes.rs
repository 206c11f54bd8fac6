//! Every clock change of 2026 and 2027, against a scan of the minutes that knows nothing of cron.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Utc, Weekday};

use super::*;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// How a shape is told without cron.
enum Meaning {
    /// Every minute whose local time satisfies this.
    Minutes(fn(NaiveDateTime) -> bool),
    /// Once on each day that satisfies this, at that hour and minute.
    Daily(u32, u32, fn(NaiveDate) -> bool),
}
use Meaning::{Daily, Minutes};

fn weekday(day: NaiveDate) -> bool {
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
        ("0 30 8 * * MON-FRI", Daily(8, 30, weekday)),
        ("0 15 2 29 * SUN", Daily(2, 15, |day| day.day() == 29 || day.weekday() == Weekday::Sun)),
    ]
}

fn offset(zone: Tz, second: i64) -> i64 {
    let utc = DateTime::from_timestamp(second, 0).unwrap().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

fn local(zone: Tz, second: i64) -> NaiveDateTime {
    DateTime::from_timestamp(second + offset(zone, second), 0).unwrap().naive_utc()
}

/// The first second of each new offset in 2026 and 2027.
fn clock_changes(zone: Tz) -> Vec<i64> {
    let begin = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap().timestamp();
    let end = Utc.with_ymd_and_hms(2028, 1, 1, 0, 0, 0).unwrap().timestamp();
    (begin..end).step_by(60).filter(|second| offset(zone, *second) != offset(zone, second - MINUTE)).collect()
}

/// The seconds in `(from, until]` at which it should tick.
fn expected(meaning: &Meaning, zone: Tz, from: i64, until: i64) -> BTreeSet<i64> {
    // A day more on each side, so that a day at the edge is seen whole.
    let minutes: Vec<i64> = (from - DAY..=until + DAY).step_by(60).collect();
    let mut ticks: BTreeSet<i64> = match meaning {
        Minutes(matches) => minutes.into_iter().filter(|minute| matches(local(zone, *minute))).collect(),
        Daily(hour, minute, on) => {
            let first_day = local(zone, from).date();
            let days = first_day.iter_days().take_while(|day| *day <= local(zone, until).date()).filter(|day| on(*day));
            let time = NaiveTime::from_hms_opt(*hour, *minute, 0).unwrap();
            days.map(|day| {
                let same = minutes.iter().find(|minute| local(zone, **minute) == day.and_time(time));
                let later = || minutes.iter().find(|minute| local(zone, **minute) > day.and_time(time));
                *same.or_else(later).unwrap()
            })
            .collect()
        }
    };
    ticks.retain(|tick| *tick > from && *tick <= until);
    ticks
}

fn ticks(schedule: &Schedule, from: i64, until: i64) -> Vec<i64> {
    let next = |after: &Timestamp| schedule.next_tick(*after);
    std::iter::successors(next(&Timestamp::from_seconds(from)), next)
        .map(Timestamp::as_seconds)
        .take_while(|tick| *tick <= until)
        .collect()
}

#[test]
fn the_zones_change_their_clocks_as_often_as_they_should() {
    let changes: Vec<usize> = ZONES.iter().map(|zone| clock_changes(*zone).len()).collect();
    assert_eq!(changes, [4, 4, 4, 4, 0, 0]);
}

#[test]
fn around_every_clock_change_ticks_are_what_a_scan_of_the_minutes_finds() {
    for zone in ZONES {
        let mut centres = clock_changes(zone);
        if centres.is_empty() {
            centres = vec![at("2026-06-01T00:00:00Z").as_seconds()];
        }
        for centre in centres {
            let (from, until) = (centre - 3 * DAY, centre + 3 * DAY);
            for (expression, meaning) in shapes() {
                let expected: Vec<i64> = expected(&meaning, zone, from, until).into_iter().collect();
                let schedule = schedule(expression, zone);
                let found = ticks(&schedule, from, until);
                assert_eq!(found, expected, "{expression} in {zone} around {}", Timestamp::from_seconds(centre));
                for pair in found.windows(2) {
                    let interval = schedule.interval_at(Timestamp::from_seconds(pair[1] - 1));
                    assert_eq!(interval.as_secs().cast_signed(), pair[1] - pair[0], "{expression} in {zone}: {pair:?}");
                }
            }
        }
    }
}

#[test]
fn a_search_may_begin_at_any_second_around_a_clock_change() {
    for zone in ZONES {
        for centre in clock_changes(zone) {
            let (from, until) = (centre - 2 * 3600, centre + 2 * 3600);
            for (expression, meaning) in shapes() {
                let schedule = schedule(expression, zone);
                let expected = expected(&meaning, zone, from - DAY, until + 8 * DAY);
                for start in (from..until).step_by(97) {
                    let found = schedule.next_tick(Timestamp::from_seconds(start)).unwrap().as_seconds();
                    let wanted = expected.range(start + 1..).next().unwrap();
                    assert_eq!(found, *wanted, "{expression} in {zone} after {}", Timestamp::from_seconds(start));
                }
            }
        }
    }
}

#[test]
fn a_daily_job_runs_exactly_once_each_local_day() {
    for zone in ZONES {
        for expression in ["0 0 0 * * *", "0 30 0 * * *", "0 45 1 * * *", "0 30 2 * * *", "0 0 3 * * *"] {
            let schedule = schedule(expression, zone);
            let from = at("2025-12-31T18:00:00Z").as_seconds();
            let days: Vec<NaiveDate> =
                ticks(&schedule, from, from + 730 * DAY).iter().map(|tick| local(zone, *tick).date()).collect();
            assert!(days.windows(2).all(|pair| pair[0] + Days::new(1) == pair[1]), "{expression} in {zone}");
            assert!(days.len() >= 729);
        }
    }
}

#[test]
fn every_fifteen_minutes_means_fifteen_real_minutes() {
    for zone in ZONES {
        let from = at("2026-01-01T00:00:00Z").as_seconds();
        let found = ticks(&schedule("0 */15 * * * *", zone), from, from + 730 * DAY);
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] == 15 * MINUTE), "{zone}");
        assert_eq!(found.len(), 730 * 96);
    }
}
