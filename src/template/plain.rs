//! A notification as plain text in the simplest message that a receiver takes, for when it has rejected the rich one.

use serde_json::{Value, json};

use super::{
    Receiver,
    context::{LEVELS, shortened},
    lines::weight,
    payload::{self, Refusal},
    render::RenderFailure,
    text, words,
};
use crate::notify::Notification;

/// Largest plain card for Teams, in bytes.
pub const TEAMS_PLAIN_BYTES_MAX: usize = 4 * 1024;
/// Discord's flag for a message under which no preview of a link is drawn (`SUPPRESS_EMBEDS`).
const NO_PREVIEWS: u32 = 1 << 2;

/// Writes the body. A generic webhook's is the notification itself, which its JSON says whole.
///
/// # Errors
/// [`RenderFailure`] when even the shortest form is too large, which none is.
pub fn plain(receiver: Receiver, notification: &Notification) -> Result<Vec<u8>, RenderFailure> {
    let failed =
        |what: String| RenderFailure::Template { template: "plain".to_owned(), line: None, column: None, what };
    if receiver == Receiver::Webhook {
        return serde_json::to_vec(notification).map_err(|error| failed(error.to_string()));
    }
    let mut too_large = (0, 0);
    for level in LEVELS {
        let lines = words::plain(&shortened(notification, level));
        let size = lines.iter().map(|line| weight(line) + 1).sum();
        let limit = characters_max(receiver);
        if size > limit {
            too_large = (size, limit);
            continue;
        }
        let written = match receiver {
            Receiver::Email => payload::finish(receiver, &letter(&lines)),
            _ => payload::write(receiver, message(receiver, &lines)),
        };
        match written {
            Ok(body) if receiver == Receiver::Teams && body.len() > TEAMS_PLAIN_BYTES_MAX => {
                too_large = (body.len(), TEAMS_PLAIN_BYTES_MAX);
            }
            Ok(body) => return Ok(body),
            Err(Refusal::TooLarge { size, limit }) => too_large = (size, limit),
            Err(Refusal::Invalid(what)) => return Err(failed(what)),
        }
    }
    Err(RenderFailure::TooLarge { size: too_large.0, limit: too_large.1 })
}

/// Most characters of the text, as [`weight`] counts them. Discord takes 2,000; Slack is known to split what is above 4,000, and
/// the limits of the others are far above what anybody reads.
const fn characters_max(receiver: Receiver) -> usize {
    match receiver {
        Receiver::Discord => 1_900,
        Receiver::Slack => 2_900,
        Receiver::Teams => TEAMS_PLAIN_BYTES_MAX,
        Receiver::GoogleChat | Receiver::Mattermost | Receiver::Webhook | Receiver::Email => 10_000,
    }
}

fn message(receiver: Receiver, lines: &[String]) -> Value {
    let whole = || lines.iter().map(|line| text::mark(line)).collect::<Vec<_>>().join("\n");
    match receiver {
        Receiver::Teams => card(lines),
        Receiver::Slack => json!({ "text": whole(), "unfurl_links": false, "unfurl_media": false }),
        Receiver::Discord => {
            json!({ "content": whole(), "allowed_mentions": { "parse": [] }, "flags": NO_PREVIEWS })
        }
        Receiver::GoogleChat | Receiver::Mattermost | Receiver::Webhook | Receiver::Email => json!({ "text": whole() }),
    }
}

/// A mail without HTML, as a template would write it.
fn letter(lines: &[String]) -> String {
    let subject = lines.first().map(String::as_str).unwrap_or_default();
    let text = lines.iter().map(|line| text::mark(line)).collect::<Vec<_>>().join("\n");
    format!("Subject: {}\n\n{text}\n", text::mark(subject))
}

/// A card that has nothing but lines of text.
fn card(lines: &[String]) -> Value {
    let block = |line: &String| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text::mark(line) }] });
    let body: Vec<Value> = lines.iter().map(block).collect();
    let card = json!({ "type": "AdaptiveCard", "version": "1.2", "body": body });
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}
