//! Reads what a request asks, by the schema that documents it: what the document does not name is refused, and everything that is
//! wrong is said in one answer.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// What a route can be asked: the query of a `GET`, the body of a `POST`.
pub(super) trait Input: DeserializeOwned + JsonSchema + Send + 'static {}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for T {}

/// A route that is asked nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The schema of an input, with nothing beside it that it refers to.
pub(super) fn schema<I: Input>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    settings.into_generator().into_root_schema_for::<I>()
}

/// The parameters that a schema names.
pub(super) fn parameters(schema: &Schema) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// A query as an object, each value of the type that the schema gives.
///
/// # Errors
/// Everything that is wrong with it, a sentence each.
pub(super) fn of_query(schema: &Schema, query: &str) -> Result<Value, Vec<String>> {
    let (known, mut read, mut errors) = (parameters(schema), Map::new(), Vec::new());
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let Some(of) = known.get(name.as_ref()) else {
            let names: Vec<_> = known.keys().map(|name| format!("`{name}`")).collect();
            let names = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
            errors.push(format!("unknown parameter `{name}`; known parameters: {names}"));
            continue;
        };
        let items = of.get("items");
        match value(&name, items.unwrap_or(of), &text) {
            Err(error) => errors.push(error),
            Ok(value) if items.is_some() => {
                if let Value::Array(values) = read.entry(name).or_insert_with(|| json!([])) {
                    values.push(value);
                }
            }
            Ok(value) => {
                if read.insert(name.to_string(), value).is_some() {
                    errors.push(format!("`{name}` is given more than once"));
                }
            }
        }
    }
    if errors.is_empty() { Ok(Value::Object(read)) } else { Err(errors) }
}

fn value(name: &str, of: &Value, text: &str) -> Result<Value, String> {
    let is = |kind: &str| match of.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    };
    if is("boolean") {
        let read = text.parse::<bool>().map(Value::Bool);
        return read.map_err(|_| format!("`{name}` must be `true` or `false`, not `{text}`"));
    }
    if is("integer") {
        let (min, max) = (of.get("minimum").and_then(Value::as_i64), of.get("maximum").and_then(Value::as_i64));
        let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
        let read = text.parse::<i64>().ok().filter(|number| (min..=max).contains(number));
        return read
            .map(Value::from)
            .ok_or_else(|| format!("`{name}` must be a whole number from {min} to {max}, not `{text}`"));
    }
    let allowed = words(of);
    if allowed.is_empty() || allowed.contains(&text) {
        return Ok(Value::from(text));
    }
    Err(format!("`{name}` must be one of {}, not `{text}`", allowed.join(", ")))
}

/// The words that a schema allows; none: any.
fn words(of: &Value) -> Vec<&str> {
    let mut words: Vec<&str> = of.get("const").and_then(Value::as_str).into_iter().collect();
    words.extend(of.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
    for choice in ["oneOf", "anyOf"] {
        words.extend(of.get(choice).and_then(Value::as_array).into_iter().flatten().flat_map(self::words));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Question {
        #[serde(default)]
        severity: Vec<Severity>,
        score: Option<Severity>,
        tenant: Option<String>,
        #[schemars(range(min = 1, max = 1000))]
        limit: Option<u32>,
        #[serde(default)]
        all: bool,
    }

    #[test]
    fn a_query_is_read_by_its_schema_and_everything_that_is_wrong_is_said() {
        let schema = schema::<Question>();
        for (query, read) in [
            ("", Ok(json!({}))),
            (
                "severity=info&severity=critical&limit=10&all=true&tenant=a%20b",
                Ok(json!({ "severity": ["info", "critical"], "limit": 10, "all": true, "tenant": "a b" })),
            ),
            ("tenant=1&score=info", Ok(json!({ "tenant": "1", "score": "info" }))),
            ("limit=0", Err(vec!["`limit` must be a whole number from 1 to 1000, not `0`"])),
            (
                "all=yes&limit=1&limit=2",
                Err(vec!["`all` must be `true` or `false`, not `yes`", "`limit` is given more than once"]),
            ),
            ("severity=bad", Err(vec!["`severity` must be one of info, warning, critical, not `bad`"])),
            ("score=bad", Err(vec!["`score` must be one of info, warning, critical, not `bad`"])),
            (
                "Limit=1",
                Err(vec!["unknown parameter `Limit`; known parameters: `all`, `limit`, `score`, `severity`, `tenant`"]),
            ),
        ] {
            let read = read.map_err(|errors| errors.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(of_query(&schema, query), read, "{query}");
        }
    }
}
