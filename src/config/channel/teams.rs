//! The keys of a Teams channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::secret_url};
use crate::{
    channel::{ChannelKind, Teams},
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
    struct RawTeams {
        /// The webhook's URL, a secret.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: Teams::WORD,
    has_template: true,
    keys: RawTeams::KEYS,
    refused: &[],
    asked: &[Asked::url(
        "URL of the Teams workflow",
        "In the app Workflows, create a flow from the template \"Post to a channel when a webhook request is received\", and copy its whole URL.",
    )],
    schema: RawTeams::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, _private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawTeams = own.read();
    Some(ChannelKind::Teams(Teams { url: secret_url(raw.url, at, draft)? }))
}
