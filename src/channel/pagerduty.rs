//! PagerDuty, by its Events API v2 ("Send an Alert Event", "Send a Change Event").
//!
//! An alert of ours is an alert there: its id is the `dedup_key`, so that worsening and reminders are added to what is open,
//! and the end closes it. A later generation of the alert has the same key: what is resolved is not opened again, a new
//! incident is. A test is a change event, which appears on the service and pages nobody.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    ComposeError, Form, Kind, OpenChannel, Verdict, WebhookUrl,
    address::{Destination, Origin},
    guard, message, status,
};
use crate::{
    domain::{Severity, Timestamp},
    egress::{Answer, Outgoing, Private},
    notify::{Notification, NotificationType, language::Locale},
    secret::{ExposeSecret, SecretError, SecretReference, SecretString},
    template::{Dialect, Summary, summary},
};

const CONTENT_TYPE: &str = "application/json";
/// Where alert events go, below the base URL.
const ALERTS: &str = "/v2/enqueue";
/// Where change events go, below the base URL.
const CHANGES: &str = "/v2/change/enqueue";
/// Length of an integration key, in characters.
const ROUTING_KEY_LETTERS: usize = 32;
/// What the key of a ruleset begins with. Rulesets take no change events ("Events API v2 Overview").
const RULESET: char = 'R';
/// Longest `dedup_key`, in characters.
const DEDUP_KEY_CHARACTERS_MAX: usize = 255;
/// Longest `summary`, in characters.
const SUMMARY_CHARACTERS_MAX: usize = 1024;
/// Largest event, in bytes.
const EVENT_BYTES_MAX: usize = 512 * 1024;
/// The `dedup_key` of what was never opened.
const TEST_KEY: &str = "scorewatch.test";

/// A PagerDuty service, by an integration of its Events API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagerduty {
    /// The integration's key; the whole authorization is in it.
    pub routing_key: SecretReference,
    /// Where the account lives.
    pub region: PagerdutyRegion,
    /// Another base URL than the region's: a receiver inside, or a test.
    pub url: Option<WebhookUrl>,
}

/// Where a PagerDuty account lives. Its events go nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PagerdutyRegion {
    /// The US service region: `events.pagerduty.com`.
    #[default]
    Us,
    /// The EU service region: `events.eu.pagerduty.com`.
    Eu,
}

impl PagerdutyRegion {
    /// Every region, each with its name.
    pub const ALL: [(&'static str, Self); 2] = [("us", Self::Us), ("eu", Self::Eu)];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }

    const fn base(self) -> &'static str {
        match self {
            Self::Us => "https://events.pagerduty.com",
            Self::Eu => "https://events.eu.pagerduty.com",
        }
    }
}

impl Pagerduty {
    pub(crate) const WORD: &'static str = "pagerduty";
    /// It is sent fields, no text.
    pub(super) const DIALECT: Option<&'static Dialect> = None;
    pub(super) const ORIGIN: Option<&'static Origin> = None;
}

impl Kind for Pagerduty {
    fn destination(&self) -> Destination<'_> {
        Destination::Key(&self.routing_key, self.url.as_ref())
    }

    fn route(&self) -> Result<Vec<SecretString>, SecretError> {
        let url = self.url.as_ref().map(WebhookUrl::resolve).transpose()?;
        Ok([SecretString::from(self.region.as_str())].into_iter().chain(url).collect())
    }

    fn secrets(&self) -> Vec<&SecretReference> {
        self.url.iter().filter_map(WebhookUrl::secret).chain([&self.routing_key]).collect()
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn vet(&self, url: &str, private: &Private) -> Result<(), ComposeError> {
        guard::base(url, private)
    }

    fn compose(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        _form: Form,
        _attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let key = check_routing_key(&self.routing_key)?;
        let base = match &self.url {
            Some(url) => url.resolve()?,
            None => SecretString::from(self.region.base()),
        };
        guard::base(base.expose_secret(), &channel.settings.private)?;
        let (path, event) = event(notification, &channel.settings.locale, key.expose_secret());
        let url = guard::below(base.expose_secret(), path);
        Ok(message::post(url.into(), CONTENT_TYPE, written(&event)?).into())
    }

    fn body(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        _attempt_at: Timestamp,
    ) -> Result<Bytes, ComposeError> {
        written(&event(notification, &channel.settings.locale, "…").1)
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, host: Option<&str>, now: Timestamp) -> Verdict {
        judge(answer, host.is_some_and(is_its_own), now)
    }
}

fn written(event: &Event<'_>) -> Result<Bytes, ComposeError> {
    let body = serde_json::to_vec(event)
        .map_err(|error| ComposeError::Template { template: Pagerduty::WORD.to_owned(), what: error.to_string() })?;
    if body.len() > EVENT_BYTES_MAX {
        return Err(ComposeError::TooLarge { bytes: body.len(), limit: EVENT_BYTES_MAX });
    }
    Ok(body.into())
}

/// Reads an integration key.
///
/// # Errors
/// [`SecretError`] when it can't be read or is none.
pub fn check_routing_key(reference: &SecretReference) -> Result<SecretString, SecretError> {
    let key = reference.resolve()?;
    let text = key.expose_secret();
    if text.len() == ROUTING_KEY_LETTERS && text.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        Ok(key)
    } else {
        Err(reference.unfit("is not an integration key of 32 letters and digits"))
    }
}

/// An event as sent.
#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    #[serde(rename = "event_action", skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    links: Vec<Value>,
    payload: Value,
}

