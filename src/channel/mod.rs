//! The places that receive. A channel composes a request and judges the answer; both are pure. Nothing here sends.

pub mod address;
mod chat;
pub mod guard;
mod identity;
mod kind;
mod message;
mod show;
pub mod signature;
mod status;
mod templates;
#[cfg(test)]
mod tests;
mod vet;

// The kinds.
mod alertmanager;
mod discord;
pub mod email;
mod google_chat;
mod mattermost;
mod pagerduty;
pub mod slack;
pub mod teams;
mod webhook;

use std::{fmt, sync::Arc, time::Duration};

pub use alertmanager::{Alertmanager, Authorization};
pub use discord::Discord;
pub use email::Email;
pub use google_chat::GoogleChat;
pub use mattermost::Mattermost;
pub use pagerduty::{Pagerduty, PagerdutyRegion, check_routing_key};
pub use slack::Slack;
pub use teams::Teams;
pub use webhook::Webhook;

pub use identity::Identity;
pub use kind::Kind;
pub use show::Show;
pub use templates::{templates, templates_for};

pub use crate::notify::backoff::Bounds as RetryBounds;

use address::Origin;

use crate::{
    domain::{ChannelName, Complaint},
    egress::{Answer, EgressError, Outgoing},
    notify::{
        Notification,
        language::{Locale, in_words},
        route::Audience,
    },
    schedule::Schedule,
    secret::{SecretError, SecretReference, SecretString, redact_url},
    template::{Dialect, Registry},
};

/// A channel as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSettings {
    /// The channel's name in the configuration.
    pub name: ChannelName,
    /// What kind of receiver it is, with that kind's settings.
    pub kind: ChannelKind,
    /// Which tenants it may show.
    pub audience: Audience,
    /// What it shows in addition to the facts.
    pub show: Show,
    /// The language and the time zone of its messages.
    pub locale: Locale,
    /// Least time between two sends.
    pub pace: Duration,
    /// Bounds of the back-off.
    pub retry: RetryBounds,
    /// One attempt, body included.
    pub timeout: Duration,
    /// Which private addresses it may send to.
    pub private: crate::egress::Private,
    /// More notifications than this, waiting for this channel, go out as one.
    pub digest_over: usize,
    /// How long it may go unproven before a drill is sent to it; `None`: it is never drilled.
    pub drill: Option<Duration>,
    /// When it gets a report on the tenants that it may show; `None`: never.
    pub report: Option<Schedule>,
    /// When it gets a report on the month of each tenant that it may show; `None`: never.
    pub month: Option<Schedule>,
    /// The template's name; `None`: its kind's.
    pub template: Option<String>,
}

/// Every kind, in the order in which people are shown them: hands `Type: module` of each to the macro `$then`. A kind that is
/// named here and has its file here and in `config/channel/` is everywhere.
macro_rules! every_kind {
    ($then:ident) => {
        $then! {
            Teams: teams,
            Slack: slack,
            Discord: discord,
            GoogleChat: google_chat,
            Mattermost: mattermost,
            Webhook: webhook,
            Email: email,
            Pagerduty: pagerduty,
            Alertmanager: alertmanager,
        }
    };
}
pub(crate) use every_kind;

use kind::declare_kinds;
every_kind!(declare_kinds);

impl ChannelKind {
    /// Its secrets, which are fetched before a message is written.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SecretReference> {
        self.settings().secrets()
    }

    /// Whether the receiver keeps a state per alert; see [`Kind::keeps_state`].
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.settings().keeps_state()
    }

    /// The page on which its webhook is managed; see [`Kind::fix_page`].
    #[must_use]
    pub fn fix_page(&self) -> Option<&'static str> {
        self.settings().fix_page()
    }

    /// Whether people read what it is sent, and no program that expects one message for each alert.
    #[must_use]
    pub fn is_read_by_people(&self) -> bool {
        self.dialect().is_some_and(|dialect| dialect.plain.is_some())
    }

    /// Whether a good answer proves that the message arrived where people see it; see [`Kind::answer_proves`].
    #[must_use]
    pub fn answer_proves(&self) -> bool {
        self.settings().answer_proves()
    }
}

impl ChannelSettings {
    /// How many lines a digest for this channel has at most: a machine can hold more than a chat shows.
    #[must_use]
    pub fn digest_lines(&self) -> usize {
        self.kind.settings().digest_lines_max(self.template.is_some())
    }

    /// No wait of this channel is longer: neither by its back-off nor by what its receiver asks for.
    #[must_use]
    pub fn longest_cooldown(&self) -> Duration {
        self.retry.max.max(status::RETRY_AFTER_MAX).max(self.pace)
    }
}

/// A generic webhook's URL may be written in the open, or be a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookUrl {
    /// Written in the configuration.
    Open(String),
    /// A reference to where the URL is kept.
    Secret(SecretReference),
}

impl WebhookUrl {
    /// Where it is kept, if it is a secret.
    const fn secret(&self) -> Option<&SecretReference> {
        match self {
            Self::Open(_) => None,
            Self::Secret(reference) => Some(reference),
        }
    }

    /// Reads the URL from where it is kept.
    fn resolve(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Open(url) => Ok(SecretString::from(url.as_str())),
            Self::Secret(reference) => reference.resolve(),
        }
    }
}

impl fmt::Debug for WebhookUrl {
    /// A path or query may authorise whoever has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(url) => f.debug_tuple("Open").field(&format_args!("{}", redact_url(url))).finish(),
            Self::Secret(reference) => f.debug_tuple("Secret").field(reference).finish(),
        }
    }
}

