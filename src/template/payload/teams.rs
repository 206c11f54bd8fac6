//! An Adaptive Card in the envelope of a Teams Workflows webhook ("Format cards in Teams", "Adaptive Cards schema").
//!
//! The flow answers before it looks at the card, so nothing tells us of a bad one: all is checked here.

use serde_json::Value;

use super::{Refusal, link};
use crate::template::text::{INVISIBLE, Part, parts};

/// Largest request, in bytes. Teams refuses 28,672 bytes counted after it has wrapped the card, which adds about a fifth.
pub const TEAMS_BYTES_MAX: usize = 20 * 1024;
/// So many buttons are safe.
const ACTIONS_MAX: usize = 6;
/// The newest dialect that the flow's "post card" step renders.
const VERSION_MAX: (u32, u32) = (1, 4);
/// Elements and inlines of that dialect which Teams renders.
const ELEMENTS: [&str; 11] = [
    "TextBlock",
    "RichTextBlock",
    "TextRun",
    "Image",
    "ImageSet",
    "Container",
    "ColumnSet",
    "Column",
    "FactSet",
    "ActionSet",
    "AdaptiveCard",
];
/// Actions that work without a bot.
const ACTIONS: [&str; 3] = ["Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"];
/// Keys whose text is Markdown, besides `TextBlock.text`.
const FACT_KEYS: [&str; 2] = ["title", "value"];

/// Checks the envelope and the card, and escapes the values in it.
pub(super) fn finish(message: &mut Value) -> Result<(), Refusal> {
    if message.get("type").and_then(Value::as_str) != Some("message") {
        return Refusal::invalid("`type` must be `message`");
    }
    let Some(attachments) = message.get_mut("attachments").and_then(Value::as_array_mut).filter(|list| list.len() == 1)
    else {
        return Refusal::invalid("`attachments` must be a list with one card");
    };
    for attachment in attachments {
        if attachment.get("contentType").and_then(Value::as_str) != Some("application/vnd.microsoft.card.adaptive") {
            return Refusal::invalid("`contentType` must be `application/vnd.microsoft.card.adaptive`");
        }
        let Some(card) = attachment.get_mut("content") else {
            return Refusal::invalid("the attachment has no `content`");
        };
        check_card(card)?;
        let mut actions = 0;
        walk(card, "", "", &mut actions)?;
        if actions > ACTIONS_MAX {
            return Refusal::invalid(format!("the card has {actions} actions, more than {ACTIONS_MAX}"));
        }
    }
    Ok(())
}

fn check_card(card: &Value) -> Result<(), Refusal> {
    if card.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
        return Refusal::invalid("the card's `type` must be `AdaptiveCard`");
    }
    if !card.get("body").is_some_and(Value::is_array) {
        return Refusal::invalid("the card's `body` must be a list");
    }
    let version = card.get("version").and_then(Value::as_str).and_then(|version| version.split_once('.'));
    let version = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match version {
        Some(version) if version <= VERSION_MAX => Ok(()),
        _ => Refusal::invalid("the card's `version` must be `1.4` or older"),
    }
}

/// `element` is the type of the object that the value stands in, `key` the key (or the list's key) it stands under.
fn walk(value: &mut Value, element: &str, key: &str, actions: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "iconUrl") => link(whole),
        Value::String(whole) => {
            let markdown =
                (element == "TextBlock" && key == "text") || (element == "FactSet" && FACT_KEYS.contains(&key));
            *whole = escape(whole, markdown);
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, element, key, actions)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).map(str::to_owned);
            check_type(kind.as_deref(), key, actions)?;
            let element = kind.as_deref().unwrap_or(element);
            fields.iter_mut().try_for_each(|(key, field)| walk(field, element, key, actions))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn check_type(kind: Option<&str>, key: &str, actions: &mut usize) -> Result<(), Refusal> {
    match kind {
        Some(action) if ACTIONS.contains(&action) => {
            *actions += 1;
            Ok(())
        }
        Some(element) if ELEMENTS.contains(&element) || key == "entities" => Ok(()),
        Some(other) => Refusal::invalid(format!("`{other}` can't be shown by Teams")),
        None if matches!(key, "body" | "items" | "actions") => {
            Refusal::invalid(format!("an object in `{key}` has no `type`"))
        }
        None => Ok(()),
    }
}

/// Escapes the values in a text. There is no documented escape in Teams' Markdown, so its signs are replaced by look-alikes.
fn escape(whole: &str, markdown: bool) -> String {
    let mut escaped = String::with_capacity(whole.len());
    for part in parts(whole) {
        match part {
            Part::Own(own) => escaped.push_str(own),
            Part::Value(value) => {
                if markdown && escaped.is_empty() {
                    escaped.push(INVISIBLE);
                }
                value.chars().for_each(|letter| push(&mut escaped, letter, markdown));
            }
        }
    }
    escaped
}

fn push(escaped: &mut String, letter: char, markdown: bool) {
    match letter {
        // `{{DATE(…)}}` and `<at>` are looked for in every text.
        '{' | '<' => escaped.extend([letter, INVISIBLE]),
        _ if !markdown => escaped.push(letter),
        '*' => escaped.push('∗'),
        '_' => escaped.push('＿'),
        '[' => escaped.push('［'),
        ']' => escaped.push('］'),
        '(' => escaped.push('（'),
        ')' => escaped.push('）'),
        '`' => escaped.push('‵'),
        '~' => escaped.push('∼'),
        '\\' => escaped.push('＼'),
        _ => escaped.push(letter),
    }
}
