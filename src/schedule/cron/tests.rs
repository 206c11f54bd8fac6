use std::time::Duration;

use proptest::prelude::*;

use super::Schedule;
use crate::{
    domain::Timestamp,
    schedule::{Zone, phase},
};

mod clock_changes;

const BERLIN: &str = "Europe/Berlin";
const KATHMANDU: &str = "Asia/Kathmandu";
const UTC: &str = "UTC";
const ZONES: [&str; 6] = [BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", KATHMANDU, UTC];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn zone(name: &str) -> Zone {
    Zone::built_in(name).unwrap()
}

fn schedule(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(expression, self::zone(zone)).unwrap()
}

#[test]
fn ticks_follow_the_zones_clock() {
    for (expression, zone, after, tick) in [
        ("0 */15 * * * *", UTC, "2026-11-24T10:00:00Z", "2026-11-24T10:15:00Z"),
        ("0 */15 * * * *", UTC, "2026-11-24T10:14:59.999999999Z", "2026-11-24T10:15:00Z"),
        ("0 */15 * * * *", UTC, "2026-11-24T10:15:00.000000001Z", "2026-11-24T10:30:00Z"),
        ("* * * * * *", UTC, "2026-11-24T10:00:00.5Z", "2026-11-24T10:00:01Z"),
        ("*/20 * * * * *", UTC, "2026-11-24T10:00:20Z", "2026-11-24T10:00:40Z"),
        ("0 30 8 * * *", BERLIN, "2026-07-01T00:00:00Z", "2026-07-01T06:30:00Z"),
        ("0 30 8 * * *", BERLIN, "2026-12-01T00:00:00Z", "2026-12-01T07:30:00Z"),
        ("0 0 * * * *", KATHMANDU, "2026-12-01T00:00:00Z", "2026-12-01T00:15:00Z"),
        ("0 0 8 * * MON-FRI", UTC, "2026-11-27T08:00:00Z", "2026-11-30T08:00:00Z"),
        ("0 0 8 L * *", UTC, "2026-02-01T00:00:00Z", "2026-02-28T08:00:00Z"),
        ("0 0 8 * * FRI#2", UTC, "2026-11-01T00:00:00Z", "2026-11-13T08:00:00Z"),
        ("0 0 8 29 2 *", UTC, "2026-11-01T00:00:00Z", "2028-02-29T08:00:00Z"),
        ("0 0 8 29 2 *", UTC, "2096-03-01T00:00:00Z", "2104-02-29T08:00:00Z"),
        ("0 0 8 1 jan *", UTC, "2026-11-01T00:00:00Z", "2027-01-01T08:00:00Z"),
    ] {
        assert_eq!(schedule(expression, zone).next_tick(at(after)), Some(at(tick)), "{expression} after {after}");
    }
}

#[test]
fn of_two_days_either_will_do_and_a_plus_asks_for_both() {
    let after = at("2026-11-14T00:00:00Z");
    assert_eq!(schedule("0 0 8 13 * FRI", UTC).next_tick(after), Some(at("2026-11-20T08:00:00Z")));
    assert_eq!(schedule("0 0 8 13 * +FRI", UTC).next_tick(after), Some(at("2027-08-13T08:00:00Z")));
}

