//! `text` and `attachments` of a Mattermost webhook ("Incoming webhooks", "Message attachments").

use serde_json::Value;

use super::{Refusal, link, markup};
use crate::template::text;

/// Most characters of a message; the server makes several of a longer one.
pub const MATTERMOST_CHARACTERS_MAX: usize = 16_383;
/// Most characters of the attachments as JSON that older servers keep together.
const ATTACHMENTS_MAX: usize = 7_900;
/// What other applications take, and what would not be shown here.
const FOREIGN: [&str; 3] = ["blocks", "cardsV2", "embeds"];
/// Texts of an attachment, one of which it must have.
const TEXTS: [&str; 4] = ["text", "pretext", "title", "fields"];

/// Checks the message and escapes the values in it.
pub(super) fn finish(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if let Some(foreign) = FOREIGN.into_iter().find(|key| fields.contains_key(*key)) {
        return Refusal::invalid(format!("Mattermost knows no `{foreign}`"));
    }
    let has_text = fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let has_attachments = match fields.get("attachments") {
        None => false,
        Some(Value::Array(attachments)) => {
            let has_text = |attachment: &Value| TEXTS.iter().any(|key| attachment.get(key).is_some());
            if !attachments.iter().all(has_text) {
                return Refusal::invalid("an attachment needs a `text`, `pretext`, `title` or `fields`");
            }
            !attachments.is_empty()
        }
        Some(_) => return Refusal::invalid("`attachments` must be a list"),
    };
    if !has_text && !has_attachments {
        return Refusal::invalid("`text` or `attachments` must be there");
    }
    let mut characters = 0;
    for (key, field) in fields.iter_mut() {
        walk(field, key, &mut characters)?;
    }
    keep(characters, MATTERMOST_CHARACTERS_MAX)?;
    keep(fields.get("attachments").map_or(0, |list| list.to_string().chars().count()), ATTACHMENTS_MAX)
}

/// `key` is the key (or the list's key) that the value stands under.
fn walk(value: &mut Value, key: &str, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if key.ends_with("_url") || key.ends_with("_link") || key == "footer_icon" => link(whole),
        Value::String(whole) if key == "color" => {
            *whole = text::unmarked(whole);
            let is_number = whole.strip_prefix('#').is_some_and(|digits| u32::from_str_radix(digits, 16).is_ok());
            if is_number || ["good", "warning", "danger"].contains(&whole.as_str()) {
                Ok(())
            } else {
                Refusal::invalid("a `color` is `good`, `warning`, `danger` or a text like `#D13438`")
            }
        }
        Value::String(whole) => {
            let is_shown_as_it_is = matches!(key, "fallback" | "footer" | "author_name" | "username");
            *whole = markup::escape(whole, if is_shown_as_it_is { &markup::NONE } else { &markup::MATTERMOST })?;
            *characters += whole.chars().count();
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, characters)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| walk(field, key, characters)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn keep(size: usize, limit: usize) -> Result<(), Refusal> {
    if size > limit { Err(Refusal::TooLarge { size, limit }) } else { Ok(()) }
}
