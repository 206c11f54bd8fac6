//! Mail: text and HTML, handed in to a server of ours (RFC 5321, RFC 5322).
//!
//! The server's agreement after the message itself means that it took it, and nothing before does. Every message has an id of
//! its own, the same in every attempt; what is said later of an alert refers to the message that said that it fired.

use std::{sync::Arc, time::SystemTime};

use lettre::{
    Message,
    message::{
        Mailbox, MessageBuilder, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use super::{Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, message, status};
use crate::{
    domain::Timestamp,
    egress::{
        Answer, EgressError, Mail, MailServer, Outgoing,
        mail::{SignIn, Step},
    },
    notify::Notification,
    secret::SecretReference,
    template::{Letter, Receiver, Registry},
};

/// Largest message, in bytes: a tenth of what the strictest common server takes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Replies of Exchange Online to the message that are about the sender ("Fix issues with printers, scanners, and LOB
/// applications that send email"): may not send as this address, is not signed in.
const SENDER_REFUSED: [&str; 3] = ["5.2.252", "5.7.57", "5.7.60"];
/// Replies by which a server wants another sign-in, at whatever step (RFC 4954, section 6): needed, too weak, wrong, unencrypted.
const SIGN_IN_WANTED: [u16; 4] = [530, 534, 535, 538];

/// Who writes to whom, by which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// The server that takes our mail.
    pub server: MailServer,
    /// From whom it is.
    pub from: Mailbox,
    /// Who gets it; never empty.
    pub to: Vec<Mailbox>,
    /// The name and the password by which we sign in.
    pub sign_in: Option<(String, SecretReference)>,
}

/// A channel that sends mail.
pub(super) struct Email {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Email {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }
}

impl Channel for Email {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Email(email) = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not of type `email`".to_owned()));
        };
        email.server.vet(&self.settings.private).map_err(|refused| ComposeError::Url(refused.to_string()))?;
        let sign_in = match &email.sign_in {
            Some((username, password)) => Some(SignIn { username: username.clone(), password: password.resolve()? }),
            None => None,
        };
        let body = message::body(&self.settings, &self.templates, Receiver::Email, notification, form)?;
        let letter: Letter = serde_json::from_slice(&body).map_err(|error| unwritable(&error))?;
        let content = write(email, letter, notification, attempt_at)?;
        if content.len() > MESSAGE_BYTES_MAX {
            return Err(ComposeError::TooLarge { bytes: content.len(), limit: MESSAGE_BYTES_MAX });
        }
        let to = email.to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let from = email.from.email.clone();
        Ok(Mail { server: email.server.clone(), sign_in, from, to, content: content.into() }.into())
    }

    fn verdict(&self, answer: &Result<Answer, EgressError>, _host: Option<&str>, _now: Timestamp) -> Verdict {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return status::no_answer(error),
        };
        if let (200..=299, Some(Step::Content { refused: refused @ 1.. })) = (answer.status, answer.step) {
            let channel = &self.settings.name;
            tracing::warn!(%channel, refused, "the mail server refused recipients; the others were sent the message");
        }
        judge(answer)
    }
}

fn unwritable(error: &dyn std::error::Error) -> ComposeError {
    ComposeError::Template { template: Receiver::Email.as_str().to_owned(), what: error.to_string() }
}

/// Writes the message with its headers.
fn write(email: &EmailSettings, letter: Letter, said: &Notification, at: Timestamp) -> Result<Vec<u8>, ComposeError> {
    let id = said.data.notification.id.as_str();
    let (own, thread) = identities(said, email.from.email.domain());
    let mut builder = Message::builder()
        .from(email.from.clone())
        .subject(letter.subject)
        .date(SystemTime::from(at.to_chrono()))
        .message_id(Some(own));
    for mailbox in &email.to {
        builder = builder.to(mailbox.clone());
    }
    if let Some(thread) = thread {
        builder = builder.in_reply_to(thread.clone()).references(thread);
    }
    builder = header(builder, "X-Scorewatch-Id", id);
    // Nobody's holiday note shall answer (RFC 3834, section 5; the second is what Exchange reads).
    builder = header(builder, "Auto-Submitted", "auto-generated");
    builder = header(builder, "X-Auto-Response-Suppress", "All");
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.text);
    let written = match letter.html {
        Some(html) => {
            let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html);
            // The boundary is derived, so that every attempt writes the same message.
            let parts = MultiPart::alternative().boundary(format!("=_{id}"));
            builder.multipart(parts.singlepart(text).singlepart(html))
        }
        None => builder.singlepart(text),
    };
    written.map(|message| message.formatted()).map_err(|error| unwritable(&error))
}

fn header(builder: MessageBuilder, name: &'static str, value: &str) -> MessageBuilder {
    builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()))
}

/// The message's own id, and that of the message that began its thread. An alert's first message is called after the alert and
/// the time at which it began, which everything that is said of it later knows too; every other after its notification.
fn identities(said: &Notification, domain: &str) -> (String, Option<String>) {
    let own = format!("<{}@{domain}>", said.data.notification.id);
    let Some(alert) = &said.data.alert else { return (own, None) };
    let first = format!("<{}.{}@{domain}>", alert.id, alert.started_at.as_seconds());
    if said.data.notification.sequence == 1 { (first, None) } else { (own, Some(first)) }
}

/// What a reply means. A refusal of what is the same in every message parks the channel: the server, the sign-in, the sender,
/// every recipient. A refusal of the message itself concerns that message.
fn judge(answer: &Answer) -> Verdict {
    let code = answer.status;
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    let detail = enhanced(code, text);
    let shown = detail.map(|detail| format!(" {detail}")).unwrap_or_default();
    let to_what = match answer.step {
        Some(Step::Hello) | None => "the greeting",
        Some(Step::StartTls) => "STARTTLS",
        Some(Step::SignIn) => "the sign-in",
        Some(Step::Sender) => "the sender",
        Some(Step::Recipient) if code < 500 => "a recipient",
        Some(Step::Recipient) => "every recipient",
        Some(Step::Content { .. }) => "the message",
    };
    let reason = format!("the mail server answered {code}{shown} to {to_what}");
    let about_message = matches!(answer.step, Some(Step::Content { .. }));
    match code {
        200..=299 if about_message => Verdict::Delivered,
        500..=599 if SIGN_IN_WANTED.contains(&code) => Verdict::Parked { reason },
        500..=599 if about_message && !detail.is_some_and(|detail| SENDER_REFUSED.contains(&detail)) => {
            Verdict::Rejected { reason }
        }
        500..=599 => Verdict::Parked { reason },
        _ => Verdict::Retry { reason, after: None },
    }
}

/// The enhanced code that the text begins with, `5.1.1`, if it is one (RFC 3463). Nothing else of the text is repeated: it may
/// hold anything.
fn enhanced(code: u16, text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let class = parts.next()?;
    let is_short = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = class == (code / 100).to_string() && parts.next().is_some_and(is_short);
    (fits && parts.next().is_some_and(is_short) && parts.next().is_none()).then_some(word)
}

#[cfg(test)]
mod tests;
