//! A fleet shift that moves a score back to where an alert would be over.

use super::world::{World, rule, time};
use crate::rule::{Amount, ShiftedBy};

fn shift(at: &str, percent: f64) -> ShiftedBy {
    ShiftedBy { at: time(at), by: Amount::Percent(percent) }
}

/// A loss of 10% that fires; then every tenant gains 20%, of which nothing is known yet.
fn lifted(rule_text: &str) -> World {
    let mut world = World::new();
    let rule = rule(rule_text);
    world.walk(&rule, "00:00 400 inactive -\n 00:30 360 firing fired");
    world.is_delivering = false;
    world.walk(&rule, "01:00 432 inactive resolved");
    world
}

#[test]
fn what_ends_only_by_a_fleet_shift_does_not_end() {
    for text in ["drop 5%", "drop 5%, recover regained 80%"] {
        let (rule, mut world) = (rule(text), lifted(text));
        world.walk(&rule, "01:05 - inactive -");
        world.shifts.push(shift("01:00", 20.0));
        world.walk(&rule, "01:10 - firing -");
        let firing = world.alert.firing().unwrap();
        assert_eq!((firing.baseline, firing.end_taken_back, world.alert.rebased_at), (Some(400.0), 2, None), "{text}");
        // What it lost is lost of what it would be by now, and so is what it gains back.
        world.walk(&rule, "01:30 440 firing -\n 02:00 480 inactive resolved");
        assert_eq!(world.transitions.last().unwrap().baseline, Some(480.0), "{text}");
    }
}

#[test]
fn a_reading_takes_back_an_end_that_a_shift_caused_and_is_judged_by_what_was() {
    let rule = rule("drop 5%");
    let mut world = lifted("drop 5%");
    world.shifts.push(shift("01:00", 20.0));
    world.walk(&rule, "01:30 390 firing worsened");
    assert_eq!(world.transitions.last().unwrap().baseline, Some(480.0));
}

#[test]
fn an_end_reported_before_the_shift_was_known_is_followed_by_a_new_alert() {
    let rule = rule("drop 5%");
    let mut world = lifted("drop 5%");
    world.notified_at = Some(time("01:00"));
    world.shifts.push(shift("01:00", 20.0));
    world.walk(&rule, "01:10 - firing fired");
    let notified = world.transitions.last().unwrap();
    assert_eq!((notified.baseline, notified.value, notified.since), (Some(480.0), Some(432.0), time("00:30")));
    world.walk(&rule, "01:30 440 firing -\n 02:00 480 inactive resolved");
}

#[test]
fn what_ended_on_its_own_stays_over_despite_a_shift() {
    for (value, shifts) in [
        // A shift that is taken back.
        ("400", vec![shift("00:30", -10.0), shift("01:00", 100.0 / 9.0)]),
        // A recovery beside a shift.
        ("470", vec![shift("01:00", 20.0)]),
        // A shift that came before, or after.
        ("400", vec![shift("00:10", 20.0), shift("01:20", 20.0)]),
    ] {
        let rule = rule("drop 5%");
        let mut world = World::new();
        world.walk(&rule, "00:00 400 inactive -\n 00:30 360 firing fired");
        world.is_delivering = false;
        world.walk(&rule, &format!("01:00 {value} inactive resolved"));
        world.shifts = shifts;
        world.walk(&rule, "01:10 - inactive -");
    }
}

#[test]
fn how_an_alert_ended_is_forgotten_once_no_shift_is_expected() {
    let rule = rule("drop 5%");
    let mut world = lifted("drop 5%");
    world.walk(&rule, "2d00:30 433 inactive -");
    assert!(world.alert.ended.is_some());
    world.walk(&rule, "2d01:30 433 inactive -");
    assert!(world.alert.ended.is_none());
}
