//! What is explained is what happens. Every walk and every law of this folder explains each of its steps on the way.

use std::time::Duration;

use super::world::{World, rule, time};
use crate::{
    domain::Sample,
    rule::{
        Alert, AlertState, Condition, EvaluationContext, Event, Resolution, Rule, Step, TransitionKind,
        baseline::{Chosen, is_confirmed},
        evaluate::reopened,
        explain,
        explain::{Baseline, Comparison, Explanation, Hold, Recovery, Side, Verdict},
    },
};

/// Asserts that every part of the explanation fits what the step did.
pub(super) fn assert_explains(rule: &Rule, before: &Alert, event: Event, context: &EvaluationContext<'_>, step: &Step) {
    let explained = explain(rule, before, event, context);
    let notified = step.transition.as_ref().map(|transition| transition.kind);
    let reopened = reopened(rule, before, context.shifts);
    let before = reopened.as_ref().unwrap_or(before);
    let after = step.alert.as_ref().unwrap_or(before);
    let expected = match (notified, &after.state) {
        (Some(TransitionKind::Fired), _) => Verdict::Fires,
        (Some(TransitionKind::Worsened), _) => Verdict::Worsens,
        (Some(TransitionKind::Reminder), _) => Verdict::Reminds,
        (Some(TransitionKind::Escalated), _) => Verdict::Escalates,
        (Some(TransitionKind::Unstable), _) => Verdict::Unstable,
        (Some(TransitionKind::Resolved(resolution)), _) => Verdict::Ends(resolution),
        (_, AlertState::Inactive) => Verdict::Quiet,
        (_, AlertState::Pending(_)) => Verdict::Pends,
        (_, AlertState::Firing(_)) => Verdict::GoesOn,
    };
    assert_eq!(explained.verdict, expected, "{explained:?}");
    // The explanation of an unstable alert gives its state, which is not what is reported.
    let is_tempered = before.flapping.unstable.is_some() || notified == Some(TransitionKind::Unstable);
    let Event::Reading(reading) = event else {
        if !is_tempered && !before.is_firing() && matches!(rule.when, Condition::NoData(_)) {
            assert_eq!(explained.holds, notified == Some(TransitionKind::Fired), "{explained:?}");
        }
        return;
    };
    assert_eq!(explained.is_confirmed, is_confirmed(reading, context.window));
    if !explained.is_confirmed || matches!(rule.when, Condition::NoData(_)) || is_tempered {
        return;
    }
    match &before.state {
        AlertState::Firing(firing) if matches!(firing.terms.when, Condition::NoData(_)) => {
            assert_eq!(explained.verdict, Verdict::Ends(Resolution::Recovered));
        }
        AlertState::Firing(_) => assert_recovers(&explained, reading.value),
        _ => {
            let fires_or_pends = matches!(explained.verdict, Verdict::Fires | Verdict::Pends);
            assert_eq!(explained.holds, fires_or_pends, "{explained:?}");
            assert_eq!(explained.hold.is_some(), explained.holds);
            let has_lasted = explained.hold.is_some_and(|hold| hold.lasted >= hold.needed);
            assert_eq!(has_lasted, explained.verdict == Verdict::Fires, "{explained:?}");
        }
    }
}

fn assert_recovers(explained: &Explanation, value: f64) {
    let recovery = explained.recovery.expect("a firing alert can recover");
    let ends = matches!(explained.verdict, Verdict::Ends(Resolution::Recovered | Resolution::RuleChanged));
    assert_eq!(recovery.is_over, ends, "{explained:?}");
    let scale = recovery.mark.map_or(1.0, |mark| mark.abs().max(value.abs()).max(1.0));
    if recovery.missing.is_some_and(|missing| missing > scale * 1e-9) {
        assert!(!recovery.is_over, "{explained:?}");
    }
}

/// Plays readings half an hour apart and explains the last of them once more, as a command does beside the service.
fn explained(text: &str, readings: &[f64]) -> Explanation {
    let (rule, mut world) = (rule(text), World::new());
    for (index, value) in readings.iter().enumerate() {
        world.step(&rule, at(index), Some(*value));
    }
    let (newest, before) = world.window.split_last().expect("there are readings");
    let context = EvaluationContext {
        now: newest.at,
        window: before,
        source_interval: world.source_interval,
        missed_checks: 0,
        onboarded_at: None,
        feeds: &[],
        notified_at: world.notified_at,
        sendable_since: None,
        is_acknowledged: false,
        is_on_its_way: world.notified_at.is_none(),
        can_be_withdrawn: world.notified_at.is_none(),
        shifts: &[],
    };
    explain(&rule, &world.alert, Event::Reading(*newest), &context)
}

fn at(index: usize) -> crate::domain::Timestamp {
    time("00:00").plus(Duration::from_mins(30) * u32::try_from(index).unwrap())
}

