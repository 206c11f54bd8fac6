//! Ends alerts whose rule, tenant or score is gone from the configuration, with a resolved notification that says why.

use std::collections::BTreeSet;

use tracing::info;

use super::blind::OPERATOR_BLIND;
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Severity, TenantId, Timestamp},
    notify::{
        Notification,
        compose::{self, Subjects},
        notification::TenantFacts,
    },
    rule::{Condition, Resolution, Rule, close},
    store::{AlertFilter, AlertRow, AlertUpdate, CheckOutcome, Commit, NewNotification, Store, StoreError, TenantRecord},
};

/// Why an open alert has no place in the configuration any more; `None`: it still has.
fn orphaned(config: &Config, row: &AlertRow) -> Option<Resolution> {
    let Some(tenant) = config.tenants.get(&row.key.tenant) else { return Some(Resolution::TenantRemoved) };
    if row.key.rule.as_str() == OPERATOR_BLIND {
        return config.operator.notify.is_empty().then_some(Resolution::RuleRemoved);
    }
    if !tenant.scores.contains(&row.key.score) {
        return Some(Resolution::SubjectRemoved);
    }
    let applies = |rule: &Rule| rule.name == row.key.rule && rule.applies_to(&tenant.labels, row.key.score);
    (!config.rules.iter().any(|rule| applies(rule))).then_some(Resolution::RuleRemoved)
}

/// Ends every open alert that has no place in the configuration any more. Returns the channels that have something to send.
///
/// # Errors
/// [`StoreError`]: some may have been ended; asking again ends the rest.
pub async fn close_orphans(store: &dyn Store, config: &Config, now: Timestamp) -> Result<BTreeSet<ChannelName>, StoreError> {
    let mut busy = BTreeSet::new();
    let open = store.alerts(&AlertFilter { open_only: true, ..AlertFilter::default() }).await?;
    for row in open {
        let Some(resolution) = orphaned(config, &row) else { continue };
        info!(tenant = %row.key.tenant, rule = %row.key.rule, score = %row.key.score, ?resolution, "closing an alert");
        busy.extend(end(store, config, &row, resolution, now).await?);
    }
    Ok(busy)
}

/// Ends one alert, as long as nobody else is faster.
async fn end(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    resolution: Resolution,
    now: Timestamp,
) -> Result<Vec<ChannelName>, StoreError> {
    loop {
        let Some(record) = store.load(std::slice::from_ref(&row.key.tenant)).await?.pop() else { return Ok(Vec::new()) };
        let Some(outcome) = ending(store.identity(), config, row, &record, resolution, now) else { return Ok(Vec::new()) };
        let channels = outcome.notifications.iter().flat_map(|new| new.channels.iter().cloned()).collect();
        if store.commit(outcome).await? == Commit::Done {
            return Ok(channels);
        }
    }
}

/// The outcome that ends an alert; `None`: it is over already.
fn ending(
    store: &str,
    config: &Config,
    row: &AlertRow,
    record: &TenantRecord,
    resolution: Resolution,
    now: Timestamp,
) -> Option<CheckOutcome> {
    let key = &row.key;
    let known = record
        .alerts
        .iter()
        .find(|alert| alert.rule == key.rule && alert.score == key.score && alert.subject == key.subject)?;
    let step = close(&known.alert, resolution, now);
    if step.alert == known.alert {
        return None;
    }
    let tenant = config.tenants.get(&key.tenant).map(AsRef::as_ref);
    let notifications = step.transition.iter().map(|transition| {
        let last = row.last_notification.as_ref();
        let subjects = Subjects {
            store,
            key,
            tenant: tenant_facts(&key.tenant, tenant, last),
            condition: last.and_then(|last| last.data.rule.as_ref()).map_or_else(String::new, |rule| rule.condition.clone()),
            severity: last.and_then(|last| last.data.alert.as_ref()).map_or(Severity::Warning, |alert| alert.severity),
            loss: None,
            reason: None,
            operator: None,
            links: last.map(|last| last.data.links.clone()).unwrap_or_default(),
        };
        let facts = &subjects.tenant;
        let channels = known.told_to.iter().filter(|channel| {
            config.channels.get(*channel).is_some_and(|settings| settings.fence.admits(&key.tenant, &facts.labels))
        });
        let channels = channels.cloned().collect();
        NewNotification {
            notification: compose::of_transition(subjects, transition),
            alert: Some(key.clone()),
            tenant: Some(key.tenant.clone()),
            channels,
        }
    });
    Some(CheckOutcome {
        tenant: key.tenant.clone(),
        expected_version: Some(record.version),
        health: record.health.clone(),
        series: Vec::new(),
        notifications: notifications.collect(),
        alerts: vec![AlertUpdate {
            rule: key.rule.clone(),
            score: key.score,
            subject: key.subject.clone(),
            alert: step.alert,
        }],
        now,
    })
}

