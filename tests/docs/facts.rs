//! References that are lists of the program: metrics, failure classes, and the fields of a webhook's payload.

use std::{fmt::Write, time::Duration};

use scorewatch::{
    domain::{ChannelName, ScoreKind, TenantId, Timestamp},
    microsoft::FailureClass,
    notify::{Notification, notification},
    telemetry::{Gauges, Metrics, ReplicaCounts, TenantScore},
};
use serde_json::Value;

use super::{
    generated::{self, cell},
    page::{Page, anchor},
};

/// The families of a page of metrics: name, type, help.
fn families(page: &str) -> Vec<[String; 3]> {
    let mut families = Vec::<[String; 3]>::new();
    for line in page.lines() {
        let mut words = line.splitn(4, ' ');
        if let (Some("#"), Some(what), Some(name), Some(text)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            match what {
                "HELP" => families.push([name.to_owned(), String::new(), text.trim_end_matches('.').to_owned()]),
                "TYPE" => text.clone_into(&mut families.last_mut().unwrap()[1]),
                _ => {}
            }
        }
    }
    families
}

/// A page with every family: one without a value is left out of a page.
fn full_page() -> String {
    let (metrics, second) = (Metrics::default(), Duration::from_secs(1));
    let channel = ChannelName::parse("soc").unwrap();
    metrics.check_finished("no-data", second);
    metrics.token_requested("throttled");
    metrics.notification_made("alert.firing");
    metrics.attempt_made(&channel, "delivered", second);
    metrics.reloaded(true);
    metrics.heartbeat_missed();
    metrics.channel_secrets_unreadable(1);
    metrics.started(Timestamp::from_seconds(1));
    metrics.part_is_ready("store", true);
    metrics.credentials_expire(&[("secret", Timestamp::from_seconds(1))].into());
    let gauges = Gauges {
        failing_by_class: vec![("no-data".to_owned(), 1)],
        deliveries: vec![(channel.clone(), "queued", 1)],
        oldest_queued: vec![(channel.clone(), second)],
        parked: vec![channel],
        replicas: Some(ReplicaCounts::default()),
        scores: vec![TenantScore {
            tenant: TenantId::parse("contoso").unwrap(),
            score: ScoreKind::DeviceSecureScore,
            subject: None,
            value: 400.0,
            age: second,
        }],
        ..Gauges::default()
    };
    metrics.render(Some(&gauges))
}

/// What tasks of this process went through, other tests' included; the page describes these by hand.
const OF_TASKS: &str = "scorewatch_task_";

#[test]
fn the_reference_of_metrics_is_what_the_service_serves() {
    let mut text = String::from("| metric | type | meaning |\n| --- | --- | --- |\n");
    for [name, kind, help] in families(&full_page()) {
        if name.starts_with(OF_TASKS) {
            continue;
        }
        // What a query names.
        let suffix = match &*kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let _ = writeln!(text, "| `{name}{suffix}` | {kind} | {} |", cell(&help));
    }
    generated::expect("docs/reference/metrics.md", &text);
}

/// The names of our metrics in a text.
fn metrics_of(text: &str) -> impl Iterator<Item = &str> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.split(move |letter| !is_letter(letter)).filter(|word| word.starts_with("scorewatch_"))
}

/// Files that name metrics, and how many times they do at least.
const FILES_WITH_METRICS: [(&str, usize); 4] = [
    ("deploy/grafana/scorewatch.json", 8),
    ("deploy/grafana/scorewatch-service.json", 20),
    ("deploy/prometheus/alerts.yaml", 20),
    ("deploy/prometheus/tests.yaml", 20),
];

#[test]
fn dashboards_and_alerts_ask_for_metrics_that_the_service_serves() {
    let page = full_page();
    for (file, at_least) in FILES_WITH_METRICS {
        let text = std::fs::read_to_string(std::path::Path::new(super::page::ROOT).join(file)).unwrap();
        for name in metrics_of(&text).filter(|name| !name.starts_with(OF_TASKS)) {
            assert!(page.lines().any(|line| line.starts_with(name)), "{file}: {name}");
        }
        assert!(metrics_of(&text).count() >= at_least, "{file}");
    }
}