/// The event that says a notification, and where it goes.
fn event<'a>(notification: &Notification, locale: &Locale, routing_key: &'a str) -> (&'static str, Event<'a>) {
    let words = summary(notification, locale);
    let links = words.links.iter().map(|link| json!({ "href": link.url, "text": link.title })).collect();
    let mut event = Event {
        routing_key,
        action: None,
        dedup_key: None,
        client: None,
        client_url: None,
        links,
        payload: payload(notification, &words),
    };
    let is_test = message::is_test(notification);
    if is_test && !routing_key.starts_with(RULESET) {
        return (CHANGES, event);
    }
    let (action, key) =
        if is_test { ("resolve", TEST_KEY.to_owned()) } else { (action(notification), dedup_key(notification)) };
    event.action = Some(action);
    event.dedup_key = Some(key.chars().take(DEDUP_KEY_CHARACTERS_MAX).collect());
    event.client = Some("Scorewatch");
    event.client_url = words.links.first().map(|link| link.url.clone());
    event.payload["severity"] = severity(notification).as_str().into();
    (ALERTS, event)
}

/// What an alert event does to the alert of its key.
fn action(notification: &Notification) -> &'static str {
    let data = &notification.data;
    let is_over = match (&data.alert, &data.operator) {
        (Some(alert), _) => alert.resolved_at.is_some(),
        // Downtime is reported afterwards: there is nothing to close.
        (None, Some(operator)) => operator.until.is_some() && notification.kind != NotificationType::OperatorDowntime,
        (None, None) => false,
    };
    if is_over { "resolve" } else { "trigger" }
}

/// What the messages about one trouble have in common.
fn dedup_key(notification: &Notification) -> String {
    let data = &notification.data;
    if let Some(alert) = &data.alert {
        return alert.id.clone();
    }
    let channel = data.operator.as_ref().and_then(|operator| operator.channel.as_deref());
    let about = channel.or(data.tenant.as_ref().map(|tenant| tenant.id.as_str()));
    match (notification.kind, about) {
        (NotificationType::OperatorChannel | NotificationType::OperatorCredential, Some(about)) => {
            format!("scorewatch.{}/{about}", notification.kind.as_str())
        }
        // There is one configuration.
        (NotificationType::OperatorConfiguration, None) => format!("scorewatch.{}", notification.kind.as_str()),
        _ => data.notification.id.as_str().to_owned(),
    }
}

/// PagerDuty has the same words, and also `error`.
fn severity(notification: &Notification) -> Severity {
    let is_past = notification.kind == NotificationType::OperatorDowntime || message::is_test(notification);
    match &notification.data.alert {
        _ if is_past => Severity::Info,
        Some(alert) => alert.severity,
        None => Severity::Warning,
    }
}

/// The part of the event that people see.
fn payload(notification: &Notification, words: &Summary) -> Value {
    let data = &notification.data;
    let text: String = words.headline.chars().take(SUMMARY_CHARACTERS_MAX).collect();
    let source = data.tenant.as_ref().map_or("scorewatch", |tenant| tenant.id.as_str());
    let mut payload = json!({
        "summary": text,
        "source": source,
        "timestamp": notification.timestamp,
        "custom_details": details(notification, words),
    });
    let component = data.score.as_ref().filter(|score| !score.all).map(|score| score.kind.as_str());
    let component = component.or(data.operator.as_ref().and_then(|operator| operator.channel.as_deref()));
    let class = data.rule.as_ref().map(|rule| rule.name.as_str());
    let class = class.or(data.operator.as_ref().map(|operator| operator.class.as_str()));
    // A change event knows neither.
    let is_change = message::is_test(notification);
    for (key, value) in [("component", component), ("class", class)] {
        if let Some(value) = value.filter(|_| !is_change) {
            payload[key] = value.into();
        }
    }
    payload
}

/// The facts in words, each under its name; what machines need beside them.
fn details(notification: &Notification, words: &Summary) -> Value {
    let data = &notification.data;
    let mut details: Map<String, Value> =
        words.facts.iter().map(|fact| (fact.key.clone(), fact.value.clone().into())).collect();
    let mut more = |key: &str, value: Value| drop(details.insert(key.to_owned(), value));
    if let Some(note) = &words.note {
        more("note", note.as_str().into());
    }
    if !words.causes.is_empty() {
        more("causes", json!(words.causes));
    }
    if let Some(score) = &data.score {
        let (value, baseline, loss) = (score.value, score.baseline, score.loss);
        more("score", json!({ "kind": score.kind, "value": value, "baseline": baseline, "loss": loss }));
    }
    more("type", notification.kind.as_str().into());
    more("message", json!({ "id": data.notification.id, "short_id": data.notification.short_id }));
    if data.notification.possible_duplicate {
        more("possible_duplicate", true.into());
    }
    Value::Object(details)
}

fn is_its_own(host: &str) -> bool {
    host == "pagerduty.com" || host.ends_with(".pagerduty.com")
}

/// The answer's body is read for one thing only, and never repeated: whether it is the key that is refused.
/// `is_its_own`: PagerDuty itself answered, and no receiver that is compatible with it; of that any 2xx is a success.
fn judge(answer: &Answer, is_its_own: bool, now: Timestamp) -> Verdict {
    match answer.status {
        202 => Verdict::Delivered,
        200..=299 if is_its_own => Verdict::Retry {
            reason: format!("the answer is {}, not PagerDuty's 202: something between us answered", answer.status),
            after: None,
        },
        400 if refuses_key(&answer.body) => Verdict::Parked { reason: "PagerDuty refuses the routing key".to_owned() },
        _ => status::verdict(answer, now),
    }
}

/// Whether a refusal is about the key: `Invalid routing key`, or a list of errors of which one names `routing_key`.
fn refuses_key(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.contains("routing_key") || text.contains("routing key")
}

#[cfg(test)]
mod tests;
