//! Slack, by an incoming webhook ("Sending messages using incoming webhooks").
//!
//! At Slack itself, the body of the answer decides: success is `ok` in plain text, whatever else comes with 200. Receivers that only
//! speak Slack's language answer with a body of their own, so there the status decides.
//!
//! `text` and `blocks` are written by "Formatting text for app surfaces" and the "Block Kit reference".

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::{Destination, Origin, Paths},
    guard::{self, refuse},
    message, status,
};
use crate::{
    domain::Timestamp,
    egress::{Answer, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretReference},
    template::{
        Dialect, Plain, Refusal,
        markup::{self, Markup},
        payload::{self, link},
        text::{Part, marked, parts},
    },
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Answers after which nothing will be taken until somebody fixes the webhook.
const GONE: [&str; 11] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];
/// Answers that are about how this message is written; as `text` alone it may be taken.
const TOO_RICH: [&str; 5] =
    ["invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "too_many_attachments"];
/// The same, by status, of a receiver that is only compatible.
const TOO_RICH_STATUSES: [u16; 2] = [400, 413];
/// Answers that are about this message only.
const REFUSED: [&str; 2] = ["invalid_payload", "no_text"];
/// Answers after which a later attempt may succeed.
const LATER: [&str; 3] = ["rate_limited", "ratelimited", "rollup_error"];

/// What to do about a URL that was not copied whole.
const COPY: &str =
    "copy the whole URL, like `https://hooks.slack.com/services/T…/B…/…`, from \"Incoming Webhooks\" of the app";
/// Hosts of Slack incoming webhooks.
const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
/// Most characters of all texts together, after escaping. Slack refuses about 13,200 (`msg_blocks_too_long`); a tenth is reserve.
pub const CHARACTERS_MAX: usize = 12_000;
/// The most blocks that Slack accepts in one message.
const BLOCKS_MAX: usize = 50;
/// Most fields of a section, elements of a context.
const FIELDS_MAX: usize = 10;
/// Most buttons of a block.
const BUTTONS_MAX: usize = 25;
/// Slack's markup. The signs that begin a mention or a link are escaped, too; those of emphasis know no escape.
const MRKDWN: Markup =
    Markup { escaped: "", parted: "*_~`", replaced: &[], begins_blocks: false, link: Some(("<", &["|", ">"])) };
/// Blocks that a webhook may hold, as far as we check them.
const BLOCKS: [&str; 6] = ["header", "section", "context", "divider", "actions", "image"];

/// A Slack incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slack {
    /// The webhook's URL; the whole authorization is in it.
    pub url: SecretReference,
}

impl Slack {
    pub(crate) const WORD: &'static str = "slack";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> =
        Some(&Origin { title: "a Slack webhook", hosts: &HOSTS, paths: Paths::Alone });
}

/// `text` and `blocks` of an incoming webhook.
pub static DIALECT: Dialect = Dialect {
    name: Slack::WORD,
    templates: &[("slack", include_str!("../../templates/slack.hbs"))],
    escape: marked,
    has_month_page: false,
    finish: |output| payload::json(output, check),
    plain: Some(Plain {
        // Slack is known to split what is above 4,000.
        characters_max: 2_900,
        bytes_max: usize::MAX,
        write: |lines| {
            let text = payload::marked_lines(lines);
            payload::write(json!({ "text": text, "unfurl_links": false, "unfurl_media": false }), check)
        },
    }),
    looks_like: Some(|text| text.contains("\"blocks\"")),
};

impl Kind for Slack {
    fn destination(&self) -> Destination<'_> {
        Destination::Chat(&self.url)
    }

    fn fix_page(&self) -> Option<&'static str> {
        Some("https://api.slack.com/apps")
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
        vet_url(url.expose_secret(), &channel.settings.private)?;
        let body = message::body(channel, &DIALECT, notification, form)?;
        Ok(message::post(url, CONTENT_TYPE, body).into())
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, host: Option<&str>, now: Timestamp) -> Verdict {
        judge(answer, host.is_some_and(is_slack), now)
    }
}

/// `is_slack`: Slack itself answered, and no receiver that is compatible with it.
fn judge(answer: &Answer, is_slack: bool, now: Timestamp) -> Verdict {
    if !is_slack && (200..=299).contains(&answer.status) {
        return Verdict::Delivered;
    }
    let body = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    // Only words that are known are repeated: anything else may be a proxy's page.
    let reason = format!("Slack answered `{body}`");
    if GONE.contains(&body) {
        Verdict::Parked { reason }
    } else if TOO_RICH.contains(&body) {
        Verdict::Plainer { reason }
    } else if REFUSED.contains(&body) {
        Verdict::Rejected { reason }
    } else if LATER.contains(&body) {
        Verdict::Retry { reason, after: status::wait(answer, now) }
    } else {
        match answer.status {
            200 if body == "ok" => Verdict::Delivered,
            // Something between us and Slack answered.
            200..=299 => Verdict::Retry { reason: "the answer is not Slack's `ok`".to_owned(), after: None },
            _ if is_slack => status::verdict(answer, now),
            _ => status::plainer(answer, now, &TOO_RICH_STATUSES),
        }
    }
}

