//! Alertmanager, by its API v2 (`POST /api/v2/alerts`), so that routes, silences and receivers that are there already serve.
//!
//! Alertmanager knows an alert by its labels. The same rule, tenant, score and subject are the same alert; severity and the
//! tenant's labels are labels too, since routes ask for them. If one of those is edited while an alert fires, Alertmanager
//! holds two: the older ends at its `endsAt`.
//!
//! It forgets an alert whose `endsAt` has passed, and every alert when it is restarted. A firing alert is sent with an `endsAt`
//! so far ahead that it never ends on its own while it fires; each later message about it moves that on.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Serialize;

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
    template::{Dialect, Summary, harmless, summary},
};

const CONTENT_TYPE: &str = "application/json";
/// Where alerts go, below the base URL.
const ALERTS: &str = "/api/v2/alerts";
/// How long an alert holds from the last message about it. It must outlive the longest time without one: a rule without
/// `repeat` says nothing between its firing and its end.
const HOLDS: Duration = Duration::from_hours(366 * 24);
/// How long Alertmanager shows a message that is not about a state.
const EVENT_SHOWS: Duration = Duration::from_hours(24);
/// How long a test shows.
const TEST_SHOWS: Duration = Duration::from_mins(5);
/// Longest value of a label or annotation, in characters. Alertmanager has no limit; its receivers have.
const VALUE_CHARACTERS_MAX: usize = 1024;

/// An Alertmanager, or what speaks its API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// The base URL; `/api/v2/alerts` is added.
    pub url: WebhookUrl,
    /// How it knows us.
    pub authorization: Authorization,
}

/// How an Alertmanager, or the proxy before it, knows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Not at all: it asks for no authentication.
    Nobody,
    /// With HTTP basic authentication.
    Basic {
        /// The user's name, in the open.
        username: String,
        /// Where the password is kept.
        password: SecretReference,
    },
    /// With a bearer token.
    Bearer {
        /// Where the token is kept.
        token: SecretReference,
    },
}

impl Alertmanager {
    pub(crate) const WORD: &'static str = "alertmanager";
    /// It is sent fields, no text.
    pub(super) const DIALECT: Option<&'static Dialect> = None;
    pub(super) const ORIGIN: Option<&'static Origin> = None;
}

impl Kind for Alertmanager {
    fn destination(&self) -> Destination<'_> {
        Destination::Url(&self.url)
    }

    fn route(&self) -> Result<Vec<SecretString>, SecretError> {
        Ok(match &self.authorization {
            Authorization::Basic { username, .. } => vec![SecretString::from(username.as_str())],
            Authorization::Nobody | Authorization::Bearer { .. } => Vec::new(),
        })
    }

    fn secrets(&self) -> Vec<&SecretReference> {
        let secret = match &self.authorization {
            Authorization::Nobody => None,
            Authorization::Basic { password, .. } => Some(password),
            Authorization::Bearer { token } => Some(token),
        };
        self.url.secret().into_iter().chain(secret).collect()
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
        attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let base = self.url.resolve()?;
        guard::base(base.expose_secret(), &channel.settings.private)?;
        let headers = header(&self.authorization)?.map(|value| ("authorization", value)).into_iter().collect();
        let body = self.body(channel, notification, attempt_at)?;
        let url = guard::below(base.expose_secret(), ALERTS);
        Ok(message::post_with(url.into(), CONTENT_TYPE, body, headers).into())
    }

    fn body(
        &self,
        channel: &OpenChannel,
        notification: &Notification,
        attempt_at: Timestamp,
    ) -> Result<Bytes, ComposeError> {
        let body = serde_json::to_vec(&[alert(notification, &channel.settings.locale, attempt_at)]);
        body.map(Bytes::from)
            .map_err(|error| ComposeError::Template { template: Self::WORD.to_owned(), what: error.to_string() })
    }

    fn verdict(&self, _channel: &OpenChannel, answer: &Answer, _host: Option<&str>, now: Timestamp) -> Verdict {
        judge(answer, now)
    }
}

/// The value of the `authorization` header.
fn header(authorization: &Authorization) -> Result<Option<SecretString>, ComposeError> {
    Ok(match authorization {
        Authorization::Nobody => None,
        Authorization::Basic { username, password } => {
            let password = password.resolve()?;
            let pair = format!("{username}:{}", password.expose_secret());
            Some(format!("Basic {}", STANDARD.encode(pair)).into())
        }
        Authorization::Bearer { token } => Some(format!("Bearer {}", token.resolve()?.expose_secret()).into()),
    })
}

/// An alert as sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

fn alert(notification: &Notification, locale: &Locale, attempt_at: Timestamp) -> Alert {
    let words = summary(notification, locale);
    let (starts_at, ends_at) = span(notification, attempt_at);
    Alert {
        labels: labels(notification),
        annotations: annotations(notification, &words),
        starts_at,
        ends_at,
        generator_url: words.links.into_iter().next().map(|link| link.url),
    }
}

