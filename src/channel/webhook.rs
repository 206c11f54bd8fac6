//! Any receiver of JSON, with the headers of Standard Webhooks 1.0.0, by which it can verify the sender and drop repeats.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, guard, message, signature::SigningKey, status,
};
use crate::{
    domain::{Timestamp, characters},
    egress::{Answer, EgressError, Outgoing},
    notify::Notification,
    secret::{ExposeSecret, SecretString},
    template::{Receiver, Registry},
};

const CONTENT_TYPE: &str = "application/json";

/// Answers by which a receiver refuses how a message is written.
const TEMPLATE_REFUSED: [u16; 4] = [400, 413, 415, 422];

/// A generic webhook.
pub(super) struct Webhook {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Webhook {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }

    /// The notification itself, unless the channel has a template of its own; and if the receiver has rejected what that writes.
    fn body(&self, notification: &Notification, form: Form) -> Result<Bytes, ComposeError> {
        let plain = || {
            let body = serde_json::to_string(notification);
            // The same JSON; a log or a terminal on the way shows nothing else than what is there.
            body.map(|body| Bytes::from(characters::shown_json(&body).into_owned())).map_err(|error| {
                ComposeError::Template { template: Receiver::Webhook.as_str().to_owned(), what: error.to_string() }
            })
        };
        let hides = |name: &String| self.templates.hides(name, notification);
        let template = self.settings.template.as_ref().filter(|name| form == Form::Rich && !hides(name));
        let Some(template) = template else { return plain() };
        match self.templates.render(template, Receiver::Webhook, notification) {
            Ok(body) => Ok(body.into()),
            Err(failure) => {
                let channel = &self.settings.name;
                tracing::warn!(%channel, template, %failure, "template failed; the notification itself is sent");
                plain()
            }
        }
    }
}

impl Channel for Webhook {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Webhook { url, signing_secrets } = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not of type `webhook`".to_owned()));
        };
        let url = url.resolve()?;
        guard::webhook(url.expose_secret(), &self.settings.private)?;
        let keys = signing_secrets.iter().map(SigningKey::resolve).collect::<Result<Vec<_>, _>>()?;
        let body = self.body(notification, form)?;
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

    fn verdict(&self, answer: &Result<Answer, EgressError>, _host: Option<&str>, now: Timestamp) -> Verdict {
        match answer {
            // There is a plainer form only of what an own template writes.
            Ok(answer) if self.settings.template.is_some() => status::plainer(answer, now, &TEMPLATE_REFUSED),
            Ok(answer) => status::verdict(answer, now),
            Err(error) => status::no_answer(error),
        }
    }
}
