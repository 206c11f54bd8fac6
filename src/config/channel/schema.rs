//! The JSON schema of a channel, for editors: one mapping with the keys of every kind, each with the kinds that have it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{READERS, Reader};
use crate::{
    channel::ChannelKind,
    config::raw::{RawChannel, RawCommon, form},
};

/// What a kind's schema says of its keys together, which holds for that kind only.
const TOGETHER: [&str; 4] = ["required", "allOf", "anyOf", "dependentRequired"];

impl JsonSchema for RawChannel {
    fn schema_name() -> Cow<'static, str> {
        "RawChannel".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        of_channel(generator)
    }
}

fn of_channel(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = RawCommon::json_schema(generator);
    let mut own = Map::new();
    let schemas: Vec<(&Reader, Schema)> = READERS.iter().map(|reader| (reader, (reader.schema)(generator))).collect();
    let kinds: Vec<(&Reader, Map<String, Value>)> =
        schemas.iter().map(|(reader, schema)| (*reader, properties(schema))).collect();
    for (_, properties) in &kinds {
        for (key, property) in properties {
            let merged = own.entry(key).or_insert_with(|| property.clone());
            merged["description"] = description(key, &kinds).into();
        }
    }
    let all = schema.ensure_object().entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Some(all) = all.as_object_mut() {
        all.extend(own);
        all["type"]["description"] = format!("{}.", listed(ChannelKind::WORDS, "or")).into();
    }
    schema.insert("allOf".to_owned(), schemas.iter().map(|(reader, schema)| of_kind(reader, schema)).collect());
    schema
}

/// What holds for a channel of that kind: which keys it must have, and that it has none of another kind.
fn of_kind(reader: &Reader, schema: &Schema) -> Value {
    let mut foreign: Vec<&str> = READERS.iter().flat_map(|other| other.keys).copied().collect();
    foreign.retain(|key| !reader.keys.contains(key));
    foreign.extend((!reader.has_template).then_some("template"));
    let mut then = form::without(&foreign);
    for rule in TOGETHER {
        if let Some(said) = schema.get(rule) {
            then[rule] = said.clone();
        }
    }
    json!({ "if": { "properties": { "type": { "const": reader.word } }, "required": ["type"] }, "then": then })
}

fn properties(schema: &Schema) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What a key says of itself, together with the kinds that have it; kinds that say the same are named together.
fn description(key: &str, kinds: &[(&Reader, Map<String, Value>)]) -> String {
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for (reader, properties) in kinds {
        let Some(text) = properties.get(key).and_then(|property| property.get("description")).and_then(Value::as_str)
        else {
            continue;
        };
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, words)) => words.push(reader.word),
            None => said.push((text, vec![reader.word])),
        }
    }
    let sentence = |(text, words): &(&str, Vec<&str>)| format!("Of {}: {}", listed(words, "and"), uncapitalized(text));
    said.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// Words in a row: `` `a`, `b` and `c` ``.
pub(super) fn listed(words: &[&str], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, before)) => format!("{} {last} {end}", before.join(", ")),
        None => String::new(),
    }
}

/// A sentence that goes on after a colon; one that begins with an abbreviation keeps it.
fn uncapitalized(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_kinds_that_have_it() {
        let schema = of_channel(&mut SchemaGenerator::default());
        let properties = properties(&schema);
        for (key, said) in [
            ("username", "Of `email` and `alertmanager`: the name by which to sign in."),
            ("routing_key", "Of `pagerduty`: the integration key of the service, as a reference."),
            ("pace", "Least time between two sends."),
        ] {
            assert_eq!(properties[key]["description"], said, "{key}");
        }
        assert!(
            properties["url"]["description"]
                .as_str()
                .unwrap()
                .contains("Of `alertmanager`: the base URL of the Alertmanager")
        );
        assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)));
    }
}
