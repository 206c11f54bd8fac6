//! Webhooks of Discord, Google Chat and Mattermost: what each answers to a message that it takes, and to one that it does not.

use serde_json::Value;

use super::super::Reply;

/// Characters of a Discord message, of its embeds together, and how many of them there may be.
const DISCORD_MAX: (usize, usize, usize) = (2_000, 6_000, 10);
/// Bytes of a Google Chat message.
const GOOGLE_CHAT_BYTES_MAX: usize = 32_000;
/// Characters of a Mattermost message.
const MATTERMOST_LETTERS_MAX: usize = 16_383;

/// The path of a Discord webhook, with its token at the end.
pub(super) fn discord_path(channel: &str) -> String {
    format!("/api/webhooks/1000000000000000000/{:032x}", super::fingerprint(channel))
}

/// The path of a Google Chat webhook; its token is in the query.
pub(super) fn google_chat_path(channel: &str) -> String {
    format!("/v1/spaces/{:032x}/messages", super::fingerprint(channel))
}

/// The path of a Mattermost webhook, which is its secret.
pub(super) fn mattermost_path(channel: &str) -> String {
    format!("/hooks/{:032x}", super::fingerprint(channel))
}

/// Discord shows the message that it saved only to those who wait for it ("Execute Webhook").
pub(super) fn discord(query: &str, body: &[u8]) -> Reply {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let content = letters(&message["content"]);
    let empty = Vec::new();
    let embeds = message["embeds"].as_array().unwrap_or(&empty);
    let (content_max, embeds_letters_max, embeds_max) = DISCORD_MAX;
    let fits = content <= content_max
        && embeds.len() <= embeds_max
        && embeds.iter().map(embed_letters).sum::<usize>() <= embeds_letters_max;
    if !fits || (content == 0 && embeds.is_empty()) {
        return Reply::json(400, r#"{"message":"Invalid Form Body","code":50035}"#);
    }
    if query.split('&').any(|pair| pair == "wait=true") {
        Reply::json(200, r#"{"id":"1000000000000000001","type":0}"#)
    } else {
        Reply::status(204)
    }
}

fn embed_letters(embed: &Value) -> usize {
    let fields = embed["fields"].as_array().into_iter().flatten();
    letters(&embed["title"])
        + letters(&embed["description"])
        + letters(&embed["footer"]["text"])
        + fields.map(|field| letters(&field["name"]) + letters(&field["value"])).sum::<usize>()
}

/// Google Chat refuses what it does not know ("Method: spaces.messages.create").
pub(super) fn google_chat(body: &[u8]) -> Reply {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_known = |key: &String| ["text", "cardsV2", "fallbackText", "thread"].contains(&key.as_str());
    if body.len() > GOOGLE_CHAT_BYTES_MAX || message.as_object().is_none_or(|keys| !keys.keys().all(is_known)) {
        return Reply::json(400, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"#);
    }
    Reply::json(200, r#"{"name":"spaces/SIMULATED/messages/SIMULATED"}"#)
}

/// Mattermost answers `ok`, or with the name of a text of its own ("Incoming webhooks").
pub(super) fn mattermost(body: &[u8]) -> Reply {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = letters(&message["text"]);
    if (text == 0 && !message["attachments"].is_array()) || text > MATTERMOST_LETTERS_MAX {
        return Reply::json(400, r#"{"id":"web.incoming_webhook.text.app_error","status_code":400}"#);
    }
    Reply::text(200, "ok")
}

fn letters(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}
