//! Whatever is grouped, delayed, merged or suppressed: somebody is notified of every worsening and of its end, once.

use std::{collections::BTreeMap, fs, path::Path};

use rand::{SeedableRng, rngs::StdRng};

use super::{
    breakage,
    trial::{
        Trial,
        reference::{
            accounts, ideal,
            judge::{Complaint, Fault, judge},
            message::{Account, Fate, Says},
            model::History,
            world::AlertId,
        },
        scenario,
    },
};

/// Worlds of each scenario.
const SEEDS: u64 = 8;
/// Worlds of each scenario in which messages are broken.
const BROKEN_SEEDS: u64 = 3;
/// Alerts of which the contract leaves open what happens, of a hundred with events, in all worlds together.
const OPEN_PERCENT_MAX: usize = 10;

#[test]
fn somebody_is_notified_of_every_worsening_and_its_end_once() {
    let mut found: BTreeMap<&str, Vec<(u64, Complaint)>> = BTreeMap::new();
    let (mut open, mut alerts) = (0, 0);
    for scenario in scenario::all() {
        let mut required = 0;
        for seed in 0..SEEDS {
            let trial = (scenario.make)(seed);
            let expected = trial.expected();
            let unclaimed = trial.unclaimed(&expected);
            assert!(unclaimed.is_empty(), "{}, seed {seed} is not about what it says: {unclaimed:?}", scenario.name);
            let verdict = trial.judge(&expected, &trial.received());
            required += verdict.required;
            (open, alerts) = (open + verdict.open, alerts + verdict.alerts);
            let complaints = verdict.complaints.into_iter().map(|complaint| (seed, complaint));
            found.entry(scenario.name).or_default().extend(complaints);
        }
        assert!(required > 0, "{}: nothing is required", scenario.name);
    }
    assert!(open * 100 <= alerts * OPEN_PERCENT_MAX, "the model leaves {open} of {alerts} alerts open");
    found.retain(|_, complaints| !complaints.is_empty());
    let shown = |(name, complaints): (&&str, &Vec<(u64, Complaint)>)| {
        let first = complaints.iter().take(5).map(|(seed, complaint)| format!("  seed {seed}: {complaint:?}"));
        format!("{name}: {} complaints\n{}", complaints.len(), first.collect::<Vec<_>>().join("\n"))
    };
    assert!(found.is_empty(), "{}", found.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_judge_has_nothing_to_say_about_messages_without_fault() {
    for (name, seed, trial, expected) in worlds() {
        let verdict = judge(&trial.world, &expected, &ideal::messages(&trial.world, &expected));
        assert!(verdict.complaints.is_empty(), "{name}, seed {seed}: {:?}", verdict.complaints);
    }
}

#[test]
fn the_judge_complains_about_every_broken_message() {
    let mut tried = BTreeMap::new();
    for (name, seed, trial, expected) in worlds() {
        let random = &mut StdRng::seed_from_u64(seed);
        let is_asked = |alert: &AlertId| {
            let history = &expected[alert];
            history.open_from.is_none() && !history.events.iter().any(|event| event.is_optional)
        };
        for breakage in breakage::ALL {
            let mut messages = ideal::messages(&trial.world, &expected);
            if breakage.apply(&trial.world, &mut messages, is_asked, random) {
                let verdict = judge(&trial.world, &expected, &messages);
                let is_found = |complaint: &Complaint| breakage.faults().contains(&complaint.fault);
                let found = verdict.complaints.iter().any(is_found);
                assert!(found, "{name}, seed {seed}: {breakage:?}: {:?}", verdict.complaints);
                *tried.entry(format!("{breakage:?}")).or_insert(0) += 1;
            }
        }
    }
    assert!(tried.len() == breakage::ALL.len() && tried.values().all(|times| *times > 20), "{tried:?}");
}

#[test]
fn what_is_grouped_merged_or_suppressed_must_be_covered_by_a_delivered_line() {
    let (name, _, trial, expected) = worlds().next().expect("a world");
    let world = &trial.world;
    let delivered = ideal::messages(world, &expected);
    let place = delivered.iter().position(|message| message.lines[0].says == Says::Fired).expect("a firing");
    let line = delivered[place].lines[0];
    let account = |fate: Vec<Fate>| Account {
        alert: line.alert,
        channel: delivered[place].channel,
        says: line.says,
        at: line.happened,
        happened: line.happened,
        fate,
    };
    let others = delivered.iter().position(|message| message.lines[0].alert != line.alert).expect("another alert");
    for (fate, is_right) in [
        (vec![Fate::Within(place)], true),
        (vec![Fate::Within(others)], false),
        (vec![Fate::Silenced], false),
        (vec![Fate::Dropped], false),
        (vec![Fate::Within(place), Fate::Silenced], false),
        (vec![], false),
    ] {
        let complaints = accounts::check(world, &delivered, &[account(fate.clone())]);
        assert_eq!(complaints.is_empty(), is_right, "{name}: {fate:?}: {complaints:?}");
        assert!(complaints.iter().all(|complaint| complaint.fault == Fault::Uncovered));
    }
}

#[test]
fn the_reference_model_shares_no_code_with_the_product() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/signal/reference");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let uses = text.lines().filter(|line| line.contains("scorewatch::") || line.contains("crate::"));
        assert_eq!(uses.count(), 0, "{}", file.display());
    }
}

/// Worlds whose messages are made up or broken.
fn worlds() -> impl Iterator<Item = (&'static str, u64, Trial, BTreeMap<AlertId, History>)> {
    let seeds = |scenario: scenario::Scenario| (0..BROKEN_SEEDS).map(move |seed| (scenario, seed));
    scenario::all().into_iter().flat_map(seeds).map(|(scenario, seed)| {
        let trial = (scenario.make)(seed);
        let expected = trial.expected();
        (scenario.name, seed, trial, expected)
    })
}
