//! An alert that fires: over, worse, or due for a reminder.

use super::world::{World, kind, rule, time, walk};

#[test]
fn a_firing_drop_is_judged_by_its_frozen_baseline_not_by_the_moving_window() {
    walk(
        "drop 10%, within 1h",
        "00:00   400  inactive  -
         00:30   360  firing    fired
         9d00:00 360  firing    -
         9d00:30 361  inactive  resolved",
    );
}

#[test]
fn regained_counts_from_the_greatest_loss_and_does_not_fire_again_at_once() {
    walk(
        "drop 50pts, recover regained 50%",
        "00:00  400  inactive  -
         00:30  340  firing    fired
         01:00  300  firing    -
         01:30  349  firing    -
         02:00  350  inactive  resolved
         02:30  349  inactive  -
         03:00  300  firing    fired     # 50 points from the new level",
    );
}

#[test]
fn a_drop_with_a_recovery_mark_is_over_strictly_above_it_and_not_before() {
    walk(
        "drop 10%, recover above 390",
        "00:00  400  inactive  -
         00:30  360  firing    fired
         01:00  380  firing    -         # the loss is smaller than the size
         01:30  390  firing    -
         02:00  391  inactive  resolved
         02:30  352  inactive  -         # 10 % of 391 is 39.1",
    );
    walk(
        "drop 10%, recover above 350",
        "00:00  400  inactive  -
         00:30  340  firing    fired
         01:00  351  inactive  resolved  # the mark says so, though 12 % are still lost
         01:30  351  inactive  -",
    );
}

#[test]
fn a_rise_with_a_recovery_mark_is_over_strictly_below_it_and_not_before() {
    walk(
        "rise 10pts, recover below 22",
        "00:00  20    inactive  -
         00:30  30    firing    fired
         01:00  25    firing    -
         01:30  22    firing    -
         02:00  21.9  inactive  resolved",
    );
}

#[test]
fn an_above_is_over_strictly_below_its_recovery_mark() {
    walk("above 50, recover below 40", "00:00 51 firing fired\n 00:30 40 firing -\n 01:00 39.9 inactive resolved");
}

#[test]
fn a_worsening_is_reported_once_per_size_from_the_last_reported_value() {
    walk(
        "drop 10%",
        "00:00  400  inactive  -
         00:30  360  firing    fired
         01:00  321  firing    -
         01:30  320  firing    worsened
         02:00  340  firing    -
         02:30  300  firing    -         # 20 from the reported value
         03:00  280  firing    worsened",
    );
}

#[test]
fn below_and_above_worsen_only_by_an_explicit_step() {
    walk("below 300", "00:00 299 firing fired\n 00:30 1 firing -");
    walk("above 50", "00:00 51 firing fired\n 00:30 99 firing -");
    walk("below 300, step 10pts", "00:00 299 firing fired\n 00:30 290 firing -\n 01:00 289 firing worsened");
}

#[test]
fn a_step_in_percent_is_of_the_threshold() {
    walk(
        "below 300, step 10%",
        "00:00 299 firing fired\n 00:30 270 firing -\n 01:00 269 firing worsened\n 01:30 240 firing -\n 02:00 239 firing worsened",
    );
    walk("above 50, step 10%", "00:00 51 firing fired\n 00:30 55.9 firing -\n 01:00 56 firing worsened");
}

#[test]
fn a_reminder_is_sent_repeat_after_the_last_notification() {
    walk(
        "below 300, repeat 24h",
        "00:00    299  firing  fired
         23:59    -    firing  -
         1d00:00  -    firing  reminder
         2d00:30  299  firing  reminder  # a reading may bring it too
         3d00:29  -    firing  -
         3d00:30  -    firing  reminder",
    );
}

