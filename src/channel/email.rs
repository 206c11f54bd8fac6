//! Mail: text and HTML, handed in to a server of ours (RFC 5321, RFC 5322).
//!
//! The server's agreement after the message itself means that it took it, and nothing before does. Every message has an id of
//! its own, the same in every attempt; what is said later of an alert refers to the message that said that it fired.
//!
//! A template writes a line `Subject: …`, then the text, then the HTML from the line `<!doctype html>` on. Values are escaped by
//! where they stand: one line without control characters in the subject, as they are in the text, by entities in the HTML. A web
//! address in a value is shown, but not as one that mail programs make a link of, unless the template puts it where a link belongs:
//! between `<` and `>` in the text, into `href="…"` in the HTML.

use std::time::SystemTime;

use lettre::{
    Message,
    message::{
        Mailbox, MessageBuilder, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::{Destination, Origin},
    message,
};
use crate::{
    domain::{Complaint, Timestamp},
    egress::{
        Answer, Mail, MailServer, Outgoing, Private,
        mail::{SignIn, Step},
    },
    notify::Notification,
    secret::SecretReference,
    template::{
        Dialect, PLAIN_CHARACTERS_MAX, Plain, Refusal,
        payload::{link, marked_lines},
        text::{INVISIBLE, Part, mark, marked_line, parts, tame, unmarked},
    },
};

/// Largest message, in bytes: a tenth of what the strictest common server takes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Replies of Exchange Online to the message that are about the sender ("Fix issues with printers, scanners, and LOB
/// applications that send email"): may not send as this address, is not signed in.
const SENDER_REFUSED: [&str; 3] = ["5.2.252", "5.7.57", "5.7.60"];
/// Replies by which a server wants another sign-in, at whatever step (RFC 4954, section 6): needed, too weak, wrong, unencrypted.
const SIGN_IN_REQUIRED: [u16; 4] = [530, 534, 535, 538];

/// Longest subject, in characters; mail programs show fewer.
const SUBJECT_CHARACTERS_MAX: usize = 150;
/// What the subject's line begins with.
const SUBJECT: &str = "Subject:";
/// What the HTML begins with, in lower case.
const DOCTYPE: &str = "<!doctype html";

/// Mail, handed in to a server: who writes to whom, by which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The server that takes our mail.
    pub server: MailServer,
    /// From whom it is.
    pub from: Mailbox,
    /// Who gets it; never empty.
    pub to: Vec<Mailbox>,
    /// The name and the password by which we sign in.
    pub sign_in: Option<(String, SecretReference)>,
}

impl Email {
    pub(crate) const WORD: &'static str = "email";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> = None;
}

/// Subject, text and HTML of a mail. The one kind whose template writes no JSON.
pub static DIALECT: Dialect = Dialect {
    name: Email::WORD,
    templates: &[("email", include_str!("../../templates/email.hbs"))],
    escape: marked_line,
    has_month_page: true,
    finish,
    plain: Some(Plain {
        characters_max: PLAIN_CHARACTERS_MAX,
        bytes_max: usize::MAX,
        write: |lines| {
            let subject = lines.first().map(String::as_str).unwrap_or_default();
            finish(&format!("Subject: {}\n\n{}\n", mark(subject), marked_lines(lines)))
        },
    }),
    looks_like: Some(|text| text.trim_start().starts_with(SUBJECT)),
};

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The subject, one line.
    pub subject: String,
    /// The plain-text part of the mail.
    pub text: String,
    /// The same as HTML; `None` if the template writes none.
    pub html: Option<String>,
}

impl Kind for Email {
    fn destination(&self) -> Destination<'_> {
        Destination::Mailboxes(&self.to)
    }

    fn secrets(&self) -> Vec<&SecretReference> {
        self.sign_in.iter().map(|(_, password)| password).collect()
    }

    /// A mail server answers before it passes the message on.
    fn answer_proves(&self) -> bool {
        false
    }

    /// There is no URL; the server is vetted whenever a message is written.
    fn vet(&self, _url: &str, _private: &Private) -> Result<(), ComposeError> {
        Ok(())
    }

    fn compose(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        self.server.vet(&channel.settings.private).map_err(|refused| {
            ComposeError::Url(Complaint::new(refused.to_string(), "check `server` and `allow_private`"))
        })?;
        let sign_in = match &self.sign_in {
            Some((username, password)) => Some(SignIn { username: username.clone(), password: password.resolve()? }),
            None => None,
        };
        let body = message::body(channel, &DIALECT, notification, form)?;
        let letter: Letter = serde_json::from_slice(&body).map_err(|error| unwritable(&error))?;
        let content = write(self, letter, notification, attempt_at)?;
        if content.len() > MESSAGE_BYTES_MAX {
            return Err(ComposeError::TooLarge { bytes: content.len(), limit: MESSAGE_BYTES_MAX });
        }
        let to = self.to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let from = self.from.email.clone();
        Ok(Mail { server: self.server.clone(), sign_in, from, to, content: content.into() }.into())
    }

    fn verdict(&self, channel: &OpenChannel, answer: &Answer, _host: Option<&str>, _now: Timestamp) -> Verdict {
        if let (200..=299, Some(Step::Content { refused: refused @ 1.. })) = (answer.status, answer.step) {
            let channel = &channel.settings.name;
            tracing::warn!(%channel, refused, "the mail server refused recipients; the others were sent the message");
        }
        judge(answer)
    }
}

