//! What is wrong with a file of tests is told at once, with its places.

use std::fs;

use super::*;

const RULES: &str =
    "rules:\n  - name: low\n    score: device-secure-score\n    when: { below: 300 }\n    notify: [soc]\n";

fn loaded(tests: &str) -> (LoadedSuite, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let file = folder.path().join("tests.yaml");
    fs::write(&file, tests).unwrap();
    let loaded = load_suite(&file);
    let line = |problem: &Problem| {
        let Problem { place, key, what, instead, .. } = problem;
        format!("{}:{} {key}: {what}; {instead}", place.line, place.column)
    };
    let told = loaded.problems.iter().map(line).collect::<Vec<_>>().join("\n");
    (loaded, told)
}

#[test]
fn a_good_file_is_taken_with_every_channel_that_it_names() {
    let (loaded, told) = loaded(
        "rules: [rules.yaml]\ntests:\n  - name: one\n    tenants: [{ id: contoso, notify: [own], series: \"400 200\" }]\n    \
         expect: [{ at: 15m, rule: low }, { quiet_until: 2h }]\n",
    );
    let suite = loaded.suite.unwrap_or_else(|| panic!("{told}"));
    let names: Vec<_> = suite.plan.receivers.keys().map(ToString::to_string).collect();
    assert_eq!((names, told), (vec!["own".to_owned(), "soc".to_owned()], String::new()));
    let case = &suite.cases[0];
    assert_eq!((case.expected.len(), case.quiet.len(), case.strict), (1, 1, true));
    assert_eq!(case.courses[0].until, case.start.plus(Duration::from_hours(2)));
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let (loaded, told) = loaded(
        "rules: [rules.yaml]\nevery: 0s\nstart: monday\ncolour: green\nchannels: { soc: { digest: { over: none } } }\ntests:\n  \
         - tenants:\n      - { id: contoso, series: \"400 abc\" }\n      - { id: contoso, score: secure-score-category, series: \"1\" }\n      \
         - { id: b, scores: [{ series: \"1\" }, { score: exposure-score, history: \"1\", series: \"1\" }] }\n    expect:\n      \
         - { at: soon, rule: lwo, tenant: nobody, type: alert.fired, channel: sco }\n      - { rule: low }\n",
    );
    assert!(loaded.suite.is_none());
    insta::assert_snapshot!(told);
}

#[test]
fn a_rule_file_s_problems_are_told_with_its_own_places() {
    let (loaded, told) = loaded("rules: [rules.yaml, nowhere.yaml]\nchannels: { other: {} }\ntests: []\n");
    assert!(loaded.suite.is_none());
    assert!(
        told.contains("channel `soc` is not defined") && told.contains("there is no file `nowhere.yaml`"),
        "{told}"
    );
}

#[test]
fn hostile_files_are_refused_and_never_panic() {
    for text in [
        "",
        "[]",
        "tests: {}",
        "tests: [1, [], {}]",
        "rules: [\"**\"]\ntests: [{ name: x, tenants: [{}], expect: [{}] }]",
        "\u{0}",
    ] {
        let (loaded, told) = loaded(text);
        assert!(loaded.suite.is_none() && !told.is_empty(), "{text:?}");
    }
}
