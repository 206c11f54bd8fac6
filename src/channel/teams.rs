//! Teams, by a Workflows webhook ("Create incoming webhooks with Workflows").
//!
//! The flow answers 202 before it looks at the card, so an answer proves only that the flow was reached. The card is checked
//! before it is sent: nothing else reports a bad one. It is written by "Format cards in Teams" and the "Adaptive Cards schema".

use serde_json::{Value, json};
use url::Url;

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict,
    address::{Destination, Origin, Paths},
    guard::{self, refuse},
    message, status,
};
use crate::{
    domain::{Complaint, Timestamp},
    egress::{Answer, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretReference},
    template::{
        Dialect, Plain, Refusal,
        markup::{self, Markup},
        payload::{self, link},
        text::{INVISIBLE, Part, mark, marked, parts},
    },
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// Codes in an answer of Power Automate or Logic Apps after which the flow accepts nothing until somebody fixes it: it is switched
/// off, suspended or deleted, or its URL is damaged or was replaced. The card itself is never examined before the answer.
const GONE: [&str; 17] = [
    "AuthorizationFailed",
    "DirectApiAuthorizationRequired",
    "DirectApiInvalidAuthorizationScheme",
    "EnvironmentNotFound",
    "FlowNotFound",
    "InvalidApiVersionParameter",
    "InvalidAuthenticationToken",
    "MissingApiVersionParameter",
    "SecurityTokenInvalid",
    "TriggerNotEnabled",
    "WorkflowDisabled",
    "WorkflowNotEnabled",
    "WorkflowNotFound",
    "WorkflowSuspended",
    "WorkflowTriggerIsNotEnabled",
    "WorkflowTriggerNotFound",
    "WorkflowVersionNotFound",
];

/// Hosts of Teams Workflows webhooks, by cloud, and the older ones of Logic Apps. Whole labels must match.
const TEAMS_SUFFIXES: [&str; 8] = [
    "environment.api.powerplatform.com",
    "environment.api.gov.powerplatform.microsoft.us",
    "environment.api.high.powerplatform.microsoft.us",
    "environment.api.appsplatform.us",
    "environment.api.powerplatform.partner.microsoftonline.cn",
    "logic.azure.com",
    "logic.azure.us",
    "logic.azure.cn",
];
/// Hosts of Office 365 connectors, which Microsoft has retired ("Retirement of Office 365 connectors within Microsoft Teams").
const CONNECTOR_SUFFIXES: [&str; 2] = ["webhook.office.com", "outlook.office.com"];
/// What the query of a Workflows webhook must have: without the signature, the flow answers 401 to every message.
const TEAMS_SIGNATURE: &str = "sig";
/// Characters of the signature in each URL that Microsoft makes today: a SHA-256 sum in Base64 for URLs, without padding.
const SIGNATURE_CHARACTERS: usize = 43;
/// What it must have for the flow to be found: without it, the answer is 400 with `MissingApiVersionParameter`.
const TEAMS_VERSION: &str = "api-version";
/// What to do about a URL that was not copied whole.
const COPY: &str = "copy the whole URL from the flow's trigger, and quote it in the shell";
/// Largest request, in bytes. Teams refuses 28,672 bytes counted after it has wrapped the card, which adds about a fifth.
pub const BYTES_MAX: usize = 20 * 1024;
/// The most buttons that are safe.
const ACTIONS_MAX: usize = 6;
/// The newest dialect that the flow's "post card" step renders.
const VERSION_MAX: (u32, u32) = (1, 4);
/// Elements and inlines of that dialect which Teams renders.
const ELEMENTS: [&str; 11] = [
    "TextBlock",
    "RichTextBlock",
    "TextRun",
    "Image",
    "ImageSet",
    "Container",
    "ColumnSet",
    "Column",
    "FactSet",
    "ActionSet",
    "AdaptiveCard",
];
/// Actions that work without a bot.
const ACTIONS: [&str; 3] = ["Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility"];
/// Keys whose text is Markdown, in addition to `TextBlock.text`.
const FACT_KEYS: [&str; 2] = ["title", "value"];

/// Where a link leads in Teams' Markdown. Values in its text are escaped by [`push`].
const MARKDOWN: Markup =
    Markup { escaped: "", parted: "", replaced: &[], begins_blocks: false, link: Some(("](", &[")"])) };

/// Largest plain card, in bytes.
pub const PLAIN_BYTES_MAX: usize = 4 * 1024;

/// A Teams Workflows webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teams {
    /// The flow's URL; the whole authorization is in it.
    pub url: SecretReference,
}

impl Teams {
    pub(crate) const WORD: &'static str = "teams";
    pub(super) const DIALECT: Option<&'static Dialect> = Some(&DIALECT);
    pub(super) const ORIGIN: Option<&'static Origin> = Some(&Origin {
        title: "a Teams webhook",
        hosts: &["environment.api.powerplatform.com", "logic.azure.com", "logic.azure.us"],
        paths: Paths::WithQuery,
    });
}

