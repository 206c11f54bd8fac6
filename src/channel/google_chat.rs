//! Google Chat, by an incoming webhook of a space ("Send messages to Google Chat with incoming webhooks", "REST Resource:
//! spaces.messages", "Cards v2").

use serde_json::{Value, json};

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::{Destination, Origin, Paths},
    chat::{self, Application},
    guard::{self, refuse},
};
use crate::{
    domain::Timestamp,
    egress::{Answer, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretReference},
    template::{
        Dialect, PLAIN_CHARACTERS_MAX, Plain, Refusal,
        markup::{self, Markup},
        payload::{self, link},
        text::marked,
    },
};

/// What to do about a URL that was not copied whole.
const COPY: &str = "copy the whole URL from Apps & integrations of the space, and quote it in the shell";
/// What the query of a webhook must have: the key of the service, and the token of this webhook.
const REQUIRED: [&str; 2] = ["key", "token"];
/// Hosts of Google Chat webhooks.
const HOSTS: [&str; 1] = ["chat.googleapis.com"];
/// What Google Chat answers, with 400, when nothing will be accepted until somebody fixes the webhook.
const GONE: &str = "API_KEY_INVALID";
/// Largest message, in bytes.
pub(super) const BYTES_MAX: usize = 32_000;
/// Most widgets of a section; what is above is not shown.
const WIDGETS_MAX: usize = 100;
/// What a message may hold when it comes by a webhook. Anything else is refused as unknown.
const KEYS: [&str; 5] = ["text", "cardsV2", "fallbackText", "thread", "accessoryWidgets"];
/// The text of a Google Chat message ("Format messages"), which has no escape.
pub(super) const TEXT_MARKUP: Markup = Markup {
    escaped: "",
    parted: "@<",
    replaced: &[('*', '∗'), ('_', '＿'), ('~', '∼'), ('`', '‵')],
    begins_blocks: true,
    link: Some(("<", &["|", ">"])),
};
/// The texts of a Google Chat card: a few elements of HTML ("Format text in cards").
pub(super) const CARD_MARKUP: Markup =
    Markup { escaped: "", parted: "<&", replaced: &[], begins_blocks: false, link: Some(("<a href=\"", &["\">"])) };
const GOOGLE_CHAT: Application =
    Application { title: "Google Chat", took: |answer| chat::has_text(answer, "name"), gone };

/// A webhook of a Google Chat space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleChat {
    /// The webhook's URL; the whole authorization is in it.
    pub url: SecretReference,
}

impl GoogleChat {
    pub(crate) const WORD: &'static str = "google-chat";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> =
        Some(&Origin { title: "a Google Chat webhook", hosts: &HOSTS, paths: Paths::Alone });
}

/// `text` and `cardsV2` of a message.
pub(super) static DIALECT: Dialect = Dialect {
    name: GoogleChat::WORD,
    templates: &[("google-chat", include_str!("../../templates/google-chat.hbs"))],
    escape: marked,
    has_month_page: false,
    finish: |output| payload::json(output, check),
    plain: Some(Plain {
        characters_max: PLAIN_CHARACTERS_MAX,
        bytes_max: usize::MAX,
        write: |lines| payload::write(json!({ "text": payload::marked_lines(lines) }), check),
    }),
    looks_like: Some(|text| text.contains("\"cardsV2\"")),
};

impl Kind for GoogleChat {
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
        chat::compose(channel, url, &DIALECT, notification, form)
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, host: Option<&str>, now: Timestamp) -> Verdict {
        GOOGLE_CHAT.judge(answer, host.is_some_and(|host| HOSTS.contains(&host)), now)
    }
}

fn gone(answer: &Answer) -> Option<&'static str> {
    let body = chat::body(answer)?;
    let mut details = body.pointer("/error/details")?.as_array()?.iter();
    details.any(|detail| detail.get("reason").is_some_and(|reason| reason == GONE)).then_some(GONE)
}

/// Checks the URL of a Google Chat webhook.
fn vet_url(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = guard::parse(url, private)?;
    if guard::name_of(&parsed).is_some_and(|host| HOSTS.contains(&host.as_str())) {
        let is_webhook = matches!(guard::path(&parsed)[..], [_, "spaces", space, "messages"] if !space.is_empty());
        guard::whole(&parsed, is_webhook, &REQUIRED, COPY)
    } else if guard::may_be_private(&parsed, private) {
        Ok(())
    } else {
        refuse("its host is not `chat.googleapis.com`", "create a webhook under Apps & integrations of the space")
    }
}

/// Checks the message and escapes the values in it.
fn check(message: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = message.as_object_mut() else { return Refusal::invalid("the message must be an object") };
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Refusal::invalid(format!("Google Chat knows no `{key}`"));
    }
    let has_text = fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let has_cards = match fields.get("cardsV2") {
        None => false,
        Some(Value::Array(cards)) => cards.iter().all(|card| card.get("card").is_some_and(Value::is_object)),
        Some(_) => return Refusal::invalid("`cardsV2` must be a list"),
    };
    if !has_text && !has_cards {
        return Refusal::invalid("`text` or `cardsV2`, each with a `card`, must be there");
    }
    for (key, field) in fields.iter_mut() {
        match (key.as_str(), field) {
            ("text" | "fallbackText", Value::String(text)) => *text = markup::escape(text, &TEXT_MARKUP)?,
            (key, field) => walk(field, key)?,
        }
    }
    let size = message.to_string().len();
    if size > BYTES_MAX {
        return Err(Refusal::TooLarge { size, limit: BYTES_MAX });
    }
    Ok(())
}

/// `key` is the key (or the list's key) that the value stands under.
fn walk(value: &mut Value, key: &str) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "imageUrl" | "iconUrl") => link(whole),
        Value::String(whole) => {
            *whole = markup::escape(whole, &CARD_MARKUP)?;
            Ok(())
        }
        Value::Array(items) if key == "widgets" && items.len() > WIDGETS_MAX => {
            Err(Refusal::TooLarge { size: items.len(), limit: WIDGETS_MAX })
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, key)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| walk(field, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
