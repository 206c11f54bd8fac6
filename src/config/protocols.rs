//! The keys of channels that speak a protocol of their own, `pagerduty` and `alertmanager`: written → meant.

use secrecy::ExposeSecret;

use super::{
    channels::Kind,
    field::{Field, Word},
    raw::RawSecret,
    scope::{Problems, Scope},
    secrets,
    trial::Form,
    words::one_of,
};
use crate::{
    channel::{Authorization, ChannelKind, PagerdutyRegion, WebhookUrl, guard},
    egress::Private,
};

/// The keys, as written.
pub(super) struct ProtocolKeys {
    pub(super) routing_key: Field<RawSecret>,
    pub(super) region: Field<Word>,
    pub(super) username: Field<Word>,
    pub(super) password: Field<RawSecret>,
    pub(super) bearer_token: Field<RawSecret>,
    /// The name of a template was written, which these have none of.
    pub(super) template: bool,
}

impl ProtocolKeys {
    /// Complains of each that does not belong to this kind of channel.
    pub(super) fn misplaced(&self, kind: Kind, at: &Scope<'_>, problems: &mut Problems) {
        let (pagerduty, alertmanager) = (matches!(kind, Kind::Pagerduty), matches!(kind, Kind::Alertmanager));
        for (key, is_written, belongs, owner) in [
            ("routing_key", self.routing_key.is_written(), pagerduty, "pagerduty"),
            ("region", self.region.is_written(), pagerduty, "pagerduty"),
            ("username", self.username.is_written(), alertmanager, "alertmanager"),
            ("password", self.password.is_written(), alertmanager, "alertmanager"),
            ("bearer_token", self.bearer_token.is_written(), alertmanager, "alertmanager"),
        ] {
            if is_written && !belongs {
                problems.error(
                    &at.key(key),
                    format!("only a channel of type `{owner}` has it"),
                    format!("delete `{key}`"),
                );
            }
        }
        if self.template && (pagerduty || alertmanager) {
            problems.error(&at.key("template"), "this type of channel sends fields, no text", "delete `template`");
        }
    }

    /// What `type: pagerduty` means.
    pub(super) fn pagerduty(
        self,
        url: Field<RawSecret>,
        private: &Private,
        at: &Scope<'_>,
        problems: &mut Problems,
    ) -> Option<ChannelKind> {
        let here = at.key("routing_key");
        let key = problems.require(self.routing_key, &here, "{ file: secrets/pagerduty }");
        let key = key.and_then(|key| secrets::reference_to(Form::RoutingKey, key, &here, problems));
        let regions = [("us", PagerdutyRegion::Us), ("eu", PagerdutyRegion::Eu)];
        let region = one_of(self.region, &at.key("region"), &regions, problems).unwrap_or_default();
        if url.is_written() && *private == Private::Refused {
            let instead = "delete `url`, or write `region: eu`; a receiver inside needs `allow_private`";
            problems.error(&at.key("url"), "a `pagerduty` is sent to PagerDuty's own host", instead);
        }
        let is_written = url.is_written();
        let url = problems.take(url, &at.key("url")).and_then(|url| base(url, private, &at.key("url"), problems));
        (url.is_some() || !is_written).then_some(ChannelKind::Pagerduty { routing_key: key?, region, url })
    }

    /// What `type: alertmanager` means.
    pub(super) fn alertmanager(
        self,
        url: Field<RawSecret>,
        private: &Private,
        at: &Scope<'_>,
        problems: &mut Problems,
    ) -> Option<ChannelKind> {
        let here = at.key("url");
        let url = problems.require(url, &here, "https://alertmanager.example");
        let url = url.and_then(|url| base(url, private, &here, problems));
        let user = problems.take(self.username, &at.key("username")).map(|Word(name)| name);
        let user = user.filter(|name| {
            let is_good = !name.is_empty() && !name.contains(':') && !name.contains(char::is_control);
            if !is_good {
                problems.error(&at.key("username"), "this can't be a user's name", "write it without `:`");
            }
            is_good
        });
        let mut secret = |field: Field<RawSecret>, key: &str| {
            let is_written = field.is_written();
            let taken = problems.take(field, &at.key(key));
            (is_written, taken.and_then(|raw| secrets::reference(raw, &at.key(key), problems)))
        };
        let (has_password, password) = secret(self.password, "password");
        let (has_token, token) = secret(self.bearer_token, "bearer_token");
        let authorization = match (user, has_password, has_token) {
            (None, false, false) => Some(Authorization::Nobody),
            (None, false, true) => token.map(|token| Authorization::Bearer { token }),
            (Some(username), true, false) => password.map(|password| Authorization::Basic { username, password }),
            _ => {
                let instead = "write `username` and `password`, or `bearer_token`, or none of them";
                problems.error(at, "this is half a way to sign in, or two", instead);
                None
            }
        };
        Some(ChannelKind::Alertmanager { url: url?, authorization: authorization? })
    }
}

/// A base URL; one in the open is checked at once.
fn base(raw: RawSecret, private: &Private, at: &Scope<'_>, problems: &mut Problems) -> Option<WebhookUrl> {
    let RawSecret::Address(url) = raw else {
        return Some(WebhookUrl::Secret(secrets::reference(raw, at, problems)?));
    };
    if let Err(error) = guard::base(url.expose_secret(), private) {
        problems.error(at, error.to_string(), "write the base URL; `allow_private` lets it be inside");
        return None;
    }
    Some(WebhookUrl::Open(url.expose_secret().to_owned()))
}