/// An Adaptive Card in the envelope of a Workflows webhook.
pub static DIALECT: Dialect = Dialect {
    name: Teams::WORD,
    templates: &[
        ("teams", include_str!("../../templates/teams.hbs")),
        ("teams-fact", include_str!("../../templates/teams-fact.hbs")),
        ("teams-cause", include_str!("../../templates/teams-cause.hbs")),
    ],
    escape: marked,
    has_month_page: false,
    finish: |output| limited(payload::json(output, check)?),
    plain: Some(Plain {
        characters_max: PLAIN_BYTES_MAX,
        bytes_max: PLAIN_BYTES_MAX,
        write: |lines| limited(payload::write(card(lines), check)?),
    }),
    looks_like: Some(|text| text.contains("\"attachments\"") && text.contains("AdaptiveCard")),
};

impl Kind for Teams {
    fn destination(&self) -> Destination<'_> {
        Destination::Chat(&self.url)
    }

    fn fix_page(&self) -> Option<&'static str> {
        Some("https://make.powerautomate.com/")
    }

    /// The flow answers before it runs.
    fn answer_proves(&self) -> bool {
        false
    }

    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError> {
        vet_url(url, private)
    }

    fn answers_early(&self) -> bool {
        true
    }

    fn doubt(&self, url: &str) -> Option<Complaint> {
        doubt(url)
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

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, _host: Option<&str>, now: Timestamp) -> Verdict {
        judge(answer, now)
    }
}

fn judge(answer: &Answer, now: Timestamp) -> Verdict {
    match (status::plainer(answer, now, &[400, 413]), gone(answer)) {
        (Verdict::Plainer { reason } | Verdict::Rejected { reason } | Verdict::Parked { reason }, Some(code)) => {
            Verdict::Parked { reason: format!("{reason} `{code}`") }
        }
        (verdict, _) => verdict,
    }
}

/// The known code in a refusal that says that the flow accepts nothing. Other codes are not repeated: they may be a proxy's.
fn gone(answer: &Answer) -> Option<&'static str> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
    let code = body.pointer("/error/code").or_else(|| body.get("code"))?.as_str()?;
    GONE.into_iter().find(|known| known.eq_ignore_ascii_case(code))
}

/// Checks the URL of a Teams Workflows webhook.
///
/// # Errors
/// [`ComposeError::Url`] without the URL.
pub fn vet_url(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = guard::parse(url, private)?;
    let host = guard::name_of(&parsed);
    let is_one_of = |suffixes: &[&str]| {
        host.as_deref()
            .is_some_and(|host| suffixes.iter().any(|suffix| host == *suffix || guard::is_below(host, suffix)))
    };
    if host.as_deref().is_some_and(|host| TEAMS_SUFFIXES.iter().any(|suffix| guard::is_below(host, suffix))) {
        return guard::whole(&parsed, true, &[TEAMS_SIGNATURE], COPY);
    }
    if guard::may_be_private(&parsed, private) {
        return Ok(());
    }
    if is_one_of(&CONNECTOR_SUFFIXES) {
        return refuse(
            "it is an Office 365 connector, which Microsoft has retired",
            "create a webhook in the app Workflows",
        );
    }
    refuse("its host is not that of a Teams Workflows webhook", "create a webhook in the app Workflows")
}

/// Whether the path, the version or the signature of a Workflows webhook is not as Microsoft makes them. That may change, so the URL
/// is used all the same.
fn doubt(url: &str) -> Option<Complaint> {
    let parsed = Url::parse(url).ok()?;
    let host = guard::name_of(&parsed)?;
    TEAMS_SUFFIXES.iter().find(|suffix| guard::is_below(&host, suffix))?;
    if parsed.path().split_once("/triggers/").is_none_or(|(_, trigger)| !trigger.contains("/invoke")) {
        return Some(Complaint::new("its path has no `/triggers/…/invoke`, which leads to the flow's trigger", COPY));
    }
    if !parsed.query_pairs().any(|(name, value)| name == TEAMS_VERSION && !value.is_empty()) {
        return Some(Complaint::new(
            format!("its `{TEAMS_VERSION}=` is missing, without which the flow refuses all"),
            COPY,
        ));
    }
    let (_, signature) = parsed.query_pairs().find(|(name, _)| name == TEAMS_SIGNATURE)?;
    let length = signature.chars().count();
    if length == SIGNATURE_CHARACTERS && guard::is_made_of(&signature, &['-', '_']) {
        return None;
    }
    let what = if length == SIGNATURE_CHARACTERS {
        format!("its `{TEAMS_SIGNATURE}=` has a character that is not a letter, a digit, `-` or `_`")
    } else {
        let characters = if length == 1 { "1 character".to_owned() } else { format!("{length} characters") };
        format!("its `{TEAMS_SIGNATURE}=` has {characters}, and Microsoft's have {SIGNATURE_CHARACTERS}")
    };
    Some(Complaint::new(what, COPY))
}

