//! The documentation keeps its promises: the README is short, links lead somewhere, examples load, command lines parse, and what is
//! generated from the program is what the program says. Nothing here is slow, so that people run it while they write.

mod api;
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
        .filter(|path| path != "README.md" && !index.contains(&format!("({path})")))
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

#[test]
fn every_alert_rule_has_a_runbook() {
    let rules = fs::read_to_string(Path::new(page::ROOT).join("deploy/prometheus/alerts.yaml")).unwrap();
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!alerts.is_empty());
    let runbooks = Page::read("docs/operations/runbooks.md").anchors();
    let missing: Vec<_> = alerts.into_iter().filter(|alert| !runbooks.contains(&page::anchor(alert))).collect();
    assert!(missing.is_empty(), "docs/operations/runbooks.md does not say what to do for {missing:?}");
}
