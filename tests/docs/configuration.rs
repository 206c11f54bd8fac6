//! The reference of all keys, made from the JSON Schemas that the program prints.

use std::{collections::BTreeSet, fmt::Write};

use scorewatch::config::schema::{Subject, schema};
use serde_json::Value;

use super::{
    defaults::default_of,
    generated::{self, cell},
    page::{anchor, pages},
};

/// A mapping: the heading of its table, the file in which it is found, and the name of its type in the schema; empty for the file
/// itself.
struct Section {
    heading: &'static str,
    subject: Subject,
    name: &'static str,
}

const fn section(heading: &'static str, subject: Subject, name: &'static str) -> Section {
    Section { heading, subject, name }
}

/// Every mapping, in the order in which a reader meets them.
const SECTIONS: [Section; 35] = [
    section("Main file", Subject::Main, ""),
    section("Access", Subject::Main, "RawAccess"),
    section("Sign-in with OpenID Connect", Subject::Main, "RawOidc"),
    section("Grants", Subject::Main, "RawGrant"),
    section("PostgreSQL", Subject::Main, "RawDatabase"),
    section("Brand", Subject::Main, "RawBrand"),
    section("Tenants", Subject::Main, "RawTenant"),
    section("Credentials", Subject::Main, "RawCredential"),
    section("Secret references", Subject::Main, "RawReference"),
    section("Secret stores", Subject::Main, "RawSecretStore"),
    section("Endpoints", Subject::Main, "RawEndpoints"),
    section("Channels", Subject::Main, "RawChannel"),
    section("Retries", Subject::Main, "RawRetry"),
    section("Digests", Subject::Main, "RawDigest"),
    section("Report schedules", Subject::Main, "RawReportAt"),
    section("Operator", Subject::Main, "RawOperator"),
    section("Fleet shifts", Subject::Main, "RawFleet"),
    section("Flapping", Subject::Main, "RawFlapping"),
    section("Metrics", Subject::Main, "RawMetrics"),
    section("Maintenance windows", Subject::Main, "RawMaintenance"),
    section("Exclusions", Subject::Main, "RawExclusion"),
    section("Exclusions of a tenant", Subject::Main, "RawOwnExclusion"),
    section("Rule files", Subject::Rules, ""),
    section("Rules", Subject::Rules, "RawRule"),
    section("Conditions", Subject::Rules, "RawCondition"),
    section("Recovery", Subject::Rules, "RawRecover"),
    section("Escalation", Subject::Rules, "RawEscalation"),
    section("Test files", Subject::Tests, ""),
    section("Tests", Subject::Tests, "RawCase"),
    section("Tenants of a test", Subject::Tests, "RawCaseTenant"),
    section("Series of a test", Subject::Tests, "RawSeries"),
    section("Expectations of a test", Subject::Tests, "RawExpected"),
    section("Silences of a test", Subject::Tests, "RawSilence"),
    section("Channels of a test", Subject::Tests, "RawSuiteChannel"),
    // What a tenant file has beside the tenants themselves is nothing.
    section("Tenant files", Subject::Tenants, "RawTenant"),
];

/// A link to the section of that type.
fn link(name: &str) -> Option<String> {
    let found = SECTIONS.iter().find(|section| !name.is_empty() && section.name == name)?;
    Some(format!("[{}](#{})", found.heading.to_lowercase(), anchor(found.heading)))
}

/// What may be written as a value, in words.
fn kind(value: &Value, definitions: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return link(name).unwrap_or_else(|| kind(&definitions[name], definitions));
    }
    if let Some(choices) = value["anyOf"].as_array() {
        let mut choices: Vec<_> = choices.iter().map(|choice| kind(choice, definitions)).collect();
        choices.dedup();
        return choices.join(" or ");
    }
    if let Some(words) = value["enum"].as_array() {
        if words.iter().any(|word| word == "Europe/Berlin") {
            return "IANA time zone".to_owned();
        }
        let words: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if let Some(word) = value["const"].as_str() {
        return format!("`{word}`");
    }
    if let Some(pattern) = value["pattern"].as_str() {
        return of_pattern(pattern).to_owned();
    }
    match value["type"].as_str() {
        Some("array") => format!("list of {}", kind(&value["items"], definitions)),
        Some("object") => format!("names to {}", kind(&value["additionalProperties"], definitions)),
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ => "text".to_owned(),
    }
}

