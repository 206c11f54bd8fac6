//! Channels: written → meant.

use std::{collections::BTreeSet, time::Duration};

use secrecy::ExposeSecret;

use super::{
    email,
    field::{Field, Word},
    raw::{AllowPrivate, OneOrMany, RawChannel, RawDigest, RawRetry, RawSecret},
    scope::{Problems, Scope},
    secrets,
    words::{labels, name, one_of},
};
use crate::{
    channel::{ChannelKind, ChannelSettings, RetryBounds, WebhookUrl},
    domain::{ChannelName, Selector, TenantId, parse_duration},
    egress::Private,
    notify::route::Fence,
};

/// More notifications than this, waiting for one channel, go out as one.
const DIGEST_OVER: usize = 20;
/// A channel that has gone unproven for so long is drilled.
const DRILL_EVERY: Duration = Duration::from_hours(30 * 24);
/// Drills that come more often than this would be noise, and leave no time to see them.
const DRILL_EVERY_MIN: Duration = Duration::from_hours(24);

#[derive(Clone, Copy)]
enum Kind {
    Teams,
    Slack,
    Webhook,
    Email,
}

/// A channel, unless there is an error in it.
pub(super) fn channel(text: &str, raw: RawChannel, at: &Scope<'_>, problems: &mut Problems) -> Option<ChannelSettings> {
    at.only(RawChannel::KEYS, problems);
    let name = name(text, at, ChannelName::parse, problems);
    if !raw.r#type.is_written() {
        problems.error(
            &at.key("type"),
            "`type` is missing",
            "write `type: teams`, `type: slack`, `type: webhook` or `type: email`",
        );
    }
    let kinds = [("teams", Kind::Teams), ("slack", Kind::Slack), ("webhook", Kind::Webhook), ("email", Kind::Email)];
    let kind = one_of(raw.r#type, &at.key("type"), &kinds, problems);
    let signed = raw.signing_secret.is_written();
    let signing_secrets = signing(raw.signing_secret, &at.key("signing_secret"), problems);
    let private = private(raw.allow_private, &at.key("allow_private"), problems);
    if signed && kind.is_some_and(|kind| !matches!(kind, Kind::Webhook)) {
        problems.error(&at.key("signing_secret"), "only a `webhook` is signed", "delete `signing_secret`");
    }
    let mail = email::RawEmail {
        server: raw.server,
        tls: raw.tls,
        from: raw.from,
        to: raw.to,
        username: raw.username,
        password: raw.password,
    };
    let kind = if let Some(Kind::Email) = kind {
        if raw.url.is_written() {
            problems.error(
                &at.key("url"),
                "mail goes to a server, not to a URL",
                "write `server: smtps://smtp.example`",
            );
        }
        email::settings(mail, at, &private, problems).map(|email| ChannelKind::Email(Box::new(email)))
    } else {
        if kind.is_some() {
            mail.refuse(at, problems);
        }
        let url = problems.require(raw.url, &at.key("url"), "{ file: secrets/url }");
        let here = at.key("url");
        kind.zip(url).and_then(|(kind, url)| {
            Some(match (kind, url) {
                (Kind::Webhook, RawSecret::Address(url)) => {
                    ChannelKind::Webhook { url: WebhookUrl::Open(url.expose_secret().to_owned()), signing_secrets }
                }
                (Kind::Webhook, url) => {
                    let url = WebhookUrl::Secret(secrets::reference(url, &here, problems)?);
                    ChannelKind::Webhook { url, signing_secrets }
                }
                (Kind::Teams, url) => ChannelKind::Teams { url: secrets::reference(url, &here, problems)? },
                (Kind::Slack, url) => ChannelKind::Slack { url: secrets::reference(url, &here, problems)? },
                (Kind::Email, _) => return None,
            })
        })
    };
    let tenants = raw.tenants.is_written().then(|| fence(raw.tenants, &at.key("tenants"), problems));
    let fence = Fence { tenants, labels: Selector(labels(raw.labels, &at.key("labels"), problems)) };
    let pace = problems.duration(raw.pace, &at.key("pace"), Duration::from_secs(1));
    let timeout = problems.duration(raw.timeout, &at.key("timeout"), Duration::from_secs(20));
    let retry = retry(raw.retry, &at.key("retry"), problems);
    let digest_over = digest(raw.digest, &at.key("digest"), problems);
    let drill = problems.parse(raw.drill, &at.key("drill"), drill).unwrap_or(Some(DRILL_EVERY));
    let template = problems.take(raw.template, &at.key("template")).map(|Word(name)| name);
    Some(ChannelSettings {
        name: name?,
        kind: kind?,
        fence,
        pace,
        retry,
        timeout,
        private,
        digest_over,
        drill,
        template,
    })
}

