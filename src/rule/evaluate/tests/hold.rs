//! `for`: how long the condition must have held.

use super::world::{World, rule, walk};

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
fn a_gap_of_exactly_three_intervals_does_not_start_the_hold_again_and_a_longer_one_does() {
    walk(
        "above 50, for 2h",
        "00:00  51  pending   -
         01:30  51  pending   -
         02:00  51  firing    fired",
    );
    walk(
        "above 50, for 2h",
        "00:00  51  pending   -
         01:31  51  pending   -
         02:00  51  pending   -
         03:30  51  pending   -          # a gap of three again
         03:31  51  firing    fired      # two hours after the gap",
    );
}

#[test]
fn a_gap_is_measured_from_the_last_reading_that_held_not_from_a_failed_fetch() {
    walk(
        "above 50, for 2h",
        "00:00  51  pending   -
         01:00  -   pending   -
         01:31  51  pending   -
         02:30  51  pending   -
         03:31  51  firing    fired",
    );
}

#[test]
fn a_daily_source_that_is_polled_more_often_leaves_no_gap_between_its_records() {
    let table = "00:00 49 pending -\n 1d00:00 49 pending -\n 1d12:00 - pending -\n 2d03:00 49 firing fired";
    World::of_daily_records().walk(&rule("below 50, for 2d"), table);
    World::of_daily_records().walk(&rule("below 50, for 3d"), "00:00 49 pending -\n 3d00:00 49 firing fired");
    World::of_daily_records().walk(&rule("below 50, for 3d"), "00:00 49 pending -\n 3d00:01 49 pending -");
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
