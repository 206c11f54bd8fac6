//! Channels: written → meant.

use std::{collections::BTreeSet, time::Duration};

use secrecy::ExposeSecret;

use super::{
    email,
    field::{Field, Word},
    protocols::ProtocolKeys,
    raw::{AllowPrivate, OneOrMany, RawChannel, RawDigest, RawRetry, RawSecret},
    report::report,
    scope::{Problems, Scope, quoted},
    secrets,
    trial::Form,
    words::{labels, name, one_of},
};
use crate::{
    channel::{ChannelKind, ChannelSettings, ChatApp, RetryBounds, WebhookUrl},
    diagnostic::Warning,
    domain::{ChannelName, Selector, TenantId, parse_duration},
    egress::Private,
    notify::route::Fence,
    schedule::Zone,
    secret::SecretReference,
};

/// More notifications than this, waiting for one channel, go out as one.
const DIGEST_OVER: usize = 20;
/// A channel that has gone unproven for so long is drilled.
const DRILL_EVERY: Duration = Duration::from_hours(30 * 24);
/// Drills that come more often than this would be noise, and leave no time to see them.
const DRILL_EVERY_MIN: Duration = Duration::from_hours(24);

/// What stands under `type:`.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Teams,
    Slack,
    Chat(ChatApp),
    Webhook,
    Email,
    Pagerduty,
    Alertmanager,
}

/// What may stand under `type:`.
const KINDS: [(&str, Kind); 9] = [
    ("teams", Kind::Teams),
    ("slack", Kind::Slack),
    (ChatApp::Discord.as_str(), Kind::Chat(ChatApp::Discord)),
    (ChatApp::GoogleChat.as_str(), Kind::Chat(ChatApp::GoogleChat)),
    (ChatApp::Mattermost.as_str(), Kind::Chat(ChatApp::Mattermost)),
    ("webhook", Kind::Webhook),
    ("email", Kind::Email),
    ("pagerduty", Kind::Pagerduty),
    ("alertmanager", Kind::Alertmanager),
];

/// Networks that are nobody's on the internet ("Special-Purpose Address Registries", IANA).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn is_private(network: &ipnet::IpNet) -> bool {
    PRIVATE.iter().filter_map(|text| text.parse::<ipnet::IpNet>().ok()).any(|known| known.contains(network))
}

/// A channel, unless there is an error in it.
pub(super) fn channel(
    text: &str,
    raw: RawChannel,
    timezone: &Zone,
    at: &Scope<'_>,
    problems: &mut Problems,
) -> Option<ChannelSettings> {
    at.only(RawChannel::KEYS, problems);
    let name = name(text, at, ChannelName::parse, problems);
    if !raw.r#type.is_written() {
        let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
        problems.missing(&at.key("type"), "`type` is missing", format!("write `type:` and one of {}", quoted(&words)));
    }
    let private = private(raw.allow_private, &at.key("allow_private"), problems);
    let signed = raw.signing_secret.is_written();
    let signing_secrets = signing(raw.signing_secret, &at.key("signing_secret"), problems);
    let kind = one_of(raw.r#type, &at.key("type"), &KINDS, problems);
    // Both know who signs in; each complains of what the other has, so only one is given it.
    let is_mail = matches!(kind, Some(Kind::Email));
    let (mail_user, user) = either(raw.username, is_mail);
    let (mail_password, password) = either(raw.password, is_mail);
    let mail = email::RawEmail {
        server: raw.server,
        tls: raw.tls,
        from: raw.from,
        to: raw.to,
        username: mail_user,
        password: mail_password,
    };
    let keys = ProtocolKeys {
        routing_key: raw.routing_key,
        region: raw.region,
        username: user,
        password,
        bearer_token: raw.bearer_token,
        template: raw.template.is_written(),
    };
    let kind = kind.and_then(|kind| {
        if signed && !matches!(kind, Kind::Webhook) {
            problems.error(&at.key("signing_secret"), "only a `webhook` is signed", "delete `signing_secret`");
        }
        keys.misplaced(kind, at, problems);
        if !is_mail {
            mail.refuse(at, problems);
        }
        Some(match kind {
            Kind::Teams => ChannelKind::Teams { url: secret_url(raw.url, at, problems)? },
            Kind::Slack => ChannelKind::Slack { url: secret_url(raw.url, at, problems)? },
            Kind::Chat(app) => ChannelKind::Chat { app, url: secret_url(raw.url, at, problems)? },
            Kind::Webhook => ChannelKind::Webhook { url: webhook_url(raw.url, at, problems)?, signing_secrets },
            Kind::Email => {
                if raw.url.is_written() {
                    let instead = "write `server: smtps://smtp.example`";
                    problems.error(&at.key("url"), "mail goes to a server, not to a URL", instead);
                }
                ChannelKind::Email(Box::new(email::settings(mail, at, &private, problems)?))
            }
            Kind::Pagerduty => keys.pagerduty(raw.url, &private, at, problems)?,
            Kind::Alertmanager => keys.alertmanager(raw.url, &private, at, problems)?,
        })
    });
    let tenants = raw.tenants.is_written().then(|| fence(raw.tenants, &at.key("tenants"), problems));
    let fence = Fence { tenants, labels: Selector(labels(raw.labels, &at.key("labels"), problems)) };
    let pace = problems.duration(raw.pace, &at.key("pace"), Duration::from_secs(1));
    let timeout = problems.duration(raw.timeout, &at.key("timeout"), Duration::from_secs(20));
    let retry = retry(raw.retry, &at.key("retry"), problems);
    let digest_over = digest(raw.digest, &at.key("digest"), problems);
    let drill = problems.parse(raw.drill, &at.key("drill"), drill).unwrap_or(Some(DRILL_EVERY));
    let report = report(raw.report, kind.as_ref(), timezone, &at.key("report"), problems);
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
        report,
        template,
    })
}

