//! Alerts that end though no score recovered.

use super::world::{World, rule, time, walk};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, Resolution, accept, close},
};

#[test]
fn a_loss_is_accepted_as_the_new_level_after_its_time_on_a_tick() {
    walk(
        "drop 10%, accept_after 7d",
        "00:00    400  inactive  -
         00:30    350  firing    fired
         7d00:29  -    firing    -
         7d00:30  -    inactive  accepted
         7d01:00  350  inactive  -",
    );
}

#[test]
fn a_loss_is_accepted_as_the_new_level_after_its_time_on_a_reading() {
    walk(
        "drop 10%, within 30d, accept_after 7d",
        "00:00    400  inactive  -
         00:30    350  firing    fired
         7d01:00  340  inactive  accepted
         7d01:30  307  inactive  -
         7d02:00  306  firing    fired     # 10 % of 340",
    );
}

#[test]
fn acceptance_beats_worsening_and_reminder_and_recovery_beats_acceptance() {
    let start = "00:00 400 inactive -\n 00:30 350 firing fired\n";
    walk("drop 10%, repeat 1h, accept_after 7d", &format!("{start} 7d00:30 300 inactive accepted"));
    walk("drop 10%, repeat 1h, accept_after 7d", &format!("{start} 7d00:30 361 inactive resolved"));
}

#[test]
fn a_bound_is_never_accepted_by_time() {
    walk("below 300, accept_after 1h", "00:00 290 firing fired\n 00:30 - firing - wake never\n 9d00:00 290 firing -");
}

#[test]
fn a_person_accepts_a_loss_as_the_new_level() {
    let mut world = World::new();
    world.walk(
        &rule("drop 10%"),
        "00:00  400     inactive  -
         00:30  350     firing    fired
         00:40  accept  inactive  accepted  wake  never
         01:00  350     inactive  -
         01:30  316     inactive  -
         02:00  315     firing    fired     # 10 % of the new level",
    );
    let accepted = &world.transitions[1];
    assert_eq!((accepted.at, accepted.value, accepted.baseline), (time("00:40"), Some(350.0), Some(400.0)));
}

#[test]
fn a_person_accepts_the_newest_level_that_was_confirmed() {
    let mut world = World::new();
    let table = "00:00 400 inactive -\n 00:30 350 firing fired\n 01:00 0 firing -\n 01:10 accept inactive accepted";
    world.walk(&rule("drop 10%"), table);
    assert_eq!(world.transitions[1].value, Some(350.0));
    world.walk(&rule("drop 10%"), "01:30 350 inactive -");
}

#[test]
fn only_a_loss_can_be_accepted() {
    for (text, table) in [
        ("below 300", "00:00 290 firing fired"),
        ("no_data 1h", "02:00 - firing fired"),
        ("drop 10%, for 1h", "00:00 400 inactive -\n 00:30 350 pending -"),
        ("drop 10%", "00:00 400 inactive -"),
    ] {
        let mut world = World::new();
        world.walk(&rule(text), table);
        assert_eq!(accept(&world.alert, &world.window, time("03:00")), None, "{text}");
    }
}

#[test]
fn a_firing_alert_is_closed_with_a_reason() {
    for why in ["rule-changed", "rule-removed", "tenant-removed", "subject-removed"] {
        let mut world = World::new();
        let table = format!("00:00 400 inactive -\n 00:30 350 firing fired\n 01:00 {why} inactive {why} wake never");
        world.walk(&rule("drop 10%"), &table);
        let closed = &world.transitions[1];
        assert_eq!((closed.at, closed.value, closed.observed_at), (time("01:00"), Some(350.0), Some(time("00:30"))));
    }
}

#[test]
fn a_silence_is_closed_without_a_value() {
    let mut world = World::new();
    let table = "00:00 10 inactive -\n 06:00 - firing fired\n 07:00 tenant-removed inactive tenant-removed";
    world.walk(&rule("no_data 6h"), table);
    assert_eq!((world.transitions[1].value, world.transitions[1].observed_at), (None, None));
}

#[test]
fn a_pending_alert_is_closed_in_silence() {
    walk("below 300, for 1h", "00:00 290 pending -\n 00:30 rule-removed inactive - wake never\n 01:00 290 pending -");
}

#[test]
fn there_is_nothing_to_close_in_an_alert_that_is_over() {
    let window = [Sample { at: Timestamp::EPOCH, value: 1.0 }];
    let step = close(&Alert::default(), Resolution::RuleRemoved, &window, time("00:00"));
    assert_eq!((step.alert, step.transition, step.wake_at), (None, None, None));
}

#[test]
fn a_closed_alert_that_comes_back_goes_on_counting() {
    let mut world = World::new();
    let table = "00:00 290 firing fired\n 00:30 rule-removed inactive rule-removed\n 01:00 290 firing fired";
    world.walk(&rule("below 300"), table);
    assert_eq!((world.alert.generation, world.alert.sequence), (2, 1));
    assert!(matches!(world.alert.state, AlertState::Firing(_)));
}
