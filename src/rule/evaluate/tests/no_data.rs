//! Blind, and seeing again.

use std::time::Duration;

use super::world::{World, rule, time, walk};

#[test]
fn silence_fires_by_time_alone_and_any_reading_ends_it() {
    walk(
        "no_data 6h",
        "00:00  10  inactive  -
         05:59  -   inactive  -
         06:00  -   firing    fired
         06:30  0   inactive  resolved   # data came, though a zero that waits to be confirmed",
    );
}

#[test]
fn a_reading_that_comes_after_the_silence_does_not_fire_it() {
    walk("no_data 6h", "00:00 10 inactive -\n 09:00 10 inactive -");
}

#[test]
fn silence_is_told_without_a_value_from_when_data_was_last_seen() {
    let mut world = World::new();
    world.walk(&rule("no_data 6h"), "01:00 10 inactive -\n 07:30 - firing fired\n 08:00 10 inactive resolved");
    let (fired, resolved) = (&world.told[0], &world.told[1]);
    assert_eq!((fired.value, fired.observed_at, fired.baseline), (None, None, None));
    assert_eq!((fired.since, fired.fired_at, fired.at), (time("01:00"), time("07:30"), time("07:30")));
    assert_eq!((resolved.value, resolved.since, resolved.at), (Some(10.0), time("01:00"), time("08:00")));
}

#[test]
fn the_time_that_we_were_away_is_not_the_tenants_silence() {
    let mut world = World { away: Duration::from_hours(2), ..World::new() };
    world.walk(&rule("no_data 6h"), "00:00 10 inactive -\n 07:59 - inactive -\n 08:00 - firing fired");
}

#[test]
fn a_longer_absence_than_the_silence_never_fires() {
    let mut world = World { away: Duration::from_hours(200), ..World::new() };
    world.walk(&rule("no_data 6h"), "00:00 10 inactive -\n 8d00:00 - inactive -");
}

#[test]
fn blindness_is_reminded_of_and_ends_before_it_is_reminded_of() {
    walk(
        "no_data 6h, repeat 1h",
        "06:00  -   firing    fired
         06:59  -   firing    -
         07:00  -   firing    reminder
         08:30  10  inactive  resolved",
    );
}
