//! Channels: written → meant. What every channel has is read here; what is particular to a kind, in its own file.

mod asked;
mod report;
mod schema;
mod url;

// The kinds.
mod alertmanager;
mod discord;
mod email;
mod google_chat;
mod mattermost;
mod pagerduty;
mod slack;
mod teams;
mod webhook;

use std::{collections::BTreeSet, time::Duration};

use schemars::{Schema, SchemaGenerator};

pub use self::asked::{Answer, Asked, asked};
use self::{report::reports, schema::listed};
use super::{
    draft::Draft,
    field::{Field, Word},
    private::private,
    raw::{Own, RawChannel, RawCommon, RawDigest, RawRetry},
    scope::Scope,
    spelling::quoted,
    times::{timeout, zone},
    words::{labels, language, name, one_of},
};
use crate::{
    channel::{ChannelKind, ChannelSettings, RetryBounds, Show, every_kind},
    diagnostic::Warning,
    domain::{ChannelName, Complaint, Selector, TenantId, format_duration, parse_duration},
    egress::Private,
    notify::{language::Locale, route::Audience},
};

/// More notifications than this, waiting for one channel, go out as one.
const DIGEST_OVER: usize = 20;
/// A channel that has gone unproven for so long is drilled.
const DRILL_EVERY: Duration = Duration::from_hours(30 * 24);
/// Drills that come more often than this would be noise, and leave no time to see them.
const DRILL_EVERY_MIN: Duration = Duration::from_hours(24);

/// A channel that sends more rarely than this is hours behind after a few messages.
const PACE_MAX: Duration = Duration::from_hours(1);

/// How the keys of one kind are read.
struct Reader {
    /// What stands under `type:`.
    word: &'static str,
    /// Whether it is sent text, by a template.
    has_template: bool,
    /// The keys that it has in addition to those of every channel.
    keys: &'static [&'static str],
    /// Keys of other kinds that are refused with words of its own: the key, what is wrong, and what to write.
    refused: &'static [(&'static str, &'static str, &'static str)],
    /// The keys that `scorewatch init` asks for.
    asked: &'static [Asked],
    /// The JSON schema of its keys, for editors.
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads the kind's own keys.
    read: fn(&Own, &Private, &Scope<'_>, &mut Draft) -> Option<ChannelKind>,
}

/// Gathers the readers of all kinds: each kind's file here has one.
macro_rules! gather_readers {
    ($($kind:ident: $module:ident,)*) => {
        /// Every kind that may stand under `type:`.
        static READERS: [Reader; ChannelKind::WORDS.len()] = [$($module::READER),*];
    };
}
every_kind!(gather_readers);