/// A URL that is a secret.
fn secret_url(raw: Field<RawSecret>, at: &Scope<'_>, problems: &mut Problems) -> Option<SecretReference> {
    let here = at.key("url");
    let url = problems.require(raw, &here, "{ file: secrets/url }")?;
    secrets::reference(url, &here, problems)
}

/// A URL that may be one.
fn webhook_url(raw: Field<RawSecret>, at: &Scope<'_>, problems: &mut Problems) -> Option<WebhookUrl> {
    let here = at.key("url");
    Some(match problems.require(raw, &here, "{ file: secrets/url }")? {
        RawSecret::Address(url) => WebhookUrl::Open(url.expose_secret().to_owned()),
        url => WebhookUrl::Secret(secrets::reference(url, &here, problems)?),
    })
}

/// The field to the left or to the right, the other absent.
fn either<T>(field: Field<T>, left: bool) -> (Field<T>, Field<T>) {
    if left { (field, Field::default()) } else { (Field::default(), field) }
}

fn signing(raw: Field<OneOrMany<RawSecret>>, at: &Scope<'_>, problems: &mut Problems) -> Vec<SecretReference> {
    match problems.take(raw, at) {
        None => Vec::new(),
        Some(OneOrMany::One(secret)) => signing_key(*secret, at, problems).into_iter().collect(),
        Some(OneOrMany::Many(secrets)) => {
            let secrets = problems.items(Field::Good(secrets), at);
            secrets.into_iter().filter_map(|(index, secret)| signing_key(secret, &at.item(index), problems)).collect()
        }
    }
}

/// A secret that is a key.
fn signing_key(raw: RawSecret, at: &Scope<'_>, problems: &mut Problems) -> Option<SecretReference> {
    secrets::reference_to(Form::SigningKey, raw, at, problems)
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

/// Which private addresses may be called.
pub(super) fn private(raw: Field<AllowPrivate>, at: &Scope<'_>, problems: &mut Problems) -> Private {
    match problems.take(raw, at) {
        None | Some(AllowPrivate::All(false)) => Private::Refused,
        Some(AllowPrivate::All(true)) => Private::Any,
        Some(AllowPrivate::Networks(networks)) => {
            let mut read = Vec::new();
            for (index, network) in problems.items(Field::Good(networks), at) {
                let here = at.item(index);
                let network = problems.parse(Field::Good(network), &here, |text| {
                    text.parse::<ipnet::IpNet>()
                        .map_err(|_| format!("`{text}` is not a network; write it like `10.0.0.0/8`"))
                });
                if let Some(network) = network.as_ref().filter(|network| !is_private(network)) {
                    let what = format!("`{network}` holds public addresses, which need no permission");
                    let instead = "write networks of your own, like `10.0.0.0/8`";
                    problems.warning(Warning::AllowPrivateCoversPublic, &here, what, instead);
                }
                read.extend(network);
            }
            Private::Networks(read)
        }
    }
}
