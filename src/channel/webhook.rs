//! Any receiver of JSON, with the headers of Standard Webhooks 1.0.0, by which it can verify the sender and drop repeats.

use bytes::Bytes;

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict, WebhookUrl,
    address::{Destination, Origin},
    guard, message,
    signature::SigningKey,
    status,
};
use crate::{
    domain::{Timestamp, characters},
    egress::{Answer, Outgoing, Private},
    notify::{Notification, digest},
    secret::{ExposeSecret, SecretReference, SecretString},
    template::{Dialect, Refusal, payload, text},
};

const CONTENT_TYPE: &str = "application/json";

/// Answers by which a receiver refuses how a message is written.
const TEMPLATE_REFUSED: [u16; 4] = [400, 413, 415, 422];

/// Any receiver of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL that messages are posted to.
    pub url: WebhookUrl,
    /// Signing secrets, newest first; `whsec_` or `whsk_` and base64.
    pub signing_secrets: Vec<SecretReference>,
}

/// Any JSON document, with no form of its own.
pub(super) static DIALECT: Dialect = Dialect {
    name: Webhook::WORD,
    templates: &[("webhook", include_str!("../../templates/webhook.hbs"))],
    escape: text::json_inside,
    has_month_page: false,
    finish,
    plain: None,
    looks_like: None,
};

impl Webhook {
    pub(crate) const WORD: &'static str = "webhook";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> = None;
}

impl Kind for Webhook {
    fn destination(&self) -> Destination<'_> {
        Destination::Url(&self.url)
    }

    fn secrets(&self) -> Vec<&SecretReference> {
        self.url.secret().into_iter().chain(&self.signing_secrets).collect()
    }

    /// A machine can hold more than a chat shows.
    fn digest_lines_max(&self, has_template: bool) -> usize {
        if has_template { digest::LINES_MAX } else { digest::LINES_MAX_OF_MACHINES }
    }

    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError> {
        guard::webhook(url, private)
    }

    fn compose(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let url = self.url.resolve()?;
        guard::webhook(url.expose_secret(), &channel.settings.private)?;
        let keys = self.signing_secrets.iter().map(SigningKey::resolve).collect::<Result<Vec<_>, _>>()?;
        let body = body(channel, notification, form)?;
        let id = notification.data.notification.id.as_str();
        let timestamp = attempt_at.as_seconds().to_string();
        let signatures: Vec<String> = keys.iter().filter_map(|key| key.sign(id, &timestamp, &body)).collect();
        let mut headers =
            vec![("webhook-id", SecretString::from(id)), ("webhook-timestamp", SecretString::from(timestamp))];
        if !signatures.is_empty() {
            headers.push(("webhook-signature", SecretString::from(signatures.join(" "))));
        }
        Ok(message::post_with(url, CONTENT_TYPE, body, headers).into())
    }

    fn body(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        _attempt_at: Timestamp,
    ) -> Result<Bytes, ComposeError> {
        body(channel, notification, Form::Rich)
    }

    fn verdict(&self, channel: &OpenChannel, answer: &Answer, _host: Option<&str>, now: Timestamp) -> Verdict {
        // There is a plainer form only of what an own template writes.
        if channel.settings.template.is_some() {
            status::plainer(answer, now, &TEMPLATE_REFUSED)
        } else {
            status::verdict(answer, now)
        }
    }
}

/// The notification itself, unless the channel has a template of its own; and if the receiver has rejected what that writes.
fn body(channel: &OpenChannel, notification: &Notification, form: Form) -> Result<Bytes, ComposeError> {
    let plain = || {
        let body = serde_json::to_string(notification);
        // The same JSON; a log or a terminal on the way shows nothing else than what is there.
        body.map(|body| Bytes::from(characters::shown_json(&body).into_owned()))
            .map_err(|error| ComposeError::Template { template: Webhook::WORD.to_owned(), what: error.to_string() })
    };
    let hides = |name: &String| channel.templates.hides(name, notification);
    let template = channel.settings.template.as_ref().filter(|name| form == Form::Rich && !hides(name));
    let Some(template) = template else { return plain() };
    match channel.templates.render(template, &DIALECT, notification, &channel.settings.locale) {
        Ok(body) => Ok(body.into()),
        Err(failure) => {
            let channel = &channel.settings.name;
            tracing::warn!(%channel, template, %failure, "template failed; the notification itself is sent");
            plain()
        }
    }
}

/// A template's output as it is, if it is JSON.
fn finish(output: &str) -> Result<Vec<u8>, Refusal> {
    payload::parsed(output)?;
    Ok(output.trim().as_bytes().to_vec())
}
