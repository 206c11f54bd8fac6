//! Mattermost, by an incoming webhook of a server, wherever that runs ("Incoming webhooks", "Message attachments").

use serde_json::{Value, json};
use url::Url;

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::Destination,
    chat::{self, Application},
    guard,
};
use crate::{
    domain::{Complaint, Timestamp},
    egress::{Answer, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretReference},
    template::{
        Dialect, PLAIN_CHARACTERS_MAX, Plain, Refusal,
        markup::{self, Markup},
        payload::{self, link},
        text::{marked, unmarked},
    },
};

/// What Mattermost answers when nothing will be accepted until somebody fixes the webhook, whatever the status.
const GONE: [&str; 3] = [
    "web.incoming_webhook.channel_locked.app_error",
    "web.incoming_webhook.disabled.app_error",
    "web.incoming_webhook.invalid.app_error",
];
/// Most characters of a message; the server makes several of a longer one.
pub(super) const CHARACTERS_MAX: usize = 16_383;
/// Most characters of the attachments as JSON that older servers keep together.
const ATTACHMENTS_MAX: usize = 7_900;
/// What other applications take, and what would not be shown here.
const FOREIGN: [&str; 3] = ["blocks", "cardsV2", "embeds"];
/// Texts of an attachment, one of which it must have.
const TEXTS: [&str; 4] = ["text", "pretext", "title", "fields"];
/// Mattermost's Markdown ("Format messages"). Its server turns Slack's `<!channel>` into a mention before it reads Markdown.
pub(super) const MARKUP: Markup = Markup {
    escaped: "\\*_`|[]",
    parted: "@<#$&",
    replaced: &[('~', '∼')],
    begins_blocks: true,
    link: Some(("](", &[")"])),
};
const MATTERMOST: Application = Application { title: "Mattermost", took, gone };

/// An incoming webhook of a Mattermost server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mattermost {
    /// The webhook's URL; the whole authorization is in it.
    pub url: SecretReference,
}

impl Mattermost {
    pub(crate) const WORD: &'static str = "mattermost";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static super::Origin> = None;
}

/// `text` and `attachments` of a webhook.
pub(super) static DIALECT: Dialect = Dialect {
    name: Mattermost::WORD,
    templates: &[("mattermost", include_str!("../../templates/mattermost.hbs"))],
    escape: marked,
    has_month_page: false,
    finish: |output| payload::json(output, check),
    plain: Some(Plain {
        characters_max: PLAIN_CHARACTERS_MAX,
        bytes_max: usize::MAX,
        write: |lines| payload::write(json!({ "text": payload::marked_lines(lines) }), check),
    }),
    looks_like: Some(|text| text.contains("\"attachments\"")),
};

impl Kind for Mattermost {
    fn destination(&self) -> Destination<'_> {
        Destination::Chat(&self.url)
    }

    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError> {
        guard::webhook(url, private)?;
        vet_path(url)
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
        chat::compose(channel, url, &DIALECT, notification, form)
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, _host: Option<&str>, now: Timestamp) -> Verdict {
        MATTERMOST.judge(answer, true, now)
    }
}

/// Whether the path ends with that of an incoming webhook, `/hooks/ID`; a server may be below another path.
fn vet_path(url: &str) -> Result<(), ComposeError> {
    let is_hook = |url: Url| {
        let mut parts = url.path().trim_end_matches('/').rsplit('/').map(str::to_owned);
        parts.next().is_some_and(|id| !id.is_empty()) && parts.next().is_some_and(|part| part == "hooks")
    };
    if Url::parse(url).is_ok_and(is_hook) {
        return Ok(());
    }
    let instead = "copy the URL of the incoming webhook, which ends like `/hooks/xxx-generated-key-xxx`";
    Err(ComposeError::Url(Complaint::new("its path is not that of an incoming webhook", instead)))
}

/// Distinguished from a page of a proxy in front of the server: forks have their own words for `ok`.
fn took(answer: &Answer) -> bool {
    !chat::content_type(answer).starts_with("text/html") && !answer.body.trim_ascii_start().starts_with(b"<")
}

fn gone(answer: &Answer) -> Option<&'static str> {
    let body = chat::body(answer)?;
    let word = body.get("id")?.as_str()?;
    GONE.into_iter().find(|gone| *gone == word)
}

/// Checks the message and escapes the values in it.
fn check(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if let Some(foreign) = FOREIGN.into_iter().find(|key| fields.contains_key(*key)) {
        return Refusal::invalid(format!("Mattermost knows no `{foreign}`"));
    }
    let has_text = fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let has_attachments = match fields.get("attachments") {
        None => false,
        Some(Value::Array(attachments)) => {
            let has_text = |attachment: &Value| TEXTS.iter().any(|key| attachment.get(key).is_some());
            if !attachments.iter().all(has_text) {
                return Refusal::invalid("an attachment needs a `text`, `pretext`, `title` or `fields`");
            }
            !attachments.is_empty()
        }
        Some(_) => return Refusal::invalid("`attachments` must be a list"),
    };
    if !has_text && !has_attachments {
        return Refusal::invalid("`text` or `attachments` must be there");
    }
    let mut characters = 0;
    for (key, field) in fields.iter_mut() {
        walk(field, key, &mut characters)?;
    }
    keep(characters, CHARACTERS_MAX)?;
    keep(fields.get("attachments").map_or(0, |list| list.to_string().chars().count()), ATTACHMENTS_MAX)
}

/// `key` is the key (or the list's key) that the value stands under.
fn walk(value: &mut Value, key: &str, characters: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if key.ends_with("_url") || key.ends_with("_link") || key == "footer_icon" => link(whole),
        Value::String(whole) if key == "color" => {
            *whole = unmarked(whole);
            let is_number = whole.strip_prefix('#').is_some_and(|digits| u32::from_str_radix(digits, 16).is_ok());
            if is_number || ["good", "warning", "danger"].contains(&whole.as_str()) {
                Ok(())
            } else {
                Refusal::invalid("a `color` is `good`, `warning`, `danger` or a text like `#D13438`")
            }
        }
        Value::String(whole) => {
            let is_shown_as_it_is = matches!(key, "fallback" | "footer" | "author_name" | "username");
            *whole = markup::escape(whole, if is_shown_as_it_is { &markup::NONE } else { &MARKUP })?;
            *characters += whole.chars().count();
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key, characters)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| walk(field, key, characters)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn keep(size: usize, limit: usize) -> Result<(), Refusal> {
    if size > limit { Err(Refusal::TooLarge { size, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