#[test]
fn pages_name_metrics_that_the_service_serves() {
    let page = full_page();
    for of in super::page::pages() {
        for (line, code) in of.inline_code() {
            for name in metrics_of(&code).filter(|name| !name.starts_with(OF_TASKS)) {
                let is_served = page.lines().any(|line| line.starts_with(name));
                assert!(is_served, "{}:{line}: {name}", of.path);
            }
        }
    }
}

#[test]
fn the_reference_of_the_api_is_what_the_service_answers() {
    let document = scorewatch::web::api::document();
    let mut text = String::from("| path | operation | role | what it does |\n| --- | --- | --- | --- |\n");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
            let names: Vec<_> = parameters.map(|one| format!("`{}`", one["name"].as_str().unwrap())).collect();
            let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            let said = |name: &str| operation[name].as_str().unwrap();
            let (method, role) = (method.to_uppercase(), said("x-role"));
            let _ = writeln!(
                text,
                "| `{method} {path}`{names} | `{}` | {role} | {} |",
                said("operationId"),
                cell(said("summary"))
            );
        }
    }
    generated::expect("docs/reference/api.md", &text);
}

#[test]
fn the_reference_of_failure_classes_is_what_the_program_knows() {
    let mut text = String::from("| class | meaning | what to do | checked less often |\n| --- | --- | --- | --- |\n");
    for class in FailureClass::ALL {
        let hint = class.hint().unwrap_or("nothing: a later check tries again");
        let waits = if class.waits_for_people() { "yes" } else { "" };
        let _ = writeln!(text, "| `{class}` | {} | {} | {waits} |", cell(class.words()), cell(hint));
    }
    generated::expect("docs/reference/failure-classes.md", &text);
}

/// The type of a field, in words.
fn kind(value: &Value) -> String {
    let name = |value: &Value| {
        value["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
            .map(|name| format!("[{name}](#{})", anchor(name)))
    };
    if let Some(name) = name(value) {
        return name;
    }
    if let Some(choices) = value["anyOf"].as_array().or_else(|| value["oneOf"].as_array()) {
        let choices: Vec<_> = choices.iter().map(kind).collect();
        return choices.join(" or ");
    }
    match &value["type"] {
        Value::String(word) if word == "array" => format!("array of {}", kind(&value["items"])),
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

/// A type of the payload: its fields, or the words that it may be.
fn described(name: &str, value: &Value) -> String {
    let mut text = format!("### {name}\n\n");
    if let Some(description) = value["description"].as_str() {
        let _ = write!(text, "{}\n\n", description.replace('\n', " "));
    }
    if let Some(fields) = value["properties"].as_object() {
        text.push_str("| field | type | meaning |\n| --- | --- | --- |\n");
        for (field, value) in fields {
            let meaning = value["description"].as_str().unwrap_or_default();
            let _ = writeln!(text, "| `{field}` | {} | {} |", cell(&kind(value)), cell(meaning));
        }
    } else if let Some(words) = value["oneOf"].as_array() {
        text.push_str("| value | meaning |\n| --- | --- |\n");
        for word in words {
            let values = word["const"]
                .as_str()
                .map(|word| vec![word])
                .or_else(|| Some(word["enum"].as_array()?.iter().filter_map(Value::as_str).collect()));
            for value in values.unwrap_or_default() {
                let _ = writeln!(text, "| `{value}` | {} |", cell(word["description"].as_str().unwrap_or_default()));
            }
        }
    } else {
        let _ = writeln!(text, "A value of type {}.", kind(value));
    }
    text + "\n"
}

#[test]
fn the_reference_of_the_payload_is_what_its_schema_says() {
    let schema = notification::schema().to_value();
    let mut text = described("Notification", &schema);
    for (name, value) in schema["$defs"].as_object().unwrap() {
        text.push_str(&described(name, value));
    }
    generated::expect("docs/reference/webhook.md", &text);
}

#[test]
fn the_example_of_the_payload_is_one() {
    let page = Page::read("docs/reference/webhook.md");
    let examples: Vec<_> = page.blocks().into_iter().filter(|block| block.language == "json").collect();
    assert!(!examples.is_empty());
    for example in examples {
        let shown: Value = serde_json::from_str(&example.text).unwrap();
        let read: Notification = serde_json::from_value(shown.clone()).unwrap();
        // A field that the program does not know would be gone.
        assert_eq!(serde_json::to_value(read).unwrap(), shown, "line {}", example.line);
    }
}