fn signing(raw: Field<OneOrMany>, at: &Scope<'_>, problems: &mut Problems) -> Vec<crate::secret::SecretReference> {
    match problems.take(raw, at) {
        None => Vec::new(),
        Some(OneOrMany::One(secret)) => secrets::reference(secret, at, problems).into_iter().collect(),
        Some(OneOrMany::Many(secrets)) => {
            let secrets = problems.items(Field::Good(secrets), at);
            secrets
                .into_iter()
                .filter_map(|(index, secret)| secrets::reference(secret, &at.item(index), problems))
                .collect()
        }
    }
}

fn fence(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, problems: &mut Problems) -> BTreeSet<TenantId> {
    let ids = problems.items(raw, at);
    ids.into_iter().filter_map(|(index, Word(id))| name(&id, &at.item(index), TenantId::parse, problems)).collect()
}

fn retry(raw: Field<RawRetry>, at: &Scope<'_>, problems: &mut Problems) -> RetryBounds {
    let raw = problems.take(raw, at).unwrap_or_default();
    at.only(RawRetry::KEYS, problems);
    let bounds = RetryBounds {
        first: problems.duration(raw.first, &at.key("first"), Duration::from_secs(2)),
        max: problems.duration(raw.max, &at.key("max"), Duration::from_mins(15)),
        give_up: problems.duration(raw.give_up, &at.key("give_up"), Duration::from_hours(24)),
    };
    if bounds.first > bounds.max {
        problems.error(at, "`first` is longer than `max`", "write `retry: { first: 2s, max: 15m, give_up: 24h }`");
    }
    if bounds.max > bounds.give_up {
        problems.error(at, "`max` is longer than `give_up`", "write `retry: { first: 2s, max: 15m, give_up: 24h }`");
    }
    bounds
}

fn digest(raw: Field<RawDigest>, at: &Scope<'_>, problems: &mut Problems) -> usize {
    let raw = problems.take(raw, at).unwrap_or_default();
    at.only(RawDigest::KEYS, problems);
    problems.parse(raw.over, &at.key("over"), whole).unwrap_or(DIGEST_OVER)
}

/// The time between drills; `None`: there are none.
fn drill(text: &str) -> Result<Option<Duration>, String> {
    // YAML's readers disagree on whether `off` is a word.
    if matches!(text, "off" | "false") {
        return Ok(None);
    }
    let instead = "write a day or more like `30d`, or `off`";
    match parse_duration(text) {
        Ok(interval) if interval >= DRILL_EVERY_MIN => Ok(Some(interval)),
        Ok(_) => Err(format!("`{text}` is too often for a drill; {instead}")),
        Err(_) => Err(format!("`{text}` is no time between drills; {instead}")),
    }
}

/// A whole number above zero.
pub(super) fn whole(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is no whole number above zero; write one like `20`"))
}

fn private(raw: Field<AllowPrivate>, at: &Scope<'_>, problems: &mut Problems) -> Private {
    match problems.take(raw, at) {
        None | Some(AllowPrivate::All(false)) => Private::Refused,
        Some(AllowPrivate::All(true)) => Private::Any,
        Some(AllowPrivate::Networks(networks)) => {
            let mut read = Vec::new();
            for (index, network) in problems.items(Field::Good(networks), at) {
                read.extend(problems.parse(Field::Good(network), &at.item(index), |text| {
                    text.parse::<ipnet::IpNet>()
                        .map_err(|_| format!("`{text}` is no network; write it like `10.0.0.0/8`"))
                }));
            }
            Private::Networks(read)
        }
    }
}
