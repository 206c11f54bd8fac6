//! A Slack incoming webhook: `ok` in `text/html`, or one of its plain strings, never a reason ("Sending messages using incoming webhooks").

use hyper::{HeaderMap, header::CONTENT_TYPE};
use serde_json::Value;

use super::super::Reply;

/// Blocks in a message.
const BLOCKS_MAX: usize = 50;
/// Characters of text in all blocks together; undocumented, seen in the field.
const BLOCKS_LETTERS_MAX: usize = 13_200;
const ATTACHMENTS_MAX: usize = 100;
const HEADER_LETTERS_MAX: usize = 150;
const SECTION_LETTERS_MAX: usize = 3_000;
const FIELDS_MAX: usize = 10;
const FIELD_LETTERS_MAX: usize = 2_000;
const CONTEXT_ELEMENTS_MAX: usize = 10;
const ACTIONS_ELEMENTS_MAX: usize = 25;
const BUTTON_LETTERS_MAX: usize = 75;
const BUTTON_URL_LETTERS_MAX: usize = 3_000;

/// A webhook's path, with its secret at the end.
pub(super) fn path(channel: &str) -> String {
    let id = super::fingerprint(channel);
    format!("/services/T00SIMULATE/B00SIMULATE/{id:032x}")
}

/// Slack's answer to a message.
pub(super) fn judge(headers: &HeaderMap, body: &[u8]) -> Reply {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    match serde_json::from_slice(body) {
        Ok(message @ Value::Object(_)) if is_json => match complaint(&message) {
            None => plain(200, "ok"),
            Some(string) => plain(400, string),
        },
        _ => plain(400, "invalid_payload"),
    }
}

/// Slack answers in plain strings, but calls them HTML.
fn plain(status: u16, string: &'static str) -> Reply {
    Reply::status(status).header(CONTENT_TYPE.as_str(), "text/html").body(string)
}

fn complaint(message: &Value) -> Option<&'static str> {
    let has_text = message["text"].as_str().is_some_and(|text| !text.is_empty());
    let blocks = &message["blocks"];
    let attachments = message["attachments"].as_array().map_or(0, Vec::len);
    if !has_text && blocks.is_null() && attachments == 0 {
        return Some("no_text");
    }
    if attachments > ATTACHMENTS_MAX {
        return Some("too_many_attachments");
    }
    match blocks {
        Value::Null => None,
        Value::Array(blocks) => (!are_valid(blocks)).then_some("invalid_blocks"),
        _ => Some("invalid_blocks_format"),
    }
}

fn are_valid(blocks: &[Value]) -> bool {
    let letters: usize = blocks.iter().map(letters_in).sum();
    blocks.len() <= BLOCKS_MAX && letters <= BLOCKS_LETTERS_MAX && blocks.iter().all(is_valid)
}

fn is_valid(block: &Value) -> bool {
    let elements = block["elements"].as_array();
    match block["type"].as_str() {
        Some("header") => block["text"]["type"] == "plain_text" && is_text(&block["text"], HEADER_LETTERS_MAX),
        Some("section") => {
            let fields = block["fields"].as_array();
            (block["text"].is_object() || fields.is_some())
                && (block["text"].is_null() || is_text(&block["text"], SECTION_LETTERS_MAX))
                && fields.is_none_or(|fields| {
                    fields.len() <= FIELDS_MAX && fields.iter().all(|field| is_text(field, FIELD_LETTERS_MAX))
                })
        }
        Some("context") => elements.is_some_and(|elements| (1..=CONTEXT_ELEMENTS_MAX).contains(&elements.len())),
        Some("actions") => elements.is_some_and(|elements| {
            (1..=ACTIONS_ELEMENTS_MAX).contains(&elements.len()) && elements.iter().all(is_button)
        }),
        Some("divider") => true,
        Some("image") => block["image_url"].is_string() && block["alt_text"].is_string(),
        Some("rich_text") => elements.is_some(),
        _ => false,
    }
}

fn is_text(text: &Value, letters_max: usize) -> bool {
    let kind = text["type"].as_str().unwrap_or_default();
    let letters = text["text"].as_str().map_or(0, |text| text.chars().count());
    ["plain_text", "mrkdwn"].contains(&kind) && (1..=letters_max).contains(&letters)
}

fn is_button(element: &Value) -> bool {
    let url_letters = element["url"].as_str().map_or(0, |url| url.chars().count());
    element["type"] == "button"
        && element["text"]["type"] == "plain_text"
        && is_text(&element["text"], BUTTON_LETTERS_MAX)
        && url_letters <= BUTTON_URL_LETTERS_MAX
}

/// Characters under every key `text`, however deep.
fn letters_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(letters_in).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                other => letters_in(other),
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_judged_as_slack_judges_them() {
        let header = |letters: usize| json!([{ "type": "header", "text": { "type": "plain_text", "text": "x".repeat(letters) } }]);
        let section =
            |letters: usize| json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(letters) } });
        for (message, complaint_expected) in [
            (json!({ "text": "fine" }), None),
            (json!({}), Some("no_text")),
            (json!({ "blocks": header(150) }), None),
            (json!({ "blocks": header(151) }), Some("invalid_blocks")),
            (
                json!({ "blocks": [{ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }] }),
                Some("invalid_blocks"),
            ),
            (json!({ "blocks": [section(3000)] }), None),
            (json!({ "blocks": [section(3001)] }), Some("invalid_blocks")),
            (json!({ "blocks": [section(0)] }), Some("invalid_blocks")),
            (json!({ "blocks": vec![section(2640); 5] }), None),
            (json!({ "blocks": vec![section(2641); 5] }), Some("invalid_blocks")),
            (json!({ "blocks": vec![json!({ "type": "divider" }); 51] }), Some("invalid_blocks")),
            (json!({ "blocks": [{ "type": "made_up" }] }), Some("invalid_blocks")),
            (json!({ "blocks": {} }), Some("invalid_blocks_format")),
            (json!({ "attachments": vec![json!({}); 101] }), Some("too_many_attachments")),
        ] {
            assert_eq!(complaint(&message), complaint_expected, "{:.120}", message.to_string());
        }
    }
}
