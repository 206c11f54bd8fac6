//! From a template's output to what is sent: values escaped by where they ended up, and the receiver's limits kept.

mod discord;
mod email;
mod google_chat;
mod markup;
mod mattermost;
mod slack;
mod teams;

use serde_json::Value;

use super::{Receiver, text};

pub use discord::{DISCORD_CONTENT_MAX, DISCORD_EMBEDS_MAX};
pub use email::Letter;
pub use google_chat::GOOGLE_CHAT_BYTES_MAX;
pub use mattermost::MATTERMOST_CHARACTERS_MAX;
pub use slack::SLACK_CHARACTERS_MAX;
pub use teams::TEAMS_BYTES_MAX;

/// Why an output can't be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is above a limit; less text would help.
    TooLarge {
        /// How much it is.
        size: usize,
        /// How much it may be.
        limit: usize,
    },
    /// It is none that the receiver takes, however short.
    Invalid(String),
}

impl Refusal {
    fn invalid<T>(what: impl Into<String>) -> Result<T, Self> {
        Err(Self::Invalid(what.into()))
    }
}

/// Writes the body that is sent from a template's output.
pub(super) fn finish(receiver: Receiver, output: &str) -> Result<Vec<u8>, Refusal> {
    if receiver == Receiver::Email {
        let letter = serde_json::to_vec(&email::finish(output)?);
        return letter.map_err(|error| Refusal::Invalid(error.to_string()));
    }
    let value: Value =
        serde_json::from_str(output).map_err(|error| Refusal::Invalid(format!("the output is no JSON: {error}")))?;
    if receiver == Receiver::Webhook { Ok(output.trim().as_bytes().to_vec()) } else { write(receiver, value) }
}

/// Writes the body that is sent from a message in which values are marked.
pub(super) fn write(receiver: Receiver, mut value: Value) -> Result<Vec<u8>, Refusal> {
    match receiver {
        Receiver::Teams => teams::finish(&mut value)?,
        Receiver::Slack => slack::finish(&mut value)?,
        Receiver::Discord => discord::finish(&mut value)?,
        Receiver::GoogleChat => google_chat::finish(&mut value)?,
        Receiver::Mattermost => mattermost::finish(&mut value)?,
        Receiver::Webhook | Receiver::Email => {}
    }
    let body = value.to_string().into_bytes();
    if receiver == Receiver::Teams && body.len() > TEAMS_BYTES_MAX {
        return Err(Refusal::TooLarge { size: body.len(), limit: TEAMS_BYTES_MAX });
    }
    Ok(body)
}

/// A text from outside for a receiver that hands it on to others, of which nobody knows what they read in it: on one line, cut,
/// and without what chats take for a mention, a link or a tag.
#[must_use]
pub fn harmless(text: &str, characters_max: usize) -> String {
    let tame = text::tame(text, characters_max);
    // Without a link of an author's around it, nothing in it can be refused.
    let escaped = markup::escape(&text::mark(&tame), &markup::NONE).unwrap_or_default();
    escaped.replace("](", &format!("]{}(", text::INVISIBLE))
}

/// Takes the marks out of a link and makes sure that it is `https`.
fn link(url: &mut String) -> Result<(), Refusal> {
    *url = text::unmarked(url);
    match url::Url::parse(url) {
        Ok(parsed) if parsed.scheme() == "https" => Ok(()),
        _ => Refusal::invalid("a link must begin with `https://`"),
    }
}
