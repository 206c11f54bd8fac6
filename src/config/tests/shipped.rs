//! What ships with the product, and what its README shows, is valid.

use std::{fs, path::Path};

use super::load_in;
use crate::{
    config::load,
    diagnostic::{Gravity, Problem},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The code block of that language that follows the text.
fn block<'a>(text: &'a str, after: &str) -> &'a str {
    let rest = text.split_once(after).unwrap_or_else(|| panic!("{after} is not in the README")).1;
    rest.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

const NONE: [&Problem; 0] = [];

/// What is told besides the warning that the operator's only channel can't report its own failure: a first configuration may have
/// one channel.
fn beside_the_only_channel(problems: &[Problem]) -> Vec<&Problem> {
    let is_of_one_channel = |problem: &Problem| {
        problem.gravity == Gravity::Warning
            && problem.key == "operator.notify"
            && problem.what.ends_with("is the operator's only one, and can't report its own failure")
    };
    problems.iter().filter(|problem| !is_of_one_channel(problem)).collect()
}

#[test]
fn the_readme_s_first_configuration_is_valid() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    for (path, text) in [
        ("scorewatch.yaml", block(&readme, "**3. `scorewatch.yaml`**")),
        ("rules.yaml", block(&readme, "**4. `rules.yaml`**")),
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
    let first = block(&readme, "**3. `scorewatch.yaml`**");
    let (head, _) = first.split_once("\nchannels:").unwrap();
    let main = format!("{head}\n{}operator: {{ notify: [soc] }}\n", block(&readme, "### Channels"));
    for (path, text) in [
        ("scorewatch.yaml", &*main),
        ("rules.yaml", block(&readme, "**4. `rules.yaml`**")),
        ("secrets/contoso", "a-secret"),
        ("secrets/soc-teams", "https://example.invalid/"),
        ("secrets/contoso-slack", "https://contoso.example.invalid/"),
        ("secrets/soar", "whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs="),
        ("secrets/pagerduty", "0123456789abcdef0123456789abcdef"),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    let (loaded, text) = load_in(folder.path());
    assert_eq!(beside_the_only_channel(&loaded.problems), NONE, "{text}");
    let channels = loaded.config.unwrap().channels;
    let stateful = channels.values().filter(|channel| channel.kind.keeps_state()).map(|channel| channel.kind.as_str());
    assert_eq!(stateful.collect::<Vec<_>>(), ["pagerduty", "alertmanager"]);
}

#[test]
fn the_sample_and_the_rule_packs_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        // Where the sample reads the environment, the test has files.
        let mut text = fs::read_to_string(Path::new(ROOT).join(from)).unwrap();
        for name in ["SOC_TEAMS_URL", "CONTOSO_SLACK_URL", "CONTOSO_SECRET"] {
            let file = folder.path().join(name);
            fs::write(&file, format!("https://example.invalid/{name}")).unwrap();
            text = text.replace(&format!("env: {name}"), &format!("file: {}", file.display()));
        }
        fs::write(to, text).unwrap();
    };
    let sample = "deploy/sample/scorewatch.yaml";
    copy(sample, sample);
    for folder in ["deploy/sample/tenants", "rules"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
                copy(&path, &path);
            }
        }
    }
    let main = folder.path().join(sample);
    assert_eq!(beside_the_only_channel(&load(&main).problems), NONE);
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replace("rules/starter.yaml", "rules/*.yaml")).unwrap();
    let loaded = load(&main);
    // The sample's one tenant has none of the labels by which two of the packs select.
    let mut told = beside_the_only_channel(&loaded.problems);
    told.retain(|problem| !problem.what.ends_with("selects no tenant"));
    assert_eq!(told, NONE);
    let config = loaded.config.unwrap();
    assert!(config.rules.len() > 15 && config.tenants.len() == 1);
    for rule in &config.rules {
        let is_guided = rule.guide.about.is_some() && rule.guide.runbook.is_some();
        assert!(is_guided, "`{}` says what it is for and what to do", rule.name);
    }
}