/// From when to when; the end is never before the start, which would be refused.
fn span(notification: &Notification, attempt_at: Timestamp) -> (Timestamp, Timestamp) {
    let data = &notification.data;
    let starts_at = match (&data.alert, &data.operator) {
        (Some(alert), _) => alert.started_at,
        (None, Some(operator)) => operator.from.unwrap_or(notification.timestamp),
        (None, None) => notification.timestamp,
    };
    let ended_at = match (&data.alert, &data.operator) {
        (Some(alert), _) => alert.resolved_at,
        // Downtime is reported afterwards; without an end of its own it would be over before anybody saw it.
        (None, Some(operator)) => operator.until.filter(|_| notification.kind != NotificationType::OperatorDowntime),
        (None, None) => None,
    };
    let ends_at = ended_at.unwrap_or_else(|| {
        attempt_at.plus(match data.alert {
            _ if message::is_test(notification) => TEST_SHOWS,
            Some(_) => HOLDS,
            None => EVENT_SHOWS,
        })
    });
    (starts_at, ends_at.max(starts_at))
}

/// The labels by which it is routed and identified.
fn labels(notification: &Notification) -> BTreeMap<String, String> {
    let data = &notification.data;
    let mut labels = BTreeMap::new();
    if let Some(tenant) = &data.tenant {
        for (key, value) in &tenant.labels {
            let mut name = format!("label_{}", sanitised(key));
            // `a-b` and `a.b` become the same name; neither may be lost.
            while labels.contains_key(&name) {
                name.push('_');
            }
            labels.insert(name, cut(value));
        }
        labels.insert("tenant".to_owned(), cut(&tenant.id));
    }
    let mut own = |name: &str, value: &str| drop(labels.insert(name.to_owned(), cut(value)));
    own("source", "scorewatch");
    own("alertname", data.rule.as_ref().map_or(notification.kind.as_str(), |rule| rule.name.as_str()));
    own("severity", severity(notification).as_str());
    if let Some(score) = data.score.as_ref().filter(|score| !score.all) {
        own("score", score.kind.as_str());
        score.subject.iter().for_each(|subject| own("subject", subject));
    }
    if let Some(channel) = data.operator.as_ref().and_then(|operator| operator.channel.as_deref()) {
        own("channel", channel);
    }
    if data.tenant.is_none()
        && let Some(alert) = &data.alert
    {
        // Two outages have all else in common.
        own("outage", &alert.id);
    }
    if message::is_test(notification) {
        // Makes it another alert than the real one, which a test must neither open nor end.
        own("test", "true");
    }
    // Alertmanager drops an empty label.
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn severity(notification: &Notification) -> Severity {
    match &notification.data.alert {
        _ if message::is_test(notification) || notification.kind == NotificationType::OperatorDowntime => {
            Severity::Info
        }
        Some(alert) => alert.severity,
        None => Severity::Warning,
    }
}

/// The part of the event that people see.
fn annotations(notification: &Notification, words: &Summary) -> BTreeMap<&'static str, String> {
    let data = &notification.data;
    let facts = words.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value));
    let lines: Vec<String> = words.note.iter().cloned().chain(facts).chain(words.causes.iter().cloned()).collect();
    let mut annotations = BTreeMap::from([
        ("summary", cut(&words.headline)),
        ("description", lines.iter().map(|line| cut(line)).collect::<Vec<_>>().join("\n")),
        ("type", notification.kind.as_str().to_owned()),
        ("message_id", data.notification.id.as_str().to_owned()),
        ("short_id", data.notification.short_id.to_string()),
    ]);
    if let Some(tenant) = &data.tenant {
        annotations.insert("tenant_name", cut(&tenant.name));
    }
    if let Some(rule) = &data.rule {
        annotations.insert("condition", cut(&rule.condition));
    }
    if let Some(value) = data.score.as_ref().and_then(|score| score.value) {
        // Exact enough to stand beside any threshold.
        annotations.insert("value", ((value * 1e6).round() / 1e6).to_string());
    }
    if data.notification.possible_duplicate {
        annotations.insert("possible_duplicate", "true".to_owned());
    }
    annotations.retain(|_, value| !value.is_empty());
    annotations
}

/// What may follow `label_` in the name of a label.
fn sanitised(key: &str) -> String {
    let letters = key.chars().take(VALUE_CHARACTERS_MAX);
    letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// Not endless, and harmless: Alertmanager's own templates put labels and annotations into Slack's and Teams' markup as they are.
fn cut(text: &str) -> String {
    harmless(text, VALUE_CHARACTERS_MAX)
}

fn judge(answer: &Answer, now: Timestamp) -> Verdict {
    let is_page = answer.content_type.as_deref().is_some_and(|kind| kind.trim_start().starts_with("text/html"));
    match answer.status {
        200..=299 if is_page => Verdict::Retry {
            reason: "the answer is a web page, not Alertmanager's: something between us answered".to_owned(),
            after: None,
        },
        _ => status::verdict(answer, now),
    }
}

#[cfg(test)]
mod tests;
