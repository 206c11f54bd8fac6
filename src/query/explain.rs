//! Why an alert fires or does not, and what became of its messages.

mod blindness;
mod decisions;
mod outcome;

use serde::Serialize;

pub use self::{
    blindness::{BlindnessTrace, blindness},
    decisions::Decision,
    outcome::Outcome,
};
use super::{Error, alerts::Which, find, neutral, numbers::Numbers, silences};
use crate::{
    check::{
        blind::OPERATOR_BLIND,
        history,
        outlook::{self, Outlook},
    },
    config::Config,
    domain::{ChannelName, Sample, Scope, ScoreKind, Subject, Timestamp},
    notify::{DeliveryId, Notification, identity::alert_id},
    rule::{Alert, AlertKey, Explanation, durations_in_words},
    store::{AlertFilter, AlertRow, Attempt, DeliveryFilter, Store, TenantRecord},
};

/// How many readings are shown.
const READINGS_SHOWN: usize = 10;
/// How many readings a drawing has.
const READINGS_DRAWN: usize = 48;
/// How many of the tenant's newest deliveries are looked through.
const DELIVERIES_MAX: u32 = 200;

/// The alert to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the rule in the configuration.
    pub rule: String,
    /// The subject, if the score has several; `None`: all of them.
    pub subject: Option<String>,
}

/// All that there is to say of one rule and one tenant.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Trace {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the rule in the configuration.
    pub rule: String,
    /// Its condition, in words.
    pub condition: String,
    /// Whether the rule applies to this tenant.
    pub applies: bool,
    /// The time of the explanation.
    pub now: Timestamp,
    /// What decides apart from the readings.
    pub decisions: Vec<Decision>,
    /// The channels that are notified.
    pub notified: Vec<ChannelName>,
    /// The channels that are named and may not show the tenant, as far as the scope sees them.
    pub kept_out: Vec<ChannelName>,
    /// Each series that the rule evaluates.
    pub series: Vec<SeriesTrace>,
}

/// The explanation of one series.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct SeriesTrace {
    /// Of which score; `None`: the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// The newest readings, oldest first.
    pub readings: Vec<Sample>,
    /// The current state of its alert.
    #[serde(serialize_with = "durations_in_words")]
    pub alert: Alert,
    /// When its newest notification was settled.
    pub notified_at: Option<Timestamp>,
    /// The channels that were notified that it fires.
    pub notified_channels: Vec<ChannelName>,
    /// What the rule makes of the newest reading, and why.
    pub explanation: Explanation,
    /// What was sent of this alert, newest first.
    pub messages: Vec<Message>,
    /// More of the newest values, oldest first, for a drawing.
    #[serde(skip)]
    pub drawn: Vec<f64>,
}

/// One delivery of a notification of this alert.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[schemars(rename = "AlertMessage")]
pub struct Message {
    /// The number of the delivery in the store.
    pub delivery: String,
    /// The channel that it is sent to.
    pub channel: ChannelName,
    /// The delivery's state, such as `queued` or `delivered`.
    pub state: &'static str,
    /// The delivery that covers it.
    pub merged_into: Option<String>,
    /// When the next attempt is due; meaningful only while it is queued.
    pub next_attempt_at: Timestamp,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The notification as it was queued.
    pub notification: Notification,
}

/// What there is to say of an alert, whoever judges it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Explanation")]
pub enum Explained {
    /// What one rule makes of one tenant.
    Rule(Trace),
    /// Of whether the operator is notified that the tenant can't be read.
    Blindness(BlindnessTrace),
}

/// All that there is to say of an alert: of a rule as [`explain`] does it, of the operator's as [`blindness`](self::blindness()).
///
/// # Errors
/// As those; [`Error::Invalid`] if a subject of the operator's rule is asked for.
pub async fn of_alert(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    which: Which,
    now: Timestamp,
) -> Result<Explained, Error> {
    let Which { tenant, rule, subject, .. } = which;
    if rule != OPERATOR_BLIND {
        let question = Question { tenant, rule, subject };
        return explain(store, config, scope, &question, now).await.map(Explained::Rule);
    }
    if subject.is_some() {
        return Err(Error::invalid(format!("`{OPERATOR_BLIND}` is about the whole tenant and has no subjects")));
    }
    blindness(store, config, scope, &tenant, now).await.map(Explained::Blindness)
}

