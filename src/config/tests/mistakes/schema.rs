//! A small validator of JSON Schemas: as much of them as the configuration's schemas use.

use serde_json::Value;

use crate::config::schema::{self, Subject};

pub(super) fn is_yaml(text: &str) -> bool {
    parsed(text).is_some()
}

fn parsed(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

/// Where and why an editor marks the text; `None`: nowhere.
pub(in crate::config::tests) fn refusal(subject: Subject, text: &str) -> Option<String> {
    let root = schema::schema(subject).to_value();
    check(&root, &root, &parsed(text)?, "").err()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(rules) = schema.as_object() else {
        return if schema == &Value::Bool(false) { Err(format!("{at}: nothing may stand here")) } else { Ok(()) };
    };
    for (rule, expected) in rules {
        let is_good = match rule.as_str() {
            "$ref" => {
                let path = expected.as_str().and_then(|path| path.strip_prefix('#')).unwrap_or_default();
                check(root, root.pointer(path).unwrap_or_else(|| panic!("no {path}")), value, at)?;
                true
            }
            "type" => is_of_type(expected, value),
            "enum" => expected.as_array().is_some_and(|known| known.contains(value)),
            "const" => expected == value,
            "pattern" => {
                let pattern = regex_lite::Regex::new(expected.as_str().unwrap_or_default()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "allOf" => {
                for one in expected.as_array().into_iter().flatten() {
                    check(root, one, value, at)?;
                }
                true
            }
            "if" => {
                if check(root, expected, value, at).is_ok()
                    && let Some(then) = rules.get("then")
                {
                    check(root, then, value, at)?;
                }
                true
            }
            "dependentRequired" => has_dependents(expected, value),
            "propertyNames" => {
                for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                    check(root, expected, &Value::from(key.as_str()), &format!("{at}.{key}"))?;
                }
                true
            }
            "not" => check(root, expected, value, at).is_err(),
            "minItems" => value.as_array().is_none_or(|items| Some(items.len() as u64) >= expected.as_u64()),
            "minimum" => value.as_f64().is_none_or(|number| Some(number) >= expected.as_f64()),
            "required" => value.as_object().is_none_or(|value| has_all(expected, value)),
            "anyOf" => expected.as_array().into_iter().flatten().any(|one| check(root, one, value, at).is_ok()),
            "oneOf" => {
                let fitting =
                    expected.as_array().into_iter().flatten().filter(|one| check(root, one, value, at).is_ok());
                !value.is_object() || fitting.count() == 1
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, expected, item, &format!("{at}[{index}]"))?;
                }
                true
            }
            "properties" | "additionalProperties" => {
                keys(root, rules, value, at)?;
                true
            }
            "$schema" | "$defs" | "title" | "description" | "format" | "then" => true,
            other => panic!("`{other}` is not known to this validator"),
        };
        if !is_good {
            return Err(format!("{at}: {rule}: {expected}"));
        }
    }
    Ok(())
}

fn has_all(keys: &Value, value: &serde_json::Map<String, Value>) -> bool {
    keys.as_array().into_iter().flatten().all(|key| value.contains_key(key.as_str().unwrap_or_default()))
}

fn has_dependents(expected: &Value, value: &Value) -> bool {
    let Some(value) = value.as_object() else { return true };
    let dependents = expected.as_object().into_iter().flatten();
    dependents.filter(|(key, _)| value.contains_key(*key)).all(|(_, needed)| has_all(needed, value))
}

fn keys(root: &Value, rules: &serde_json::Map<String, Value>, value: &Value, at: &str) -> Result<(), String> {
    for (key, value) in value.as_object().into_iter().flatten() {
        let of_key = rules.get("properties").and_then(|known| known.get(key));
        if let Some(schema) = of_key.or_else(|| rules.get("additionalProperties")) {
            check(root, schema, value, &format!("{at}.{key}"))?;
        }
    }
    Ok(())
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    let is_one = |name: &Value| match name.as_str() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        other => panic!("type {other:?} is not known to this validator"),
    };
    expected.as_array().map_or_else(|| is_one(expected), |names| names.iter().any(is_one))
}