/// What texts of that pattern are.
fn of_pattern(pattern: &str) -> &'static str {
    let kinds = [
        ("^http", "URL"),
        ("://", "URL"),
        ("(d|h|m|s|ms)", "duration"),
        ("#[1-5]", "cron"),
        ("[0-9A-Fa-f]{8}", "GUID"),
        ("[0-9]{4}-(0", "day"),
        ("^#", "color"),
        ("%$", "percentage"),
        ("]):[0-9]+$", "address and port"),
        ("^0*[1-9][0-9]*$", "whole number"),
        ("^0*([2-9]|", "whole number"),
    ];
    kinds.into_iter().find(|(part, _)| pattern.contains(part)).map_or("text", |(_, kind)| kind)
}

/// The table of one mapping.
fn table(section: &Section) -> String {
    let whole = schema(section.subject).to_value();
    let definitions = &whole["$defs"];
    let mapping = if section.name.is_empty() { &whole } else { &definitions[section.name] };
    let mut text = format!("## {}\n\n", section.heading);
    if let Some(description) = mapping["description"].as_str() {
        let _ = write!(text, "{}\n\n", description.replace('\n', " "));
    }
    if section.heading == "Tenant files" {
        return text + "One tenant, or a list of them; the keys are those of [tenants](#tenants).\n\n";
    }
    text.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (key, value) in mapping["properties"].as_object().unwrap() {
        let default = default_of(section.heading, key).map(|default| format!("`{default}`")).unwrap_or_default();
        let meaning = value["description"].as_str().unwrap_or_default();
        let kind = kind(value, definitions);
        let _ = writeln!(text, "| `{key}` | {} | {} | {} |", cell(&kind), cell(&default), cell(meaning));
    }
    text + "\n"
}

#[test]
fn the_reference_of_keys_is_what_the_schemas_say() {
    let text: String = SECTIONS.iter().map(table).collect();
    generated::expect("docs/reference/configuration.md", &text);
}

#[test]
fn every_mapping_of_the_schemas_has_a_section() {
    let known: BTreeSet<_> = SECTIONS.iter().map(|section| section.name.to_owned()).collect();
    for subject in [Subject::Main, Subject::Tenants, Subject::Rules, Subject::Tests] {
        let whole = schema(subject).to_value();
        let mappings = whole["$defs"].as_object().unwrap().iter().filter(|(_, value)| value["properties"].is_object());
        let missing: Vec<_> = mappings.map(|(name, _)| name).filter(|name| !known.contains(*name)).collect();
        assert!(missing.is_empty(), "{subject:?} has {missing:?}");
    }
}

/// Words before a colon that are not keys: schemes, words of messages, and labels that examples make up.
const OTHER_WORDS: [&str; 7] = ["http", "https", "it", "scorewatch", "value", "tier", "watch"];

/// Every key of every file.
fn keys() -> BTreeSet<String> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        if let Some(properties) = value["properties"].as_object() {
            found.extend(properties.keys().cloned());
        }
        let parts = value.as_object().into_iter().flat_map(|mapping| mapping.values());
        parts.chain(value.as_array().into_iter().flatten()).for_each(|part| collect(part, found));
    }
    let mut found = BTreeSet::new();
    for subject in [Subject::Main, Subject::Tenants, Subject::Rules, Subject::Tests] {
        collect(&schema(subject).to_value(), &mut found);
    }
    found
}

#[test]
fn pages_name_keys_that_there_are() {
    let (keys, mut seen) = (keys(), 0);
    for page in pages() {
        for (line, code) in page.inline_code() {
            let words = code.split([' ', '{', '}', ',', '[', ']']).filter_map(|word| word.strip_suffix(':'));
            let is_key =
                |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            for word in words.filter(is_key).filter(|word| !OTHER_WORDS.contains(word)) {
                assert!(keys.contains(word), "{}:{line}: there is no key `{word}:`", page.path);
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "the keys were not found");
}
