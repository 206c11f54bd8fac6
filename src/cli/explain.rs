//! `scorewatch explain`: why an alert fires or does not, and what became of its messages.

mod blindness;
mod decisions;
mod words;

use std::path::Path;

use serde::Serialize;

use self::decisions::Decision;
use super::{Failure, beside, configured, output, wrong_input};
use crate::{
    check::{
        blind::OPERATOR_BLIND,
        history,
        outlook::{self, Outlook},
    },
    clock::Clock,
    config::{Config, Tenant},
    domain::{ChannelName, Sample, ScoreKind, Subject, Timestamp},
    notify::{Notification, identity::alert_id},
    rule::{Alert, AlertKey, Explanation, Rule},
    store::{AlertFilter, AlertRow, Attempt, DeliveryFilter, Store, TenantRecord},
};

/// How many readings are shown.
const READINGS_SHOWN: usize = 10;
/// How many readings a sparkline draws.
const READINGS_DRAWN: usize = 48;
/// How many of the tenant's newest deliveries are looked through.
const DELIVERIES_MAX: u32 = 200;

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch explain contoso device-score-drop
  scorewatch explain contoso group-exposure --subject Servers    one device group
  scorewatch explain contoso device-score-drop --json            everything, for scripts
  scorewatch explain contoso operator.blind                      whether the operator hears that it can't be read, and why

