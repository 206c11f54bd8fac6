//! The keys of an Alertmanager channel.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Reader, url::base_url};
use crate::{
    channel::{Alertmanager, Authorization, ChannelKind},
    config::{
        draft::Draft,
        field::{Field, Word},
        raw::{ChannelUrl, Own, RawSecret, form, raw},
        scope::Scope,
        secrets,
    },
    egress::Private,
};

raw! {
    /// What such a channel has in addition to the keys of every channel.
    #[schemars(extend("required" = ["url"], "anyOf" = form::encrypted_unless_private(), "dependentRequired" = form::name_and_password()))]
    struct RawAlertmanager {
        /// The base URL of the Alertmanager, without `/api/v2`.
        #[schemars(with = "ChannelUrl")]
        url: RawSecret,
        /// The name by which to sign in.
        username: Word,
        /// The password for it.
        password: RawSecret,
        /// Instead of `username` and `password`.
        bearer_token: RawSecret,
    }
}

pub(super) const READER: Reader = Reader {
    word: Alertmanager::WORD,
    has_template: false,
    keys: RawAlertmanager::KEYS,
    refused: &[],
    asked: &[
        Asked::text("url", "Base URL of Alertmanager", "Such as `https://alertmanager.example`, without `/api`."),
        Asked::NETWORK,
    ],
    schema: RawAlertmanager::json_schema,
    read,
};

/// The settings, unless there is an error in them.
fn read(own: &Own, private: &Private, at: &Scope<'_>, draft: &mut Draft) -> Option<ChannelKind> {
    let raw: RawAlertmanager = own.read();
    let here = at.key("url");
    let url = draft.require(raw.url, &here, "https://alertmanager.example");
    let url = url.and_then(|url| base_url(url, private, &here, draft));
    let user = draft.take(raw.username, &at.key("username")).map(|Word(name)| name);
    let user = user.filter(|name| {
        let is_good = !name.is_empty() && !name.contains(':') && !name.contains(char::is_control);
        if !is_good {
            draft.error(&at.key("username"), "this can't be a user's name", "write it without `:`");
        }
        is_good
    });
    let mut secret = |field: Field<RawSecret>, key: &str| {
        let is_written = field.is_written();
        let taken = draft.take(field, &at.key(key));
        (is_written, taken.and_then(|raw| secrets::reference(raw, &at.key(key), draft)))
    };
    let (has_password, password) = secret(raw.password, "password");
    let (has_token, token) = secret(raw.bearer_token, "bearer_token");
    let authorization = match (user, has_password, has_token) {
        (None, false, false) => Some(Authorization::Nobody),
        (None, false, true) => token.map(|token| Authorization::Bearer { token }),
        (Some(username), true, false) => password.map(|password| Authorization::Basic { username, password }),
        _ => {
            let instead = "write `username` and `password`, or `bearer_token`, or none of them";
            draft.error(at, "this is half a way to sign in, or two", instead);
            None
        }
    };
    Some(ChannelKind::Alertmanager(Alertmanager { url: url?, authorization: authorization? }))
}
