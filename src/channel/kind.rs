//! What a kind of channel is. Each kind is one file beside this one, which holds its settings and everything that is particular
//! to its receivers; the list of kinds, `every_kind!`, is the only place that names them all.

use std::fmt;

use bytes::Bytes;

use super::{ComposeError, Form, OpenChannel, Verdict, address::Destination, message};
use crate::{
    domain::{Complaint, Timestamp},
    egress::{Answer, Outgoing, Private},
    notify::{Notification, digest},
    secret::{SecretError, SecretReference, SecretString},
};

/// The settings of a channel that are particular to its kind, and what that kind does with them. Pure: nothing here sends.
pub trait Kind: fmt::Debug + Send + Sync {
    /// Where its messages arrive.
    fn destination(&self) -> Destination<'_>;

    /// What belongs to where messages go in addition to [`Self::destination`]: two channels that differ in it lead to different places.
    ///
    /// # Errors
    /// [`SecretError`] when a secret that says so can't be read.
    fn route(&self) -> Result<Vec<SecretString>, SecretError> {
        Ok(Vec::new())
    }

    /// Its secrets, which are fetched before a message is written.
    fn secrets(&self) -> Vec<&SecretReference> {
        self.destination().secret().into_iter().collect()
    }

    /// Whether the receiver keeps a state per alert, which each message opens, updates or closes. To such a receiver messages may
    /// be neither folded into one nor left out: a resolve that goes missing leaves its alert open for ever, and an alert that
    /// fires and resolves in one line was never open.
    fn keeps_state(&self) -> bool {
        false
    }

    /// The page on which its webhook is managed, where all webhooks of that kind have the same one.
    fn fix_page(&self) -> Option<&'static str> {
        None
    }

    /// Whether a good answer proves that the message arrived where people see it.
    fn answer_proves(&self) -> bool {
        true
    }

    /// Most lines of a digest; `has_template`: by a template of the channel's own.
    fn digest_lines_max(&self, has_template: bool) -> usize {
        let _ = has_template;
        digest::LINES_MAX
    }

    /// Whether a URL is one that it may send to, as far as its text shows.
    ///
    /// # Errors
    /// [`ComposeError::Url`] without the URL.
    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError>;

    /// Whether it answers before it has looked at a message, so that an answer does not show that the message is there.
    fn answers_early(&self) -> bool {
        false
    }

    /// What is probably wrong with a URL that may be sent to.
    fn doubt(&self, _url: &str) -> Option<Complaint> {
        None
    }

    /// Writes the request that says `notification`; see [`super::Channel::compose`].
    ///
    /// # Errors
    /// [`ComposeError`] when the template fails, a secret can't be read or the payload stays above the receiver's limit.
    fn compose(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError>;

    /// Writes the body of that request alone, for which no secret is needed; see [`super::Channel::body`].
    ///
    /// # Errors
    /// [`ComposeError`] when the template fails or the payload stays above the receiver's limit.
    fn body(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        attempt_at: Timestamp,
    ) -> Result<Bytes, ComposeError> {
        let _ = attempt_at;
        let dialect = channel.settings.kind.dialect();
        dialect.map_or(Ok(Bytes::new()), |dialect| message::body(channel, dialect, notification, Form::Rich))
    }

    /// Says what the receiver's answer means for the delivery. `host` is where the message went, without a port; `now` reads a
    /// `Retry-After` that is a date.
    fn verdict(&self, channel: &OpenChannel, answer: &Answer, host: Option<&str>, now: Timestamp) -> Verdict;
}

/// Declares the enumeration of all kinds, and what can be asked of each without knowing which it is.
macro_rules! declare_kinds {
    ($($kind:ident: $module:ident,)*) => {
        /// Of what kind a channel is, with that kind's settings.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ChannelKind {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] $kind($kind),)*
        }

        impl ChannelKind {
            /// The words under `type:`, in the order in which they are listed to people.
            pub const WORDS: &'static [&'static str] = &[$($kind::WORD),*];

            /// The word under `type:`, which is also the built-in template's name.
            #[must_use]
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $kind::WORD,)*
                }
            }

            /// How its receiver is written to; `None`: it is sent fields, no text.
            #[must_use]
            pub const fn dialect(&self) -> Option<&'static Dialect> {
                match self {
                    $(Self::$kind(_) => $kind::DIALECT,)*
                }
            }

            /// The settings of the channel of this kind.
            #[must_use]
            pub const fn settings(&self) -> &dyn Kind {
                match self {
                    $(Self::$kind(settings) => settings,)*
                }
            }
        }

        /// How each kind of receiver is written to that is sent text.
        #[must_use]
        pub fn dialects() -> Vec<&'static Dialect> {
            [$($kind::DIALECT),*].into_iter().flatten().collect()
        }

        /// The services whose addresses are known by their hosts.
        fn origins() -> impl Iterator<Item = (&'static str, &'static Origin)> {
            [$(($kind::WORD, $kind::ORIGIN)),*].into_iter().filter_map(|(word, origin)| Some((word, origin?)))
        }
    };
}
pub(super) use declare_kinds;