/// The body, unless it is too large.
fn limited(body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    if body.len() > BYTES_MAX { Err(Refusal::TooLarge { size: body.len(), limit: BYTES_MAX }) } else { Ok(body) }
}

/// A card that has nothing but lines of text.
fn card(lines: &[String]) -> Value {
    let block =
        |line: &String| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": mark(line) }] });
    let body: Vec<Value> = lines.iter().map(block).collect();
    let card = json!({ "type": "AdaptiveCard", "version": "1.2", "body": body });
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

/// Checks the envelope and the card, and escapes the values in it.
fn check(message: &mut Value) -> Result<(), Refusal> {
    if message.get("type").and_then(Value::as_str) != Some("message") {
        return Refusal::invalid("`type` must be `message`");
    }
    let Some(attachments) = message.get_mut("attachments").and_then(Value::as_array_mut).filter(|list| list.len() == 1)
    else {
        return Refusal::invalid("`attachments` must be a list with one card");
    };
    for attachment in attachments {
        if attachment.get("contentType").and_then(Value::as_str) != Some("application/vnd.microsoft.card.adaptive") {
            return Refusal::invalid("`contentType` must be `application/vnd.microsoft.card.adaptive`");
        }
        let Some(card) = attachment.get_mut("content") else {
            return Refusal::invalid("the attachment has no `content`");
        };
        check_card(card)?;
        let mut actions = 0;
        walk(card, "", "", &mut actions)?;
        if actions > ACTIONS_MAX {
            return Refusal::invalid(format!("the card has {actions} actions, more than {ACTIONS_MAX}"));
        }
    }
    Ok(())
}

fn check_card(card: &Value) -> Result<(), Refusal> {
    if card.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
        return Refusal::invalid("the card's `type` must be `AdaptiveCard`");
    }
    if !card.get("body").is_some_and(Value::is_array) {
        return Refusal::invalid("the card's `body` must be a list");
    }
    let version = card.get("version").and_then(Value::as_str).and_then(|version| version.split_once('.'));
    let version = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match version {
        Some(version) if version <= VERSION_MAX => Ok(()),
        _ => Refusal::invalid("the card's `version` must be `1.4` or older"),
    }
}

/// `element` is the type of the object that the value stands in, `key` the key (or the list's key) it stands under.
fn walk(value: &mut Value, element: &str, key: &str, actions: &mut usize) -> Result<(), Refusal> {
    match value {
        Value::String(whole) if matches!(key, "url" | "iconUrl") => link(whole),
        Value::String(whole) => {
            let markdown =
                (element == "TextBlock" && key == "text") || (element == "FactSet" && FACT_KEYS.contains(&key));
            *whole = escape(whole, markdown)?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, element, key, actions)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).map(str::to_owned);
            check_type(kind.as_deref(), key, actions)?;
            let element = kind.as_deref().unwrap_or(element);
            fields.iter_mut().try_for_each(|(key, field)| walk(field, element, key, actions))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn check_type(kind: Option<&str>, key: &str, actions: &mut usize) -> Result<(), Refusal> {
    match kind {
        Some(action) if ACTIONS.contains(&action) => {
            *actions += 1;
            Ok(())
        }
        Some(element) if ELEMENTS.contains(&element) || key == "entities" => Ok(()),
        Some(other) => Refusal::invalid(format!("`{other}` can't be shown by Teams")),
        None if matches!(key, "body" | "items" | "actions") => {
            Refusal::invalid(format!("an object in `{key}` has no `type`"))
        }
        None => Ok(()),
    }
}

/// Escapes the values in a text. There is no documented escape in Teams' Markdown, so its signs are replaced by look-alikes.
fn escape(whole: &str, markdown: bool) -> Result<String, Refusal> {
    let mut escaped = String::with_capacity(whole.len());
    let parts = parts(whole);
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Own(own) => escaped.push_str(own),
            Part::Value(value) if markdown && MARKDOWN.is_target(&escaped, parts.get(index + 1)) => {
                escaped.push_str(&markup::target(value)?);
            }
            Part::Value(value) => {
                if markdown && escaped.is_empty() {
                    escaped.push(INVISIBLE);
                }
                value.chars().for_each(|letter| push(&mut escaped, letter, markdown));
            }
        }
    }
    Ok(escaped)
}

fn push(escaped: &mut String, letter: char, markdown: bool) {
    match letter {
        // `{{DATE(…)}}` and `<at>` are looked for in every text.
        '{' | '<' => escaped.extend([letter, INVISIBLE]),
        _ if !markdown => escaped.push(letter),
        '*' => escaped.push('∗'),
        '_' => escaped.push('＿'),
        '[' => escaped.push('［'),
        ']' => escaped.push('］'),
        '(' => escaped.push('（'),
        ')' => escaped.push('）'),
        '`' => escaped.push('‵'),
        '~' => escaped.push('∼'),
        '\\' => escaped.push('＼'),
        _ => escaped.push(letter),
    }
}

#[cfg(test)]
mod tests;
