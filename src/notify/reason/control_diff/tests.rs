//! Records of two days, control by control, and what is said of them.

use std::collections::BTreeMap;

use super::*;
use crate::{
    domain::{Counts, StateChange, Timestamp},
    rule::display,
};

const MONDAY: &str = "2026-11-23T00:00:00Z";
const TUESDAY: &str = "2026-11-24T00:00:00Z";

/// A record of these controls, `name category points/maximum`, `-` for what is missing; the sum is the score unless `points` says.
fn record(day: &str, maximum: f64, controls: &str) -> ScoreRecord {
    let mut record = ScoreRecord {
        day: Timestamp::parse(day).unwrap(),
        points: Points { earned: 0.0, of: maximum },
        controls: BTreeMap::new(),
        services: Some(BTreeSet::from(["HasEXOP2".to_owned()])),
        all_tenants_average: None,
    };
    for control in controls.split(", ").filter(|control| !control.is_empty()) {
        let words: Vec<&str> = control.split(' ').collect();
        let (points, maximum) = words[2].split_once('/').unwrap_or((words[2], "-"));
        let (points, maximum): (Option<f64>, Option<f64>) = (points.parse().ok(), maximum.parse().ok());
        record.points.earned += points.unwrap_or(0.0);
        let category = Some(words[1].to_owned());
        record.controls.insert(words[0].to_owned(), Control { category, points, maximum, counts: None });
    }
    record
}

fn profile(title: &str, maximum: f64) -> ControlProfile {
    ControlProfile { title: Some(title.to_owned()), maximum: Some(maximum), ..ControlProfile::default() }
}

/// Asserts that the parts are the whole change, in points and in percent.
fn assert_adds_up(breakdown: &Breakdown) {
    let (before, after) = (breakdown.before, breakdown.after);
    let points: f64 = breakdown.parts.iter().map(|part| part.points).sum();
    let percent: f64 = breakdown.parts.iter().map(|part| part.percent).sum();
    let moved = after.earned * 100.0 / after.of - before.earned * 100.0 / before.of;
    assert!((points - (after.earned - before.earned)).abs() < 1e-5, "{breakdown:?}");
    assert!((percent - moved).abs() < 1e-5, "{breakdown:?}");
}

/// Compares, and says: who, the sentence without its day, and each cause as `kind title points`.
fn explained(
    before: &ScoreRecord,
    after: &ScoreRecord,
    profiles: &ControlProfiles,
    category: Option<&str>,
) -> (ChangedBy, String, Vec<String>) {
    let reason = compare(before, after, profiles, category);
    let explanation = reason.explanation();
    let Reason { breakdown, causes, .. } = reason;
    let breakdown = breakdown.unwrap();
    assert_adds_up(&breakdown);
    let sentence = explanation.unwrap();
    let sentence = sentence.strip_prefix("Since the record of 2026-11-23: ").unwrap().to_owned();
    let line = |cause: &Cause| {
        let points = cause.points.map_or_else(|| "?".to_owned(), display::number);
        format!("{:?} {} {points}", cause.kind, cause.title)
    };
    (breakdown.changed_by, sentence, causes.iter().map(line).collect())
}

