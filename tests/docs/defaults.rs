//! The defaults that the reference names. Each is held against the program: a configuration that spells it out means the same as
//! one that leaves it out.

use std::{fmt::Write as _, fs, path::Path};

use scorewatch::config::{Config, load};

/// Sections of the reference, keys, their defaults, and another value that must be seen to differ.
const DEFAULTS: [(&str, &str, &str, &str); 33] = [
    ("Main file", "store", "sqlite://data/scorewatch.db", "sqlite://elsewhere.db"),
    ("Main file", "listen", "127.0.0.1:8080", "127.0.0.1:8081"),
    ("Main file", "spread", "10m", "11m"),
    ("Main file", "scores", "[device-secure-score]", "[secure-score]"),
    ("Main file", "timeout", "30s", "31s"),
    ("Main file", "concurrency", "256", "255"),
    ("Main file", "retention", "400d", "401d"),
    ("Main file", "language", "en", "de"),
    ("Fleet shifts", "hold", "10m", "11m"),
    ("Fleet shifts", "at_least", "10", "11"),
    ("Fleet shifts", "share", "33%", "34%"),
    ("Fleet shifts", "accept", "proven", "ask"),
    ("Flapping", "changes", "6", "7"),
    ("Flapping", "within", "24h", "25h"),
    ("Metrics", "tenants", "false", "true"),
    ("Operator", "blind_after", "2h", "3h"),
    ("Tenants", "cloud", "commercial", "gcc"),
    ("Channels", "pace", "1s", "2s"),
    ("Channels", "timeout", "20s", "21s"),
    ("Channels", "drill", "30d", "31d"),
    ("Channels", "report", "off", "daily"),
    ("Channels", "allow_private", "false", "true"),
    ("Retries", "first", "2s", "3s"),
    ("Retries", "max", "15m", "16m"),
    ("Retries", "give_up", "24h", "25h"),
    ("Digests", "over", "20", "21"),
    ("Rules", "severity", "warning", "info"),
    ("Rules", "for", "0s", "1s"),
    ("Rules", "good_news", "false", "true"),
    ("Rules", "fleet", "on", "off"),
    ("Rules", "flapping", "on", "off"),
    ("Conditions", "from", "best", "previous"),
    // Of `pagerduty`.
    ("Channels", "region", "us", "eu"),
];

/// The default of a key, as it is written in a file.
pub(super) fn default_of(section: &str, key: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(of, name, ..)| (*of, *name) == (section, key)).map(|(_, _, default, _)| *default)
}

/// Where a key goes: the file, and the line after which it stands. Whatever follows must not move, since references know their place.
const PLACES: [(&str, &str, &str); 11] = [
    ("Main file", "scorewatch.yaml", "# top"),
    ("Fleet shifts", "scorewatch.yaml", "# fleet"),
    ("Flapping", "scorewatch.yaml", "# flapping"),
    ("Metrics", "scorewatch.yaml", "# top"),
    ("Operator", "scorewatch.yaml", "# operator"),
    ("Tenants", "scorewatch.yaml", "# tenant"),
    ("Channels", "scorewatch.yaml", "# channel"),
    ("Retries", "scorewatch.yaml", "# retry"),
    ("Digests", "scorewatch.yaml", "# digest"),
    ("Rules", "rules.yaml", "# rule"),
    ("Conditions", "rules.yaml", "# condition"),
];

const MAIN: &str = r#"schedule: "0 */15 * * * *"
timezone: UTC
rules: [rules.yaml]
tenants:
  - id: contoso
    name: Contoso Ltd
    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
    # tenant
    credential:
      client_id: 6d2a0000-0000-4000-8000-000000000002
      secret:
        exec: [/bin/true]
# fleet
# flapping
operator:
  notify: [soc, mail]
  # operator
secret_stores:
  corp:
    type: vault
    address: https://vault.mssp.example
    token: { env: TOKEN }
channels:
  mail:
    type: email
    server: smtps://smtp.example
    from: scores@mssp.example
    to: [soc@mssp.example]
  on-call:
    type: pagerduty
    routing_key: { env: KEY }
    # pagerduty
  soc:
    type: webhook
    url: https://soar.example/hook
    # retry
    # digest
    # channel
# top
"#;

const RULES: &str = "rules:
  - name: drop
    score: device-secure-score
    when:
      drop: 5%
      within: 24h
      # condition
    notify: [soc]
    # rule
";

fn place(section: &str, key: &str) -> (&'static str, &'static str) {
    if (section, key) == ("Channels", "region") {
        return ("scorewatch.yaml", "# pagerduty");
    }
    let found = PLACES.iter().find(|(of, ..)| *of == section);
    found.map_or_else(|| panic!("{section} has no place"), |(_, file, mark)| (*file, *mark))
}

/// The line that gives the key a value, in a mapping of its own where nothing else is in that.
fn line(section: &str, key: &str, value: &str) -> String {
    match section {
        "Fleet shifts" => format!("fleet: {{ {key}: {value} }}"),
        "Flapping" => format!("flapping: {{ {key}: {value} }}"),
        "Metrics" => format!("metrics: {{ {key}: {value} }}"),
        "Retries" => format!("retry: {{ {key}: {value} }}"),
        "Digests" => format!("digest: {{ {key}: {value} }}"),
        _ => format!("{key}: {value}"),
    }
}

/// The text with another line in place of the mark.
fn spelled_out(text: &str, mark: &str, line: &str) -> String {
    let mut out = String::new();
    for of_text in text.lines() {
        let indent = &of_text[..of_text.len() - of_text.trim_start().len()];
        let _ = if of_text.trim() == mark { writeln!(out, "{indent}{line}") } else { writeln!(out, "{of_text}") };
    }
    out
}

/// What a configuration means, without where it was read from.
fn meaning(folder: &Path, main: &str, rules: &str) -> String {
    fs::write(folder.join("scorewatch.yaml"), main).unwrap();
    fs::write(folder.join("rules.yaml"), rules).unwrap();
    let loaded = load(&folder.join("scorewatch.yaml"));
    let problems = loaded.problems;
    let config = loaded.config.unwrap_or_else(|| panic!("{problems:?}\n{main}\n{rules}"));
    let Config { store, listen, spread, timeout, concurrency, retention, fleet, .. } = &config;
    let Config { tenants, rules, channels, operator, secret_stores, metrics, .. } = &config;
    format!(
        "{store:?}\n{listen:?}\n{spread:?}\n{timeout:?}\n{concurrency:?}\n{retention:?}\n{fleet:?}\n{tenants:#?}\n{rules:#?}\n\
         {channels:#?}\n{operator:?}\n{secret_stores:#?}\n{metrics:?}"
    )
}

#[test]
fn a_default_that_is_spelled_out_changes_nothing_and_another_value_does() {
    let folder = tempfile::tempdir().unwrap();
    let without = meaning(folder.path(), MAIN, RULES);
    let mut faults = Vec::new();
    for (section, key, default, other) in DEFAULTS {
        let (file, mark) = place(section, key);
        let with = |value: &str| {
            let line = line(section, key, value);
            let (main, rules) = if file == "rules.yaml" {
                (MAIN.to_owned(), spelled_out(RULES, mark, &line))
            } else {
                (spelled_out(MAIN, mark, &line), RULES.to_owned())
            };
            assert!(main != MAIN || rules != RULES, "{mark} was not found");
            meaning(folder.path(), &main, &rules)
        };
        if with(default) != without {
            faults.push(format!("{section}: `{key}: {default}` is not the default"));
        }
        if with(other) == without {
            faults.push(format!("{section}: `{key}: {other}` can't be distinguished from the default"));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