#[test]
fn a_schedule_that_cannot_be_used_says_what_to_write() {
    for (bad, instead) in [
        ("*/15 * * * *", "put the seconds first: `0 */15 * * * *`"),
        ("@hourly", "write `0 0 * * * *`"),
        ("@Daily", "write `0 0 0 * * *`"),
        ("@reboot", "nickname"),
        ("", "has 0 fields"),
        ("0 0 0 1 1 * 2027", "has 7 fields"),
        ("every day", "has 2 fields"),
        ("24", "has 1 field"),
        ("15m", "`15m` is an interval, not a schedule; write `\"0 */15 * * * *\"`"),
        ("Hourly", "write `0 0 * * * *`"),
        ("45m", "has 1 field"),
        ("22:00", "`22:00` is a time of day, not a schedule; write `\"0 0 22 * * *\"`"),
        ("2026-12-24 22:00", "is one moment, not a schedule; write `\"0 0 22 24 12 *\"`"),
        ("2026-12-24T22:00:00Z", "write `\"0 0 22 24 12 *\"`"),
        ("0 60 * * * *", "`60` can't be the minute; write 0 to 59"),
        ("0 0 24 * * *", "`24` can't be the hour; write 0 to 23"),
        ("0 0 0 * 13 *", "`13` can't be the month; write 1 to 12"),
        ("0 */0 * * * *", "`*/0` can't be the minute; write a step of 1 or more, like `*/5`"),
        ("0 0 8, 20 * * *", "has blanks in a list, which ends a field; write `0 0 8,20 * * *`"),
        (
            "CRON_TZ=Europe/Berlin 0 0 8 * * *",
            "does not belong into a schedule; write `0 0 8 * * *`, and `timezone: Europe/Berlin` beside it",
        ),
        ("TZ=UTC  0 8 * * *", "write `0 8 * * *`, and `timezone: UTC`"),
        ("0 0/15 * * * *", "`0/15` can't be the minute; write `*/15`"),
        ("0 5/15 * * * *", "write `5-59/15`"),
        ("0 0 0 * * ÄÖ", "`ÄÖ` can't be the day of week; write SUN to SAT"),
        ("0 0 8 * * MO", "`MO` can't be the day of week; write `\"0 0 8 * * MON\"`"),
        ("0 0 8 * * Mo-Fr", "write `\"0 0 8 * * MON-FRI\"`"),
        ("0 0 8 * * Montag", "write `\"0 0 8 * * MON\"`"),
        ("0 0 8 * * di", "write `\"0 0 8 * * TUE\"` or `\"0 0 8 * * SUN\"`"),
        ("0 0 0 31 2 *", "never occurs"),
        ("0 0 0 30 2 +MON", "never occurs"),
        ("0 0 0 31 4,6,9,11 *", "never occurs"),
    ] {
        let why = Schedule::parse(bad, Zone::utc()).unwrap_err().to_string();
        assert!(why.contains(instead), "{bad}: {why}");
    }
    let endless = format!("{} * * * * *", "0,".repeat(300));
    assert!(Schedule::parse(&endless, Zone::utc()).unwrap_err().what.contains("at most 512 characters"));
}

#[test]
fn past_the_end_of_time_there_is_no_tick() {
    assert_eq!(schedule("0 0 0 1 1 *", UTC).next_tick(Timestamp::from_nanos(i64::MAX)), None);
    assert_eq!(schedule("* * * * * *", UTC).next_due(Timestamp::from_nanos(i64::MAX), Duration::ZERO), None);
}

#[test]
fn the_interval_is_the_gap_around_an_instant() {
    for (expression, zone, around, hours) in [
        ("0 0 * * * *", UTC, "2026-11-24T10:20:00Z", 1),
        ("0 0 8 * * MON-FRI", UTC, "2026-11-28T12:00:00Z", 72),
        ("0 0 8 * * MON-FRI", UTC, "2026-11-27T08:00:00Z", 72),
        ("0 0 8 * * MON-FRI", UTC, "2026-11-27T07:59:59Z", 24),
        ("0 0 8 * * *", BERLIN, "2026-03-29T00:00:00Z", 23),
        ("0 0 8 * * *", BERLIN, "2026-10-25T00:00:00Z", 25),
    ] {
        let interval = schedule(expression, zone).interval_at(at(around));
        assert_eq!(interval, Duration::from_secs(hours * 3600), "{expression} around {around}");
    }
}

#[test]
fn missed_ticks_are_made_up_once() {
    // Due at 10:00 + phase, found at 12:07: after that one check, the next is in the future and nothing in between is owed.
    let schedule = schedule("0 */15 * * * *", UTC);
    let phase = phase("contoso", Duration::from_mins(10));
    let now = at("2026-11-24T12:07:00Z");
    let next = schedule.next_due(now, phase).unwrap();
    assert!(next > now && next <= now.plus(Duration::from_mins(15)));
    assert_eq!(next.minus(phase).as_seconds() % 900, 0);
}

const SHAPES: [&str; 9] = [
    "* * * * * *",
    "*/7 * * * * *",
    "0 */15 * * * *",
    "30 5,35 * * * *",
    "0 0 */2 * * *",
    "0 30 2 * * *",
    "0 0 0 * * *",
    "0 10,40 1-3 * * MON-FRI",
    "0 0 6 1 * FRI",
];