/// A change: the maximum and the controls before and after, whose doing it is, what is said, and the causes.
struct Change {
    name: &'static str,
    before: (f64, &'static str),
    after: (f64, &'static str),
    by: ChangedBy,
    sentence: &'static str,
    causes: &'static [&'static str],
}

const CHANGES: &[Change] = &[
    Change {
        name: "a true regression",
        before: (100.0, "mfa Identity 10, block_legacy Identity 8, dlp Data 5"),
        after: (100.0, "mfa Identity 4, block_legacy Identity 7, dlp Data 5"),
        by: ChangedBy::Tenant,
        sentence: "2 controls of the tenant lost 7 points.",
        causes: &["Lost mfa 6", "Lost block legacy 1"],
    },
    Change {
        name: "Microsoft adds controls",
        before: (100.0, "mfa Identity 50"),
        after: (127.0, "mfa Identity 50, new1 Apps 0/10, new2 Apps 0/10, new3 Apps 0/7"),
        by: ChangedBy::Microsoft,
        sentence: "Microsoft added 3 controls worth 27 points; no control of the tenant lost points.",
        causes: &["Added new1 10", "Added new2 10", "Added new3 7"],
    },
    Change {
        name: "a new control of which nobody knows what it is worth",
        before: (100.0, "mfa Identity 50"),
        after: (110.0, "mfa Identity 50, new1 Apps 0"),
        by: ChangedBy::Microsoft,
        sentence: "Microsoft added 1 control; the maximum rose from 100 to 110 points; no control of the tenant lost points.",
        causes: &["Added new1 ?"],
    },
    Change {
        name: "Microsoft retires a control that gave points",
        before: (100.0, "mfa Identity 50, old Apps 10/10"),
        after: (90.0, "mfa Identity 50"),
        by: ChangedBy::Microsoft,
        sentence: "Microsoft retired 1 control that had earned 10 points; no control of the tenant lost points.",
        causes: &["Retired old 10"],
    },
    Change {
        name: "a control is worth less",
        before: (100.0, "mfa Identity 50, dlp Data 10/10"),
        after: (100.0, "mfa Identity 50, dlp Data 5/5"),
        by: ChangedBy::Microsoft,
        sentence: "Microsoft changed what 1 control is worth, which took 5 points; no control of the tenant lost points.",
        causes: &["Reweighted dlp 5"],
    },
    Change {
        name: "the maximum rises and nothing else",
        before: (100.0, "mfa Identity 50"),
        after: (125.0, "mfa Identity 50"),
        by: ChangedBy::Microsoft,
        sentence: "the maximum rose from 100 to 125 points; no control of the tenant lost points.",
        causes: &[],
    },
    Change {
        name: "a mixture",
        before: (100.0, "mfa Identity 50, dlp Data 5"),
        after: (110.0, "mfa Identity 40, dlp Data 8, new Apps 0/10"),
        by: ChangedBy::Both,
        sentence: "1 control of the tenant lost 10 points; Microsoft added 1 control worth 10 points; 1 control gained 3 points.",
        causes: &["Lost mfa 10", "Added new 10"],
    },
    Change {
        name: "the maximum falls, which hides nothing",
        before: (100.0, "mfa Identity 50"),
        after: (80.0, "mfa Identity 30"),
        by: ChangedBy::Tenant,
        sentence: "1 control of the tenant lost 20 points; the maximum fell from 100 to 80 points.",
        causes: &["Lost mfa 20"],
    },
    Change {
        name: "nothing at all",
        before: (100.0, "mfa Identity 50"),
        after: (100.0, "mfa Identity 50"),
        by: ChangedBy::Unknown,
        sentence: "no control has changed.",
        causes: &[],
    },
    Change {
        name: "a control whose points are missing explains nothing",
        before: (100.0, "mfa Identity 50, dlp Data 5"),
        after: (100.0, "mfa Identity 50, dlp Data -"),
        by: ChangedBy::Unknown,
        sentence: "a loss of 5 points that the controls do not explain.",
        causes: &[],
    },
];

#[test]
fn each_kind_of_change_is_explained_by_what_the_numbers_show() {
    for Change { name, before, after, by, sentence, causes } in CHANGES {
        let (before, after) = (record(MONDAY, before.0, before.1), record(TUESDAY, after.0, after.1));
        let expected = (*by, (*sentence).to_owned(), causes.iter().map(|cause| (*cause).to_owned()).collect());
        assert_eq!(explained(&before, &after, &ControlProfiles::new(), None), expected, "{name}");
    }
}

#[test]
fn a_product_that_comes_is_not_microsofts_doing_and_without_the_list_nobody_knows() {
    let before = record(MONDAY, 100.0, "mfa Identity 50");
    let mut after = record(TUESDAY, 110.0, "mfa Identity 50, new Apps 0/10");
    after.services = Some(BTreeSet::from(["HasEXOP2".to_owned(), "HasMDI".to_owned()]));
    let (by, sentence, _) = explained(&before, &after, &ControlProfiles::new(), None);
    assert_eq!(by, ChangedBy::Product);
    assert_eq!(sentence, "1 control worth 10 points came with a new product; no control of the tenant lost points.");
    after.services = None;
    let (by, sentence, _) = explained(&before, &after, &ControlProfiles::new(), None);
    assert_eq!(by, ChangedBy::Unknown);
    assert!(sentence.starts_with("1 control worth 10 points came from Microsoft or with a new product"), "{sentence}");
}

#[test]
fn a_score_that_is_not_the_sum_of_its_controls_is_said_to_be_unexplained() {
    let before = record(MONDAY, 100.0, "mfa Identity 50");
    let mut after = record(TUESDAY, 100.0, "mfa Identity 48");
    after.points.earned = 40.0;
    let (by, sentence, _) = explained(&before, &after, &ControlProfiles::new(), None);
    assert_eq!(by, ChangedBy::Unknown, "nobody is blamed where the numbers do not add up");
    assert_eq!(sentence, "1 control of the tenant lost 2 points; a loss of 8 points that the controls do not explain.");
}

#[test]
fn what_a_person_set_between_the_two_days_is_accounting_and_what_was_set_before_is_not() {
    let (before, after) = (record(MONDAY, 100.0, "mfa Identity 50"), record(TUESDAY, 100.0, "mfa Identity 40"));
    for (at, kind, by) in [
        ("2026-11-23T15:00:00Z", CauseKind::Accounting, ChangedBy::Tenant),
        ("2026-11-24T02:00:00Z", CauseKind::Accounting, ChangedBy::Tenant),
        ("2026-11-22T23:59:59Z", CauseKind::Lost, ChangedBy::Tenant),
        ("2026-11-25T00:00:00Z", CauseKind::Lost, ChangedBy::Tenant),
    ] {
        let change = StateChange { state: "ignored".to_owned(), at: Timestamp::parse(at).unwrap() };
        let profile = ControlProfile { state_changes: vec![change], ..profile("Require MFA", 50.0) };
        let reason = compare(&before, &after, &BTreeMap::from([("mfa".to_owned(), profile)]), None);
        assert_eq!((reason.causes[0].kind, reason.breakdown.as_ref().unwrap().changed_by), (kind, by), "{at}");
        if kind == CauseKind::Accounting {
            assert_eq!(reason.causes[0].detail.as_deref(), Some("a person set it to `ignored`"));
            assert_eq!(
                reason.explanation().as_deref(),
                Some(
                    "Since the record of 2026-11-23: people in the tenant changed how 1 control counts, which took 10 points; \
                     no control of the tenant lost points."
                )
            );
        }
    }
}

#[test]
fn profiles_give_titles_links_and_worth_and_a_deprecated_control_is_retired() {
    let mut before = record(MONDAY, 100.0, "mfa Identity 50, old Apps 10");
    let mut after = record(TUESDAY, 110.0, "mfa Identity 44, old Apps 0, new Apps 0");
    let counts = Some(Counts { count: 50, total: 69 });
    after.controls.get_mut("mfa").unwrap().counts = counts;
    (before.all_tenants_average, after.all_tenants_average) = (Some(47.5), Some(44.0));
    let mfa = ControlProfile { link: Some("https://entra.example/mfa".to_owned()), ..profile("Require MFA", 50.0) };
    let old = ControlProfile { is_deprecated: true, ..profile("Old thing", 10.0) };
    let profiles = BTreeMap::from([
        ("mfa".to_owned(), mfa),
        ("old".to_owned(), old),
        ("new".to_owned(), profile("New thing", 10.0)),
    ]);
    let reason = compare(&before, &after, &profiles, None);
    assert_adds_up(reason.breakdown.as_ref().unwrap());
    assert_eq!(reason.comparison, Some(Comparison { before: 47.5, after: 44.0 }));
    let seen: Vec<_> = reason.causes.iter().map(|cause| (cause.kind, cause.title.as_str(), cause.points)).collect();
    assert_eq!(
        seen,
        [
            (CauseKind::Retired, "Old thing", Some(10.0)),
            (CauseKind::Lost, "Require MFA", Some(6.0)),
            (CauseKind::Added, "New thing", Some(10.0)),
        ]
    );
    let mfa = &reason.causes[1];
    assert_eq!((mfa.counts, mfa.category.as_deref()), (counts, Some("Identity")));
    assert_eq!(mfa.link.as_deref(), Some("https://entra.example/mfa"));
}

#[test]
fn a_category_counts_its_own_controls_only_and_knows_those_that_moved() {
    let before = record(MONDAY, 200.0, "mfa Identity 50, pim Identity 10, dlp Data 40");
    let after = record(TUESDAY, 200.0, "mfa Identity 40, pim Apps 10, dlp Data 0");
    let (by, sentence, causes) = explained(&before, &after, &ControlProfiles::new(), Some("Identity"));
    assert_eq!(by, ChangedBy::Both);
    assert_eq!(sentence, "1 control of the tenant lost 10 points; 1 control changed category, which took 10 points.");
    assert_eq!(causes, ["Lost mfa 10", "Moved pim 10"]);
    let breakdown = compare(&before, &after, &ControlProfiles::new(), Some("Identity")).breakdown.unwrap();
    assert_eq!(breakdown.before, Points { earned: 60.0, of: 200.0 });
    // A control of another category moves the maximum here, too.
    let wider = record(TUESDAY, 300.0, "mfa Identity 50, pim Identity 10, dlp Data 40, new Data 0/100");
    let (by, sentence, causes) = explained(&before, &wider, &ControlProfiles::new(), Some("Identity"));
    assert_eq!((by, causes.len()), (ChangedBy::Microsoft, 0));
    assert_eq!(sentence, "the maximum rose from 200 to 300 points; no control of the tenant lost points.");
}

#[test]
fn three_causes_are_listed_heaviest_first() {
    let before = record(MONDAY, 100.0, "a X 10, b X 10, c X 10, d X 10, e X 10");
    let after = record(TUESDAY, 100.0, "a X 9, b X 5, c X 7, d X 10, e X 8");
    let (_, sentence, causes) = explained(&before, &after, &ControlProfiles::new(), None);
    assert_eq!(causes, ["Lost b 5", "Lost c 3", "Lost e 2"]);
    assert_eq!(sentence, "4 controls of the tenant lost 11 points.");
}

proptest::proptest! {
    #[test]
    fn the_parts_are_always_the_whole(
        before in proptest::collection::btree_map("[a-h]", (0.0..10.0_f64, proptest::option::of(1.0..10.0_f64)), 0..8),
        after in proptest::collection::btree_map("[a-h]", (0.0..10.0_f64, proptest::option::of(1.0..10.0_f64)), 0..8),
        maxima in (1.0..500.0_f64, 1.0..500.0_f64),
        off in -5.0..5.0_f64,
        by_category in proptest::bool::ANY,
    ) {
        let make = |day, maximum, controls: &BTreeMap<String, (f64, Option<f64>)>| {
            let mut made = record(day, maximum, "");
            for (name, (points, maximum)) in controls {
                let category = Some(if *points > 5.0 { "high" } else { "low" }.to_owned());
                made.points.earned += points;
                let control = Control { category, points: Some(*points), maximum: *maximum, counts: None };
                made.controls.insert(name.clone(), control);
            }
            made
        };
        let first = make(MONDAY, maxima.0, &before);
        let mut second = make(TUESDAY, maxima.1, &after);
        second.points.earned += off;
        let category = by_category.then_some("high");
        assert_adds_up(&compare(&first, &second, &ControlProfiles::new(), category).breakdown.unwrap());
    }
}
