//! A firing that nobody acknowledges. `acknowledge` and `withdraw` are what a person does; `held` and `sent` say how its newest
//! notification stands.

use std::time::Duration;

use super::world::{World, kind, rule, time, walk};
use crate::rule::{AlertState, Transition};

#[test]
fn an_alert_that_nobody_acknowledges_is_escalated_once_per_firing() {
    walk(
        "below 300, escalate 30m",
        "00:00  299  firing    fired      wake  00:30
         00:10  -    firing    -          wake  00:30
         00:29  298  firing    -          wake  00:30
         00:30  -    firing    escalated  wake  never
         02:00  250  firing    -          wake  never
         02:30  301  inactive  resolved   wake  never
         03:00  299  firing    fired      wake  03:30
         03:45  290  firing    escalated  wake  never  # late, as a check that took long",
    );
}

#[test]
fn each_step_comes_once_and_steps_that_are_due_together_are_one() {
    let steps = "below 300, escalate 30m, escalate 2h, escalate 3h";
    walk(
        steps,
        "00:00  299  firing  fired      wake  00:30
         00:30  -    firing  escalated  wake  02:00
         02:00  -    firing  escalated  wake  03:00
         03:00  -    firing  escalated  wake  never",
    );
    let mut world = World::new();
    world.walk(&rule(steps), "00:00 299 firing fired  # we are down\n 02:30 - firing escalated wake 03:00");
    let Transition { escalated, unacknowledged, .. } = world.transitions.last().unwrap().clone();
    let why = unacknowledged.unwrap();
    assert_eq!((why.before, escalated), (0, 2), "the channels of both steps are notified");
    assert_eq!((why.since, why.after), (time("00:00"), Duration::from_hours(2)));
}

#[test]
fn what_a_person_has_acknowledged_is_not_escalated() {
    walk(
        "below 300, escalate 30m",
        "00:00  299          firing    fired     wake  00:30
         00:20  acknowledge  firing    -         wake  never
         00:45  299          firing    -         wake  never
         09:00  301          inactive  resolved  wake  never",
    );
}

#[test]
fn once_an_acknowledgement_is_over_the_time_counts_from_the_newest_notification() {
    walk(
        "drop 10%, escalate 30m",
        "00:00  400          inactive  -
         00:30  350          firing    fired      wake  01:00
         00:40  acknowledge  firing    -          wake  never
         02:00  300          firing    worsened   wake  never
         02:10  withdraw     firing    -          wake  02:30  # somebody was notified that it is worse
         02:30  300          firing    escalated  wake  never",
    );
    walk(
        "drop 10%, escalate 30m",
        "00:00  400          inactive  -
         00:30  350          firing    fired
         00:40  acknowledge  firing    -
         02:00  withdraw     firing    escalated  wake  never  # nobody has seen it after all",
    );
}

#[test]
fn what_is_held_is_not_escalated_before_it_was_sent_for_long_enough() {
    let mut world = World::new();
    world.is_delivering = false;
    world.walk(
        &rule("below 300, escalate 30m"),
        "00:00  299   firing  fired      wake  00:30
         00:30  -     firing  -          wake  01:00  # held still: it is looked at again
         01:00  -     firing  -          wake  01:30
         01:10  sent  firing  -          wake  01:40
         01:39  299   firing  -          wake  01:40
         01:40  -     firing  escalated  wake  never",
    );
}

#[test]
fn a_receiver_that_does_not_answer_delays_no_escalation() {
    let mut world = World::new();
    (world.is_delivering, world.sendable_since) = (false, Some(time("00:00")));
    world.walk(
        &rule("drop 10%, escalate 30m, repeat 1h"),
        "00:00  400  inactive  -
         00:01  350  firing    fired      wake  00:31
         00:10  300  firing    worsened   wake  00:30  # could be sent since 00:00
         00:30  300  firing    escalated  wake  never",
    );
}

#[test]
fn a_worsening_or_a_reminder_neither_repeats_nor_postpones_it() {
    walk(
        "drop 10%, escalate 30m, repeat 20m",
        "00:00  400  inactive  -
         00:30  350  firing    fired      wake  01:00
         00:40  300  firing    worsened   wake  01:00
         01:00  -    firing    reminder   wake  01:00
         01:01  -    firing    escalated  wake  01:20
         01:20  -    firing    reminder   wake  never
         01:30  250  firing    worsened   wake  never
         02:30  400  inactive  resolved   wake  never",
    );
}

#[test]
fn an_unstable_alert_is_not_escalated_and_whom_it_was_escalated_to_hears_what_becomes_of_it() {
    let mut world = World::new();
    world.walk(
        &rule("below 300, flapping 2, escalate 30m"),
        "00:00  299  firing    fired
         00:30  299  firing    escalated
         00:40  301  inactive  resolved
         00:50  299  firing    unstable   wake  01:50
         01:20  299  firing    -          wake  01:50
         01:50  299  firing    fired      wake  02:20
         02:20  299  firing    escalated  wake  never",
    );
    let mut world = World::new();
    world.walk(
        &rule("below 300, flapping 1, escalate 30m"),
        "00:00  299  firing    fired
         00:30  299  firing    escalated
         00:40  301  inactive  unstable   wake  01:40
         00:50  299  firing    -
         01:50  299  firing    fired      wake  never",
    );
    let said: Vec<_> = world.transitions.iter().map(|made| (kind(made.kind), made.escalated)).collect();
    assert_eq!(said, [("fired", 0), ("escalated", 1), ("unstable", 1), ("fired", 1)]);
}

#[test]
fn a_clock_that_is_set_back_delays_no_escalation() {
    walk(
        "below 300, escalate 30m",
        "9d00:00  299  firing  fired      wake  9d00:30
         9d00:01  -    firing  -          wake  9d00:30
         1d00:00  -    firing  escalated  wake  never",
    );
}

#[test]
fn a_step_that_is_taken_away_and_comes_back_is_not_taken_again() {
    let mut world = World::new();
    let (with, without) = (rule("below 300, escalate 30m"), rule("below 300"));
    world.walk(&with, "00:00 299 firing fired\n 00:30 - firing escalated");
    world.walk(&without, "01:00 299 firing - wake never");
    world.walk(&with, "02:00 299 firing - wake never");
    let AlertState::Firing(firing) = &world.alert.state else { panic!("it fires") };
    assert_eq!(firing.escalated.steps, 1);
    let longer = rule("below 300, escalate 30m, escalate 4h");
    world.walk(&longer, "03:00 299 firing - wake 04:00\n 04:00 - firing escalated wake never");
}

#[test]
fn a_rule_that_is_given_an_escalation_while_its_alert_fires_counts_from_the_notification() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 299 firing fired");
    world.walk(&rule("below 300, escalate 4h"), "02:00 299 firing - wake 04:00\n 04:00 - firing escalated wake never");
}

#[test]
fn a_lack_of_data_is_escalated_too() {
    walk(
        "no_data 1h, escalate 30m",
        "00:00  1  inactive  -
         01:00  -  firing    fired      wake  01:30
         01:30  -  firing    escalated  wake  never
         02:00  1  inactive  resolved",
    );
}
