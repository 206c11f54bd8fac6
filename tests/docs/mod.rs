//! The documentation keeps its promises: the README is short, links lead somewhere, examples load, command lines parse, and what is
//! generated from the program is what the program says. Nothing here is slow, so that people run it while they write.

mod api;
mod book;
mod chart;
mod commands;
mod configuration;
mod defaults;
mod examples;
mod facts;
mod generated;
mod links;
mod page;
mod picture;

use std::{fs, path::Path};

use page::{Page, pages};

/// Longest README, in lines.
const README_LINES_MAX: usize = 200;

#[test]
fn the_readme_is_short() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines; move what is not needed first into docs/");
}

#[test]
fn every_page_is_found_and_is_in_the_index() {
    let index = Page::read("docs/README.md").text;
    let unlisted: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned))
        .filter(|path| !matches!(path.as_str(), "README.md" | "SUMMARY.md") && !path.starts_with("project/"))
        .filter(|path| !index.contains(&format!("({path})")))
        .collect();
    assert!(pages().len() > 20, "the pages were not found");
    assert!(unlisted.is_empty(), "docs/README.md does not list {unlisted:?}");
}

#[test]
fn the_map_of_the_tests_has_every_folder() {
    let map = Page::read("tests/README.md").text;
    let entries = fs::read_dir(Path::new(page::ROOT).join("tests")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    let missing: Vec<_> = folders.filter(|folder| !map.contains(&format!("| `{folder}/` |"))).collect();
    assert!(missing.is_empty(), "tests/README.md does not list {missing:?}");
}

/// The alerts of the rules, each with what the file says of it.
fn alerts() -> Vec<(String, serde_json::Value)> {
    let rules = fs::read_to_string(Path::new(page::ROOT).join("deploy/prometheus/alerts.yaml")).unwrap();
    let rules: serde_json::Value = serde_yaml::from_str(&rules).unwrap();
    let rules = rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| (rule["alert"].as_str().unwrap().to_owned(), rule.clone())).collect()
}

#[test]
fn every_alert_rule_has_a_runbook() {
    let runbooks = Page::read("docs/operations/runbooks.md").anchors();
    assert!(alerts().len() > 10, "the alerts were not found");
    for (alert, rule) in alerts() {
        let anchor = page::anchor(&alert);
        assert!(runbooks.contains(&anchor), "docs/operations/runbooks.md does not say what to do for {alert}");
        assert_eq!(rule["annotations"]["runbook"], format!("docs/operations/runbooks.md#{anchor}"));
        assert!(rule["annotations"]["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{alert}");
    }
}

#[test]
fn every_alert_rule_is_tested_with_and_without_its_cause() {
    let tests = fs::read_to_string(Path::new(page::ROOT).join("deploy/prometheus/tests.yaml")).unwrap();
    let tests: serde_json::Value = serde_yaml::from_str(&tests).unwrap();
    for (alert, _) in alerts() {
        let (mut fires, mut is_quiet) = (false, false);
        for test in tests["tests"].as_array().unwrap().iter().filter(|test| test["name"].to_string().contains(&alert)) {
            for asked in test["promql_expr_test"].as_array().unwrap() {
                let expected = asked["exp_samples"].as_array().unwrap();
                fires |= expected.iter().any(|sample| sample["labels"] == format!("{{alertname=\"{alert}\"}}"));
                is_quiet |= expected.is_empty();
            }
        }
        assert!(fires && is_quiet, "deploy/prometheus/tests.yaml: {alert} fires: {fires}, is quiet: {is_quiet}");
    }
}
