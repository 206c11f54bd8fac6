//! The keys of a channel that sends to any receiver of JSON.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::webhook_url};
use crate::{
    channel::{ChannelKind, Webhook, signature::SigningKey},
    config::{
        draft::Draft,
        field::Field,
        raw::{ChannelUrl, OneOrMany, Own, RawSecret, form, raw},
        scope::Scope,
        secrets,
        trial::Form,
    },
    egress::Private,
    secret::SecretReference,
};

raw! {
    /// What such a channel has in addition to the keys of every channel.
    #[schemars(extend("required" = ["url"], "anyOf" = form::encrypted_unless_private()))]
    struct RawWebhook {
        /// Where to send; in the open, or a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
        /// `whsec_` or `whsk_` and base64; a list while it rotates, newest first.
        signing_secret: OneOrMany<RawSecret>,
    }
}

pub(super) const READER: Reader = Reader {
    word: Webhook::WORD,
    has_template: true,
    keys: RawWebhook::KEYS,
    refused: &[],
    asked: &[
        Asked::url(
            "URL of the webhook",
            "Each notification is posted there as JSON, for example to `https://soar.example/hooks/scorewatch`. See \
             docs/reference/webhook.md.",
        ),
        Asked::NETWORK,
    ],
    schema: RawWebhook::json_schema,
    read,
};

/// What a signing secret must be.
const SIGNING_KEY: Form = Form::Key {
    check: |reference| SigningKey::resolve(reference).map(drop),
    instead: "write `whsec_` and base64 of 24 to 64 random bytes, or `whsk_` and base64 of an ed25519 key",
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawWebhook = own.read();
    let signing_secrets = signing(raw.signing_secret, &at.key("signing_secret"), draft);
    Some(ChannelKind::Webhook(Webhook { url: webhook_url(raw.url, at, draft)?, signing_secrets }))
}

fn signing(raw: Field<OneOrMany<RawSecret>>, at: &Scope<'_>, draft: &mut Draft) -> Vec<SecretReference> {
    match draft.take(raw, at) {
        None => Vec::new(),
        Some(OneOrMany::One(secret)) => secrets::reference_to(SIGNING_KEY, *secret, at, draft).into_iter().collect(),
        Some(OneOrMany::Many(secrets)) => {
            let secrets = draft.items(Field::Good(secrets), at);
            let key = |(index, secret)| secrets::reference_to(SIGNING_KEY, secret, &at.item(index), draft);
            secrets.into_iter().filter_map(key).collect()
        }
    }
}
