//! When a tick is due. `wake` is the fifth column.

use std::time::Duration;

use super::world::{World, rule, walk};

#[test]
fn an_alert_that_only_a_reading_can_change_needs_no_tick() {
    walk(
        "below 300, for 1h",
        "00:00  300  inactive  -         wake  never
         00:30  299  pending   -         wake  never
         00:45  -    pending   -         wake  never
         01:30  299  firing    fired     wake  never
         02:00  299  firing    -         wake  never
         02:30  300  inactive  resolved  wake  never",
    );
}

#[test]
fn a_reminder_is_planned_once_the_last_notification_is_final() {
    walk(
        "below 300, repeat 1h",
        "00:00  299  firing    fired     wake  never
         00:15  299  firing    -         wake  01:00
         00:30  -    firing    -         wake  01:00
         01:00  -    firing    reminder  wake  never
         01:15  -    firing    -         wake  02:00
         01:30  300  inactive  resolved  wake  never
         01:45  -    inactive  -         wake  never",
    );
}

#[test]
fn an_acceptance_is_foreseen_from_the_firing_on() {
    walk(
        "drop 10%, accept_after 7d",
        "00:00    400  inactive  -         wake  never
         00:30    350  firing    fired     wake  7d00:30
         01:00    310  firing    worsened  wake  7d00:30
         3d00:00  -    firing    -         wake  7d00:30
         7d00:30  -    inactive  accepted  wake  never",
    );
}

#[test]
fn the_earlier_of_reminder_and_acceptance_wakes() {
    walk(
        "drop 10%, accept_after 2d, repeat 24h",
        "00:00    400  inactive  -
         00:30    350  firing    fired     wake  2d00:30
         01:00    350  firing    -         wake  1d00:30
         1d01:00  -    firing    reminder  wake  2d00:30
         1d02:00  -    firing    -         wake  2d00:30",
    );
}

#[test]
fn the_end_of_a_silence_is_foreseen_from_the_newest_data() {
    walk(
        "no_data 6h",
        "00:30  10  inactive  -         wake  06:30
         01:00  -   inactive  -         wake  06:30
         01:30  10  inactive  -         wake  07:30
         07:30  -   firing    fired     wake  never
         08:00  -   firing    -         wake  never
         08:30  10  inactive  resolved  wake  14:30",
    );
}

#[test]
fn a_silence_that_fires_wakes_for_its_reminders() {
    walk(
        "no_data 6h, repeat 1h",
        "06:00  -  firing  fired     wake  never
         06:30  -  firing  -         wake  07:00
         07:00  -  firing  reminder  wake  never",
    );
}

#[test]
fn our_downtime_postpones_the_end_of_a_gap() {
    let mut world = World { downtime: Duration::from_hours(2), ..World::new() };
    world.walk(&rule("no_data 6h"), "01:00 - inactive - wake 08:00\n 08:00 - firing fired wake never");
}

#[test]
fn an_edited_rule_wakes_by_its_new_text() {
    let mut world = World::new();
    world.walk(&rule("below 300, repeat 24h"), "00:00 290 firing fired wake never");
    world.walk(&rule("no_data 6h, repeat 24h"), "00:30 - firing - wake 06:00");
    world.walk(&rule("no_data 6h, repeat 1h"), "00:45 - firing - wake 01:00");
    let mut world = World::new();
    world.walk(&rule("no_data 1h"), "02:00 - firing fired wake never");
    world
        .walk(&rule("drop 10%, accept_after 7d"), "02:15 - firing - wake never\n 02:30 9 inactive resolved wake never");
}
