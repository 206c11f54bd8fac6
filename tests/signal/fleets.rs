//! Smaller fleets of the benchmark with fixed seeds: what is promised is reported, and what Microsoft changes for all is reported once.

#[path = "../../benches/signal/signal.rs"]
#[expect(unreachable_pub, reason = "shared with the benchmark, which shows more of it")]
mod measure;

use measure::{
    plain,
    world::{Size, World},
};

/// What BENCHMARKS.md aims at.
const MESSAGES_PER_EVENT_MAX: f64 = 1.1;
const OF_SHIFTS_MAX: usize = 40;
const FALSE_PER_TENANT_YEAR_MAX: f64 = 0.05;

fn world(seed: u64) -> World {
    World::new(Size { tenants: 100, days: 90, seed })
}

// A test for each seed: they take a minute each, and run beside each other.
#[test]
fn all_that_rules_promise_is_reported_and_little_else_with_seed_1() {
    judge(1);
}

#[test]
fn all_that_rules_promise_is_reported_and_little_else_with_seed_2() {
    judge(2);
}

#[test]
fn all_that_rules_promise_is_reported_and_little_else_with_seed_3() {
    judge(3);
}

fn judge(seed: u64) {
    let world = world(seed);
    let (reported, notices) = measure::product(&world);
    let tally = measure::tally(&world, &reported, notices);
    assert!(tally.missed.is_empty(), "{:?}", tally.missed);
    assert!(tally.promised > 40, "the fleet is worth judging: {tally:#?}");
    assert_eq!(tally.outages_reported, tally.outages);
    // Of three re-scorings two are falls, which rules ask for; each is one notice.
    assert!(tally.notices.values().all(|notices| *notices <= 2), "{:?}", tally.notices);
    assert_eq!(tally.notices["soc"], 2, "{:?}", tally.notices);
    assert!(tally.flapping_messages <= 8 * tally.flapping_episodes, "{tally:#?}");
    assert!(tally.messages_per_event() <= MESSAGES_PER_EVENT_MAX, "seed {seed}: {tally:#?}");
    // Tenants read before ten others report a slow rescoring on their own, and the end of what a notice covered is sent.
    assert!(tally.of_shifts <= OF_SHIFTS_MAX, "seed {seed}: {tally:#?}");
    assert!(tally.false_per_tenant_year <= FALSE_PER_TENANT_YEAR_MAX, "seed {seed}: {tally:#?}");
}

#[test]
fn a_plain_tool_is_measured_on_the_same_fleet() {
    let world = world(1);
    let tally = measure::tally(&world, &plain::plain(&world), std::collections::BTreeMap::new());
    assert!(tally.recall() > 0.9 && tally.messages_per_event() > 2.0, "{tally:#?}");
}
