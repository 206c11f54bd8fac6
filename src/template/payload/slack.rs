//! `text` and `blocks` of a Slack incoming webhook ("Formatting text for app surfaces", "Block Kit reference").

use serde_json::Value;

use super::{Refusal, link};
use crate::template::text::{Part, parts};

/// Most characters of all texts together, after escaping. Slack refuses about 13,200 (`msg_blocks_too_long`); a tenth is reserve.
pub const SLACK_CHARACTERS_MAX: usize = 12_000;
/// Most blocks.
const BLOCKS_MAX: usize = 50;
/// Most fields of a section, elements of a context.
const FIELDS_MAX: usize = 10;
/// Most buttons of a block.
const BUTTONS_MAX: usize = 25;
/// Blocks that a webhook may hold, as far as we check them.
const BLOCKS: [&str; 6] = ["header", "section", "context", "divider", "actions", "image"];

/// Checks the message and escapes the values in it.
pub(super) fn finish(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if fields.get("text").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
        return Refusal::invalid("`text` must be there: notifications show it");
    }
    let empty = Vec::new();
    let blocks = match fields.get("blocks") {
        None => &empty,
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Refusal::invalid("`blocks` must be a list"),
    };
    if blocks.len() > BLOCKS_MAX {
        return Err(Refusal::TooLarge { size: blocks.len(), limit: BLOCKS_MAX });
    }
    blocks.iter().try_for_each(check_block)?;
    let mut characters = 0;
    for (key, field) in fields.iter_mut() {
        walk(field, key, 3000, &mut characters)?;
    }
    if characters > SLACK_CHARACTERS_MAX {
        return Err(Refusal::TooLarge { size: characters, limit: SLACK_CHARACTERS_MAX });
    }
    Ok(())
}

fn check_block(block: &Value) -> Result<(), Refusal> {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
    let count = |key: &str| block.get(key).map(|list| list.as_array().map_or(0, Vec::len));
    let has_text = |text: &Value| text.get("text").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let plain = block.get("text").filter(|text| text.get("type").and_then(Value::as_str) == Some("plain_text"));
    let what = match kind {
        _ if !BLOCKS.contains(&kind) => format!("a block can't be of type `{kind}`"),
        "header" if !plain.is_some_and(has_text) => "a header needs a `plain_text` that is not empty".to_owned(),
        "section" if !block.get("text").is_some_and(has_text) && count("fields").is_none() => {
            "a section needs a `text` or `fields`".to_owned()
        }
        "section" if count("fields").is_some_and(|fields| !(1..=FIELDS_MAX).contains(&fields)) => {
            format!("a section has 1 to {FIELDS_MAX} fields")
        }
        "context" if !count("elements").is_some_and(|elements| (1..=FIELDS_MAX).contains(&elements)) => {
            format!("a context has 1 to {FIELDS_MAX} elements")
        }
        "actions" if !count("elements").is_some_and(|elements| (1..=BUTTONS_MAX).contains(&elements)) => {
            format!("actions have 1 to {BUTTONS_MAX} elements")
        }
        "image" if block.get("alt_text").and_then(Value::as_str).is_none() => "an image needs an `alt_text`".to_owned(),
        _ => return Ok(()),
    };
    Refusal::invalid(what)
}

/// `limit` is how many characters a text may have where the value stands.
fn walk(value: &mut Value, key: &str, limit: usize, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "image_url" | "title_link") => link(whole),
        Value::String(whole) => {
            *whole = escape(whole, limit);
            *characters += whole.chars().count();
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, limit, characters)),
        Value::Object(fields) => {
            let limit = match fields.get("type").and_then(Value::as_str) {
                Some("header") => 150,
                Some("button") => 75,
                _ => limit,
            };
            fields.iter_mut().try_for_each(|(key, field)| {
                let limit = if matches!(key.as_str(), "fields" | "alt_text") { limit.min(2000) } else { limit };
                walk(field, key, limit, characters)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Escapes the values in a text, and cuts the first that would make it longer than `limit`.
fn escape(whole: &str, limit: usize) -> String {
    let mut escaped = String::with_capacity(whole.len());
    let mut room = limit;
    for part in parts(whole) {
        let (text, is_own) = match part {
            Part::Own(own) => (own, true),
            Part::Value(value) => (value, false),
        };
        for letter in text.chars() {
            let mut plain = [0; 4];
            let written: &str = match letter {
                '&' if !is_own => "&amp;",
                '<' if !is_own => "&lt;",
                '>' if !is_own => "&gt;",
                _ => letter.encode_utf8(&mut plain),
            };
            let width = written.chars().count();
            // One character is kept for the ellipsis; so a text that just fits may lose its last.
            if width + 1 > room {
                escaped.push('…');
                return escaped;
            }
            escaped.push_str(written);
            room -= width;
        }
    }
    escaped
}
