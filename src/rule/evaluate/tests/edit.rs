//! A rule is edited while its alert is open: it is judged by the new text at the next reading.

use super::world::{World, rule};

#[test]
fn an_alert_ended_by_an_edit_is_reported_as_changed_and_one_that_recovered_as_resolved() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("below 280"), "00:30 - firing -\n 01:00 290 inactive rule-changed");
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("below 280"), "00:30 300 inactive resolved");
}

#[test]
fn between_the_bounds_of_the_new_text_the_alert_keeps_the_terms_it_fired_under() {
    let mut world = World::new();
    world.walk(&rule("below 300, recover above 320"), "00:00 290 firing fired");
    world.walk(&rule("below 280, recover above 320"), "00:30 290 firing -\n 01:00 321 inactive resolved");
}

#[test]
fn no_worsening_is_reported_by_an_edited_condition_that_does_not_hold() {
    let mut world = World::new();
    world.walk(&rule("below 300, recover above 320, step 10pts"), "00:00 299 firing fired");
    let edited = rule("below 280, recover above 320, step 10pts");
    world.walk(&edited, "00:30 285 firing -\n 01:00 280 firing -\n 01:30 279 firing worsened");
}

#[test]
fn an_edited_size_is_judged_against_the_frozen_baseline() {
    let mut world = World::new();
    world.walk(&rule("drop 10%, within 1h"), "00:00 400 inactive -\n 00:30 350 firing fired");
    world.walk(&rule("drop 5%, within 1h"), "9d00:00 380 firing -\n 9d00:30 381 inactive resolved");
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 00:30 350 firing fired");
    world.walk(&rule("drop 20%"), "01:00 350 inactive rule-changed");
}

#[test]
fn a_drop_edited_to_a_rise_takes_the_baseline_of_the_rise_or_ends() {
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 300 inactive -\n 00:30 400 inactive -\n 01:00 360 firing fired");
    world.walk(&rule("rise 10%"), "01:30 360 firing -\n 02:00 330 firing -\n 02:30 329 inactive resolved");
    assert_eq!(world.transitions.last().unwrap().baseline, Some(300.0));
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 00:30 360 firing fired");
    world.walk(&rule("rise 10%"), "01:00 360 inactive rule-changed");
}

#[test]
fn a_rise_edited_to_a_drop_takes_the_baseline_of_the_drop_or_ends() {
    let mut world = World::new();
    world.walk(&rule("rise 10pts"), "00:00 60 inactive -\n 00:30 20 inactive -\n 01:00 30 firing fired");
    world.walk(&rule("drop 10pts"), "01:30 30 firing -\n 02:00 51 inactive resolved");
    let mut world = World::new();
    world.walk(&rule("rise 10pts"), "00:00 20 inactive -\n 00:30 30 firing fired");
    world.walk(&rule("drop 10pts"), "01:00 35 inactive rule-changed");
}

#[test]
fn a_below_edited_to_a_drop_takes_a_baseline_or_ends() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 400 inactive -\n 00:30 290 firing fired");
    world.walk(&rule("drop 10%"), "01:00 290 firing -\n 01:30 360 firing -\n 02:00 361 inactive resolved");
    assert_eq!(world.transitions.last().unwrap().baseline, Some(400.0));
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("drop 10%"), "00:30 285 inactive rule-changed");
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("drop 10%"), "9d00:00 200 firing -      # the newest reading before is a baseline, however old");
}

#[test]
fn a_drop_edited_to_a_below_is_judged_by_the_bound() {
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 00:30 360 firing fired");
    world.walk(&rule("below 370"), "01:00 369 firing -\n 01:30 370 inactive resolved");
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 00:30 360 firing fired");
    world.walk(&rule("below 350"), "01:00 360 inactive rule-changed");
}

#[test]
fn an_alert_of_another_condition_ends_at_a_reading_once_its_rule_asks_for_silence() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("no_data 6h"), "00:30 - firing -\n 01:00 290 inactive rule-changed");
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("no_data 6h"), "00:30 300 inactive resolved");
}

#[test]
fn an_alert_of_another_condition_also_ends_by_the_gap_and_is_reported_as_such() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    let table = "05:59 - firing -\n 06:00 - inactive rule-changed wake 06:00\n 06:01 - firing fired";
    world.walk(&rule("no_data 6h"), table);
}

#[test]
fn a_pending_alert_is_none_once_its_rule_asks_for_silence() {
    let mut world = World::new();
    world.walk(&rule("below 300, for 1h"), "00:00 290 pending -");
    world.walk(&rule("no_data 6h"), "00:30 - inactive -");
}

#[test]
fn a_silence_whose_rule_was_edited_ends_with_data_which_the_next_reading_is_judged_after() {
    let mut world = World::new();
    world.walk(&rule("no_data 1h"), "02:00 - firing fired");
    let table = "02:15 - firing -\n 02:30 290 inactive resolved\n 03:00 290 firing fired";
    world.walk(&rule("below 300"), table);
}
