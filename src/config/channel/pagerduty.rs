//! The keys of a PagerDuty channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Asked, Reader, url::base_url};
use crate::{
    channel::{ChannelKind, Pagerduty, PagerdutyRegion, check_routing_key},
    config::{
        draft::Draft,
        field::{Field, Word},
        raw::{ChannelUrl, Own, RawSecret, form, raw},
        scope::Scope,
        secrets,
        trial::Form,
        words::one_of,
    },
    egress::Private,
};

raw! {
    /// What such a channel has in addition to the keys of every channel.
    #[schemars(extend("required" = ["routing_key"], "anyOf" = form::private_url()))]
    struct RawPagerduty {
        /// Another base URL than PagerDuty's own, for a receiver inside.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
        /// The integration key of the service, as a reference.
        routing_key: RawSecret,
        /// The account's service region: `us` or `eu`.
        #[schemars(with = "RegionName")]
        region: Word,
    }
}

form::forms! {
    RegionName: form::words(&PagerdutyRegion::ALL.map(|(name, _)| name));
}

pub(super) const READER: Reader = Reader {
    word: Pagerduty::WORD,
    has_template: false,
    keys: RawPagerduty::KEYS,
    refused: &[],
    asked: &[Asked {
        answer: Answer::Secret,
        ..Asked::text(
            "routing_key",
            "Integration key",
            "In PagerDuty, add the integration \"Events API v2\" to a service, and copy its integration key.",
        )
    }],
    schema: RawPagerduty::json_schema,
    read,
};

/// What an integration key must be.
const ROUTING_KEY: Form = Form::Key {
    check: |reference| check_routing_key(reference).map(drop),
    instead: "copy the *Integration Key* of an Events API v2 integration",
};

/// The settings, unless there is an error in them.
fn read(own: &Own, private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawPagerduty = own.read();
    let here = at.key("routing_key");
    let key = draft.require(raw.routing_key, &here, "{ file: secrets/pagerduty }");
    let key = key.and_then(|key| secrets::reference_to(ROUTING_KEY, key, &here, draft));
    let region = one_of(raw.region, &at.key("region"), &PagerdutyRegion::ALL, draft).unwrap_or_default();
    if raw.url.is_written() && *private == Private::Refused {
        let instead = "delete `url`, or write `region: eu`; a receiver inside needs `allow_private`";
        draft.error(&at.key("url"), "a `pagerduty` is sent to PagerDuty's own host", instead);
    }
    let is_written = raw.url.is_written();
    let url = draft.take(raw.url, &at.key("url")).and_then(|url| base_url(url, private, &at.key("url"), draft));
    (url.is_some() || !is_written).then_some(ChannelKind::Pagerduty(Pagerduty { routing_key: key?, region, url }))
}