fn tenant_facts(id: &TenantId, tenant: Option<&Tenant>, last: Option<&Notification>) -> TenantFacts {
    let configured = tenant.map(|tenant| TenantFacts {
        id: id.to_string(),
        name: tenant.name.to_string(),
        labels: tenant.labels.as_ref().clone(),
    });
    configured.or_else(|| last.and_then(|last| last.data.tenant.clone())).unwrap_or_else(|| TenantFacts {
        id: id.to_string(),
        name: id.to_string(),
        labels: std::collections::BTreeMap::new(),
    })
}

/// Accepts an alert's loss as the new level, on a person's word.
///
/// # Errors
/// [`StoreError`]. `Ok(None)`: there is no such firing alert, or its rule does not compare with a baseline.
pub async fn accept(
    store: &dyn Store,
    config: &Config,
    row: &AlertRow,
    now: Timestamp,
) -> Result<Option<Vec<ChannelName>>, StoreError> {
    let rule = config.rules.iter().find(|rule| rule.name == row.key.rule);
    let Some(rule) = rule.filter(|rule| matches!(rule.when, Condition::Drop(_) | Condition::Rise(_))) else {
        return Ok(None);
    };
    loop {
        let Some(record) = store.load(std::slice::from_ref(&row.key.tenant)).await?.pop() else { return Ok(None) };
        let Some(outcome) = acceptance(store.identity(), config, rule, row, &record, now) else { return Ok(None) };
        let channels = outcome.notifications.iter().flat_map(|new| new.channels.iter().cloned()).collect();
        if store.commit(outcome).await? == Commit::Done {
            return Ok(Some(channels));
        }
    }
}

fn acceptance(
    store: &str,
    config: &Config,
    rule: &Rule,
    row: &AlertRow,
    record: &TenantRecord,
    now: Timestamp,
) -> Option<CheckOutcome> {
    let series = record.series.iter().find(|series| series.score == row.key.score && series.subject == row.key.subject)?;
    let known = record
        .alerts
        .iter()
        .find(|alert| alert.rule == row.key.rule && alert.score == row.key.score && alert.subject == row.key.subject)?;
    let step = crate::rule::accept(rule, &known.alert, &series.window, now);
    let transition = step.transition.as_ref()?;
    let mut outcome = ending(store, config, row, record, Resolution::Accepted, now)?;
    let loss = compose::loss_of(&rule.when, transition.baseline, transition.value);
    if let Some(new) = outcome.notifications.first_mut() {
        if let Some(score) = &mut new.notification.data.score {
            score.value = transition.value;
            score.observed_at = transition.observed_at;
            score.baseline = transition.baseline;
            score.loss = loss.map(|(points, _)| points);
            score.loss_percent = loss.and_then(|(_, percent)| percent);
        }
    }
    if let Some(update) = outcome.alerts.first_mut() {
        update.alert = step.alert;
    }
    Some(outcome)
}