/// A channel, unless there is an error in it.
pub(super) fn channel(
    text: &str,
    RawChannel { common: raw, own }: RawChannel,
    inherited: &Locale,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Option<ChannelSettings> {
    at.only_near(&keys(), &near(&raw.r#type), draft);
    let name = name(text, at, ChannelName::parse, draft);
    let private = private(raw.allow_private, &at.key("allow_private"), draft);
    let reader = reader(raw.r#type, at, draft);
    let kind = reader.and_then(|reader| {
        reader.refuse(&own, raw.template.is_written(), at, draft);
        (reader.read)(&own, &private, at, draft)
    });
    let tenants = raw.tenants.is_written().then(|| audience(raw.tenants, &at.key("tenants"), draft));
    let audience = Audience { tenants, labels: Selector(labels(raw.labels, &at.key("labels"), draft)) };
    let show = show(raw.show, &audience, &at.key("show"), draft);
    let locale = Locale {
        language: language(raw.language, &at.key("language"), draft).unwrap_or(inherited.language),
        zone: zone(raw.timezone, &at.key("timezone"), draft).unwrap_or_else(|| inherited.zone.clone()),
    };
    let pace = pace(raw.pace, &at.key("pace"), draft);
    let timeout = timeout(raw.timeout, &at.key("timeout"), Duration::from_secs(20), draft);
    let retry = retry(raw.retry, &at.key("retry"), draft);
    let digest_over = digest(raw.digest, &at.key("digest"), draft);
    let drill = draft.parse(raw.drill, &at.key("drill"), drill).unwrap_or(Some(DRILL_EVERY));
    let reports = reports(raw.report, kind.as_ref(), &locale.zone, &at.key("report"), draft);
    let template = draft.take(raw.template, &at.key("template")).map(|Word(name)| name);
    Some(ChannelSettings {
        name: name?,
        kind: kind?,
        audience,
        show,
        locale,
        pace,
        retry,
        timeout,
        private,
        digest_over,
        drill,
        report: reports.all,
        month: reports.month,
        template,
    })
}

/// Every key that a channel of some kind may have.
pub(super) fn keys() -> Vec<&'static str> {
    let mut keys = RawCommon::KEYS.to_vec();
    for key in READERS.iter().flat_map(|reader| reader.keys) {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    keys
}

/// The keys of the kind that is written; without one, those of all.
fn near(raw: &Field<Word>) -> Vec<&'static str> {
    let Field::Good(Word(word)) = raw else { return keys() };
    let reader = READERS.iter().find(|reader| reader.word == word);
    reader.map_or_else(keys, |reader| [RawCommon::KEYS, reader.keys].concat())
}

/// The reader of the kind under `type:`.
fn reader(raw: Field<Word>, at: &Scope<'_>, draft: &mut Draft) -> Option<&'static Reader> {
    if !raw.is_written() {
        let instead = format!("write `type:` and one of {}", quoted(ChannelKind::WORDS));
        draft.missing(&at.key("type"), "`type` is missing", instead);
    }
    let known: Vec<(&str, &Reader)> = READERS.iter().map(|reader| (reader.word, reader)).collect();
    one_of(raw, &at.key("type"), &known, draft)
}

impl Reader {
    /// Complains of each key that this kind does not have, and another has.
    fn refuse(&self, own: &Own, names_template: bool, at: &Scope<'_>, draft: &mut Draft) {
        for key in own.keys().filter(|key| !self.keys.contains(key)) {
            if let Some((_, what, instead)) = self.refused.iter().find(|(refused, ..)| *refused == key) {
                draft.error(&at.key(key), *what, *instead);
                continue;
            }
            let owners: Vec<&str> =
                READERS.iter().filter(|reader| reader.keys.contains(&key)).map(|reader| reader.word).collect();
            if owners.is_empty() {
                continue;
            }
            let (what, instead) = match owners[..] {
                [owner] => (
                    format!("only a channel of type `{owner}` has `{key}`"),
                    format!("write `type: {owner}`, or delete `{key}`"),
                ),
                _ => (
                    format!("only channels of type {} have `{key}`", listed(&owners, "and")),
                    format!("delete `{key}`"),
                ),
            };
            draft.error(&at.key(key), what, instead);
        }
        if names_template && !self.has_template {
            draft.error(&at.key("template"), "this type of channel sends fields, no text", "delete `template`");
        }
    }
}

fn audience(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, draft: &mut Draft) -> BTreeSet<TenantId> {
    let ids = draft.items(raw, at);
    ids.into_iter().filter_map(|(index, Word(id))| name(&id, &at.item(index), TenantId::parse, draft)).collect()
}

/// What the channel shows in addition to the facts.
fn show(raw: Field<Vec<Field<Word>>>, audience: &Audience, at: &Scope<'_>, draft: &mut Draft) -> Show {
    if !raw.is_written() {
        return Show::unless_written(audience);
    }
    let known = Show::WORDS.map(|word| (word, word));
    let words = draft.items(raw, at);
    let words = words.into_iter().filter_map(|(index, word)| one_of(Field::Good(word), &at.item(index), &known, draft));
    let words: Vec<&str> = words.collect();
    Show { labels: words.contains(&"labels"), about: words.contains(&"about") }
}

fn retry(raw: Field<RawRetry>, at: &Scope<'_>, draft: &mut Draft) -> RetryBounds {
    let raw = draft.take(raw, at).unwrap_or_default();
    at.only(RawRetry::KEYS, draft);
    let bounds = RetryBounds {
        first: draft.duration(raw.first, &at.key("first"), Duration::from_secs(2)),
        max: draft.duration(raw.max, &at.key("max"), Duration::from_mins(15)),
        give_up: draft.duration(raw.give_up, &at.key("give_up"), Duration::from_hours(24)),
    };
    if bounds.first > bounds.max {
        draft.error(at, "`first` is longer than `max`", "write `retry: { first: 2s, max: 15m, give_up: 24h }`");
    }
    if bounds.max > bounds.give_up {
        draft.error(at, "`max` is longer than `give_up`", "write `retry: { first: 2s, max: 15m, give_up: 24h }`");
    }
    bounds
}

fn digest(raw: Field<RawDigest>, at: &Scope<'_>, draft: &mut Draft) -> usize {
    let raw = draft.take(raw, at).unwrap_or_default();
    at.only(RawDigest::KEYS, draft);
    draft.parse(raw.over, &at.key("over"), whole).unwrap_or(DIGEST_OVER)
}

/// The time between drills; `None`: there are none.
fn drill(text: &str) -> Result<Option<Duration>, Complaint> {
    // YAML's readers disagree on whether `off` is a word.
    if matches!(text, "off" | "false") {
        return Ok(None);
    }
    let instead = "write a day or more like `30d`, or `off`";
    match parse_duration(text) {
        Ok(interval) if interval >= DRILL_EVERY_MIN => Ok(Some(interval)),
        Ok(_) => Err(Complaint::new(format!("`{text}` is too often for a drill"), instead)),
        Err(_) => Err(Complaint::new(format!("`{text}` is not a time between drills"), instead)),
    }
}

/// The least time between two messages.
fn pace(raw: Field<Word>, at: &Scope<'_>, draft: &mut Draft) -> Duration {
    let pace = draft.duration(raw, at, Duration::from_secs(1));
    if pace > PACE_MAX {
        let what =
            format!("the channel sends one message every {}, however urgent the next one is", format_duration(pace));
        draft.warning(Warning::ChannelPaceSlow, at, what, "write `pace: 1s`, or an hour at most");
    }
    pace
}

/// A whole number above zero.
pub(super) fn whole(text: &str) -> Result<usize, Complaint> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Complaint::new(format!("`{text}` is not a whole number above zero"), "write one like `20`"))
}
