//! The keys of a Google Chat channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::secret_url};
use crate::{
    channel::{ChannelKind, GoogleChat},
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
    struct RawGoogleChat {
        /// The webhook's URL, a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: GoogleChat::WORD,
    has_template: true,
    keys: RawGoogleChat::KEYS,
    refused: &[],
    asked: &[Asked::url(
        "URL of the Google Chat webhook",
        "In the settings of the space, open \"Apps & integrations\", add a webhook, and copy its URL.",
    )],
    schema: RawGoogleChat::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawGoogleChat = own.read();
    Some(ChannelKind::GoogleChat(GoogleChat { url: secret_url(raw.url, at, draft)? }))
}
