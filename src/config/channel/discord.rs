//! The keys of a Discord channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::secret_url};
use crate::{
    channel::{ChannelKind, Discord},
    config::{
        draft::Draft,
        field::Field,
        raw::{ChannelUrl, Own, RawSecret, form, raw},
        scope::Scope,
    },
    egress::Private,
};

raw! {
    /// What such a channel has in addition to the keys of every channel.
    #[schemars(extend("required" = ["url"], "allOf" = form::secret_url()))]
    struct RawDiscord {
        /// The webhook's URL, a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: Discord::WORD,
    has_template: true,
    keys: RawDiscord::KEYS,
    refused: &[],
    asked: &[Asked::url(
        "URL of the Discord webhook",
        "In the settings of the channel, open Integrations > Webhooks, create one, and copy its URL.",
    )],
    schema: RawDiscord::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawDiscord = own.read();
    Some(ChannelKind::Discord(Discord { url: secret_url(raw.url, at, draft)? }))
}
