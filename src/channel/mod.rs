//! The places that receive. A channel composes a request and judges the answer; both are pure. Nothing here sends.

pub mod address;
mod alertmanager;
mod chat;
pub mod email;
pub mod guard;
mod identity;
mod message;
mod pagerduty;
pub mod signature;
mod slack;
mod status;
mod teams;
mod vet;
mod webhook;

use std::{fmt, sync::Arc, time::Duration};

pub use chat::ChatApp;
pub use identity::Identity;

pub use crate::notify::backoff::Bounds as RetryBounds;

pub use pagerduty::check_routing_key;

use crate::{
    domain::ChannelName,
    egress::{Answer, EgressError, Outgoing},
    notify::{Notification, digest, route::Fence},
    schedule::Schedule,
    secret::{SecretError, SecretReference, SecretString, redact_url},
    template::{Receiver, Registry},
};

/// A channel as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSettings {
    /// Its name.
    pub name: ChannelName,
    /// What kind of receiver it is, with that kind's settings.
    pub kind: ChannelKind,
    /// Which tenants it may show.
    pub fence: Fence,
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
    /// The template's name; `None`: its kind's.
    pub template: Option<String>,
}

/// What kind of receiver a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// A Teams Workflows webhook.
    Teams {
        /// The flow's URL; the whole authorisation is in it.
        url: SecretReference,
    },
    /// A Slack incoming webhook.
    Slack {
        /// The webhook's URL; the whole authorisation is in it.
        url: SecretReference,
    },
    /// An incoming webhook of another chat application.
    Chat {
        /// Which application.
        app: ChatApp,
        /// The webhook's URL; the whole authorisation is in it.
        url: SecretReference,
    },
    /// Any receiver of JSON, with Standard Webhooks headers.
    Webhook {
        /// The receiver's URL.
        url: WebhookUrl,
        /// Signing secrets, newest first; `whsec_` or `whsk_` and base64.
        signing_secrets: Vec<SecretReference>,
    },
    /// Mail, handed in to a server.
    Email(Box<email::EmailSettings>),
    /// A PagerDuty service, by an integration of its Events API v2.
    Pagerduty {
        /// The integration's key; the whole authorisation is in it.
        routing_key: SecretReference,
        /// Where the account lives.
        region: PagerdutyRegion,
        /// Another base URL than the region's: a receiver inside, or a test.
        url: Option<WebhookUrl>,
    },
    /// An Alertmanager, or what speaks its API.
    Alertmanager {
        /// The base URL; `/api/v2/alerts` is added.
        url: WebhookUrl,
        /// How it knows us.
        authorization: Authorization,
    },
}

impl ChannelKind {
    /// Its secrets, which are asked for before a message is written.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SecretReference> {
        match self {
            Self::Teams { url } | Self::Slack { url } | Self::Chat { url, .. } => vec![url],
            Self::Webhook { url, signing_secrets } => url.secret().into_iter().chain(signing_secrets).collect(),
            Self::Email(email) => email.sign_in.iter().map(|(_, password)| password).collect(),
            Self::Pagerduty { routing_key, url, .. } => {
                url.iter().filter_map(WebhookUrl::secret).chain([routing_key]).collect()
            }
            Self::Alertmanager { url, authorization } => {
                let secret = match authorization {
                    Authorization::Nobody => None,
                    Authorization::Basic { password, .. } => Some(password),
                    Authorization::Bearer { token } => Some(token),
                };
                url.secret().into_iter().chain(secret).collect()
            }
        }
    }

    /// For which kind of receiver its templates write; `None`: it is sent fields, no text.
    #[must_use]
    pub const fn receiver(&self) -> Option<Receiver> {
        match self {
            Self::Teams { .. } => Some(Receiver::Teams),
            Self::Slack { .. } => Some(Receiver::Slack),
            Self::Chat { app, .. } => Some(app.receiver()),
            Self::Webhook { .. } => Some(Receiver::Webhook),
            Self::Email(_) => Some(Receiver::Email),
            Self::Pagerduty { .. } | Self::Alertmanager { .. } => None,
        }
    }

    /// The name as written under `type:`, which is also the built-in template's name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Teams { .. } => "teams",
            Self::Slack { .. } => "slack",
            Self::Chat { app, .. } => app.as_str(),
            Self::Webhook { .. } => "webhook",
            Self::Email(_) => "email",
            Self::Pagerduty { .. } => "pagerduty",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }

    /// Whether the receiver keeps a state per alert, which each message opens, updates or closes. To such a receiver messages may
    /// be neither folded into one nor left out: a resolve that goes missing leaves its alert open for ever, and an alert that
    /// fires and resolves in one line was never open.
    #[must_use]
    pub const fn keeps_state(&self) -> bool {
        match self {
            Self::Pagerduty { .. } | Self::Alertmanager { .. } => true,
            Self::Teams { .. } | Self::Slack { .. } | Self::Chat { .. } | Self::Webhook { .. } | Self::Email(_) => {
                false
            }
        }
    }

    /// Whether a good answer proves that the message arrived where people see it. A Teams workflow answers before it runs, and
    /// a mail server before it passes the message on.
    #[must_use]
    pub const fn answer_proves(&self) -> bool {
        !matches!(self, Self::Teams { .. } | Self::Email(_))
    }
}