It reads the store beside the service and changes nothing. The reading explained is the newest that the store has.")]
pub(super) struct Arguments {
    /// The tenant's id
    tenant: String,
    /// The rule's name
    rule: String,
    /// The subject, where the score has several; all of them otherwise
    #[arg(long)]
    subject: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All that there is to say of one rule and one tenant.
#[derive(Debug, Serialize)]
struct Trace {
    tenant: String,
    rule: String,
    condition: String,
    /// Whether the rule judges this tenant at all.
    applies: bool,
    now: Timestamp,
    decisions: Vec<Decision>,
    told: Vec<ChannelName>,
    kept_out: Vec<ChannelName>,
    series: Vec<SeriesTrace>,
}

/// All that there is to say of one series.
#[derive(Debug, Serialize)]
struct SeriesTrace {
    /// `None`: the whole tenant.
    score: Option<ScoreKind>,
    subject: Option<Subject>,
    /// The newest readings, oldest first.
    readings: Vec<Sample>,
    alert: Alert,
    told_at: Option<Timestamp>,
    told_to: Vec<ChannelName>,
    explanation: Explanation,
    /// What was said of this alert, newest first.
    messages: Vec<Message>,
    #[serde(skip)]
    drawn: Vec<f64>,
}

/// One delivery of a notification of this alert.
#[derive(Debug, Serialize)]
struct Message {
    delivery: String,
    channel: ChannelName,
    state: &'static str,
    merged_into: Option<String>,
    next_attempt_at: Timestamp,
    attempts: Vec<Attempt>,
    notification: Notification,
}

pub(super) async fn explain(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let tenant = super::tenant(&config, &arguments.tenant)?;
    if arguments.rule == OPERATOR_BLIND {
        return blindness(&config, tenant, arguments).await;
    }
    let rule = config.rules.iter().find(|rule| rule.name.as_str() == arguments.rule).ok_or_else(|| {
        let names = config.rules.iter().map(|rule| rule.name.as_str()).chain([OPERATOR_BLIND]);
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        wrong_input(format!("there is no rule `{}`; there are {}", arguments.rule, names.join(", ")))
    })?;
    let store = beside(&config).await?;
    let trace = trace(&store, &config, tenant, rule, arguments.subject.as_deref()).await;
    store.close().await;
    let trace = trace?;
    if arguments.json {
        return output::json(&trace);
    }
    for line in words::words(&trace, rule, tenant) {
        output::say(&output::visible(&line));
    }
    Ok(())
}

async fn blindness(config: &Config, tenant: &Tenant, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.subject.is_some() {
        return Err(wrong_input(format!("`{OPERATOR_BLIND}` is about the whole tenant; leave `--subject` out")));
    }
    let store = beside(config).await?;
    let done = blindness::explain(&store, config, tenant, (Clock::System.now(), arguments.json)).await;
    store.close().await;
    done
}

async fn trace(
    store: &dyn Store,
    config: &Config,
    tenant: &Tenant,
    rule: &Rule,
    subject: Option<&str>,
) -> Result<Trace, Failure> {
    let now = Clock::System.now();
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let mut record = record.filter(|record| record.identity.is(tenant.account.entra));
    if let Some(record) = &mut record {
        history::complete(store, config, tenant, record).await?;
    }
    let filter =
        AlertFilter { tenant: Some(tenant.id.clone()), rule: Some(rule.name.clone()), ..AlertFilter::default() };
    let rows = store.alerts(&filter).await?;
    let away = store.away().await?;
    let silences = store.silences(Some(now)).await?;
    let mut outlooks = outlook::of_rule(config, rule, tenant, record.as_ref(), &away, now);
    outlooks.retain(|outlook| subject.is_none() || outlook.key.subject.as_ref().map(Subject::as_str) == subject);
    if outlooks.is_empty()
        && let Some(subject) = subject
    {
        return Err(wrong_input(format!("rule `{}` judges no subject `{subject}` of this tenant", rule.name)));
    }
    let (told, kept_out) = config.routes(rule, tenant);
    let facts = decisions::Facts {
        config,
        tenant,
        rule,
        record: record.as_ref(),
        outlooks: &outlooks,
        told: &told,
        kept_out: &kept_out,
        silences: &silences,
        now,
    };
    let decisions = decisions::decisions(&facts);
    let mut series = Vec::new();
    for outlook in &outlooks {
        series.push(of_series(store, outlook, (record.as_ref(), &rows)).await?);
    }
    Ok(Trace {
        tenant: tenant.id.to_string(),
        rule: rule.name.to_string(),
        condition: rule.when.to_string(),
        applies: !outlooks.is_empty(),
        now,
        decisions,
        told,
        kept_out,
        series,
    })
}

async fn of_series(
    store: &dyn Store,
    outlook: &Outlook<'_>,
    (record, rows): (Record<'_>, &[AlertRow]),
) -> Result<SeriesTrace, Failure> {
    let window = outlook.series.map_or(&[][..], |series| series.window.as_slice());
    let newest = |count: usize| &window[window.len().saturating_sub(count)..];
    let has_spoken = rows.iter().any(|row| row.key == outlook.key);
    Ok(SeriesTrace {
        score: outlook.key.score,
        subject: outlook.key.subject.clone(),
        readings: newest(READINGS_SHOWN).to_vec(),
        drawn: newest(READINGS_DRAWN).iter().map(|sample| sample.value).collect(),
        alert: outlook.record.map_or_else(Alert::default, |record| record.alert.clone()),
        told_at: outlook.record.and_then(|record| record.told_at),
        told_to: outlook.record.map_or_else(Vec::new, |record| record.told_to.clone()),
        explanation: outlook.explanation.clone(),
        messages: match record {
            Some(record) if has_spoken => messages(store, &record.identity.key, &outlook.key).await?,
            _ => Vec::new(),
        },
    })
}

/// The deliveries of an alert's notifications, newest first, as far as they are among the tenant's newest.
async fn messages(store: &dyn Store, tenant_key: &str, key: &AlertKey) -> Result<Vec<Message>, Failure> {
    let id = alert_id(store.identity(), tenant_key, key);
    let filter =
        DeliveryFilter { tenant: Some(key.tenant.clone()), limit: DELIVERIES_MAX, ..DeliveryFilter::default() };
    let mut messages = Vec::new();
    for delivery in store.deliveries(&filter).await? {
        let Some(detail) = store.delivery(delivery.id).await? else { continue };
        if detail.notification.data.alert.as_ref().is_some_and(|alert| alert.id == id) {
            messages.push(Message {
                delivery: delivery.id.to_string(),
                channel: delivery.channel,
                state: delivery.state.as_str(),
                merged_into: delivery.carrier.map(|carrier| carrier.to_string()),
                next_attempt_at: delivery.next_attempt_at,
                attempts: detail.attempts,
                notification: detail.notification,
            });
        }
    }
    Ok(messages)
}

/// The record of a tenant, where there is one.
type Record<'a> = Option<&'a TenantRecord>;
