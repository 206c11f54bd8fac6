//! The exact message of a rule, or the report, for a channel: shown, and sent if asked, marked as a test. The values are made up;
//! tenant, names, template and request are the real ones.

mod report;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::record::{must, record};
use crate::{
    channel::{self, ChannelSettings, ComposeError, Form, Verdict},
    config::{Config, Tenant},
    delivery::{secrets, send},
    domain::{Caller, ChannelName, FailureClass, Role, Scope, ScoreKind, Timestamp},
    egress::{Egress, Mail, Outgoing, Request},
    notify::{
        Notification, NotificationId,
        compose::{self, AcceptedBy, MessageParts},
        facts::wording::{Failure, Lack, Remark},
        language,
        notification::{Links, NoDataFacts},
    },
    query::{Error, find},
    rule::{Change, Condition, Resolution, Rule, Size, Transition, TransitionKind},
    secret::{ExposeSecret, redact_url},
    store::{NewEntry, Store},
};

/// The message that is to be previewed.
#[derive(Debug, Clone)]
pub enum Message {
    /// The message of a rule.
    OfRule {
        /// The name of the rule in the configuration.
        rule: String,
        /// The tenant's id; `None`: the first that the rule selects and the channel may show.
        tenant: Option<String>,
        /// Whether it says that it is over, not that it began.
        resolved: bool,
    },
    /// A report as the channel would be sent it.
    Report,
}

/// A message as a channel would send it.
#[derive(Debug, Clone)]
pub struct Preview {
    channel: ChannelName,
    notification: Notification,
    /// The request or mail, without what is secret in it.
    pub shown: Shown,
    /// Why it is shown without an address: the channel's secret can't be read here. `None`: it is whole.
    pub lacks: Option<String>,
}

/// A request or mail, without what is secret in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// An HTTP request to the receiver.
    Http {
        /// The body: as JSON if it is JSON, else as text.
        body: Value,
        /// Its headers, in order.
        #[serde(serialize_with = "as_map")]
        headers: Vec<(&'static str, String)>,
        /// The method of the HTTP request.
        method: &'static str,
        /// The URL, with its secret parts left out.
        url: String,
        /// Length of the body as it is sent, in bytes.
        #[serde(skip)]
        bytes: usize,
    },
    /// A mail, as it would be handed to the server.
    Mail {
        /// The address of the mail's sender.
        from: String,
        /// The message as it is handed in, with its headers.
        message: String,
        /// The server that takes it.
        server: String,
        /// The addresses of the mail's recipients.
        to: Vec<String>,
        /// Length of the message as it is handed in, in bytes.
        #[serde(skip)]
        bytes: usize,
    },
}

fn as_map<S: Serializer>(headers: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)).collect::<BTreeMap<_, _>>())
}

/// Composes a message for a channel of the scope, about a tenant of the scope.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] if the channel may not show the tenant; [`Error::Failed`] if it can't be composed.
pub async fn preview(
    config: &Config,
    scope: &Scope,
    channel: &str,
    message: &Message,
    now: Timestamp,
) -> Result<Preview, Error> {
    let settings = find::channel(config, scope, channel)?;
    let mut notification = match message {
        Message::OfRule { rule, tenant, resolved } => {
            of_rule(config, scope, settings, rule, tenant.as_deref(), *resolved, now)?
        }
        Message::Report => report::report(config, scope, settings, now)?,
    };
    config.complete_links(settings, &mut notification);
    secrets::fetch(settings).await;
    let channel = channel::open(settings, &config.templates);
    let (shown, lacks) = match channel.compose(&notification, Form::Rich, now) {
        Ok(Outgoing::Http(request)) => (of_request(&request), None),
        Ok(Outgoing::Mail(mail)) => (of_mail(&mail), None),
        Err(ComposeError::Secret(error)) => {
            let body = channel.body(&notification, now).map_err(Error::failed)?;
            (of_body(&body), Some(error.to_string()))
        }
        Err(error) => return Err(Error::failed(error)),
    };
    Ok(Preview { channel: settings.name.clone(), notification, shown, lacks })
}

