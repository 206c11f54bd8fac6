//! What ships with the product, and what its README shows, is valid.

use std::{fs, path::Path, process::Command};

use super::{load_in, mistakes::schema::refusal};
use crate::{
    config::{load, schema::Subject},
    diagnostic::{Problem, Warning},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The code block of that language that follows the text.
fn block<'a>(text: &'a str, after: &str) -> &'a str {
    let rest = text.split_once(after).unwrap_or_else(|| panic!("{after} is not in the README")).1;
    rest.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

const NONE: [&Problem; 0] = [];

/// What is reported in addition to the warning that the operator's only channel can't report its own failure: a first configuration may have
/// one channel.
fn beside_the_only_channel(problems: &[Problem]) -> Vec<&Problem> {
    let is_of_one_channel = |problem: &Problem| problem.warning == Some(Warning::OperatorHasOneChannel);
    problems.iter().filter(|problem| !is_of_one_channel(problem)).collect()
}

#[test]
fn the_readme_s_first_configuration_is_valid() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    for (path, text) in [
        ("scorewatch.yaml", block(&readme, "a little shorter: `scorewatch.yaml`")),
        ("rules.yaml", block(&readme, "\nand `rules.yaml`")),
        ("secrets/contoso", "a-secret"),
        ("secrets/soc-teams", "https://example.invalid/"),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    let (loaded, text) = load_in(folder.path());
    assert_eq!(beside_the_only_channel(&loaded.problems), NONE, "{text}");
}

#[test]
fn the_readme_s_channels_are_valid() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("secrets")).unwrap();
    let first = block(&readme, "a little shorter: `scorewatch.yaml`");
    let (head, _) = first.split_once("\nchannels:").unwrap();
    let main = format!("{head}\n{}operator: {{ notify: [soc-teams] }}\n", block(&readme, "### Channels"));
    for (path, text) in [
        ("scorewatch.yaml", &*main),
        ("rules.yaml", block(&readme, "\nand `rules.yaml`")),
        ("secrets/contoso", "a-secret"),
        ("secrets/soc-teams", "https://example.invalid/"),
        ("secrets/contoso-slack", "https://contoso.example.invalid/"),
        ("secrets/soar", "whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs="),
        ("secrets/pagerduty", "0123456789abcdef0123456789abcdef"),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    let (loaded, text) = load_in(folder.path());
    let mut reported = beside_the_only_channel(&loaded.problems);
    // The page shows each type of channel, and no rule uses them all.
    reported.retain(|problem| problem.warning != Some(Warning::ChannelUnused));
    assert_eq!(reported, NONE, "{text}");
    let channels = loaded.config.unwrap().channels;
    let stateful = channels.values().filter(|channel| channel.kind.keeps_state()).map(|channel| channel.kind.as_str());
    assert_eq!(stateful.collect::<Vec<_>>(), ["pagerduty", "alertmanager"]);
}

#[test]
fn the_sample_and_the_rule_packs_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    // The sample's rules are a link.
    let copied = Command::new("cp").arg("-rL").arg(Path::new(ROOT).join("deploy/sample/.")).arg(folder.path()).status();
    assert!(copied.unwrap().success());
    let main = folder.path().join("scorewatch.yaml");
    let loaded = load(&main);
    assert_eq!(loaded.problems.iter().collect::<Vec<_>>(), NONE);
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("[rules/starter.yaml, rules/customer.yaml]", "[rules/*.yaml]")).unwrap();
    let loaded = load(&main);
    // The sample's one tenant has none of the labels by which one of the packs selects.
    let mut reported: Vec<&Problem> = loaded.problems.iter().collect();
    reported.retain(|problem| problem.warning != Some(Warning::RuleSelectsNoTenant));
    assert_eq!(reported, NONE);
    let config = loaded.config.unwrap();
    assert!(config.rules.len() > 15 && config.tenants.len() == 1);
    for rule in &config.rules {
        let is_guided = rule.guide.about.is_some() && rule.guide.runbook.is_some();
        assert!(is_guided, "`{}` says what it is for and what to do", rule.name);
    }
}

#[test]
fn an_editor_marks_nothing_in_what_ships() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let readme = read("README.md");
    let first = block(&readme, "a little shorter: `scorewatch.yaml`");
    let (head, _) = first.split_once("\nchannels:").unwrap();
    for (subject, text) in [
        (Subject::Main, first),
        (Subject::Main, &format!("{head}\n{}", block(&readme, "### Channels"))),
        (Subject::Rules, block(&readme, "\nand `rules.yaml`")),
        (Subject::Main, &read("deploy/sample/scorewatch.yaml")),
        (Subject::Rules, &read("rules/starter.yaml")),
        (Subject::Rules, &read("rules/customer.yaml")),
        (Subject::Rules, &read("rules/strict.yaml")),
    ] {
        assert_eq!(refusal(subject, text), None, "{text}");
    }
}

#[test]
fn the_packs_for_the_security_team_and_for_customers_do_not_mix() {
    let main = "store: sqlite://s.db\ntimezone: UTC\nscores: [device-secure-score, secure-score, exposure-score]\nrules: [rules/*.yaml]\n\
        credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secret } }\n\
        tenants:\n  - { id: c1, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, labels: { informed: \"yes\", tier: gold }, notify: [c1] }\n\
        channels:\n  soc-teams: { type: slack, url: { file: secret } }\n  c1: { type: slack, url: { file: url }, tenants: [c1] }\n\
        operator: { notify: [soc-teams] }\n";
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    for (path, text) in [("scorewatch.yaml", main), ("secret", "x"), ("url", "https://example.invalid/")] {
        write(path, text);
    }
    for pack in ["starter", "customer", "strict"] {
        let text = fs::read_to_string(Path::new(ROOT).join(format!("rules/{pack}.yaml"))).unwrap();
        write(&format!("rules/{pack}.yaml"), &text.replace("{ watch: strict }", "{ tier: gold }"));
    }
    let (loaded, text) = load_in(folder.path());
    let sights = loaded.config.unwrap_or_else(|| panic!("{text}")).sights();
    let heard: Vec<&str> = sights["c1"].rules.keys().map(String::as_str).collect();
    assert_eq!(heard, ["exposure-elevated", "posture-changed", "secure-score-changed"]);
    assert!(!text.contains("[customer-hears"), "{text}");
    // Rules that were written before that key existed.
    let starter = fs::read_to_string(folder.path().join("rules/starter.yaml")).unwrap();
    write("rules/starter.yaml", &starter.replace("    tenant_channels: off\n", ""));
    let (_, text) = load_in(folder.path());
    for reported in [
        "warning[customer-hears-soc-rules]: channels.c1: channel `c1`, which is for some tenants only, gets the rules that name no \
         channel (`posture-changed`, `secure-score-changed`, `exposure-elevated`), and also `device-score-drop`",
        "warning[customer-hears-no-data]: channels.c1: channel `c1`, which is for some tenants only, is notified that Scorewatch \
         can't read a score: `blind`",
    ] {
        assert!(text.contains(reported), "{reported} is not in\n{text}");
    }
}
