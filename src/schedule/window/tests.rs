use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::domain::parse_duration;

const BERLIN: Tz = Tz::Europe__Berlin;

fn schedule(expression: &str) -> Schedule {
    Schedule::parse(expression, BERLIN).unwrap()
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
    let shown = NaiveDateTime::parse_from_str(text.trim_end_matches('*'), "%Y-%m-%d %H:%M:%S").unwrap();
    let found = BERLIN.from_local_datetime(&shown);
    let instant = if text.ends_with('*') { found.latest() } else { found.earliest() };
    Timestamp::from_chrono(instant.unwrap().to_utc()).unwrap()
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
        // It ends where it begins anew: all the time, an occurrence after the other.
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
        // The night in which they go back: 03:00 becomes 02:00. An hour that comes twice is covered twice.
        ("0 0 22 * * * for 6h", "2026-10-25 00:00:00", Some("2026-10-25 03:00:00")),
        ("0 0 22 * * * until 0 0 4 * * *", "2026-10-25 02:30:00*", Some("2026-10-25 04:00:00")),
        ("0 0 1 * * * until 0 30 2 * * *", "2026-10-25 02:29:59", Some("2026-10-25 02:30:00")),
        ("0 0 1 * * * until 0 30 2 * * *", "2026-10-25 02:10:00*", None),
    ] {
        assert_eq!(window(text).covers(berlin(now)), end.map(berlin), "{text} at {now}");
    }
}

#[test]
fn a_zone_is_that_of_the_schedule() {
    let from = Schedule::parse("0 0 22 * * *", Tz::America__New_York).unwrap();
    let window = Window::new(from, WindowEnd::After(Duration::from_hours(1)));
    assert!(window.covers(berlin("2026-01-13 04:30:00")).is_some());
    assert_eq!(window.covers(berlin("2026-01-13 22:30:00")), None);
}

/// Any second of the year, and every other time one of the two nights in which clocks in Berlin change.
fn seconds_of_2026() -> impl Strategy<Value = i64> {
    let around = |change: i64| change - 20 * 3600..change + 20 * 3600;
    prop_oneof![1_767_225_600_i64..1_798_761_600, around(1_774_746_000), around(1_792_890_000)]
}

proptest! {
    /// Whatever the night, an instant is covered exactly if a beginning lies before it and no end in between.
    #[test]
    fn covered_is_what_lies_between_a_beginning_and_its_end(seconds in seconds_of_2026()) {
        let (from, until) = (schedule("0 0 1,22 * * *"), schedule("0 30 2,23 * * *"));
        let now = Timestamp::from_seconds(seconds);
        let mut begin = None;
        let mut tick = from.next_tick(now.minus(Duration::from_hours(72))).unwrap();
        while tick <= now {
            begin = Some(tick);
            tick = from.next_tick(tick).unwrap();
        }
        let end = until.next_tick(begin.unwrap()).unwrap();
        prop_assert_eq!(Window::new(from.clone(), WindowEnd::At(until)).covers(now), (end > now).then_some(end));
        prop_assert_eq!(from.last_tick(now), begin);
    }
}
