//! The schema of the chart's values: what is written by hand, and under `config` the program's own schema, so that a key that is
//! misspelled there is refused before anything is installed.

use std::{fs, path::Path, process::Command};

use serde_json::{Map, Value, json};

use super::page::ROOT;

/// What is written by hand.
const OWN: &str = "deploy/chart/values.own.schema.json";
/// What Helm reads.
const WHOLE: &str = "deploy/chart/values.schema.json";
/// Keys of the main file that the chart makes from other values.
const MADE: [&str; 5] = ["listen", "rules", "store", "templates", "tenants"];

fn read(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(ROOT).join(path)).unwrap()).unwrap()
}

/// Without what only editors show.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(keys) => {
            let is_text = |key: &str, value: &Value| matches!(key, "description" | "title") && value.is_string();
            let keys = keys.into_iter().filter(|(key, value)| !is_text(key, value));
            Value::Object(keys.map(|(key, value)| (key, bare(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(bare).collect()),
        other => other,
    }
}

fn whole() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_scorewatch")).arg("schema").output().unwrap();
    let Value::Object(mut main) = bare(serde_json::from_slice(&output.stdout).unwrap()) else { panic!("not a schema") };
    let mut definitions: Map<String, Value> = serde_json::from_value(main.remove("$defs").unwrap()).unwrap();
    main.remove("$schema");
    let keys = main["properties"].as_object_mut().unwrap();
    for key in MADE {
        assert!(keys.remove(key).is_some(), "`{key}` is not a key of the main file");
    }
    definitions.insert("Configuration".to_owned(), Value::Object(main));
    let mut whole = read(OWN);
    whole["$defs"] = Value::Object(definitions);
    whole
}

#[test]
fn the_chart_accepts_the_configuration_that_the_program_accepts() {
    let whole = serde_json::to_string_pretty(&whole()).unwrap() + "\n";
    let path = Path::new(ROOT).join(WHOLE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &whole).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == whole, "{WHOLE} is not up to date: run `UPDATE_DOCS=1 cargo test --test all -- docs::`");
}

#[test]
fn a_value_that_nobody_knows_is_refused_at_every_depth() {
    let mut open = Vec::new();
    let mut waiting = vec![("values".to_owned(), read(OWN))];
    while let Some((at, schema)) = waiting.pop() {
        let Some(keys) = schema.get("properties").and_then(Value::as_object) else { continue };
        if schema.get("additionalProperties") != Some(&json!(false)) {
            open.push(at.clone());
        }
        waiting.extend(keys.iter().map(|(key, value)| (format!("{at}.{key}"), value.clone())));
    }
    assert!(open.is_empty(), "{open:?} accept any key");
}
