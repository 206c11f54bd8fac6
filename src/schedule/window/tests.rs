use std::sync::LazyLock;

use super::*;
use crate::{domain::parse_duration, schedule::Zone};
use jiff::civil::DateTime;

mod clock_changes;

static BERLIN: LazyLock<Zone> = LazyLock::new(|| Zone::built_in("Europe/Berlin").unwrap());

fn schedule(expression: &str) -> Schedule {
    Schedule::parse(expression, BERLIN.clone()).unwrap()
}

/// `0 0 22 * * FRI for 6h` or `0 0 22 * * FRI until 0 0 6 * * MON`.
fn window(text: &str) -> Window {
    let (from, end) = match (text.split_once(" for "), text.split_once(" until ")) {
        (Some((from, length)), _) => (from, WindowEnd::After(parse_duration(length).unwrap())),
        (_, Some((from, until))) => (from, WindowEnd::At(schedule(until))),
        _ => panic!("{text}"),
    };
    Window::new(schedule(from), end)
}

/// The instant at which clocks in Berlin show this; of two, the first, or with `*` the second.
fn berlin(text: &str) -> Timestamp {
    let shown: DateTime = text.trim_end_matches('*').parse().unwrap();
    let hour = Duration::from_hours(u64::from(text.ends_with('*')));
    let instant = BERLIN.instant_of(shown).unwrap().plus(hour);
    assert_eq!(BERLIN.clock_at(instant), shown);
    instant
}

#[test]
fn a_window_covers_from_its_first_instant_up_to_its_end() {
    for (text, now, end) in [
        // Over midnight, over a weekend.
        ("0 0 22 * * FRI for 6h", "2026-01-09 21:59:59", None),
        ("0 0 22 * * FRI for 6h", "2026-01-09 22:00:00", Some("2026-01-10 04:00:00")),
        ("0 0 22 * * FRI for 6h", "2026-01-10 03:59:59", Some("2026-01-10 04:00:00")),
        ("0 0 22 * * FRI for 6h", "2026-01-10 04:00:00", None),
        ("0 0 18 * * FRI until 0 0 8 * * MON", "2026-01-11 12:00:00", Some("2026-01-12 08:00:00")),
        ("0 0 18 * * FRI until 0 0 8 * * MON", "2026-01-12 08:00:00", None),
        ("0 0 18 * * FRI until 0 0 8 * * MON", "2026-01-09 17:59:59", None),
        // Outside business hours, weekends included.
        ("0 0 18 * * MON-FRI until 0 0 8 * * MON-FRI", "2026-01-07 20:00:00", Some("2026-01-08 08:00:00")),
        ("0 0 18 * * MON-FRI until 0 0 8 * * MON-FRI", "2026-01-08 08:00:00", None),
        ("0 0 18 * * MON-FRI until 0 0 8 * * MON-FRI", "2026-01-08 12:00:00", None),
        ("0 0 18 * * MON-FRI until 0 0 8 * * MON-FRI", "2026-01-10 12:00:00", Some("2026-01-12 08:00:00")),
        // The last day of a month, the last Friday, the second Tuesday.
        ("0 0 0 L * * for 24h", "2026-02-27 23:59:59", None),
        ("0 0 0 L * * for 24h", "2026-02-28 00:00:00", Some("2026-03-01 00:00:00")),
        ("0 0 0 L * * for 24h", "2028-02-29 12:00:00", Some("2028-03-01 00:00:00")),
        ("0 0 20 L * * until 0 0 4 1 * *", "2026-05-01 03:00:00", Some("2026-05-01 04:00:00")),
        ("0 0 20 * * FRI#L for 4h", "2026-01-30 21:00:00", Some("2026-01-31 00:00:00")),
        ("0 0 20 * * FRI#L for 4h", "2026-01-23 21:00:00", None),
        ("0 0 20 * * TUE#2 for 4h", "2026-01-13 21:00:00", Some("2026-01-14 00:00:00")),
        // It ends where it begins again: all the time, an occurrence after the other.
        ("0 0 0 * * * until 0 0 0 * * *", "2026-01-13 00:00:00", Some("2026-01-14 00:00:00")),
        ("0 0 0 * * * until 0 0 0 * * *", "2026-01-13 23:59:59", Some("2026-01-14 00:00:00")),
        // It begins again before it is over: one of the ends.
        ("0 0 * * * * for 90m", "2026-01-13 12:10:00", Some("2026-01-13 12:30:00")),
        ("0 0 * * * * for 90m", "2026-01-13 12:30:00", Some("2026-01-13 13:30:00")),
        // The night in which clocks go forward: 02:00 becomes 03:00. Six hours are six hours.
        ("0 0 22 * * * for 6h", "2026-03-29 00:00:00", Some("2026-03-29 05:00:00")),
        ("0 0 22 * * * until 0 0 4 * * *", "2026-03-29 00:00:00", Some("2026-03-29 04:00:00")),
        ("0 30 2 * * * for 1h", "2026-03-29 03:00:00", Some("2026-03-29 04:00:00")),
        ("0 0 1 * * * until 0 30 2 * * *", "2026-03-29 01:59:59", Some("2026-03-29 03:00:00")),
        ("0 15 2 * * * until 0 45 2 * * *", "2026-03-29 03:00:00", None),
        ("0 0 2 * * SUN until 0 0 3 * * SUN", "2026-03-29 03:00:00", None),
        ("0 0 2 * * SUN until 0 0 3 * * SUN", "2026-03-29 12:00:00", None),
        ("0 0 2 * * SUN until 0 0 3 * * SUN", "2026-04-05 02:00:00", Some("2026-04-05 03:00:00")),
        ("0 30 2 * * * until 0 30 3 * * *", "2026-03-29 03:00:00", Some("2026-03-29 03:30:00")),
        ("0 30 2 * * * until 0 15 2 * * *", "2026-03-28 12:00:00", Some("2026-03-29 03:00:00")),
        ("0 0 1,14 * * * until 0 30 2,15 * * *", "2026-03-29 03:00:00", None),
        ("0 0 2,14 * * * until 0 0 6,18 * * *", "2026-03-29 03:00:00", Some("2026-03-29 06:00:00")),
        // The night in which they go back: 03:00 becomes 02:00. An hour that comes twice is covered twice.
        ("0 0 22 * * * for 6h", "2026-10-25 00:00:00", Some("2026-10-25 03:00:00")),
        ("0 0 22 * * * until 0 0 4 * * *", "2026-10-25 02:30:00*", Some("2026-10-25 04:00:00")),
        ("0 0 1 * * * until 0 30 2 * * *", "2026-10-25 02:29:59", Some("2026-10-25 02:30:00")),
        ("0 0 1 * * * until 0 30 2 * * *", "2026-10-25 02:10:00*", None),
        ("0 0 2 * * SUN until 0 0 3 * * SUN", "2026-10-25 02:30:00*", Some("2026-10-25 03:00:00")),
        ("0 15 2 * * * until 0 45 2 * * *", "2026-10-25 02:20:00", Some("2026-10-25 02:45:00")),
        ("0 15 2 * * * until 0 45 2 * * *", "2026-10-25 02:20:00*", None),
        ("0 0 * * * * until 0 30 * * * *", "2026-10-25 02:20:00*", Some("2026-10-25 02:30:00*")),
    ] {
        assert_eq!(window(text).covers(berlin(now)), end.map(berlin), "{text} at {now}");
    }
}

