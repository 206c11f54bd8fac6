//! `content` and `embeds` of a Discord webhook ("Webhook Resource, Execute Webhook", "Embed Limits").

use serde_json::{Value, json};

use super::{Refusal, link, markup};
use crate::template::text::{self, INVISIBLE};

/// Most characters of `content`.
pub const DISCORD_CONTENT_MAX: usize = 2000;
/// Most characters of all texts in all embeds together.
pub const DISCORD_EMBEDS_MAX: usize = 6000;
/// Most embeds.
const EMBEDS_MAX: usize = 10;
/// Most fields of an embed.
const FIELDS_MAX: usize = 25;

/// Checks the message and escapes the values in it.
pub(super) fn finish(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    let embeds = match fields.get("embeds") {
        None => 0,
        Some(Value::Array(embeds)) => embeds.len(),
        Some(_) => return Refusal::invalid("`embeds` must be a list"),
    };
    let has_content = fields.get("content").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    if !has_content && embeds == 0 {
        return Refusal::invalid("`content` or `embeds` must be there");
    }
    if embeds > EMBEDS_MAX {
        return Err(Refusal::TooLarge { size: embeds, limit: EMBEDS_MAX });
    }
    // No text of a message may call anybody unless the template's author says so.
    fields.entry("allowed_mentions").or_insert_with(|| json!({ "parse": [] }));
    let mut of_embeds = 0;
    for (key, field) in fields.iter_mut() {
        match (key.as_str(), field) {
            ("content", Value::String(content)) => {
                *content = markup::escape(content, &markup::DISCORD)?;
                keep(content, DISCORD_CONTENT_MAX)?;
            }
            ("embeds", Value::Array(embeds)) => {
                for embed in embeds {
                    finish_embed(embed, &mut of_embeds)?;
                }
            }
            (key, field) => walk(field, key, "", &mut 0)?,
        }
    }
    if of_embeds > DISCORD_EMBEDS_MAX {
        return Err(Refusal::TooLarge { size: of_embeds, limit: DISCORD_EMBEDS_MAX });
    }
    Ok(())
}

fn finish_embed(embed: &mut Value, characters: &mut usize) -> Result<(), Refusal> {
    let Some(fields) = embed.as_object_mut() else { return Refusal::invalid("an embed must be an object") };
    if fields.get("fields").is_some_and(|list| list.as_array().is_none_or(|list| list.len() > FIELDS_MAX)) {
        return Refusal::invalid(format!("`fields` of an embed must be a list of at most {FIELDS_MAX}"));
    }
    // An empty text is refused; one that is not there is not.
    let is_blank = |text: &Value| text.as_str().is_some_and(|text| text::unmarked(text).trim().is_empty());
    fields.retain(|key, text| !(matches!(key.as_str(), "title" | "description") && is_blank(text)));
    if let Some(color) = fields.get_mut("color").filter(|color| color.is_string()) {
        let written = color.as_str().map(text::unmarked).unwrap_or_default();
        let number = written.strip_prefix('#').and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(number) = number.filter(|number| *number <= 0x00FF_FFFF) else {
            return Refusal::invalid("a `color` is a number, or a text like `#D13438`");
        };
        *color = number.into();
    }
    fields.iter_mut().try_for_each(|(key, field)| walk(field, key, "embed", characters))
}

/// `place` is the key of the object that the value stands in, `key` the key (or the list's key) it stands under.
fn walk(value: &mut Value, key: &str, place: &str, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if key == "url" || key.ends_with("_url") => link(whole),
        Value::String(whole) => {
            let (limit, markup) = match (place, key) {
                ("embed", "title") | ("fields", "name") => (256, &markup::DISCORD),
                ("embed", "description") => (4096, &markup::DISCORD),
                ("fields", "value") => (1024, &markup::DISCORD),
                ("footer", "text") => (2048, &markup::NONE),
                ("author", "name") => (256, &markup::NONE),
                _ => (DISCORD_CONTENT_MAX, &markup::NONE),
            };
            *whole = markup::escape(whole, markup)?;
            if place == "fields" && whole.trim().is_empty() {
                whole.push(INVISIBLE);
            }
            *characters += keep(whole, limit)?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, place, characters)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(inner, field)| walk(field, inner, key, characters)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// How long the text is, if it may be that long. In UTF-16 units, of which there are never fewer than characters: which of the
/// two Discord counts is not documented.
fn keep(text: &str, limit: usize) -> Result<usize, Refusal> {
    let size = text.encode_utf16().count();
    if size > limit { Err(Refusal::TooLarge { size, limit }) } else { Ok(size) }
}
