//! Reads a pack of rules as plain data, independently of the product's own reader.

use std::path::Path;

use serde_yaml::Value;

use super::reference::world::{DAY, HOUR, MINUTE, Recover, Rule, Score, Seconds, Severity, Size, When};

/// The rules of a pack on the scores that worlds have; the others are left out.
pub fn read(file: &Path) -> Vec<Rule> {
    let text = std::fs::read_to_string(file).expect("the pack");
    let pack: Value = serde_yaml::from_str(&text).expect("YAML");
    pack["rules"].as_sequence().expect("rules").iter().filter_map(rule).collect()
}

fn rule(raw: &Value) -> Option<Rule> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let score = match raw["score"].as_str() {
        None => None,
        Some("device-secure-score") => Some(Score::Device),
        Some("exposure-score") => Some(Score::Exposure),
        Some("secure-score") => Some(Score::Secure),
        Some(_) => return None,
    };
    let label = raw["tenants"].as_mapping().and_then(|labels| labels.iter().next());
    Some(Rule {
        name: text(&raw["name"]),
        score,
        label: label.map(|(key, value)| (text(key), text(value))),
        when: when(&raw["when"]),
        recover: recover(&raw["recover"]),
        pending_for: raw["for"].as_str().map_or(0, long),
        severity: match raw["severity"].as_str() {
            Some("critical") => Severity::Critical,
            Some("info") => Severity::Info,
            _ => Severity::Warning,
        },
        repeat: raw["repeat"].as_str().map(long),
        step: raw["step"].as_str().map(size),
        accept_after: raw["accept_after"].as_str().map(long),
        fleet: true,
        flapping: true,
    })
}

fn when(raw: &Value) -> When {
    let number = |key: &str| {
        raw[key].as_f64().or_else(|| raw[key].as_i64().map(|number| f64::from(i32::try_from(number).expect("small"))))
    };
    let within = || long(raw["within"].as_str().expect("within"));
    if let Some(bound) = number("below") {
        When::Below(bound)
    } else if let Some(bound) = number("above") {
        When::Above(bound)
    } else if let Some(text) = raw["drop"].as_str() {
        When::Drop(size(text), within())
    } else if let Some(text) = raw["rise"].as_str() {
        When::Rise(size(text), within())
    } else {
        When::NoData(long(raw["no_data"].as_str().expect("a condition")))
    }
}

fn recover(raw: &Value) -> Option<Recover> {
    let number = |key: &str| {
        raw[key].as_f64().or_else(|| raw[key].as_i64().map(|number| f64::from(i32::try_from(number).expect("small"))))
    };
    let regained = raw["regained"].as_str().map(|text| Recover::Regained(decimal(text.trim_end_matches('%'))));
    number("above").map(Recover::Above).or(number("below").map(Recover::Below)).or(regained)
}

fn size(text: &str) -> Size {
    match text.strip_suffix('%') {
        Some(percent) => Size::Percent(decimal(percent)),
        None => Size::Points(decimal(text.trim_end_matches("pts"))),
    }
}

fn decimal(text: &str) -> f64 {
    text.parse().expect("a number")
}

/// A duration with one unit, as the packs write it.
fn long(text: &str) -> Seconds {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "d" => DAY,
        "h" => HOUR,
        "m" => MINUTE,
        _ => 1,
    };
    number.parse::<Seconds>().expect("a number") * unit
}
