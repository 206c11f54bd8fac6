//! A Teams Workflows webhook: 202 immediately whatever the card is; whether the channel shows it is decided afterwards, unseen.

use serde_json::{Value, json};

use super::super::Reply;

/// The query of a flow's URL; `sig` is the whole authorisation.
pub(super) const QUERY: &str =
    "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=kR3sIm0u1aTedSigNaTureF0rTheLoopbackFlowX_1";

/// What Teams takes, in bytes, after it has wrapped the card.
const WRAPPED_BYTES_MAX: usize = 28_672;
/// By how much wrapping makes a request larger, in percent: 24,453 bytes were counted as 28,897.
const WRAPPING_PERCENT: usize = 118;
/// The newest dialect that the flow's posting step draws.
const CARD_VERSION_MAX: (u32, u32) = (1, 4);

/// A flow's path: 32 hex digits that distinguish the channels.
pub(super) fn path(channel: &str) -> String {
    let id = super::fingerprint(channel);
    format!("/powerautomate/automations/direct/workflows/{id:032x}/triggers/manual/paths/invoke")
}

/// The refusal of a query that is not, byte for byte, the flow's.
pub(super) fn refuse(query: &str, expected: &str) -> Option<Reply> {
    if query == expected {
        return None;
    }
    let (status, code, message) = if query.contains("api-version=") {
        (401, "DirectApiAuthorizationRequired", "The request does not carry a valid signature.")
    } else {
        (
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    };
    Some(Reply::json(status, json!({ "error": { "code": code, "message": message } }).to_string()))
}

/// The cards that the channel will show: one per attachment, none when the run fails.
pub(super) fn cards_shown(body: &[u8]) -> Vec<Value> {
    if body.len() * WRAPPING_PERCENT / 100 > WRAPPED_BYTES_MAX {
        return Vec::new();
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let attachments = message["attachments"].as_array().cloned().unwrap_or_default();
    attachments.into_iter().filter(is_card).map(|mut attachment| attachment["content"].take()).collect()
}

fn is_card(attachment: &Value) -> bool {
    let card = &attachment["content"];
    let version = card["version"].as_str().and_then(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && version.is_some_and(|version| version <= CARD_VERSION_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cards_that_teams_can_draw_are_shown() {
        let message = |content_type: &str, kind: &str, version: &str, text: &str| {
            let card = json!({ "type": kind, "version": version, "body": [{ "type": "TextBlock", "text": text }] });
            json!({ "type": "message", "attachments": [{ "contentType": content_type, "content": card }] }).to_string()
        };
        let adaptive = "application/vnd.microsoft.card.adaptive";
        for (body, shown) in [
            (message(adaptive, "AdaptiveCard", "1.4", "fine"), 1),
            (message(adaptive, "AdaptiveCard", "1.5", "too new"), 0),
            (message(adaptive, "MessageCard", "1.4", "another kind"), 0),
            (message("application/json", "AdaptiveCard", "1.4", "another type"), 0),
            (message(adaptive, "AdaptiveCard", "1.4", &"x".repeat(24_000)), 1),
            (message(adaptive, "AdaptiveCard", "1.4", &"x".repeat(24_400)), 0),
            (json!({ "type": "message" }).to_string(), 0),
            ("not json".to_owned(), 0),
        ] {
            assert_eq!(cards_shown(body.as_bytes()).len(), shown, "{body:.120}");
        }
    }

    #[test]
    fn the_query_must_be_the_flow_s_own() {
        assert!(refuse(QUERY, QUERY).is_none());
        for (query, status) in [("", 400), ("sig=x", 400), ("api-version=1&sp=/triggers/manual/run&sv=1.0&sig=x", 401)]
        {
            assert_eq!(refuse(query, QUERY).and_then(|reply| reply.seen_status()), Some(status), "{query}");
        }
        assert_ne!(path("a"), path("b"));
    }
}
