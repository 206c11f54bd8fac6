//! The defaults that the reference names. Each is held against the program: a configuration that spells it out means the same as
//! one that leaves it out.

use std::{fmt::Write as _, fs, path::Path};

use scorewatch::config::{Config, load};

/// Sections of the reference, keys and their defaults, as they are written in a file.
const DEFAULTS: [(&str, &str, &str); 34] = [
    ("Main file", "store", "sqlite://data/scorewatch.db"),
    ("Main file", "listen", "127.0.0.1:8080"),
    ("Main file", "spread", "10m"),
    ("Main file", "scores", "[device-secure-score]"),
    ("Main file", "timeout", "30s"),
    ("Main file", "concurrency", "256"),
    ("Main file", "retention", "400d"),
    ("Fleet shifts", "hold", "10m"),
    ("Fleet shifts", "at_least", "10"),
    ("Fleet shifts", "share", "33%"),
    ("Fleet shifts", "accept", "proven"),
    ("Flapping", "changes", "6"),
    ("Flapping", "within", "24h"),
    ("Operator", "blind_after", "2h"),
    ("Tenants", "cloud", "commercial"),
    ("Channels", "pace", "1s"),
    ("Channels", "timeout", "20s"),
    ("Channels", "drill", "30d"),
    ("Channels", "report", "off"),
    ("Channels", "allow_private", "false"),
    ("Retries", "first", "2s"),
    ("Retries", "max", "15m"),
    ("Retries", "give_up", "24h"),
    ("Digests", "over", "20"),
    ("Rules", "severity", "warning"),
    ("Rules", "for", "0s"),
    ("Rules", "good_news", "false"),
    ("Rules", "fleet", "on"),
    ("Rules", "flapping", "on"),
    ("Conditions", "from", "best"),
    ("Secret references", "timeout", "10s"),
    ("Secret stores", "mount", "secret"),
    // These two are of channels of another type than the others here.
    ("Channels", "region", "us"),
    ("Channels", "tls", "required"),
];

/// The default of a key, as it is written in a file.
pub(super) fn default_of(section: &str, key: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(of, name, _)| (*of, *name) == (section, key)).map(|(.., default)| *default)
}

/// Where a key goes: the file, and the line after which it stands. Whatever follows must not move, since references know their place.
const PLACES: [(&str, &str, &str); 12] = [
    ("Main file", "scorewatch.yaml", "# top"),
    ("Fleet shifts", "scorewatch.yaml", "# fleet"),
    ("Flapping", "scorewatch.yaml", "# flapping"),
    ("Operator", "scorewatch.yaml", "# operator"),
    ("Tenants", "scorewatch.yaml", "# tenant"),
    ("Channels", "scorewatch.yaml", "# channel"),
    ("Retries", "scorewatch.yaml", "# retry"),
    ("Digests", "scorewatch.yaml", "# digest"),
    ("Secret references", "scorewatch.yaml", "# reference"),
    ("Secret stores", "scorewatch.yaml", "# store"),
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
        # reference
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
    # store
channels:
  mail:
    type: email
    server: smtps://smtp.example
    from: scores@mssp.example
    to: [soc@mssp.example]
    # mail
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
    match (section, key) {
        ("Channels", "region") => ("scorewatch.yaml", "# pagerduty"),
        ("Channels", "tls") => ("scorewatch.yaml", "# mail"),
        _ => {
            let found = PLACES.iter().find(|(of, ..)| *of == section);
            found.map(|(_, file, mark)| (*file, *mark)).unwrap_or_else(|| panic!("{section} has no place"))
        }
    }
}

/// The line that gives the key a value, in a mapping of its own where nothing else is in that.
fn line(section: &str, key: &str, value: &str) -> String {
    match section {
        "Fleet shifts" => format!("fleet: {{ {key}: {value} }}"),
        "Flapping" => format!("flapping: {{ {key}: {value} }}"),
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
    let Config { tenants, rules, channels, operator, secret_stores, .. } = &config;
    format!(
        "{store:?}\n{listen:?}\n{spread:?}\n{timeout:?}\n{concurrency:?}\n{retention:?}\n{fleet:?}\n{tenants:#?}\n{rules:#?}\n\
         {channels:#?}\n{operator:?}\n{secret_stores:#?}"
    )
}

#[test]
fn a_default_that_is_spelled_out_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let without = meaning(folder.path(), MAIN, RULES);
    let mut faults = Vec::new();
    for (section, key, default) in DEFAULTS {
        let (file, mark) = place(section, key);
        let line = line(section, key, default);
        let (main, rules) = if file == "rules.yaml" {
            (MAIN.to_owned(), spelled_out(RULES, mark, &line))
        } else {
            (spelled_out(MAIN, mark, &line), RULES.to_owned())
        };
        assert!(main != MAIN || rules != RULES, "{mark} was not found");
        if meaning(folder.path(), &main, &rules) != without {
            faults.push(format!("{section}: {line}"));
        }
    }
    assert!(faults.is_empty(), "these are not the defaults: {faults:?}");
}

#[test]
fn another_value_than_the_default_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let without = meaning(folder.path(), MAIN, RULES);
    for (section, key, value) in [
        ("Main file", "spread", "11m"),
        ("Main file", "retention", "401d"),
        ("Fleet shifts", "share", "34%"),
        ("Flapping", "changes", "7"),
        ("Retries", "max", "16m"),
        ("Digests", "over", "21"),
        ("Channels", "drill", "31d"),
        ("Channels", "region", "eu"),
        ("Tenants", "cloud", "gcc"),
        ("Secret references", "timeout", "11s"),
        ("Secret stores", "mount", "kv"),
    ] {
        let (_, mark) = place(section, key);
        let line = line(section, key, value);
        assert_ne!(meaning(folder.path(), &spelled_out(MAIN, mark, &line), RULES), without, "{section}: {line}");
    }
}