#[test]
fn it_says_by_how_much_a_bound_is_crossed_or_not() {
    for (text, readings, beyond, holds, verdict) in [
        ("below 300", &[320.0][..], -20.0, false, Verdict::Quiet),
        ("below 300", &[300.0], 0.0, false, Verdict::Quiet),
        ("below 300", &[290.0], 10.0, true, Verdict::GoesOn),
        ("above 60", &[75.5], 15.5, true, Verdict::GoesOn),
        ("below 300, for 2h", &[290.0], 10.0, true, Verdict::Pends),
    ] {
        let explained = explained(text, readings);
        let Some(Comparison::Bound { beyond: found, .. }) = explained.comparison else { panic!("{explained:?}") };
        assert_eq!((found, explained.holds, explained.verdict), (beyond, holds, verdict), "{text}");
    }
}

#[test]
fn it_names_the_sample_that_a_change_is_measured_against_and_why() {
    for (text, readings, chosen, candidates) in [
        ("drop 5%", &[390.0, 400.0, 395.0, 394.0][..], Chosen::Best(Sample { at: at(1), value: 400.0 }), 3),
        ("rise 5%", &[390.0, 400.0, 395.0, 394.0], Chosen::Best(Sample { at: at(0), value: 390.0 }), 3),
        (
            "drop 5%, from previous",
            &[390.0, 400.0, 395.0, 394.0],
            Chosen::Previous(Sample { at: at(2), value: 395.0 }),
            1,
        ),
        ("drop 5%, from average", &[390.0, 400.0, 395.0, 394.0], Chosen::Average, 3),
        ("drop 5%, within 1h", &[400.0, 390.0, 395.0, 394.0], Chosen::Best(Sample { at: at(2), value: 395.0 }), 2),
        ("drop 5%, within 1m", &[390.0, 400.0, 395.0], Chosen::AcrossGap(Sample { at: at(1), value: 400.0 }), 1),
    ] {
        let explained = explained(text, readings);
        let Some(Comparison::Change { baseline: Some(Baseline::Window(reference)), .. }) = explained.comparison else {
            panic!("{text}: {explained:?}")
        };
        assert_eq!((reference.chosen, reference.candidates), (chosen, candidates), "{text}");
    }
    let first = explained("drop 5%", &[400.0]);
    assert!(matches!(first.comparison, Some(Comparison::Change { baseline: None, .. })), "{first:?}");
}

#[test]
fn a_firing_alert_is_explained_by_its_frozen_baseline_and_what_is_missing() {
    let recovery = |mark: f64, side, missing: f64| {
        Some(Recovery { mark: Some(mark), side, missing: Some(missing), is_over: false })
    };
    for (text, readings, expected) in [
        ("drop 5%", &[400.0, 370.0, 375.0][..], recovery(380.0, Side::Above, 5.0)),
        ("drop 5%, recover regained 80%", &[400.0, 350.0, 375.0], recovery(390.0, Side::AtLeast, 15.0)),
        ("rise 10pts, recover regained 50%", &[20.0, 40.0, 35.0], recovery(30.0, Side::AtMost, 5.0)),
        ("drop 5%, recover above 395", &[400.0, 350.0], recovery(395.0, Side::Above, 45.0)),
        ("below 300", &[290.0], recovery(300.0, Side::AtLeast, 10.0)),
        ("below 300, recover above 320", &[290.0, 310.0], recovery(320.0, Side::Above, 10.0)),
        ("above 60, recover below 50", &[70.0], recovery(50.0, Side::Below, 20.0)),
    ] {
        let explained = explained(text, readings);
        assert_eq!(explained.recovery, expected, "{text}");
        if text.starts_with("drop") {
            let frozen = Baseline::Frozen { value: 400.0, at: at(1) };
            assert!(
                matches!(explained.comparison, Some(Comparison::Change { baseline: Some(baseline), .. }) if baseline == frozen),
                "{text}: {explained:?}"
            );
        }
    }
}

#[test]
fn the_progress_of_for_a_waiting_zero_and_the_next_reminder_are_explained() {
    let pending = explained("below 300, for 2h", &[310.0, 290.0, 280.0]);
    let hold =
        Hold { since: at(1), lasted: Duration::from_mins(30), needed: Duration::from_hours(2), fires_from: at(5) };
    assert_eq!((pending.hold, pending.verdict), (Some(hold), Verdict::Pends));
    let zero = explained("below 300", &[310.0, 0.0]);
    assert_eq!((zero.is_confirmed, zero.comparison, zero.verdict), (false, None, Verdict::Quiet));
    assert!(explained("below 300", &[310.0, 0.0, 0.0]).is_confirmed);
    let firing = explained("drop 5%, repeat 24h, accept_after 3d", &[400.0, 370.0]);
    assert_eq!(firing.reminder.and_then(|reminder| reminder.at), Some(at(1).plus(Duration::from_hours(24))));
    assert_eq!(firing.accepted_at, Some(at(1).plus(Duration::from_hours(72))));
}