#[test]
fn a_zone_is_that_of_the_schedule() {
    let from = Schedule::parse("0 0 22 * * *", Zone::built_in("America/New_York").unwrap()).unwrap();
    let window = Window::new(from, WindowEnd::After(Duration::from_hours(1)));
    assert!(window.covers(berlin("2026-01-13 04:30:00")).is_some());
    assert_eq!(window.covers(berlin("2026-01-13 22:30:00")), None);
}

#[test]
fn the_next_opening_begins_after_now_and_has_its_own_end() {
    for (text, now, begin, end) in [
        ("0 0 22 * * FRI for 6h", "2026-01-09 21:59:59", "2026-01-09 22:00:00", "2026-01-10 04:00:00"),
        ("0 0 22 * * FRI for 6h", "2026-01-09 22:00:00", "2026-01-16 22:00:00", "2026-01-17 04:00:00"),
        ("0 0 22 * * TUE#2 for 8h", "2026-12-01 00:00:00", "2026-12-08 22:00:00", "2026-12-09 06:00:00"),
        ("0 0 22 8-14 * TUE for 8h", "2026-12-02 12:00:00", "2026-12-08 22:00:00", "2026-12-09 06:00:00"),
        ("0 0 18 * * FRI until 0 0 8 * * MON", "2026-01-08 00:00:00", "2026-01-09 18:00:00", "2026-01-12 08:00:00"),
    ] {
        assert_eq!(window(text).next(berlin(now)), Some((berlin(begin), berlin(end))), "{text} after {now}");
    }
}