proptest! {
    /// Ticks are strictly later, keep their order and do not depend on where the search began.
    #[test]
    fn ticks_go_forward(
        shape in 0..SHAPES.len(),
        zone in 0..ZONES.len(),
        start in 1_767_225_600_000_000_000_i64..1_830_297_600_000_000_000,
        later in 0..7_200_000_000_000_i64,
    ) {
        let schedule = schedule(SHAPES[shape], ZONES[zone]);
        let (first, second) = (Timestamp::from_nanos(start), Timestamp::from_nanos(start + later));
        let tick = schedule.next_tick(first).unwrap();
        prop_assert!(tick > first);
        prop_assert!(tick <= schedule.next_tick(second).unwrap());
        prop_assert_eq!(schedule.next_tick(tick.minus(Duration::from_nanos(1))), Some(tick));
        let following = schedule.next_tick(tick).unwrap();
        prop_assert_eq!(schedule.interval_at(tick), following.since(tick));
        prop_assert_eq!(schedule.interval_at(following.minus(Duration::from_nanos(1))), following.since(tick));
    }

    /// Whatever is written is refused or has ticks; the search ends and nothing panics.
    #[test]
    fn any_text_is_refused_or_ticks(
        fields in prop::collection::vec(r"[0-9*/,LW#?+A-Z-]{1,5}|\*|\*/[1-9]|[0-5]|[0-9]{1,2}|[12]-[3-6]", 6),
        zone in 0..ZONES.len(),
        start in 0..7_000_000_000_000_000_000_i64,
    ) {
        if let Ok(schedule) = Schedule::parse(&fields.join(" "), self::zone(ZONES[zone])) {
            let start = Timestamp::from_nanos(start);
            prop_assert!(schedule.next_tick(start).is_some_and(|tick| tick > start));
            prop_assert!(schedule.interval_at(start) > Duration::ZERO);
        }
    }

    /// A tenant is due once for each tick, its phase later.
    #[test]
    fn a_phase_only_shifts(
        shape in 0..SHAPES.len(),
        zone in 0..ZONES.len(),
        start in 1_767_225_600_000_000_000_i64..1_830_297_600_000_000_000,
        phase_ms in 0..3_600_000_u64,
    ) {
        let schedule = schedule(SHAPES[shape], ZONES[zone]);
        let phase = Duration::from_millis(phase_ms);
        let start = Timestamp::from_nanos(start);
        let tick = schedule.next_tick(start).unwrap();
        let following = schedule.next_tick(tick).unwrap();
        prop_assert_eq!(schedule.next_due(start.plus(phase), phase), Some(tick.plus(phase)));
        prop_assert_eq!(schedule.next_due(tick.plus(phase), phase), Some(following.plus(phase)));
    }
}

#[test]
fn the_busiest_minute_and_hour_are_counted() {
    for (expression, zone, busiest) in [
        ("0 */15 * * * *", "UTC", (1, 4)),
        ("*/10 * * * * *", "Europe/Berlin", (6, 360)),
        ("* * * * * *", "UTC", (60, 2_000)),
        ("* 0-9 8 * * MON", "Asia/Kathmandu", (60, 600)),
        ("0,30 0,59 8,9 29 2 *", "UTC", (2, 4)),
        ("0 0 8 1 * *", "UTC", (1, 1)),
    ] {
        let schedule = schedule(expression, zone);
        assert_eq!(schedule.busiest(2_000), busiest, "{expression}");
    }
}

#[test]
fn a_schedule_pauses_where_one_gap_is_more_than_twice_another() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (expression, shortest, longest, pauses) in [
        ("0 */15 * * * *", 15, 15, false),
        ("0 */15 8-18 * * *", 15, 13 * 60 + 15, true),
        ("0 0 8,18 * * *", 10 * 60, 14 * 60, false),
        ("0 0 8 * * MON-FRI", 24 * 60, 72 * 60, true),
        ("0 0 8 * * MON", 7 * 24 * 60, 7 * 24 * 60, false),
    ] {
        let gaps = schedule(expression, BERLIN).gaps().unwrap();
        let found = (gaps.shortest, gaps.longest, gaps.pauses());
        assert_eq!(found, (minutes(shortest), minutes(longest), pauses), "{expression}");
    }
}