#[test]
fn while_a_notification_is_on_its_way_there_is_no_reminder() {
    let mut world = World { is_delivering: false, ..World::new() };
    let rule = rule("below 300, repeat 1h");
    world
        .walk(&rule, "00:00 299 firing fired wake never\n 09:00 - firing - wake never\n 09:15 299 firing - wake never");
    world.notified_at = Some(time("09:20"));
    world.walk(&rule, "09:30 - firing - wake 10:20\n 10:19 - firing - wake 10:20\n 10:20 - firing reminder wake never");
}

#[test]
fn a_worsening_that_is_over_before_anybody_was_notified_does_not_count() {
    let rule = rule("drop 10%");
    let mut world = World::new();
    world.walk(&rule, "00:00 400 inactive -\n 00:30 360 firing fired");
    // What worsens from here on is held.
    world.is_delivering = false;
    world.walk(
        &rule,
        "01:00  310  firing  worsened
         01:30  300  firing  -
         02:00  325  firing  -         # less than 10 % of 400 below the reported 360
         02:30  315  firing  worsened
         03:00  270  firing  worsened
         03:30  320  firing  -         # still as bad as is worth reporting
         04:00  270  firing  -
         04:30  360  firing  -",
    );
    let Some(firing) = world.alert.firing() else { panic!("it fires") };
    assert_eq!((firing.worst_notified, firing.worst_before, firing.taken_back), (Some(360.0), None, 4));
    world.walk(&rule, "05:00 310 firing worsened");
    // It was reported: only what is worse by the rule's size again is worth reporting.
    world.notified_at = Some(time("05:10"));
    world.walk(
        &rule,
        "05:30  360  firing  -
         06:00  310  firing  -
         06:30  270  firing  worsened",
    );
}

#[test]
fn worsened_beats_the_reminder_and_resolved_beats_both() {
    walk(
        "drop 10%, repeat 1h",
        "00:00  400  inactive  -
         00:30  360  firing    fired
         02:00  320  firing    worsened
         02:59  320  firing    -         # the reminder counts from it
         03:00  320  firing    reminder
         05:00  400  inactive  resolved",
    );
}

#[test]
fn a_failed_fetch_neither_confirms_nor_clears() {
    walk(
        "below 300",
        "00:00 - inactive -\n 00:30 290 firing fired\n 9d00:00 - firing -\n 9d00:30 300 inactive resolved",
    );
}

#[test]
fn each_firing_begins_a_generation_and_counts_from_one() {
    let mut world = World::new();
    world.walk(
        &rule("drop 10%, repeat 1h"),
        "00:00  400  inactive  -
         00:30  360  firing    fired
         01:00  320  firing    worsened
         02:00  -    firing    reminder
         02:30  400  inactive  resolved
         03:00  350  firing    fired
         03:30  400  inactive  resolved",
    );
    let numbers: Vec<_> = world
        .transitions
        .iter()
        .map(|notified| (notified.generation, notified.sequence, kind(notified.kind)))
        .collect();
    let first = [(1, 1, "fired"), (1, 2, "worsened"), (1, 3, "reminder"), (1, 4, "resolved")];
    let second = [(2, 1, "fired"), (2, 2, "resolved")];
    assert_eq!(numbers, [first.as_slice(), second.as_slice()].concat());
}

#[test]
fn a_transition_carries_what_its_message_needs() {
    let mut world = World::new();
    world.walk(
        &rule("drop 10%, for 30m"),
        "00:00 400 inactive -\n 00:30 350 pending -\n 01:00 340 firing fired\n 01:30 300 firing worsened\n 02:00 390 inactive resolved",
    );
    for (notified, at, value) in [(0, "01:00", 340.0), (1, "01:30", 300.0), (2, "02:00", 390.0)] {
        let notified = &world.transitions[notified];
        assert_eq!((notified.at, notified.value, notified.observed_at), (time(at), Some(value), Some(time(at))));
        assert_eq!((notified.baseline, notified.since, notified.fired_at), (Some(400.0), time("00:30"), time("01:00")));
    }
}
