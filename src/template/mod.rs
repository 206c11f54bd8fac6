//! The texts of messages: built in, overridden by the user, rendered against samples at load, escaped per receiver.
//!
//! A template writes JSON. Every value that it shows is put into a JSON string with its beginning and end marked; once the
//! output is parsed, [`payload`] knows which text the template's author wrote and which came from outside, and escapes the
//! latter by where it ended up: Markdown, mrkdwn, plain text, a link. So a hostile tenant name can't become a mention, a link
//! or an element. Unescaped expressions (`{{{x}}}`, `{{&x}}`) are refused at load.

mod bound;
mod causes;
mod context;
mod functions;
mod lines;
mod payload;
mod plain;
mod registry;
mod render;
mod report;
pub mod sample;
mod scan;
mod shift;
mod source;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod words;

pub use payload::{
    DISCORD_CONTENT_MAX, DISCORD_EMBEDS_MAX, GOOGLE_CHAT_BYTES_MAX, Letter, MATTERMOST_CHARACTERS_MAX,
    SLACK_CHARACTERS_MAX, TEAMS_BYTES_MAX, harmless,
};
pub use plain::{TEAMS_PLAIN_BYTES_MAX, plain};
pub use registry::Registry;
pub use render::RenderFailure;
pub use summary::{Summary, summary};

/// For which kind of receiver a template writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receiver {
    /// An Adaptive Card in the envelope of a Teams Workflows webhook.
    Teams,
    /// `text` and `blocks` of a Slack incoming webhook.
    Slack,
    /// `content` and `embeds` of a Discord webhook.
    Discord,
    /// `text` and `cardsV2` of a Google Chat webhook.
    GoogleChat,
    /// `text` and `attachments` of a Mattermost webhook.
    Mattermost,
    /// Any JSON.
    Webhook,
    /// Subject, text and HTML of a mail. The one kind whose template writes no JSON; see [`payload`].
    Email,
}

impl Receiver {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Teams, Self::Slack, Self::Discord, Self::GoogleChat, Self::Mattermost, Self::Webhook, Self::Email];

    /// The name, which is also the built-in template's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Teams => "teams",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::GoogleChat => "google-chat",
            Self::Mattermost => "mattermost",
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}