/// What a receiver's answer means for the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver took it.
    Delivered,
    /// Try again, not before `after` if the receiver said so.
    Retry {
        /// Why, without URL or secret.
        reason: String,
        /// How long the receiver asked us to wait, clamped.
        after: Option<Duration>,
    },
    /// The receiver rejects how the message is written, not what it is: say it once more as plain text.
    Plainer {
        /// Why, without URL or secret.
        reason: String,
    },
    /// The receiver rejects what it is sent. Whether the message or the receiver is at fault is decided by what it says to the next
    /// message.
    Rejected {
        /// Why, without URL or secret.
        reason: String,
    },
    /// This message can never be sent: it could not be written.
    Dead {
        /// Why, without URL or secret.
        reason: String,
    },
    /// The receiver accepts nothing until somebody fixes it.
    Parked {
        /// Why, without URL or secret.
        reason: String,
    },
}

#[cfg(test)]
impl Verdict {
    /// Its name, for tables.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry { .. } => "retry",
            Self::Plainer { .. } => "plainer",
            Self::Rejected { .. } => "rejected",
            Self::Dead { .. } => "dead",
            Self::Parked { .. } => "parked",
        }
    }
}

/// Whether a message that was answered like this, and not delivered as far as we know, may be there all the same. The next attempt
/// is then marked as a possible duplicate.
#[must_use]
pub fn may_have_arrived(answer: &Result<Answer, EgressError>) -> bool {
    match answer {
        Ok(answer) => status::may_have_arrived(answer),
        Err(error) => error.may_have_arrived(),
    }
}

/// How a notification is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By the channel's template, as rich as the receiver can show it.
    Rich,
    /// As plain text in the simplest message that the receiver takes, after it has rejected the rich one.
    Plain,
}

/// Why a notification could not be written for a receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The template could not be rendered.
    #[error("template `{template}`: {what}")]
    Template {
        /// The file name of the template.
        template: String,
        /// What went wrong, as one clause.
        what: String,
    },
    /// A secret of the channel can't be read.
    #[error(transparent)]
    Secret(#[from] crate::secret::SecretError),
    /// The URL is none that this channel may send to.
    #[error("the channel's URL is refused: {0}")]
    Url(Complaint),
    /// The payload stays above the receiver's limit.
    #[error("the message has {bytes} bytes, above the receiver's limit of {limit}")]
    TooLarge {
        /// The size that the message has, in bytes.
        bytes: usize,
        /// The largest size that is allowed, in bytes.
        limit: usize,
    },
}

/// A place that receives.
pub trait Channel: Send + Sync {
    /// Writes the request that says `notification` to this receiver; `attempt_at` is when it is about to be sent. A receiver whose
    /// messages have one form only is written to in that form.
    ///
    /// # Errors
    /// [`ComposeError`] when the template fails, a secret can't be read or the payload stays above the receiver's limit.
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        attempt_at: crate::domain::Timestamp,
    ) -> Result<Outgoing, ComposeError>;

    /// Writes the body of the request alone, for people to look at: no secret of the channel is read. A mail's body is its subject,
    /// text and HTML as JSON.
    ///
    /// # Errors
    /// [`ComposeError`] when the template fails or the payload stays above the receiver's limit.
    fn body(
        &self,
        notification: &Notification,
        attempt_at: crate::domain::Timestamp,
    ) -> Result<bytes::Bytes, ComposeError>;

    /// Says what the receiver's answer, or its absence, means for the delivery. `host` is where the message went, without a port;
    /// `now` reads a `Retry-After` that is a date.
    fn verdict(
        &self,
        answer: &Result<Answer, EgressError>,
        host: Option<&str>,
        now: crate::domain::Timestamp,
    ) -> Verdict;
}

/// A channel that messages can be written for: its settings, and the templates that it may name.
#[derive(Debug)]
pub struct OpenChannel {
    /// The channel's settings in the configuration.
    pub(crate) settings: Arc<ChannelSettings>,
    /// All templates that channels can use.
    pub(crate) templates: Arc<Registry>,
}

impl OpenChannel {
    /// The notification as this channel may show it, in its own words.
    fn said(&self, notification: &Notification) -> Notification {
        in_words(&self.settings.show.of(notification), &self.settings.locale)
    }
}

impl Channel for OpenChannel {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        attempt_at: crate::domain::Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        self.settings.kind.settings().compose(self, &self.said(notification), form, attempt_at)
    }

    fn body(
        &self,
        notification: &Notification,
        attempt_at: crate::domain::Timestamp,
    ) -> Result<bytes::Bytes, ComposeError> {
        self.settings.kind.settings().body(self, &self.said(notification), attempt_at)
    }

    fn verdict(
        &self,
        answer: &Result<Answer, EgressError>,
        host: Option<&str>,
        now: crate::domain::Timestamp,
    ) -> Verdict {
        let kind = self.settings.kind.settings();
        match answer {
            Ok(answer) => kind.verdict(self, answer, host, now),
            Err(error) => status::no_answer(error),
        }
    }
}

/// Makes a channel's behaviour from its settings.
#[must_use]
pub fn open(settings: &Arc<ChannelSettings>, templates: &Arc<Registry>) -> Box<dyn Channel> {
    Box::new(OpenChannel { settings: Arc::clone(settings), templates: Arc::clone(templates) })
}
