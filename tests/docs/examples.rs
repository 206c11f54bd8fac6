//! Every YAML example on the pages is read by the program's own readers: whole configurations as they are, parts of one in a
//! configuration that has the rest.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use scorewatch::{
    config::{load, suite::load_suite},
    diagnostic::{Level, Problem},
};
use serde_yaml::{Mapping, Value};

use super::page::{Block, Page, pages};

/// What an example that is only a part is put into.
const REST: &str = r#"
store: sqlite://data/scorewatch.db
schedule: "0 */15 * * * *"
timezone: Europe/Berlin
rules: [rules.yaml]
tenants:
  - id: contoso
    name: Contoso Ltd
    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
    credential: { client_id: 6d2a0000-0000-4000-8000-000000000002, secret: { file: secrets/contoso } }
    labels: { tier: gold }
channels:
  soc: { type: webhook, url: https://soar.example/first }
  contoso: { type: webhook, url: https://soar.example/contoso, tenants: [contoso] }
  mssp: { type: webhook, url: https://soar.example/second }
  on-call: { type: webhook, url: https://soar.example/third }
  soc-lead: { type: webhook, url: https://soar.example/fourth }
  soc-teams: { type: webhook, url: https://soar.example/fifth }
operator: { notify: [soc, mssp] }
"#;

/// The rules of an example that shows none.
const RULES: &str = r"
rules:
  - { name: device-score-drop, score: device-secure-score, when: { drop: 5%, within: 24h }, notify: [soc-teams] }
  - { name: device-score-low, score: device-secure-score, when: { below: 300 }, notify: [soc-teams] }
";

/// The template that one of the examples names.
const TEMPLATE: &str = include_str!("../../templates/teams.hbs");

fn mapping(text: &str) -> Mapping {
    serde_yaml::from_str(text).unwrap()
}

/// The example within the rest of a configuration. A key of the example takes the place of the same key of the rest; channels
/// and tenants are added to those of the rest, as rules and the operator refer to them.
fn completed(part: Mapping) -> String {
    let mut whole = mapping(REST);
    for (key, value) in part {
        match (key.as_str(), &value, whole.get_mut(&key)) {
            (Some("channels"), Value::Mapping(channels), Some(Value::Mapping(all))) => {
                for (name, channel) in channels {
                    all.insert(name.clone(), channel.clone());
                }
            }
            (Some("tenants"), Value::Sequence(tenants), Some(Value::Sequence(all))) => {
                all.retain(|old| !tenants.iter().any(|new| new.get("id") == old.get("id")));
                all.extend(tenants.iter().cloned());
            }
            _ => drop(whole.insert(key, value)),
        }
    }
    serde_yaml::to_string(&whole).unwrap()
}

fn errors(problems: &[Problem]) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.level == Level::Error);
    errors.map(|problem| format!("{}: {}; {}", problem.place, problem.what, problem.instead)).collect()
}

/// The kind of file that an example is, by its keys.
fn file_of(example: &Mapping) -> &'static str {
    let has_rules_itself =
        example.get("rules").and_then(Value::as_sequence).is_some_and(|rules| rules.iter().all(Value::is_mapping));
    if example.contains_key("tests") {
        "tests.yaml"
    } else if has_rules_itself {
        "rules.yaml"
    } else {
        "scorewatch.yaml"
    }
}

/// Tests with the rules that were shown last, as a reader would have them.
fn run_tests(folder: &Path) -> Vec<String> {
    let file = folder.join("tests.yaml");
    let faults = errors(&load_suite(&file).problems);
    if !faults.is_empty() {
        return faults;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_scorewatch")).arg("test").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Vec::new() } else { vec![said] }
}

/// What is wrong with the examples of a page.
fn faults(page: &Page) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    fs::create_dir(folder.path().join("templates")).unwrap();
    write("templates/short.hbs", TEMPLATE);
    write("rules.yaml", RULES);
    // A program must be one that can be run.
    fs::create_dir(folder.path().join("bin")).unwrap();
    symlink("/bin/true", folder.path().join("bin/fetch-secret")).unwrap();
    let mut faults = Vec::new();
    for Block { line, text, .. } in page.blocks().iter().filter(|block| block.language == "yaml") {
        let Ok(example) = serde_yaml::from_str::<Mapping>(text) else {
            faults.push(format!("{}:{line}: this is no mapping of YAML", page.path));
            continue;
        };
        let file = file_of(&example);
        let is_whole = ["tenants", "channels", "rules"].iter().all(|key| example.contains_key(*key));
        let found = match file {
            "tests.yaml" => {
                write(file, text);
                run_tests(folder.path())
            }
            "rules.yaml" => {
                write(file, text);
                // The tutorial keeps its rule apart from those that `init` writes.
                write("gold.yaml", text);
                write("scorewatch.yaml", REST);
                errors(&load(&folder.path().join("scorewatch.yaml")).problems)
            }
            // As it is, so that its own places and words are read.
            _ if is_whole => {
                write(file, text);
                errors(&load(&folder.path().join(file)).problems)
            }
            _ => {
                write(file, &completed(example));
                errors(&load(&folder.path().join(file)).problems)
            }
        };
        faults.extend(found.into_iter().map(|fault| format!("{}:{line}: {fault}", page.path)));
    }
    faults
}

#[test]
fn every_example_is_valid() {
    let pages = pages();
    let seen: usize =
        pages.iter().map(|page| page.blocks().iter().filter(|block| block.language == "yaml").count()).sum();
    assert!(seen > 20, "the examples were not found");
    let faults: Vec<_> = pages.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_wrong_example_is_found() {
    for text in [
        "channels: { soc: { type: teams, url: https://example.com } }",
        "fleet: { holds: 10m }",
        "rules:\n  - { name: x, score: nothing, when: { below: 300 }, notify: [soc] }",
        "rules: [rules.yaml]\ntests:\n  - { name: x, tenants: [{ id: a, series: \"400 100\" }], expect: [] }",
        "- a list",
    ] {
        let page = Page { path: "page".to_owned(), text: format!("```yaml\n{text}\n```\n") };
        assert!(!faults(&page).is_empty(), "{text}");
    }
}
