//! The keys of a Mattermost channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::secret_url};
use crate::{
    channel::{ChannelKind, Mattermost},
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
    struct RawMattermost {
        /// The webhook's URL, a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: Mattermost::WORD,
    has_template: true,
    keys: RawMattermost::KEYS,
    refused: &[],
    asked: &[
        Asked::url(
            "URL of the Mattermost webhook",
            "In Mattermost, open Integrations > Incoming Webhooks, add one, and copy its URL.",
        ),
        Asked::NETWORK,
    ],
    schema: RawMattermost::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawMattermost = own.read();
    Some(ChannelKind::Mattermost(Mattermost { url: secret_url(raw.url, at, draft)? }))
}
