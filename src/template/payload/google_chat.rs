//! `text` and `cardsV2` of a Google Chat message ("REST Resource: spaces.messages", "Cards v2").

use serde_json::Value;

use super::{Refusal, link, markup};

/// Largest message, in bytes.
pub const GOOGLE_CHAT_BYTES_MAX: usize = 32_000;
/// Most widgets of a section; what is above is not shown.
const WIDGETS_MAX: usize = 100;
/// What a message may hold when it comes by a webhook. Anything else is refused as unknown.
const KEYS: [&str; 5] = ["text", "cardsV2", "fallbackText", "thread", "accessoryWidgets"];

/// Checks the message and escapes the values in it.
pub(super) fn finish(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Refusal::invalid(format!("Google Chat knows no `{key}`"));
    }
    let has_text = fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let has_cards = match fields.get("cardsV2") {
        None => false,
        Some(Value::Array(cards)) => cards.iter().all(|card| card.get("card").is_some_and(Value::is_object)),
        Some(_) => return Refusal::invalid("`cardsV2` must be a list"),
    };
    if !has_text && !has_cards {
        return Refusal::invalid("`text` or `cardsV2`, each with a `card`, must be there");
    }
    for (key, field) in fields.iter_mut() {
        match (key.as_str(), field) {
            ("text" | "fallbackText", Value::String(text)) => *text = markup::escape(text, &markup::GOOGLE_TEXT)?,
            (key, field) => walk(field, key)?,
        }
    }
    let size = message.to_string().len();
    if size > GOOGLE_CHAT_BYTES_MAX {
        return Err(Refusal::TooLarge { size, limit: GOOGLE_CHAT_BYTES_MAX });
    }
    Ok(())
}

/// `key` is the key (or the list's key) that the value stands under.
fn walk(value: &mut Value, key: &str) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "imageUrl" | "iconUrl") => link(whole),
        Value::String(whole) => {
            *whole = markup::escape(whole, &markup::GOOGLE_CARD)?;
            Ok(())
        }
        Value::Array(items) if key == "widgets" && items.len() > WIDGETS_MAX => {
            Err(Refusal::TooLarge { size: items.len(), limit: WIDGETS_MAX })
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| walk(field, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
