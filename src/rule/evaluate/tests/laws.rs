//! Laws that hold whatever comes: clocks that jump, zeros, failed fetches, edits. Numbering is asserted by [`World`] itself.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::world::{World, rule};
use crate::{
    domain::{Sample, Timestamp},
    rule::{Alert, AlertState, BaselineChoice, Condition, Event, Resolution, Rule, Step, TransitionKind},
};

/// The interval of [`World::new`].
const INTERVAL: Duration = Duration::from_mins(30);

/// How a clock moves between two events.
#[derive(Debug, Clone, Copy)]
enum Clock {
    Forward(Duration),
    Back(Duration),
    Set(Timestamp),
}

impl Clock {
    fn turn(self, at: &mut Timestamp) -> Timestamp {
        *at = match self {
            Self::Forward(by) => at.plus(by),
            Self::Back(by) => at.minus(by),
            Self::Set(to) => to,
        };
        *at
    }
}

/// One event: how both clocks move, the reading's value or `None` for a tick, and which of two texts the rule has by then.
type Happening = (Clock, Clock, Option<f64>, bool);

fn steady() -> impl Strategy<Value = Clock> {
    select(vec![1u64, 15, 30, 30, 30, 60, 90, 91, 400]).prop_map(|minutes| Clock::Forward(Duration::from_mins(minutes)))
}

fn jumpy() -> impl Strategy<Value = Clock> {
    let back = (0u64..200_000).prop_map(|seconds| Clock::Back(Duration::from_secs(seconds)));
    let ends = select(vec![i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX]);
    let set = prop_oneof![ends, any::<i64>()].prop_map(|nanos| Clock::Set(Timestamp::from_nanos(nanos)));
    prop_oneof![8 => steady(), 1 => back, 1 => set, 1 => Just(Clock::Forward(Duration::MAX))]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 200.0..400.0f64, 2 => select(vec![0.0, -0.0, 270.0, 300.0, 330.0]), 1 => -1e9..1e9f64]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    vec((jumpy(), jumpy(), option::weighted(0.7, value()), any::<bool>()), 1..50)
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let when = select(vec![
        "below 300",
        "above 300",
        "drop 10%",
        "drop 20pts, from previous",
        "drop 5%, within 1h",
        "rise 10%, from average",
        "rise 30pts",
        "no_data 6h",
        "no_data 1m",
    ]);
    let hold = select(vec!["for 0s", "for 30m", "for 2h", "for 0s, escalate 45m, escalate 3h"]);
    let repeat = select(vec!["repeat 24h", "repeat 1h", "repeat 0s, step 5%", "step 10pts"]);
    let recover = select(vec!["accept_after 3d", "recover regained 80%", "recover above 310", "recover below 290"]);
    (when, hold, repeat, recover)
        .prop_map(|(when, hold, repeat, recover)| rule(&[when, hold, repeat, recover].join(", ")))
}