/// Checks the URL of a Slack incoming webhook.
///
/// # Errors
/// [`ComposeError::Url`] without the URL.
pub fn vet_url(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = guard::parse(url, private)?;
    let flow = parsed
        .path_segments()
        .and_then(|mut segments| segments.next())
        .is_some_and(|first| matches!(first, "workflows" | "triggers"));
    if flow {
        return refuse("it starts a Slack workflow, which takes no blocks", "create an incoming webhook");
    }
    if guard::name_of(&parsed).is_some_and(|host| is_slack(&host)) {
        guard::whole(&parsed, is_webhook(&guard::path(&parsed)), &[], COPY)
    } else if guard::may_be_private(&parsed, private) {
        Ok(())
    } else {
        refuse("its host is not `hooks.slack.com`", "create an incoming webhook")
    }
}

/// Whether a path names team, webhook and token.
fn is_webhook(path: &[&str]) -> bool {
    matches!(path, ["services", parts @ ..] if parts.len() == 3 && parts.iter().all(|part| guard::is_made_of(part, &[])))
}

/// Whether the host is Slack's own, and not one of a receiver that is compatible with it.
fn is_slack(host: &str) -> bool {
    HOSTS.contains(&host.trim_end_matches('.').to_ascii_lowercase().as_str())
}

/// Checks the message and escapes the values in it.
fn check(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if fields.get("text").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
        return Refusal::invalid("`text` must be there: notifications show it");
    }
    let empty = Vec::new();
    let blocks = match fields.get("blocks") {
        None => &empty,
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Refusal::invalid("`blocks` must be a list"),
    };
    if blocks.len() > BLOCKS_MAX {
        return Err(Refusal::TooLarge { size: blocks.len(), limit: BLOCKS_MAX });
    }
    blocks.iter().try_for_each(check_block)?;
    let mut characters = 0;
    for (key, field) in fields.iter_mut() {
        walk(field, key, Texts { limit: 3000, is_markup: false }, &mut characters)?;
    }
    if characters > CHARACTERS_MAX {
        return Err(Refusal::TooLarge { size: characters, limit: CHARACTERS_MAX });
    }
    Ok(())
}

fn check_block(block: &Value) -> Result<(), Refusal> {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
    let count = |key: &str| block.get(key).map(|list| list.as_array().map_or(0, Vec::len));
    let has_text = |text: &Value| text.get("text").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let plain = block.get("text").filter(|text| text.get("type").and_then(Value::as_str) == Some("plain_text"));
    let what = match kind {
        _ if !BLOCKS.contains(&kind) => format!("a block can't be of type `{kind}`"),
        "header" if !plain.is_some_and(has_text) => "a header needs a `plain_text` that is not empty".to_owned(),
        "section" if !block.get("text").is_some_and(has_text) && count("fields").is_none() => {
            "a section needs a `text` or `fields`".to_owned()
        }
        "section" if count("fields").is_some_and(|fields| !(1..=FIELDS_MAX).contains(&fields)) => {
            format!("a section has 1 to {FIELDS_MAX} fields")
        }
        "context" if !count("elements").is_some_and(|elements| (1..=FIELDS_MAX).contains(&elements)) => {
            format!("a context has 1 to {FIELDS_MAX} elements")
        }
        "actions" if !count("elements").is_some_and(|elements| (1..=BUTTONS_MAX).contains(&elements)) => {
            format!("actions have 1 to {BUTTONS_MAX} elements")
        }
        "image" if block.get("alt_text").and_then(Value::as_str).is_none() => "an image needs an `alt_text`".to_owned(),
        _ => return Ok(()),
    };
    Refusal::invalid(what)
}

/// The texts where a value stands.
#[derive(Clone, Copy)]
struct Texts {
    /// Most characters of one.
    limit: usize,
    /// Whether they are read as mrkdwn.
    is_markup: bool,
}

fn walk(value: &mut Value, key: &str, texts: Texts, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "image_url" | "title_link") => link(whole),
        Value::String(whole) => {
            *whole = escape(whole, texts);
            *characters += whole.chars().count();
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, texts, characters)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str);
            let limit = match kind {
                Some("header") => 150,
                Some("button") => 75,
                _ => texts.limit,
            };
            let is_markup = kind == Some("mrkdwn");
            fields.iter_mut().try_for_each(|(key, field)| {
                let limit = if matches!(key.as_str(), "fields" | "alt_text") { limit.min(2000) } else { limit };
                walk(field, key, Texts { limit, is_markup }, characters)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Escapes the values in a text, and cuts the first that would make it longer than the limit.
fn escape(whole: &str, Texts { limit, is_markup }: Texts) -> String {
    let mut escaped = String::with_capacity(whole.len());
    let mut room = limit;
    let parts = parts(whole);
    for (index, part) in parts.iter().enumerate() {
        let (text, is_own) = match part {
            Part::Own(own) => (Cow::Borrowed(*own), true),
            Part::Value(value) if is_markup && !MRKDWN.is_target(&escaped, parts.get(index + 1)) => {
                (Cow::Owned(markup::value(value, &MRKDWN)), false)
            }
            Part::Value(value) => (Cow::Borrowed(*value), false),
        };
        for letter in text.chars() {
            let mut plain = [0; 4];
            let written: &str = match letter {
                '&' if !is_own => "&amp;",
                '<' if !is_own => "&lt;",
                '>' if !is_own => "&gt;",
                _ => letter.encode_utf8(&mut plain),
            };
            let width = written.chars().count();
            // One character is kept for the ellipsis; so a text that just fits may lose its last.
            if width + 1 > room {
                escaped.push('…');
                return escaped;
            }
            escaped.push_str(written);
            room -= width;
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