/// Why a rule fires for a tenant or does not, at the newest reading that the store has, and what became of its messages.
///
/// # Errors
/// [`Error::NotFound`] for the tenant or the rule; [`Error::Invalid`] if the rule judges no such subject; [`Error::Store`].
pub async fn explain(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    question: &Question,
    now: Timestamp,
) -> Result<Trace, Error> {
    let (tenant, rule) = (find::tenant(config, scope, &question.tenant)?, find::rule(config, scope, &question.rule)?);
    let subject = question.subject.as_deref();
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let mut record = record.filter(|record| record.identity.is(tenant.account.entra));
    if let Some(record) = &mut record {
        history::complete(store, config, tenant, record).await?;
    }
    let filter =
        AlertFilter { tenant: Some(tenant.id.clone()), rule: Some(rule.name.clone()), ..AlertFilter::default() };
    let rows = store.alerts(&filter).await?;
    let downtimes = store.downtimes().await?;
    let silences = silences::as_seen(store, scope, store.silences(Some(now)).await?);
    let mut outlooks = outlook::of_rule(config, rule, tenant, record.as_ref(), &downtimes, now);
    outlooks.retain(|outlook| subject.is_none() || outlook.key.subject.as_ref().map(Subject::as_str) == subject);
    if outlooks.is_empty()
        && let Some(subject) = subject
    {
        return Err(Error::invalid(format!("rule `{}` has no subject `{subject}` for this tenant", rule.name)));
    }
    let firing = record.as_ref().into_iter().flat_map(|record| &record.alerts).filter(|alert| alert.rule == rule.name);
    let escalated = firing.filter_map(|record| record.alert.firing()).map(|firing| firing.escalated.steps).max();
    let (notified, kept_out) = config.routes(rule, tenant, escalated.unwrap_or_default());
    let facts = decisions::Facts {
        config,
        scope,
        tenant,
        rule,
        record: record.as_ref(),
        outlooks: &outlooks,
        notified: &notified,
        kept_out: &kept_out,
        silences: &silences,
        now,
    };
    let decisions = decisions::decisions(&facts);
    let is_seen = |channel: &ChannelName| find::channel(config, scope, channel.as_str()).is_ok();
    let mut series = Vec::new();
    for outlook in &outlooks {
        series.push(of_series(store, scope, outlook, record.as_ref(), &rows).await?);
    }
    Ok(Trace {
        tenant: tenant.id.to_string(),
        rule: rule.name.to_string(),
        condition: rule.when.to_string(),
        applies: !outlooks.is_empty(),
        now,
        decisions,
        kept_out: kept_out.iter().filter(|channel| is_seen(channel)).cloned().collect(),
        notified: neutral::channels(scope, notified),
        series,
    })
}

async fn of_series(
    store: &dyn Store,
    scope: &Scope,
    outlook: &Outlook<'_>,
    record: Option<&TenantRecord>,
    rows: &[AlertRow],
) -> Result<SeriesTrace, Error> {
    let window = &outlook.window;
    let newest = |count: usize| &window[window.len().saturating_sub(count)..];
    let has_spoken = rows.iter().any(|row| row.key == outlook.key);
    Ok(SeriesTrace {
        score: outlook.key.score,
        subject: outlook.key.subject.clone(),
        readings: newest(READINGS_SHOWN).to_vec(),
        drawn: newest(READINGS_DRAWN).iter().map(|sample| sample.value).collect(),
        alert: outlook.record.map_or_else(Alert::default, |record| record.alert.clone()),
        notified_at: outlook.record.and_then(|record| record.notified_at),
        notified_channels: outlook
            .record
            .map_or_else(Vec::new, |record| neutral::channels(scope, record.notified_channels.clone())),
        explanation: outlook.explanation.clone(),
        messages: match record {
            Some(record) if has_spoken => messages(store, scope, &record.identity.key, &outlook.key).await?,
            _ => Vec::new(),
        },
    })
}

/// The deliveries of an alert's notifications, newest first, as far as they are among the tenant's newest.
async fn messages(store: &dyn Store, scope: &Scope, tenant_key: &str, key: &AlertKey) -> Result<Vec<Message>, Error> {
    let id = alert_id(store.identity(), tenant_key, key);
    let numbers = Numbers::of_deliveries(store, scope);
    let shown = |id: DeliveryId| numbers.shown(id.0).to_string();
    let filter =
        DeliveryFilter { tenant: Some(key.tenant.clone()), limit: DELIVERIES_MAX, ..DeliveryFilter::default() };
    let mut messages = Vec::new();
    for delivery in store.deliveries(&filter).await? {
        let Some(detail) = store.delivery(delivery.id).await? else { continue };
        let is_of_it = detail.notification.data.alert.as_ref().is_some_and(|alert| alert.id == id);
        if is_of_it && neutral::sees(scope, &delivery.channel, detail.notification.kind) {
            messages.push(Message {
                delivery: shown(delivery.id),
                channel: delivery.channel,
                state: delivery.state.as_str(),
                merged_into: delivery.merged_into.map(shown),
                next_attempt_at: delivery.next_attempt_at,
                attempts: neutral::attempts(scope, detail.attempts),
                notification: neutral::notification(scope, detail.notification),
            });
        }
    }
    Ok(messages)
}