/// Plays the events; the rule is `rules[1]` wherever a happening says so.
fn play(rules: &[Rule; 2], happenings: &[Happening], mut see: impl FnMut(&Rule, Event, &Alert, &Step)) -> World {
    let mut world = World::new();
    let (mut now, mut source) = (Timestamp::from_seconds(1_000_000_000), Timestamp::from_seconds(1_000_000_000));
    for &(wall_clock, source_clock, value, edited) in happenings {
        let (now, at) = (wall_clock.turn(&mut now), source_clock.turn(&mut source));
        let event = value.map_or(Event::Tick, |value| Event::Reading(Sample { at, value }));
        let rule = &rules[usize::from(edited)];
        let before = world.alert.clone();
        let step = world.meet(rule, now, event);
        see(rule, event, &before, &step);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_same_events_give_the_same_steps(first in any_rule(), second in any_rule(), happenings in happenings()) {
        let rules = [first, second];
        let (mut once, mut again) = (Vec::new(), Vec::new());
        play(&rules, &happenings, |_, _, _, step| once.push(step.clone()));
        play(&rules, &happenings, |_, _, _, step| again.push(step.clone()));
        prop_assert_eq!(once, again);
    }

    #[test]
    fn an_alert_is_read_back_exactly_as_it_was_stored(
        first in any_rule(),
        second in any_rule(),
        happenings in happenings(),
    ) {
        play(&[first, second], &happenings, |_, _, _, step| {
            let Some(alert) = &step.alert else { return };
            let stored = serde_json::to_string(alert).unwrap();
            let kept: Alert = serde_json::from_str(&stored).unwrap();
            assert_eq!(&kept, alert, "{stored}");
            assert_eq!(bits(&kept), bits(alert), "{stored}");
        });
    }

    #[test]
    fn what_a_step_leaves_alone_is_not_stored(first in any_rule(), second in any_rule(), happenings in happenings()) {
        play(&[first, second], &happenings, |_, _, before, step| {
            assert!(step.transition.is_none() || step.alert.is_some(), "{before:?} → {step:?}");
            let is_pending = matches!(before.state, AlertState::Pending(_));
            assert!(is_pending || step.alert.as_ref() != Some(before), "{before:?} → {step:?}");
        });
    }

    #[test]
    fn a_tick_causes_nothing_but_silence_acceptance_and_reminders(
        first in any_rule(),
        second in any_rule(),
        happenings in happenings(),
    ) {
        play(&[first, second], &happenings, |rule, event, before, step| {
            let (Event::Tick, Some(transition)) = (event, &step.transition) else { return };
            let is_no_data = matches!(rule.when, Condition::NoData(_));
            let is_allowed = match transition.kind {
                TransitionKind::Fired | TransitionKind::Resolved(Resolution::RuleChanged) => is_no_data,
                TransitionKind::Reminder => rule.repeat.is_some(),
                TransitionKind::Escalated => !rule.escalate.is_empty(),
                TransitionKind::Resolved(Resolution::Accepted) => rule.accept_after.is_some(),
                TransitionKind::Worsened | TransitionKind::Unstable | TransitionKind::Resolved(_) => false,
            };
            assert!(is_allowed, "{before:?} → {step:?}");
        });
    }

    #[test]
    fn a_tick_before_the_wake_changes_nothing_and_one_at_it_does(
        rule in any_rule(),
        steps in vec((steady(), option::weighted(0.7, value())), 1..30),
        part in 0.0..1.0f64,
    ) {
        let mut world = World::new();
        let (mut now, mut wake_at) = (Timestamp::from_seconds(1_000_000_000), None);
        for (clock, value) in steps {
            clock.turn(&mut now);
            world.step(&rule, now, value);
            wake_at = world.step(&rule, now, None).wake_at;
        }
        // The ticks above settled what was due at once; a `repeat: 0s` is always due.
        prop_assume!(rule.repeat != Some(Duration::ZERO));
        let wait = wake_at.map_or(Duration::from_hours(100_000), |at| at.since(now));
        let early = world.step(&rule, now.plus(wait.mul_f64(part * 0.999)), None);
        prop_assert_eq!((early.alert, early.transition), (None, None));
        if let Some(at) = wake_at {
            prop_assert!(world.step(&rule, at, None).transition.is_some(), "nothing happened at {}", at);
        }
    }

    #[test]
    fn no_jump_of_a_clock_ends_a_hold_early(
        bound in 250.0..350.0f64,
        minutes in select(vec![30u64, 60, 120]),
        steps in vec((jumpy(), 1.0..400.0f64), 1..60),
    ) {
        let hold = Duration::from_mins(minutes);
        let rule = Rule { when: Condition::Below(bound), hold, ..rule("below 0") };
        let (mut world, mut source) = (World::new(), Timestamp::from_seconds(1_000_000_000));
        for (clock, value) in steps {
            let at = clock.turn(&mut source);
            let step = world.meet(&rule, at, Event::Reading(Sample { at, value }));
            let Some(fired) = step.transition.filter(|transition| transition.kind == TransitionKind::Fired) else { continue };
            prop_assert!(fired.at.since(fired.since) >= hold, "{:?}", fired);
            // Back through the readings to the one that began it: each holds, and no more than three checks in between gave none.
            let mut later = at;
            for sample in world.window.iter().rev() {
                prop_assert!(sample.value < bound, "{:?} does not hold", sample);
                prop_assert!(later.since(sample.at) <= INTERVAL * 4, "a gap before {}", later);
                later = sample.at;
                if sample.at == fired.since {
                    break;
                }
            }
            prop_assert_eq!(later, fired.since);
        }
    }

    #[test]
    fn a_window_holds_the_sample_at_its_edge_and_neither_the_one_before_nor_the_readings_own_instant(
        within_s in 1u64..1_000_000,
        from in select(vec![BaselineChoice::Best, BaselineChoice::Previous, BaselineChoice::Average]),
        value in 1.0..1e6f64,
        is_drop in any::<bool>(),
    ) {
        let text = if is_drop { "drop 10%" } else { "rise 10%" };
        let mut rule = rule(text);
        if let Condition::Drop(change) | Condition::Rise(change) = &mut rule.when {
            (change.within, change.from) = (Duration::from_secs(within_s), from);
        }
        let reading_at = Timestamp::from_seconds(1_000_000_000);
        let edge = reading_at.minus(Duration::from_secs(within_s));
        let nano = Duration::from_nanos(1);
        let moved = if is_drop { value / 2.0 } else { value * 2.0 };
        for (at, counts) in [(edge, true), (edge.minus(nano), false), (reading_at, false), (reading_at.minus(nano), true)] {
            // Another sample just before the reading has moved already, so that the window alone decides.
            let mut world = World::new();
            world.window.push(Sample { at, value });
            let is_alone = from == BaselineChoice::Previous || at > reading_at.minus(nano);
            if !is_alone && at < reading_at.minus(nano) {
                world.window.push(Sample { at: reading_at.minus(nano), value: moved });
            }
            world.meet(&rule, reading_at, Event::Reading(Sample { at: reading_at, value: moved }));
            let is_newest = from == BaselineChoice::Previous && at < reading_at;
            prop_assert_eq!(world.alert.is_firing(), counts || is_newest, "a sample at {}", at);
        }
    }

    #[test]
    fn an_unconfirmed_zero_neither_fires_nor_clears(
        rule in any_rule().prop_filter("data ends a silence", |rule| !matches!(rule.when, Condition::NoData(_))),
        steps in vec((1u64..90, 1.0..400.0f64, any::<bool>()), 1..40),
    ) {
        // Reminders, escalation and acceptance go by time, which a zero does not stop.
        let rule = Rule { repeat: None, accept_after: None, escalate: Vec::new(), ..rule };
        let (mut with, mut without) = (World::new(), World::new());
        let mut now = Timestamp::from_seconds(1_000_000_000);
        for (minutes, value, zero_first) in steps {
            now = now.plus(Duration::from_mins(minutes));
            if zero_first {
                let step = with.step(&rule, now.minus(Duration::from_secs(30)), Some(0.0));
                prop_assert_eq!((step.alert, step.transition), (None, None));
            }
            prop_assert_eq!(with.step(&rule, now, Some(value)), without.step(&rule, now, Some(value)));
        }
    }
}

/// Equality of floating point takes 0.0 for -0.0; their bits differ.
fn bits(alert: &Alert) -> Vec<Option<u64>> {
    let AlertState::Firing(firing) = &alert.state else { return Vec::new() };
    [firing.baseline, firing.worst_notified, firing.worst_seen].map(|value| value.map(f64::to_bits)).to_vec()
}
