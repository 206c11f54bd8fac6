//! Any receiver of JSON, with the headers of Standard Webhooks 1.0.0, by which it can verify the sender and drop repeats.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, WebhookUrl, guard, message, status};
use crate::{
    domain::Timestamp,
    egress::{Answer, EgressError, Outgoing},
    notify::Notification,
    secret::{ExposeSecret, SecretError, SecretReference, SecretString},
    template::{Receiver, Registry},
};

const CONTENT_TYPE: &str = "application/json";
/// What a signing secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// Length of a signing key, in bytes ("Standard Webhooks", section on symmetric signatures).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A generic webhook.
pub(super) struct Webhook {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Webhook {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }

    /// The notification itself, unless the channel has a template of its own.
    fn body(&self, notification: &Notification) -> Result<Bytes, ComposeError> {
        let plain = || {
            let body = serde_json::to_vec(notification);
            body.map(Bytes::from).map_err(|error| ComposeError::Template {
                template: Receiver::Webhook.as_str().to_owned(),
                what: error.to_string(),
            })
        };
        let Some(template) = &self.settings.template else { return plain() };
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
        _form: Form,
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Webhook { url, signing_secrets } = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not of type `webhook`".to_owned()));
        };
        let url = match url {
            WebhookUrl::Open(url) => SecretString::from(url.as_str()),
            WebhookUrl::Secret(reference) => reference.resolve()?,
        };
        guard::webhook(url.expose_secret(), &self.settings.private)?;
        let keys = signing_secrets.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let body = self.body(notification)?;
        let id = notification.data.notification.id.as_str();
        let timestamp = attempt_at.as_seconds().to_string();
        let signatures: Vec<String> = keys.iter().filter_map(|key| sign(key, id, &timestamp, &body)).collect();
        let mut request = message::post(url, CONTENT_TYPE, body);
        request.headers.push(("webhook-id", SecretString::from(id)));
        request.headers.push(("webhook-timestamp", SecretString::from(timestamp)));
        if !signatures.is_empty() {
            request.headers.push(("webhook-signature", SecretString::from(signatures.join(" "))));
        }
        Ok(request.into())
    }

    fn verdict(&self, answer: &Result<Answer, EgressError>, now: Timestamp) -> Verdict {
        match answer {
            Ok(answer) => status::verdict(answer, now),
            Err(error) => status::no_answer(error),
        }
    }
}

/// Reads a signing key.
fn key(reference: &SecretReference) -> Result<Vec<u8>, ComposeError> {
    let secret = reference.resolve()?;
    parse_key(secret.expose_secret()).map_err(|what| {
        let place = match reference {
            SecretReference::Env(name) => format!("environment variable {name}"),
            SecretReference::File(path) => format!("file {}", path.display()),
            SecretReference::Credential(name) => format!("credential {name}"),
        };
        ComposeError::Secret(SecretError { place, what: what.to_owned() })
    })
}

fn parse_key(secret: &str) -> Result<Vec<u8>, &'static str> {
    let encoded = secret.strip_prefix(SECRET_PREFIX).ok_or("does not begin with `whsec_`")?;
    let key = STANDARD.decode(encoded).map_err(|_| "is not base64 after `whsec_`")?;
    if KEY_BYTES.contains(&key.len()) { Ok(key) } else { Err("is no key of 24 to 64 bytes") }
}

/// One signature: `v1,` and the base64 of the HMAC over id, timestamp and body.
fn sign(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standards_own_example() {
        let key = parse_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn keys_are_checked() {
        assert!(parse_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_err());
        assert!(parse_key("whsec_not base64").is_err());
        assert!(parse_key("whsec_AAAA").is_err());
        assert!(parse_key(&format!("whsec_{}", STANDARD.encode([7; 65]))).is_err());
        assert_eq!(parse_key(&format!("whsec_{}", STANDARD.encode([7; 64]))), Ok(vec![7; 64]));
    }
}
