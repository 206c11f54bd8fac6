//! The keys of a Slack channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::secret_url};
use crate::{
    channel::{ChannelKind, Slack},
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
    struct RawSlack {
        /// The webhook's URL, a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: Slack::WORD,
    has_template: true,
    keys: RawSlack::KEYS,
    refused: &[],
    asked: &[Asked::url(
        "URL of the Slack webhook",
        "In your Slack app, open \"Incoming Webhooks\", add one for the channel, and copy its URL.",
    )],
    schema: RawSlack::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawSlack = own.read();
    Some(ChannelKind::Slack(Slack { url: secret_url(raw.url, at, draft)? }))
}
