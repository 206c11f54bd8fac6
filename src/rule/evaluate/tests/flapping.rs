//! More changes than the limit within a day: one message, then quiet until it is stable.

use super::world::{World, rule, time, walk};
use crate::rule::{AlertState, Resolution, TransitionKind, accept, close};

#[test]
fn an_unstable_alert_is_reported_once_and_again_when_it_is_stable() {
    walk(
        "below 300, flapping 3",
        "
        00:00  290  firing    fired
        00:30  310  inactive  resolved
        01:00  290  firing    fired
        01:30  310  inactive  unstable  wake 02:30
        02:00  290  firing    -         wake 03:00
        02:30  310  inactive  -         wake 03:30
        03:00  310  inactive  -
        03:30  310  inactive  resolved  # an hour without a change
        04:00  290  firing    fired     # a fresh start
        04:30  310  inactive  resolved
        ",
    );
}

#[test]
fn an_alert_that_is_stable_while_it_fires_is_reported_as_firing() {
    walk(
        "below 300, flapping 2",
        "
        00:00  290  firing    fired
        00:30  310  inactive  resolved
        01:00  290  firing    unstable  wake 02:00
        01:30  280  firing    -
        02:00  -    firing    fired     # time alone shows it
        02:30  310  inactive  resolved
        ",
    );
}

#[test]
fn a_no_data_alert_is_not_evaluated_again_before_it_can_be_stable() {
    walk(
        "no_data 1h, flapping 1",
        "
        00:00  10  inactive  -         wake 01:00
        01:00  -   firing    fired
        01:30  10  inactive  unstable  wake 02:30
        02:30  -   firing    -         wake 03:30
        03:30  -   firing    fired     wake never
        ",
    );
}

#[test]
fn it_must_be_stable_for_as_long_as_its_for() {
    walk(
        "below 300, for 2h, flapping 2",
        "
        00:00  290  pending   -
        00:30  290  pending   -
        01:00  290  pending   -
        01:30  290  pending   -
        02:00  290  firing    fired
        02:30  310  inactive  resolved
        03:00  290  pending   -
        03:30  290  pending   -
        04:00  290  pending   -
        04:30  290  pending   -
        05:00  290  firing    unstable  wake 07:00
        06:30  290  firing    -
        07:00  290  firing    fired
        ",
    );
}

#[test]
fn an_unstable_alert_sends_neither_worsenings_nor_reminders() {
    walk(
        "drop 10%, repeat 1h, flapping 2",
        "
        00:00  400  inactive  -
        00:30  350  firing    fired
        01:00  400  inactive  resolved
        01:30  350  firing    unstable
        02:00  250  firing    -         # worse by the size once more
        02:30  250  firing    fired     # and reported as it is
        03:00  200  firing    worsened
        ",
    );
}

#[test]
fn changes_that_are_a_day_apart_are_not_flapping() {
    walk(
        "below 300, flapping 2",
        "
        00:00    290  firing    fired
        00:30    310  inactive  resolved
        1d00:00  290  firing    fired
        1d00:30  310  inactive  resolved
        2d00:00  290  firing    fired
        ",
    );
}

#[test]
fn an_alert_ended_by_a_person_is_reported_and_starts_fresh() {
    let rule = rule("drop 10%, flapping 2");
    let unstable = || {
        let mut world = World::new();
        world.walk(
            &rule,
            "
            00:00  400  inactive  -
            00:30  350  firing    fired
            01:00  400  inactive  resolved
            01:30  350  firing    unstable
            ",
        );
        world
    };
    let mut world = unstable();
    let step = accept(&world.alert, &world.window, time("02:00")).unwrap();
    assert_eq!(step.transition.unwrap().kind, TransitionKind::Resolved(Resolution::Accepted));
    assert!(step.alert.unwrap().flapping.is_calm());
    world.walk(&rule, "01:45  400  inactive  -");
    let step = close(&world.alert, Resolution::RuleRemoved, &world.window, time("02:00"));
    let notified = step.transition.expect("whoever heard that it is unstable hears that it is over");
    assert_eq!((notified.kind, notified.sequence), (TransitionKind::Resolved(Resolution::RuleRemoved), 2));
    let alert = step.alert.unwrap();
    assert!(alert.flapping.is_calm() && alert.state == AlertState::Inactive);
}

#[test]
fn switching_it_off_reports_the_state_of_the_alert() {
    let mut world = World::new();
    world.walk(
        &rule("below 300, flapping 2"),
        "
        00:00  290  firing    fired
        00:30  310  inactive  resolved
        01:00  290  firing    unstable
        ",
    );
    world.walk(&rule("below 300"), "01:15  290  firing  fired");
}

#[test]
fn a_clock_that_was_ahead_leaves_nobody_quiet_for_ever() {
    let mut world = World::new();
    let rule = rule("below 300, flapping 2");
    world.walk(
        &rule,
        "
        300d00:00  290  firing    fired
        300d00:30  310  inactive  resolved
        300d01:00  290  firing    unstable
        ",
    );
    world.walk(&rule, "00:00  290  firing  fired");
}