/// Sends a message that was previewed, as a delivery would.
///
/// # Errors
/// [`Error::NotFound`] if the channel is not of the scope; [`Error::Conflict`] if another audience reads the same
/// receiver;
/// [`Error::Failed`] if it was not delivered.
pub async fn send(
    store: Option<&dyn Store>,
    config: &Config,
    caller: &Caller,
    preview: &Preview,
    now: Timestamp,
) -> Result<(), Error> {
    must(caller, Role::Analyst)?;
    let scope = &caller.scope;
    let settings = find::channel(config, scope, preview.channel.as_str())?;
    // As a delivery would: whoever reads there may not see what this channel shows.
    if let Some(what) = config.shared_receivers().await.remove(&settings.name) {
        // The sentence names a channel of others.
        let what = if scope.is_all() { what } else { "another audience reads the same receiver".to_owned() };
        return Err(Error::Conflict(format!("not sent: {what}; give each channel a receiver of its own")));
    }
    let sent = match send::write(settings, &config.templates, &preview.notification, Form::Rich, now) {
        Ok(written) => {
            // No transaction reaches a receiver, so the entry comes before the request: what was sent can't lack it.
            if let Some(store) = store {
                let entry = NewEntry::by(caller, "channel.test", Some(format!("channel {}", settings.name)), now);
                record(store, entry).await?;
            }
            written.send(&Egress::new(), now).await.verdict
        }
        Err(verdict) => verdict,
    };
    match sent {
        Verdict::Delivered => Ok(()),
        Verdict::Retry { reason, .. }
        | Verdict::Plainer { reason }
        | Verdict::Rejected { reason }
        | Verdict::Dead { reason }
        | Verdict::Parked { reason } => Err(Error::Failed(format!("not delivered: {reason}"))),
    }
}

fn of_rule(
    config: &Config,
    scope: &Scope,
    settings: &ChannelSettings,
    name: &str,
    tenant: Option<&str>,
    resolved: bool,
    now: Timestamp,
) -> Result<Notification, Error> {
    let rule = find::rule(config, scope, name)?;
    let tenant = tenant_for(config, scope, rule, settings, tenant)?;
    Ok(notification(rule, tenant, resolved, now))
}

fn tenant_for<'a>(
    config: &'a Config,
    scope: &Scope,
    rule: &Rule,
    settings: &ChannelSettings,
    wanted: Option<&str>,
) -> Result<&'a Tenant, Error> {
    let admitted = |tenant: &&Arc<Tenant>| settings.audience.admits(&tenant.id, &tenant.labels);
    let found = if let Some(id) = wanted {
        Some(find::tenant(config, scope, id)?).filter(admitted)
    } else {
        let of_scope = config.tenants.values().filter(|tenant| scope.includes(&tenant.id));
        of_scope.filter(|tenant| rule.tenants.matches(&tenant.labels)).find(admitted)
    };
    found
        .map(AsRef::as_ref)
        .ok_or_else(|| Error::invalid(format!("channel `{}` may not show this tenant", settings.name)))
}

