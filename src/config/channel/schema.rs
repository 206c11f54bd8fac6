//! The JSON schema of a channel, for editors: one mapping with the keys of every kind, each with the kinds that have it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::{READERS, Reader};
use crate::{
    channel::ChannelKind,
    config::raw::{RawChannel, RawCommon},
};

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
    let kinds: Vec<(&Reader, Map<String, Value>)> =
        READERS.iter().map(|reader| (reader, properties(&(reader.schema)(generator)))).collect();
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
    schema
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
