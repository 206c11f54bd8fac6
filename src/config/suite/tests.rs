//! All problems of a file of tests are reported in one run, with their places.

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
    let reported = loaded.problems.iter().map(line).collect::<Vec<_>>().join("\n");
    (loaded, reported)
}

#[test]
fn a_good_file_is_taken_with_every_channel_that_it_names() {
    let (loaded, reported) = loaded(
        "rules: [rules.yaml]\ntests:\n  - name: one\n    tenants: [{ id: contoso, notify: [own], series: \"400 200\" }]\n    \
         expect: [{ at: 15m, rule: low }, { quiet_until: 2h }]\n",
    );
    let suite = loaded.suite.unwrap_or_else(|| panic!("{reported}"));
    let names: Vec<_> = suite.plan.receivers.keys().map(ToString::to_string).collect();
    assert_eq!((names, reported), (vec!["own".to_owned(), "soc".to_owned()], String::new()));
    let case = &suite.cases[0];
    assert_eq!((case.expected.len(), case.quiet.len(), case.strict), (1, 1, true));
    assert_eq!(case.histories[0].until, case.start.plus(Duration::from_hours(2)));
}

#[test]
fn every_problem_is_reported_in_one_run_with_its_place() {
    let (loaded, reported) = loaded(
        "rules: [rules.yaml]\nevery: 0s\nstart: monday\ncolour: green\nchannels: { soc: { digest: { over: none } } }\ntests:\n  \
         - tenants:\n      - { id: contoso, series: \"400 abc\" }\n      - { id: contoso, score: secure-score-category, series: \"1\" }\n      \
         - { id: b, scores: [{ series: \"1\" }, { score: exposure-score, history: \"1\", series: \"1\" }] }\n    expect:\n      \
         - { at: soon, rule: lwo, tenant: nobody, type: alert.fired, channel: sco }\n      - { rule: low }\n",
    );
    assert!(loaded.suite.is_none());
    insta::assert_snapshot!(reported);
}

#[test]
fn silences_and_windows_are_meant_as_written() {
    let (loaded, reported) = loaded(
        "rules: [rules.yaml]\ntimezone: Europe/Berlin\nmaintenance: [{ name: nightly, tenants: all, from: 0 0 1 * * *, for: 2h }]\n\
         tests:\n  - name: one\n    tenants: [{ id: contoso, labels: { tier: gold }, series: \"400 200\" }]\n    silences:\n      \
         - { tenants: [contoso], rules: [low, operator.blind], until: 2h }\n      \
         - { tenants: { tier: gold }, severity: warning, from: 08:00, for: 30m }\n      \
         - { tenants: all, scores: device-secure-score, from: 2026-01-05 09:00, until: 2026-01-06T00:00:00Z }\n    \
         maintenance: [{ name: own, rules: low, from: 0 0 4 * * *, until: 0 30 4 * * *, timezone: UTC }]\n    expect: []\n",
    );
    let suite = loaded.suite.unwrap_or_else(|| panic!("{reported}"));
    let plan = suite.plan_of(&suite.cases[0]);
    let silence = |one: &Silence| format!("{} {}: {} to {}", one.id, one.matchers, one.starts_at, one.ends_at);
    assert_eq!(
        plan.silences.iter().map(silence).collect::<Vec<_>>(),
        [
            "1 tenant contoso, rule low or operator.blind: 2026-01-05T00:00:00Z to 2026-01-05T02:00:00Z",
            "2 severity warning, tier=gold: 2026-01-05T07:00:00Z to 2026-01-05T07:30:00Z",
            "3 score device-secure-score: 2026-01-05T08:00:00Z to 2026-01-06T00:00:00Z",
        ]
    );
    let window = |one: &Maintenance| format!("{}: {}", one.name, one.matchers);
    assert_eq!(plan.maintenance.iter().map(window).collect::<Vec<_>>(), ["nightly: everything", "own: rule low"]);
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let covers = |window: usize, now: &str| plan.maintenance[window].window.covers(at(now)).map(|end| end.to_string());
    assert_eq!(covers(0, "2026-01-05T00:30:00Z").as_deref(), Some("2026-01-05T02:00:00Z"), "one o'clock in Berlin");
    assert_eq!(covers(1, "2026-01-05T04:00:00Z").as_deref(), Some("2026-01-05T04:30:00Z"), "its own zone");
}

#[test]
fn mistakes_in_silences_and_windows_are_reported_in_one_run_with_their_places() {
    let (loaded, reported) = loaded(
        "rules: [rules.yaml]\nmaintenance: [{ name: a, tenants: [contosso], from: 0 0 1 * * *, for: 25h }]\ntests:\n  - name: one\n    \
         tenants: [{ id: contoso, series: \"1\" }]\n    silences:\n      - {}\n      \
         - { tenants: [contosso], rules: lwo, scores: secure, severity: bad, until: 2h, for: 2h }\n      \
         - { tenants: { tier: gold }, from: 3h, until: 2h, comment: x }\n      - { rules: [], from: soon, for: 0s }\n      \
         - { tenants: everybody, until: 2100-01-01T00:00:00Z }\n      - nothing\n    maintenance: [{ name: A b, rules: lwo, from: 1h }]\n    \
         expect: []\n",
    );
    assert!(loaded.suite.is_none());
    insta::assert_snapshot!(reported);
}

#[test]
fn a_tenant_that_could_not_be_read_is_not_missed_by_what_names_it() {
    let (_, reported) = loaded(
        "rules: [rules.yaml]\nmaintenance: [{ name: a, tenants: [contoso], from: 0 0 1 * * *, for: 1h }]\ntests:\n  - name: one\n    \
         tenants: [{ id: contoso, series: abc }]\n    silences: [{ tenants: [contoso], until: 2h }]\n    expect: []\n",
    );
    assert_eq!(reported.lines().count(), 1, "{reported}");
    assert!(reported.contains("`abc` is not a reading"), "{reported}");
}

#[test]
fn problems_of_a_rule_file_are_reported_with_their_places() {
    let (loaded, reported) = loaded("rules: [rules.yaml, nowhere.yaml]\nchannels: { other: {} }\ntests: []\n");
    assert!(loaded.suite.is_none());
    assert!(
        reported.contains("channel `soc` is not defined") && reported.contains("there is no file `nowhere.yaml`"),
        "{reported}"
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
        "rules: [rules.yaml]\nmaintenance: [[]]\ntests: [{ name: x, silences: [1, {}], maintenance: {}, expect: [] }]",
        "\u{0}",
    ] {
        let (loaded, reported) = loaded(text);
        assert!(loaded.suite.is_none() && !reported.is_empty(), "{text:?}");
    }
}
