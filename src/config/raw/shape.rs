//! Values that may be written in one of several shapes: what they are, how they are read, and their schema for editors.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_yaml::Value;

use super::{RawDatabase, RawReference, RawReportAt, RawTenant, form};
use crate::{
    config::field::{Field, Word},
    secret::redact::echo,
};

/// An entry under `tenants:` of the main file.
#[derive(Debug, Clone)]
pub(in crate::config) enum RawTenantEntry {
    /// A file or a pattern of files.
    File(String),
    /// A tenant written into the main file.
    Inline(Box<RawTenant>),
}

/// The value written where a secret reference is expected. A literal is dropped immediately, so that nothing can print it.
#[derive(Debug, Clone)]
pub(in crate::config) enum RawSecret {
    /// A reference to where the secret is kept.
    Reference(Box<RawReference>),
    /// A literal text that is a web address: allowed for the `url:` of a generic webhook only.
    Address(secrecy::SecretString),
    /// The name of an environment variable as a shell has it, like `${NAME}`, which is rejected.
    Variable(String),
    /// A text with a slash, which is rejected: it is the path of a file, or the secret itself.
    Path(secrecy::SecretString),
    /// A value written in plain text, which is rejected.
    Literal,
}

/// What stands under `store:`.
#[derive(Debug, Clone)]
pub(in crate::config) enum RawStore {
    /// A location as one text.
    Location(Word),
    /// A database with what can't be part of its address.
    Database(Box<RawDatabase>),
}

/// The schema of a channel's `url:`; only a generic webhook's may be written in plain text.
pub(in crate::config) enum ChannelUrl {}

/// One, or several while they rotate.
#[derive(Debug, Clone)]
pub(in crate::config) enum OneOrMany<T> {
    /// A single item without a list.
    One(Box<T>),
    /// A list of items, newest first.
    Many(Vec<Field<T>>),
}

/// Whose alerts a maintenance window covers.
#[derive(Debug, Clone)]
pub(in crate::config) enum RawTenants {
    /// The tenants of everybody.
    All,
    /// The tenants with these ids.
    Ids(Vec<Field<Word>>),
    /// Of tenants with these labels.
    Labels(BTreeMap<String, Field<String>>),
}

/// What stands under `report:`.
#[derive(Debug, Clone)]
pub(in crate::config) enum RawReport {
    /// How often, or not at all.
    Word(Word),
    /// A cron expression with its time zone.
    At(Box<RawReportAt>),
}

/// What stands under `allow_private:`.
#[derive(Debug, Clone)]
pub(in crate::config) enum AllowPrivate {
    /// Whether all private networks are allowed, or none.
    All(bool),
    /// The networks that are allowed.
    Networks(Vec<Field<Word>>),
}

impl<'de> Deserialize<'de> for RawTenantEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(file) => Ok(Self::File(file)),
            value @ Value::Mapping(_) => {
                RawTenant::deserialize(value).map(|tenant| Self::Inline(Box::new(tenant))).map_err(D::Error::custom)
            }
            _ => Err(D::Error::custom("not that, expected a file or a tenant")),
        }
    }
}

impl<'de> Deserialize<'de> for RawSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            value @ Value::Mapping(_) => {
                RawReference::deserialize(value).map_or(Self::Literal, |reference| Self::Reference(Box::new(reference)))
            }
            Value::String(text) if text.contains("://") => Self::Address(text.into()),
            Value::String(text) => match variable(&text) {
                Some(name) => Self::Variable(name.to_owned()),
                None if text.contains('/') => Self::Path(text.into()),
                None => Self::Literal,
            },
            _ => Self::Literal,
        })
    }
}

/// The name in `${NAME}`, `$env:NAME`, `%NAME%` or `env:NAME`; only one in capitals, since anything else may be the secret itself.
fn variable(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    let name = between("${", "}").or_else(|| between("%", "%")).or_else(|| between("$env:", ""));
    let name = name.or_else(|| between("env:", "")).or_else(|| between("$", "").filter(|name| name.contains('_')))?;
    let is_usual = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let is_name = name.starts_with(|letter: char| letter.is_ascii_uppercase()) && name.chars().all(is_usual);
    (is_name && echo(name) == name).then_some(name)
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Sequence(_) => Vec::deserialize(value).map(Self::Many).map_err(D::Error::custom),
            value => T::deserialize(value).map(|one| Self::One(Box::new(one))).map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for RawReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Mapping(_) => {
                RawReportAt::deserialize(value).map(|at| Self::At(Box::new(at))).map_err(D::Error::custom)
            }
            value => Word::deserialize(value)
                .map(Self::Word)
                .map_err(|_| D::Error::custom("not that, expected `weekly`, `daily`, `monthly`, `off` or a schedule")),
        }
    }
}

impl<'de> Deserialize<'de> for RawStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Mapping(_) => {
                RawDatabase::deserialize(value).map(|raw| Self::Database(Box::new(raw))).map_err(D::Error::custom)
            }
            value => Word::deserialize(value).map(Self::Location).map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for AllowPrivate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(all) => Ok(Self::All(all)),
            value @ Value::Sequence(_) => Vec::deserialize(value).map(Self::Networks).map_err(D::Error::custom),
            _ => Err(D::Error::custom("not that, expected `true`, `false` or a list of networks")),
        }
    }
}

impl<'de> Deserialize<'de> for RawTenants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            value @ Value::Sequence(_) => Vec::deserialize(value).map(Self::Ids).map_err(D::Error::custom),
            value @ Value::Mapping(_) => BTreeMap::deserialize(value).map(Self::Labels).map_err(D::Error::custom),
            _ => Err(D::Error::custom("not that, expected `all`, a list of tenants or labels")),
        }
    }
}

/// Gives a type that reads one of several shapes its place in the JSON Schema.
macro_rules! any_of {
    ($($name:ident: $($shape:expr),+;)*) => { $(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let shapes: Vec<Schema> = vec![$($shape(generator)),+];
                json_schema!({ "anyOf": shapes })
            }
        }
    )* };
}

any_of! {
    RawTenantEntry: SchemaGenerator::subschema_for::<form::PathName>, SchemaGenerator::subschema_for::<RawTenant>;
    RawSecret: SchemaGenerator::subschema_for::<RawReference>;
    ChannelUrl: SchemaGenerator::subschema_for::<RawReference>, web_address;
    RawTenants: all, SchemaGenerator::subschema_for::<Vec<form::Name>>,
        SchemaGenerator::subschema_for::<BTreeMap<String, String>>;
    RawReport: report_word, SchemaGenerator::subschema_for::<RawReportAt>;
    RawStore: SchemaGenerator::subschema_for::<form::StoreUrl>, SchemaGenerator::subschema_for::<RawDatabase>;
    AllowPrivate: SchemaGenerator::subschema_for::<bool>, SchemaGenerator::subschema_for::<Vec<form::Network>>;
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let shapes = [generator.subschema_for::<T>(), generator.subschema_for::<Vec<T>>()];
        json_schema!({ "anyOf": shapes })
    }
}

fn all(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": "all" })
}

fn report_word(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["weekly", "daily", "monthly", "off"] })
}

fn web_address(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^https?://" })
}