fn unwritable(error: &dyn std::error::Error) -> ComposeError {
    ComposeError::Template { template: Email::WORD.to_owned(), what: error.to_string() }
}

/// Writes the message with its headers.
fn write(email: &Email, letter: Letter, said: &Notification, at: Timestamp) -> Result<Vec<u8>, ComposeError> {
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
        500..=599 if SIGN_IN_REQUIRED.contains(&code) => Verdict::Parked { reason },
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

/// The body that is handed on to [`Email::compose`]: a [`Letter`] as JSON.
fn finish(output: &str) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(&letter(output)?).map_err(|error| Refusal::Invalid(error.to_string()))
}

/// Takes the output apart and escapes the values in it.
fn letter(output: &str) -> Result<Letter, Refusal> {
    let output = output.trim_start();
    let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
    let Some(subject) = first.strip_prefix(SUBJECT) else {
        return Refusal::invalid("the first line must be `Subject: …`");
    };
    let subject = tame(unmarked(subject).trim(), SUBJECT_CHARACTERS_MAX);
    if subject.is_empty() {
        return Refusal::invalid("the subject must not be empty");
    }
    let (text, html) = rest.split_at(html_at(rest).unwrap_or(rest.len()));
    let text = lines(&written(text, Side::Text)?);
    if text.is_empty() {
        return Refusal::invalid("there must be a text between the subject and the HTML");
    }
    let html = if html.is_empty() { None } else { Some(written(html, Side::Html)?) };
    Ok(Letter { subject, text, html })
}

/// Where the HTML begins: at a line of the template's author, as a value's line begins with a mark.
fn html_at(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.get(..DOCTYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE)) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// What a template writes a mail's content as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Text,
    Html,
}

/// Writes the author's text as it is, and the values by where they stand.
fn written(text: &str, side: Side) -> Result<String, Refusal> {
    let mut output = String::with_capacity(text.len());
    let mut before = "";
    for part in parts(text) {
        let value = match part {
            Part::Own(own) => {
                output.push_str(own);
                before = own;
                continue;
            }
            Part::Value(value) => value,
        };
        let is_link = match side {
            Side::Text => before.ends_with('<'),
            Side::Html => before.ends_with("href=\"") || before.ends_with("src=\""),
        };
        before = "";
        let value = if is_link { linked(value)? } else { unlinked(value) };
        match side {
            Side::Text => output.push_str(&value),
            Side::Html => value.chars().for_each(|letter| push_escaped(&mut output, letter)),
        }
    }
    Ok(output)
}

/// A link that ends where it should.
fn linked(url: &str) -> Result<String, Refusal> {
    let mut url = url.to_owned();
    link(&mut url)?;
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '\'');
    if url.contains(ends) { Refusal::invalid("a link holds what could end it") } else { Ok(url) }
}

/// Breaks what mail programs take for a web address.
fn unlinked(value: &str) -> String {
    let broken = value.replace("://", &format!(":{INVISIBLE}//"));
    let mut unlinked = String::with_capacity(broken.len());
    let mut rest = broken.as_str();
    while let Some(at) = rest.to_ascii_lowercase().find("www.") {
        unlinked.push_str(&rest[..at + 3]);
        unlinked.push(INVISIBLE);
        rest = &rest[at + 3..];
    }
    unlinked + rest
}

fn push_escaped(output: &mut String, letter: char) {
    match letter {
        '&' => output.push_str("&amp;"),
        '<' => output.push_str("&lt;"),
        '>' => output.push_str("&gt;"),
        '"' => output.push_str("&quot;"),
        '\'' => output.push_str("&#39;"),
        _ => output.push(letter),
    }
}

/// Lines without blanks at their ends, and no two empty ones in a row.
fn lines(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
