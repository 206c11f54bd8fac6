//! Discord, by an incoming webhook ("Webhook Resource, Execute Webhook", "Embed Limits").

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::{Destination, Origin, Paths},
    chat::{self, Application},
    guard::{self, refuse},
    status,
};
use crate::{
    domain::Timestamp,
    egress::{Answer, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretReference, SecretString},
    template::{
        Dialect, Plain, Refusal,
        markup::{self, Markup},
        payload::{self, link},
        text::{INVISIBLE, marked, unmarked},
    },
};

/// What to do about a URL that was not copied whole.
const COPY: &str =
    "copy the whole URL, like `https://discord.com/api/webhooks/ID/TOKEN`, from the webhook under Integrations";
/// Discord's hosts, and whatever is below them (`canary.discord.com`).
const HOSTS: [&str; 2] = ["discord.com", "discordapp.com"];
/// Discord's flag for a message under which no preview of a link is drawn (`SUPPRESS_EMBEDS`).
const NO_PREVIEWS: u32 = 1 << 2;
/// Most characters of `content`.
pub(super) const CONTENT_MAX: usize = 2000;
/// Most characters of all texts in all embeds together.
pub(super) const EMBEDS_CHARACTERS_MAX: usize = 6000;
/// The most embeds that Discord accepts in one message.
const EMBEDS_MAX: usize = 10;
/// Most fields of an embed.
const FIELDS_MAX: usize = 25;
/// Discord's Markdown ("Message Formatting", "Markdown Text 101").
pub(super) const MARKUP: Markup =
    Markup { escaped: "\\*_~`|[]<", parted: "@", replaced: &[], begins_blocks: true, link: Some(("](", &[")"])) };
const DISCORD: Application = Application {
    title: "Discord",
    took: |answer| (answer.status == 204 && !answer.truncated) || chat::has_text(answer, "id"),
    gone: |_| None,
};

/// A webhook of a Discord channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discord {
    /// The webhook's URL; the whole authorization is in it.
    pub url: SecretReference,
}

impl Discord {
    pub(crate) const WORD: &'static str = "discord";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> =
        Some(&Origin { title: "a Discord webhook", hosts: &HOSTS, paths: Paths::OfAnyHost });
}

/// `content` and `embeds` of a webhook.
pub(super) static DIALECT: Dialect = Dialect {
    name: Discord::WORD,
    templates: &[("discord", include_str!("../../templates/discord.hbs"))],
    escape: marked,
    has_month_page: false,
    finish: |output| payload::json(output, check),
    plain: Some(Plain {
        characters_max: 1_900,
        bytes_max: usize::MAX,
        write: |lines| {
            let text = payload::marked_lines(lines);
            payload::write(json!({ "content": text, "allowed_mentions": { "parse": [] }, "flags": NO_PREVIEWS }), check)
        },
    }),
    looks_like: Some(|text| text.contains("\"embeds\"")),
};

impl Kind for Discord {
    fn destination(&self) -> Destination<'_> {
        Destination::Chat(&self.url)
    }

    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError> {
        vet_url(url, private)
    }

    fn compose(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        form: Form,
        _attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let url = self.url.resolve()?;
        self.vet(url.expose_secret(), &channel.settings.private)?;
        chat::compose(channel, waiting(&url)?, &DIALECT, notification, form)
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, host: Option<&str>, now: Timestamp) -> Verdict {
        judge(answer, host.is_some_and(is_discord), now)
    }
}

fn judge(answer: &Answer, is_its_own: bool, now: Timestamp) -> Verdict {
    match DISCORD.judge(answer, is_its_own, now) {
        Verdict::Retry { reason, after } if answer.status > 299 => {
            Verdict::Retry { reason, after: after.max(wait_in_body(answer)) }
        }
        verdict => verdict,
    }
}

fn is_discord(host: &str) -> bool {
    HOSTS.iter().any(|known| host == *known || guard::is_below(host, known))
}

/// Checks the URL of a Discord webhook.
fn vet_url(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = guard::parse(url, private)?;
    let foreign = |last: &str| matches!(last, "slack" | "github");
    if parsed.path_segments().and_then(|mut segments| segments.next_back()).is_some_and(foreign) {
        return refuse("it takes the messages of another application", "delete the last part of its path");
    }
    if guard::name_of(&parsed).is_some_and(|host| is_discord(&host)) {
        guard::whole(&parsed, is_webhook(&guard::path(&parsed)), &[], COPY)
    } else if guard::may_be_private(&parsed, private) {
        Ok(())
    } else {
        refuse("its host is not `discord.com`", "create a webhook in the channel's settings under Integrations")
    }
}

