//! What is taken out of a store's answer: single values by their path. Everything else is skipped as it is read and never kept,
//! so an answer costs no more memory than the value that is wanted.

use std::{borrow::Cow, fmt};

use secrecy::SecretString;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of an answer.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing is at that path, or `null`.
    Nothing,
    Text(SecretString),
    Number(i64),
    Truth(bool),
    /// A list, an object, or a number that is not whole; what it holds is not kept.
    Other,
}

/// Reads the value at a path of keys.
///
/// # Errors
/// The answer is not JSON, or is nested too deeply.
pub(super) fn value_at(body: &[u8], path: &[&str]) -> Result<Value, serde_json::Error> {
    let mut decoder = serde_json::Deserializer::from_slice(body);
    let found = At(path).deserialize(&mut decoder)?;
    decoder.end()?;
    Ok(found)
}

/// Whether a text of the list at this key holds a word. The texts are examined one after the other.
pub(super) fn any_text_contains(body: &[u8], key: &str, word: &str) -> bool {
    let mut decoder = serde_json::Deserializer::from_slice(body);
    decoder.deserialize_map(TextsOf { key, word }).unwrap_or(false)
}

/// What is left of the path.
struct At<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl At<'_> {
    /// A value without anything inside it, which is what is wanted if the path ends here.
    fn plain(&self, value: Value) -> Value {
        if self.0.is_empty() { value } else { Value::Nothing }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(self.plain(Value::Truth(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(self.plain(Value::Number(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(self.plain(i64::try_from(value).map_or(Value::Other, Value::Number)))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(self.plain(Value::Other))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if self.0.is_empty() { Ok(Value::Text(value.into())) } else { Ok(Value::Nothing) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.plain(Value::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut found = if self.0.is_empty() { Value::Other } else { Value::Nothing };
        while let Some(key) = fields.next_key::<Cow<'de, str>>()? {
            match self.0 {
                [wanted, rest @ ..] if *wanted == key => found = fields.next_value_seed(At(rest))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct TextsOf<'a> {
    key: &'a str,
    word: &'a str,
}

impl<'de> Visitor<'de> for TextsOf<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        let mut is_found = false;
        while let Some(key) = fields.next_key::<Cow<'de, str>>()? {
            if self.key == key {
                is_found |= fields.next_value_seed(Texts(self.word))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(is_found)
    }
}

struct Texts<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut is_found = false;
        while let Some(text) = items.next_element::<Cow<'de, str>>()? {
            is_found |= text.contains(self.0);
        }
        Ok(is_found)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shown(body: &str, path: &[&str]) -> String {
        match value_at(body.as_bytes(), path) {
            Ok(Value::Text(text)) => format!("text {}", text.expose_secret()),
            Ok(other) => format!("{other:?}"),
            Err(_) => "error".to_owned(),
        }
    }

    #[test]
    fn a_value_is_found_by_its_path_and_nothing_else_is_kept() {
        for (body, path, found) in [
            (r#"{"data":{"data":{"value":"a","b":[1,{}]}}}"#, &["data", "data", "value"][..], "text a"),
            (r#"{"data":{"data":{"value":"\u0061\n"}}}"#, &["data", "data", "value"], "text a\n"),
            (r#"{"data":{"data":{"b":"a"}}}"#, &["data", "data", "value"], "Nothing"),
            (r#"{"data":{"data":null}}"#, &["data", "data", "value"], "Nothing"),
            (r#"{"data":[{"data":{"value":"a"}}]}"#, &["data", "data", "value"], "Nothing"),
            (r#"{"data":"data"}"#, &["data", "data"], "Nothing"),
            (r#"{"data":{"data":{}}}"#, &["data", "data"], "Other"),
            (r#"{"data":[[],[[]]]}"#, &["data"], "Other"),
            (r#"{"exp":-7}"#, &["exp"], "Number(-7)"),
            (r#"{"exp":18446744073709551615}"#, &["exp"], "Other"),
            (r#"{"exp":1.5}"#, &["exp"], "Other"),
            (r#"{"destroyed":true}"#, &["destroyed"], "Truth(true)"),
            ("[]", &["data"], "Nothing"),
            ("", &["data"], "error"),
            (r#"{"data":1} x"#, &["data"], "error"),
            (r#"{"data":1"#, &["data"], "error"),
        ] {
            assert_eq!(shown(body, path), found, "{body}");
        }
    }

    #[test]
    fn a_word_is_found_in_a_list_of_texts_only() {
        for (body, is_found) in [
            (r#"{"errors":["Vault is sealed"]}"#, true),
            (r#"{"warnings":["sealed"],"errors":["x","sealed"]}"#, true),
            (r#"{"errors":["x"],"warnings":["sealed"]}"#, false),
            (r#"{"errors":"sealed"}"#, false),
            (r#"{"errors":[{"sealed":"sealed"}]}"#, false),
            ("sealed", false),
        ] {
            assert_eq!(any_text_contains(body.as_bytes(), "errors", "sealed"), is_found, "{body}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_an_error_or_skipped_and_overflows_no_stack() {
        let deep = "[".repeat(200_000);
        assert_eq!(shown(&format!("{{\"data\":{deep}"), &["data"]), "error");
        let paths = vec!["a"; 1000];
        assert_eq!(shown(&"{\"a\":".repeat(100_000), &paths), "error");
    }
}
