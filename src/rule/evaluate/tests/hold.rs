//! `for`: how long the condition must have held.

use std::time::Duration;

use super::world::{World, rule, time, walk};
use crate::rule::Gap;

#[test]
fn a_rule_fires_after_its_hold_and_resolves_at_its_recovery_mark() {
    walk(
        "below 300, recover above 320, for 1h",
        "00:00  300  inactive  -         # strict
         00:15  299  pending   -
         01:15  298  firing    fired     # exactly one hour
         01:30  310  firing    -
         01:45  320  firing    -
         02:00  321  inactive  resolved",
    );
}

#[test]
fn three_checks_without_a_reading_do_not_start_the_hold_again_and_four_do() {
    walk(
        "above 50, for 3h",
        "00:00  51  pending   -
         02:00  51  pending   -          # 00:30, 01:00 and 01:30 gave none
         03:00  51  firing    fired",
    );
    walk(
        "above 50, for 3h",
        "00:00  51  pending   -
         02:30  51  pending   -
         03:00  51  pending   -
         05:00  51  pending   -          # three again
         05:30  51  firing    fired      # three hours after the gap",
    );
}

#[test]
fn a_gap_is_measured_from_the_last_reading_and_not_from_a_failed_check() {
    walk(
        "above 50, for 2h",
        "00:00  51  pending   -
         01:00  -   pending   -
         02:30  51  pending   -
         04:00  51  pending   -
         04:30  51  firing    fired",
    );
}

#[test]
fn a_daily_source_that_is_polled_more_often_leaves_no_gap_between_its_records() {
    let table = "00:00 49 pending -\n 1d00:00 49 pending -\n 1d12:00 - pending -\n 2d03:00 49 firing fired";
    World::of_daily_records().walk(&rule("below 50, for 2d"), table);
    World::of_daily_records().walk(&rule("below 50, for 3d"), "00:00 49 pending -\n 3d00:00 49 firing fired");
    World::of_daily_records().walk(&rule("below 50, for 4d"), "00:00 49 pending -\n 4d00:00 49 firing fired");
    World::of_daily_records().walk(&rule("below 50, for 4d"), "00:00 49 pending -\n 5d00:00 49 pending -");
}

#[test]
fn a_pause_of_the_schedule_and_our_own_downtime_are_not_a_gap() {
    // As far as the rule sees, no check was due in between.
    let mut world = World { poll_interval: Duration::from_hours(100), ..World::new() };
    world.walk(&rule("below 300, for 12h"), "00:00 290 pending -\n 15:00 290 firing fired");
}

#[test]
fn a_fall_across_a_gap_is_held_against_what_was_before_the_gap() {
    let rule = rule("drop 10%, within 2h, for 1h");
    let table = "00:00 400 inactive -\n 10:00 300 pending -\n 10:30 300 pending -\n 11:00 300 firing fired";
    let mut world = World::new();
    world.walk(&rule, table);
    let fired = world.transitions.last().unwrap();
    assert_eq!((fired.baseline, fired.since), (Some(400.0), time("10:00")));
    assert_eq!(fired.gap, Some(Gap { from: time("00:00"), until: time("10:00") }));
    World::new().walk(&rule, "00:00 400 inactive -\n 10:00 300 pending -\n 10:30 400 inactive -");
    // A gap while it pends starts `for` again and loses nothing.
    let table = "00:00 400 inactive -\n 00:30 300 pending -\n 10:00 300 pending -\n 10:30 300 pending -\n 11:00 300 firing fired";
    World::new().walk(&rule, table);
    let average = super::world::rule("drop 10%, within 2h, from average, for 1h");
    World::new().walk(&average, "00:00 400 inactive -\n 10:00 300 pending -\n 11:00 300 firing fired");
}

#[test]
fn a_reading_that_does_not_hold_starts_the_hold_again() {
    walk(
        "above 50, for 2h",
        "04:00  51  pending   -
         04:30  50  inactive  -
         05:00  51  pending   -
         06:00  51  pending   -
         07:00  51  firing    fired",
    );
}

#[test]
fn a_hold_never_ends_by_time_alone() {
    walk("below 300, for 1h", "00:00 290 pending -\n 01:00 - pending -\n 01:10 290 firing fired");
}

#[test]
fn an_edited_condition_starts_the_hold_again_and_an_edited_hold_does_not() {
    let mut world = World::new();
    world.walk(&rule("below 300, for 1h"), "00:00 290 pending -\n 00:30 290 pending -");
    world.walk(&rule("below 295, for 1h"), "01:00 290 pending -\n 01:30 290 pending -\n 02:00 290 firing fired");
    let mut world = World::new();
    world.walk(&rule("below 300, for 2h"), "00:00 290 pending -\n 00:30 290 pending -");
    world.walk(&rule("below 300, for 1h"), "01:00 290 firing fired");
}

#[test]
fn an_unconfirmed_zero_neither_ends_nor_breaks_a_hold() {
    walk("below 300, for 1h", "00:00 290 pending -\n 00:30 290 pending -\n 01:00 0 pending -\n 01:01 290 firing fired");
    walk("above 50, for 1h", "00:00 60 pending -\n 00:30 0 pending -\n 01:00 60 firing fired");
    walk("above 50, for 1h", "00:00 60 pending -\n 00:30 0 pending -\n 01:00 0 inactive -");
}

#[test]
fn a_clock_that_jumps_back_fires_nothing_early() {
    walk(
        "below 300, for 1h",
        "5d00:00 290 pending -\n 00:00 290 pending -\n 00:30 290 pending -\n 01:00 290 firing fired",
    );
}

#[test]
fn a_clock_that_jumps_ahead_is_a_gap() {
    walk("below 300, for 1h", "00:00 290 pending -\n 5d00:00 290 pending -\n 5d01:00 290 firing fired");
}