/// Whether a path names a webhook and its token, of the API's current version or a certain one.
fn is_webhook(path: &[&str]) -> bool {
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(is_number);
    match path {
        ["api", version, "webhooks", id, token] if is_version(version) => is_number(id) && is_token(token),
        ["api", "webhooks", id, token] => is_number(id) && is_token(token),
        _ => false,
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_token(part: &str) -> bool {
    guard::is_made_of(part, &['-', '_', '.'])
}

/// The URL with `wait=true` in its query: without it, Discord answers before the message is saved and reports no error.
fn waiting(url: &SecretString) -> Result<SecretString, ComposeError> {
    let Ok(mut parsed) = Url::parse(url.expose_secret()) else {
        return refuse("it is not a URL", "copy the URL again");
    };
    let said: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
    if said.iter().any(|(key, value)| key == "wait" && value == "true") {
        return Ok(url.clone());
    }
    let kept = said.iter().filter(|(key, _)| key != "wait");
    parsed.query_pairs_mut().clear().extend_pairs(kept).append_pair("wait", "true");
    Ok(SecretString::from(String::from(parsed)))
}

/// How long Discord asks us to wait in the body of its answer, in seconds with a fraction ("Rate Limits").
fn wait_in_body(answer: &Answer) -> Option<Duration> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
    let seconds = body.get("retry_after")?.as_f64().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds).map_or(status::RETRY_AFTER_MAX, |wait| wait.min(status::RETRY_AFTER_MAX)))
}

/// Checks the message and escapes the values in it.
fn check(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    let embeds = match fields.get("embeds") {
        None => 0,
        Some(Value::Array(embeds)) => embeds.len(),
        Some(_) => return Refusal::invalid("`embeds` must be a list"),
    };
    let has_content = fields.get("content").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    if !has_content && embeds == 0 {
        return Refusal::invalid("`content` or `embeds` must be there");
    }
    if embeds > EMBEDS_MAX {
        return Err(Refusal::TooLarge { size: embeds, limit: EMBEDS_MAX });
    }
    // No text of a message may call anybody unless the template's author says so.
    fields.entry("allowed_mentions").or_insert_with(|| json!({ "parse": [] }));
    let mut of_embeds = 0;
    for (key, field) in fields.iter_mut() {
        match (key.as_str(), field) {
            ("content", Value::String(content)) => {
                *content = markup::escape(content, &MARKUP)?;
                keep(content, CONTENT_MAX)?;
            }
            ("embeds", Value::Array(embeds)) => {
                for embed in embeds {
                    finish_embed(embed, &mut of_embeds)?;
                }
            }
            (key, field) => walk(field, key, "", &mut 0)?,
        }
    }
    if of_embeds > EMBEDS_CHARACTERS_MAX {
        return Err(Refusal::TooLarge { size: of_embeds, limit: EMBEDS_CHARACTERS_MAX });
    }
    Ok(())
}

fn finish_embed(embed: &mut Value, characters: &mut usize) -> Result<(), Refusal> {
    let Some(fields) = embed.as_object_mut() else { return Refusal::invalid("an embed must be an object") };
    if fields.get("fields").is_some_and(|list| list.as_array().is_none_or(|list| list.len() > FIELDS_MAX)) {
        return Refusal::invalid(format!("`fields` of an embed must be a list of at most {FIELDS_MAX}"));
    }
    // An empty text is refused; one that is not there is not.
    let is_blank = |text: &Value| text.as_str().is_some_and(|text| unmarked(text).trim().is_empty());
    fields.retain(|key, text| !(matches!(key.as_str(), "title" | "description") && is_blank(text)));
    if let Some(color) = fields.get_mut("color").filter(|color| color.is_string()) {
        let written = color.as_str().map(unmarked).unwrap_or_default();
        let number = written.strip_prefix('#').and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(number) = number.filter(|number| *number <= 0x00FF_FFFF) else {
            return Refusal::invalid("a `color` is a number, or a text like `#D13438`");
        };
        *color = number.into();
    }
    fields.iter_mut().try_for_each(|(key, field)| walk(field, key, "embed", characters))
}

/// `place` is the key of the object that the value stands in, `key` the key (or the list's key) it stands under.
fn walk(value: &mut Value, key: &str, place: &str, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if key == "url" || key.ends_with("_url") => link(whole),
        Value::String(whole) => {
            let (limit, markup) = match (place, key) {
                ("embed", "title") | ("fields", "name") => (256, &MARKUP),
                ("embed", "description") => (4096, &MARKUP),
                ("fields", "value") => (1024, &MARKUP),
                ("footer", "text") => (2048, &markup::NONE),
                ("author", "name") => (256, &markup::NONE),
                _ => (CONTENT_MAX, &markup::NONE),
            };
            *whole = markup::escape(whole, markup)?;
            if place == "fields" && whole.trim().is_empty() {
                whole.push(INVISIBLE);
            }
            *characters += keep(whole, limit)?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, place, characters)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(inner, field)| walk(field, inner, key, characters)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// How long the text is, if it may be that long. In UTF-16 units, of which there are never fewer than characters: which of the
/// two Discord counts is not documented.
fn keep(text: &str, limit: usize) -> Result<usize, Refusal> {
    let size = text.encode_utf16().count();
    if size > limit { Err(Refusal::TooLarge { size, limit }) } else { Ok(size) }
}

#[cfg(test)]
mod tests;
