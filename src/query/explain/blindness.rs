//! Whether the operator is notified that a tenant can't be read, and why.

use serde::Serialize;

use super::{Message, decisions, decisions::Decision, messages};
use crate::{
    check::{
        blind::{self, OPERATOR_BLIND, stage::Stage},
        outage::REMEMBERED,
    },
    config::{Config, Tenant},
    domain::{ChannelName, Scope, Timestamp},
    notify::silence::MatchTarget,
    query::{Error, find, neutral, silences},
    rule::Rule,
    store::{Failing, Store, TenantRecord},
};

/// All that there is to say of whether the operator is notified that a tenant can't be read.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct BlindnessTrace {
    /// The tenant's slug in the configuration.
    pub tenant: String,
    /// The name of the operator's built-in rule.
    pub rule: &'static str,
    /// The time of the explanation.
    pub now: Timestamp,
    /// Whether the operator was notified, of this tenant or of the outage that it is part of.
    pub reported: bool,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: Stage,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
    /// What holds it back, or keeps it from a channel.
    pub decisions: Vec<Decision>,
    /// The channels that are notified.
    pub notified: Vec<ChannelName>,
    /// The channels that are named and may not show the tenant, as far as the scope sees them.
    pub kept_out: Vec<ChannelName>,
    /// What was sent of this tenant alone, newest first.
    pub messages: Vec<Message>,
}

/// Why the operator was, or was not, notified that a tenant can't be read. Of an outage, only the tenants of the scope are counted.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Store`].
pub async fn blindness(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    tenant: &str,
    now: Timestamp,
) -> Result<BlindnessTrace, Error> {
    let tenant = find::tenant(config, scope, tenant)?;
    let rule = blind::operator_rule(&config.operator);
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let record = record.filter(|record| record.identity.is(tenant.account.entra));
    let (mut outages, downtimes) = (store.outages(now.minus(REMEMBERED)).await?, store.downtimes().await?);
    for outage in &mut outages {
        outage.tenants.retain(|tenant| scope.includes(tenant));
    }
    let admits = |channel: &ChannelName| {
        config.channels.get(channel).is_some_and(|settings| settings.audience.admits(&tenant.id, &tenant.labels))
    };
    let (notified, kept_out): (Vec<_>, Vec<_>) = config.operator.notify.iter().cloned().partition(admits);
    let stage = Stage::of(config, tenant, record.as_ref(), &outages, &downtimes, now);
    let decisions = decisions(store, config, scope, tenant, rule.as_ref(), &kept_out, now).await?;
    let is_seen = |channel: &ChannelName| find::channel(config, scope, channel.as_str()).is_ok();
    Ok(BlindnessTrace {
        tenant: tenant.id.to_string(),
        rule: OPERATOR_BLIND,
        now,
        reported: stage.is_reported(),
        stage,
        failing: neutral::failing(scope, record.as_ref().and_then(|record| record.health.failing.clone())),
        decisions,
        notified: neutral::channels(scope, notified),
        kept_out: kept_out.into_iter().filter(is_seen).collect(),
        messages: said(store, scope, tenant, rule.as_ref(), record.as_ref()).await?,
    })
}

/// What holds it back, or keeps it from a channel.
async fn decisions(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    tenant: &Tenant,
    rule: Option<&Rule>,
    kept_out: &[ChannelName],
    now: Timestamp,
) -> Result<Vec<Decision>, Error> {
    let mut decisions: Vec<Decision> = decisions::outside_audience(config, scope, kept_out).into_iter().collect();
    let silences = silences::as_seen(store, scope, store.silences(Some(now)).await?);
    if let (Some(rule), Some(score)) = (rule, tenant.scores.first()) {
        let target = MatchTarget {
            tenant: tenant.id.as_str(),
            labels: &tenant.labels,
            rule: rule.name.as_str(),
            score: Some(*score),
            severity: rule.severity,
            is_blindness: true,
        };
        decisions.extend(decisions::held(config, scope, &silences, &target, now));
    }
    Ok(decisions)
}

/// What was sent of this tenant alone.
async fn said(
    store: &dyn Store,
    scope: &Scope,
    tenant: &Tenant,
    rule: Option<&Rule>,
    record: Option<&TenantRecord>,
) -> Result<Vec<Message>, Error> {
    let (Some(rule), Some(record)) = (rule, record) else { return Ok(Vec::new()) };
    let Some(alert) = record.alerts.iter().find(|alert| alert.rule == rule.name) else { return Ok(Vec::new()) };
    messages(store, scope, &record.identity.key, &rule.alert_key(&tenant.id, alert.score, alert.subject.as_ref())).await
}