/// Where a PagerDuty account lives. Its events go nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PagerdutyRegion {
    /// `events.pagerduty.com`.
    #[default]
    Us,
    /// `events.eu.pagerduty.com`.
    Eu,
}

/// How an Alertmanager, or the proxy before it, knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Not at all.
    Nobody,
    /// HTTP basic authentication.
    Basic {
        /// The user's name, in the open.
        username: String,
        /// The password.
        password: SecretReference,
    },
    /// A bearer token.
    Bearer {
        /// The token.
        token: SecretReference,
    },
}

impl ChannelSettings {
    /// How many lines a digest for this channel has at most: a machine can hold more than a chat shows.
    #[must_use]
    pub const fn digest_lines(&self) -> usize {
        match self.kind {
            ChannelKind::Webhook { .. } if self.template.is_none() => digest::LINES_MAX_OF_MACHINES,
            _ => digest::LINES_MAX,
        }
    }

    /// No wait of this channel is longer: neither by its back-off nor by what its receiver asks for.
    #[must_use]
    pub fn longest_rest(&self) -> Duration {
        self.retry.max.max(status::RETRY_AFTER_MAX).max(self.pace)
    }
}

/// A generic webhook's URL may be written in the open, or be a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookUrl {
    /// Written in the configuration.
    Open(String),
    /// Kept elsewhere.
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

    /// The URL itself.
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
    /// The template failed.
    #[error("template `{template}`: {what}")]
    Template {
        /// Which template.
        template: String,
        /// What happened.
        what: String,
    },
    /// A secret of the channel can't be read.
    #[error(transparent)]
    Secret(#[from] crate::secret::SecretError),
    /// The URL is none that this channel may send to.
    #[error("the channel's URL is refused: {0}")]
    Url(String),
    /// The payload stays above the receiver's limit.
    #[error("the message has {bytes} bytes, above the receiver's limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
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

    /// Says what the receiver's answer, or its absence, means for the delivery. `host` is where the message went, without a port;
    /// `now` reads a `Retry-After` that is a date.
    fn verdict(
        &self,
        answer: &Result<Answer, EgressError>,
        host: Option<&str>,
        now: crate::domain::Timestamp,
    ) -> Verdict;
}

/// Makes a channel's behaviour from its settings.
#[must_use]
pub fn open(settings: &Arc<ChannelSettings>, templates: &Arc<Registry>) -> Box<dyn Channel> {
    let (settings, templates) = (Arc::clone(settings), Arc::clone(templates));
    match &settings.kind {
        ChannelKind::Teams { .. } => Box::new(teams::Teams::new(settings, templates)),
        ChannelKind::Slack { .. } => Box::new(slack::Slack::new(settings, templates)),
        ChannelKind::Chat { .. } => Box::new(chat::Chat::new(settings, templates)),
        ChannelKind::Webhook { .. } => Box::new(webhook::Webhook::new(settings, templates)),
        ChannelKind::Email(_) => Box::new(email::Email::new(settings, templates)),
        ChannelKind::Pagerduty { .. } => Box::new(pagerduty::Pagerduty::new(settings)),
        ChannelKind::Alertmanager { .. } => Box::new(alertmanager::Alertmanager::new(settings)),
    }
}
