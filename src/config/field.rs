//! A field as written: absent, good, or bad with the reason. A bad field does not hide its neighbours' problems.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_yaml::Value;

use super::{
    disguise,
    examples::{self, Misfit},
};

/// What stands under a key.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// A value of the right shape.
    Good(T),
    /// A value of another shape.
    Bad(Misfit),
}

impl<T> Field<T> {
    /// Whether the key is there.
    pub(super) const fn is_written(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<T> Field<Vec<T>> {
    /// How many items the list has; `None`: no list is there.
    pub(super) const fn count(&self) -> Option<usize> {
        match self {
            Self::Good(list) => Some(list.len()),
            Self::Absent | Self::Bad(_) => None,
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Bad(Misfit {
                what: "there is no value".to_owned(),
                is_nothing: true,
                is_collection: false,
                expects_list: false,
                condition: None,
                disguised: None,
            }));
        }
        let found = describe(&value);
        let is_collection = value.is_sequence() || value.is_mapping();
        let condition = value.as_str().and_then(examples::condition);
        let disguised = value.as_str().and_then(disguise::unread_key).map(|(_, what, instead)| (what, instead));
        Ok(T::deserialize(value).map_or_else(
            |error| {
                let error = error.to_string();
                let expected = error.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
                let expected = if expected.starts_with("a sequence") { "a list" } else { expected };
                // The reader of structures has its own words for what it expects of a key.
                let expected = if expected.contains("identifier") { "a mapping of known keys" } else { expected };
                let expected = if expected == "a map" { "a mapping" } else { expected };
                let what = format!("expected {expected}, found {found}");
                let expects_list = expected.starts_with("a list");
                Self::Bad(Misfit { what, is_nothing: false, is_collection, expects_list, condition, disguised })
            },
            Self::Good,
        ))
    }
}

/// The shape of a value, in words.
pub(super) const fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a tagged value",
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A single value as text, however YAML would read it: `5`, `5%`, `off`.
#[derive(Debug, Clone)]
pub(super) struct Word(pub(super) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Bool(truth) => Ok(Self(truth.to_string())),
            _ => Err(D::Error::custom("not that, expected a single value")),
        }
    }
}

impl JsonSchema for Word {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