fn notification(rule: &Rule, tenant: &Tenant, resolved: bool, now: Timestamp) -> Notification {
    let score = rule.score.or_else(|| tenant.scores.first().copied()).unwrap_or(ScoreKind::DeviceSecureScore);
    let (baseline, bad, good) = values(&rule.when, score);
    let kind = if resolved { TransitionKind::Resolved(Resolution::Recovered) } else { TransitionKind::Fired };
    // The shortest time after which the rule notifies.
    let since = match rule.when {
        Condition::NoData(limit) => now.minus(limit),
        _ => now.minus(rule.hold),
    };
    let transition = Transition {
        kind,
        at: now,
        value: if resolved { good } else { bad },
        observed_at: Some(if rule.is_no_data() && !resolved { since } else { now }),
        baseline,
        previous: None,
        since,
        fired_at: now,
        generation: 1,
        sequence: if resolved { 2 } else { 1 },
        gap: None,
        unread: Vec::new(),
        listed: 0,
        escalated: 0,
        unacknowledged: None,
        holds: !resolved,
    };
    let unread: Vec<ScoreKind> = match rule.score {
        _ if !rule.is_no_data() => Vec::new(),
        Some(score) => vec![score],
        None => tenant.scores.to_vec(),
    };
    let no_data: Vec<NoDataFacts> = unread.into_iter().map(|kind| without_data(kind, since)).collect();
    let key = rule.alert_key(&tenant.id, if rule.is_no_data() { rule.score } else { Some(score) }, None);
    let parts = MessageParts {
        store: "preview",
        tenant_key: tenant.id.as_str(),
        key: &key,
        score,
        tenant: tenant.facts(),
        condition: rule.when.to_string(),
        severity: rule.severity,
        guide: rule.guide.clone(),
        loss: compose::loss_of(&rule.when, transition.baseline, transition.value),
        points: None,
        excluded: None,
        remark: (rule.is_no_data() && !resolved).then_some(Remark::NoData),
        no_data,
        accepted_by: AcceptedBy::Time,
        operator: None,
        links: Links { portal: Some(tenant.score_page(score)), ..Links::default() },
    };
    let mut notification = compose::of_transition(parts, &transition);
    let id = NotificationId::of_parts(&["preview", &now.to_string(), tenant.id.as_str(), rule.name.as_str()]);
    notification.data.notification.short_id = id.short();
    notification.data.notification.id = id;
    notification.data.notification.test = true;
    notification
}

/// A score without data, as a preview shows it.
fn without_data(kind: ScoreKind, since: Timestamp) -> NoDataFacts {
    let class = FailureClass::SecretExpired;
    let hint = class.hint().map(str::to_owned);
    let failure = Failure { since, class: class.as_str().to_owned(), spread: None, hint: hint.clone() };
    NoDataFacts {
        kind,
        since,
        class: Some(class.as_str().to_owned()),
        cause: Some(class.words().to_owned()),
        hint,
        reason: language::failure(Some(&failure)),
        lack: Some(Lack::Failure(failure)),
        is_new: false,
    }
}

/// A baseline, a value at which the condition holds, and one at which it is over.
fn values(condition: &Condition, score: ScoreKind) -> (Option<f64>, Option<f64>, Option<f64>) {
    let range = score.range();
    let baseline = if range.contains(&400.0) { 400.0 } else { 60.0 };
    let possible = |value: f64| Some(value.clamp(*range.start(), *range.end()));
    let distance = |change: &Change| match change.size {
        Size::Percent(percent) => baseline * percent / 100.0,
        Size::Points(points) => points,
    };
    match condition {
        Condition::Below(bound) => (None, possible(bound - 10.0), possible(bound + 25.0)),
        Condition::Above(bound) => (None, possible(bound + 10.0), possible(bound - 25.0)),
        Condition::Drop(change) => (Some(baseline), possible(baseline - 1.5 * distance(change)), Some(baseline)),
        Condition::Rise(change) => (Some(baseline), possible(baseline + 1.5 * distance(change)), Some(baseline)),
        Condition::NoData(_) => (None, None, Some(baseline)),
    }
}

fn of_mail(mail: &Mail) -> Shown {
    Shown::Mail {
        from: mail.from.to_string(),
        message: String::from_utf8_lossy(&mail.content).into_owned(),
        server: mail.server.to_string(),
        to: mail.to.iter().map(ToString::to_string).collect(),
        bytes: mail.content.len(),
    }
}

/// A message whose address is not known.
fn of_body(body: &[u8]) -> Shown {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone().into_owned()));
    Shown::Http { body: json, headers: Vec::new(), method: "POST", url: "…".to_owned(), bytes: body.len() }
}

/// Its URL and headers without what is secret in them, its body as it is.
fn of_request(request: &Request) -> Shown {
    let shown = |name, value: &str| (name, if name == "authorization" { "…".to_owned() } else { value.to_owned() });
    let text = String::from_utf8_lossy(&request.body);
    let mut body = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
    // PagerDuty is authorised in the body.
    if let Some(key) = body.get_mut("routing_key") {
        *key = Value::from("…");
    }
    Shown::Http {
        body,
        headers: request.headers.iter().map(|(name, value)| shown(*name, value.expose_secret())).collect(),
        method: "POST",
        url: redact_url(request.url.expose_secret()),
        bytes: request.body.len(),
    }
}
