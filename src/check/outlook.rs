//! How every alert of a tenant stands by a configuration, at the newest reading that the store has. Writes nothing, tells nobody.
//!
//! The newest reading was judged when it came. Judged once more by the same rule it changes nothing, so what it would change now
//! is what another rule makes of it.

use std::collections::BTreeMap;

use super::{
    blind::{self, away_between},
    close,
};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Sample, ScoreKind, TenantId, Timestamp},
    notify::route::recipients,
    rule::{
        Alert, AlertKey, AlertState, Condition, Event, Explanation, Resolution, Rule, Situation, explain,
        explain::Verdict,
    },
    store::{AlertFilter, AlertRecord, AlertRow, Away, KnownTenant, SeriesRecord, Store, StoreError, TenantRecord},
};

/// The most tenants that are loaded together.
const BATCH: usize = 256;

/// How one alert stands.
#[derive(Debug, Clone)]
pub struct Outlook<'a> {
    /// Which alert.
    pub key: AlertKey,
    /// What the store has of its series.
    pub series: Option<&'a SeriesRecord>,
    /// What the store has of it.
    pub record: Option<&'a AlertRecord>,
    /// What its rule makes of it, and why.
    pub explanation: Explanation,
}

/// How the alerts of one rule stand for one tenant: one for each series that the rule judges.
#[must_use]
pub fn of_rule<'a>(
    rule: &Rule,
    tenant: &Tenant,
    record: Option<&'a TenantRecord>,
    away: &[Away],
    now: Timestamp,
) -> Vec<Outlook<'a>> {
    let judged = tenant.scores.iter().filter(|score| rule.applies_to(&tenant.labels, **score));
    let mut outlooks = Vec::new();
    for &score in judged {
        let all = record.map_or(&[][..], |record| record.series.as_slice());
        let known: Vec<_> = all.iter().filter(|series| series.score == score).collect();
        if known.is_empty() {
            outlooks.push(of_series(rule, tenant, (score, None), record, away, now));
        }
        outlooks
            .extend(known.into_iter().map(|series| of_series(rule, tenant, (score, Some(series)), record, away, now)));
    }
    outlooks
}

fn of_series<'a>(
    rule: &Rule,
    tenant: &Tenant,
    (score, series): (ScoreKind, Option<&'a SeriesRecord>),
    record: Option<&'a TenantRecord>,
    away: &[Away],
    now: Timestamp,
) -> Outlook<'a> {
    let key = rule.alert_key(&tenant.id, score, series.and_then(|series| series.subject.as_ref()));
    let alerts = record.map_or(&[][..], |record| record.alerts.as_slice());
    let is_this =
        |alert: &&AlertRecord| alert.rule == key.rule && alert.score == key.score && alert.subject == key.subject;
    let of_alert = alerts.iter().find(is_this);
    let alert = of_alert.map_or_else(Alert::default, |record| record.alert.clone());
    let window = series.map_or(&[][..], |series| series.window.as_slice());
    let (event, window) = newest(rule, &alert, window);
    let poll_interval = tenant.schedule.interval_at(now);
    let last_data = series.map_or(now, |series| series.last_data_at);
    let situation = Situation {
        now,
        window,
        poll_interval,
        source_interval: poll_interval.max(score.record_interval()),
        last_data,
        away: away_between(away, last_data, now),
        told_at: of_alert.and_then(|record| record.told_at),
        is_on_its_way: of_alert.is_some_and(|record| record.told_at.is_none() && !record.told_to.is_empty()),
    };
    Outlook { key, series, record: of_alert, explanation: explain(rule, &alert, event, &situation) }
}

/// The newest reading and the samples before it. Where data itself is what is awaited, a reading that came long ago ends nothing.
fn newest<'a>(rule: &Rule, alert: &Alert, window: &'a [Sample]) -> (Event, &'a [Sample]) {
    let is_blind =
        matches!(&alert.state, AlertState::Firing(firing) if matches!(firing.terms.when, Condition::NoData(_)));
    match window.split_last() {
        Some((newest, before)) if !is_blind && !matches!(rule.when, Condition::NoData(_)) => {
            (Event::Reading(*newest), before)
        }
        _ => (Event::Tick, window),
    }
}

/// The channels that an alert is told to, and those that its rule or tenant names and their fence keeps out.
#[must_use]
pub fn route(config: &Config, rule: &Rule, tenant: &Tenant) -> (Vec<ChannelName>, Vec<ChannelName>) {
    let admits = |channel: &ChannelName| {
        config.channels.get(channel).is_some_and(|settings| settings.fence.admits(&tenant.id, &tenant.labels))
    };
    recipients(&rule.notify, &tenant.notify).into_iter().partition(admits)
}

/// What a configuration would change of one alert if it were loaded now.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which alert.
    pub key: AlertKey,
    /// What becomes of it.
    pub what: Fate,
    /// The channels that hear of it from now on.
    pub channels: Vec<ChannelName>,
    /// The channels that were told that it began.
    pub told_to: Vec<ChannelName>,
}

/// What becomes of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It begins to fire.
    Opens,
    /// It begins to wait for `for`.
    Pends,
    /// It is over.
    Closes(Resolution),
    /// It fires on.
    Stays,
}

/// What a configuration would change if it were loaded now, and which alerts fire on, by tenant and rule.
///
/// # Errors
/// [`StoreError`].
pub async fn changes(store: &dyn Store, config: &Config, now: Timestamp) -> Result<Vec<Change>, StoreError> {
    let open = store.alerts(&AlertFilter { open_only: true, ..AlertFilter::default() }).await?;
    let named = named(&store.roster().await?, config);
    let orphans = open.iter().filter_map(|row| Some((row, orphaned(config, &named, row)?)));
    let mut changes: Vec<Change> =
        orphans.filter(|(row, _)| row.alert.is_firing()).map(|(row, why)| closed(row, why)).collect();
    let operators = open.iter().filter(|row| row.alert.is_firing() && row.key.rule.as_str() == blind::OPERATOR_BLIND);
    let stays = operators.filter(|row| orphaned(config, &named, row).is_none());
    changes.extend(stays.map(|row| Change {
        key: row.key.clone(),
        what: Fate::Stays,
        channels: config.operator.notify.clone(),
        told_to: row.told_to.clone(),
    }));
    let away = store.away().await?;
    let known: Vec<_> = named.iter().filter(|(_, slug)| slug.is_some()).map(|(name, _)| name.clone()).collect();
    for batch in known.chunks(BATCH) {
        let records = store.load(batch).await?;
        for record in &records {
            let slug = named.get(&record.tenant).and_then(Option::as_ref);
            let Some(tenant) = slug.and_then(|slug| config.tenants.get(slug)) else { continue };
            for rule in &config.rules {
                let outlooks = of_rule(rule, tenant, Some(record), &away, now);
                changes.extend(outlooks.into_iter().filter_map(|outlook| change(config, rule, tenant, outlook)));
            }
        }
    }
    changes.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(changes)
}

/// The slugs that the configuration has for the tenants of the store, by the names that the store has; `None`: it has none, or
/// gives the slug to another tenant.
fn named(known: &[KnownTenant], config: &Config) -> BTreeMap<TenantId, Option<TenantId>> {
    let by_entra: BTreeMap<_, _> = config.tenants.values().map(|tenant| (tenant.account.entra, &tenant.id)).collect();
    let slug = |one: &KnownTenant| match one.tenant_id {
        Some(entra) => by_entra.get(&entra).map(|slug| (*slug).clone()),
        None => config.tenants.contains_key(&one.id).then(|| one.id.clone()),
    };
    known.iter().map(|one| (one.id.clone(), slug(one))).collect()
}

/// Why an open alert would be closed.
fn orphaned(config: &Config, named: &BTreeMap<TenantId, Option<TenantId>>, row: &AlertRow) -> Option<Resolution> {
    match named.get(&row.key.tenant) {
        Some(Some(slug)) if *slug != row.key.tenant => {
            let key = AlertKey { tenant: slug.clone(), ..row.key.clone() };
            close::orphaned(config, &AlertRow { key, ..row.clone() })
        }
        Some(None) => Some(Resolution::TenantRemoved),
        _ => close::orphaned(config, row),
    }
}

fn closed(row: &AlertRow, why: Resolution) -> Change {
    Change {
        key: row.key.clone(),
        what: Fate::Closes(why),
        channels: hear_of_the_end(row),
        told_to: hear_of_the_end(row),
    }
}

/// Of what a fleet shift explains, nobody hears that it is over.
fn hear_of_the_end(row: &AlertRow) -> Vec<ChannelName> {
    if row.explained { Vec::new() } else { row.told_to.clone() }
}

fn change(config: &Config, rule: &Rule, tenant: &Tenant, outlook: Outlook<'_>) -> Option<Change> {
    let was_pending = outlook.record.is_some_and(|record| matches!(record.alert.state, AlertState::Pending(_)));
    let what = match outlook.explanation.verdict {
        Verdict::Fires => Fate::Opens,
        Verdict::Pends if !was_pending => Fate::Pends,
        Verdict::Ends(why) => Fate::Closes(why),
        Verdict::GoesOn | Verdict::Worsens | Verdict::Reminds | Verdict::Unstable => Fate::Stays,
        Verdict::Quiet | Verdict::Pends => return None,
    };
    // Of what a fleet shift explains, nobody hears that it is over.
    let hears = |record: &&AlertRecord| !(record.explained && matches!(what, Fate::Closes(_)));
    let told_to = outlook.record.filter(hears).map_or_else(Vec::new, |record| record.told_to.clone());
    Some(Change { key: outlook.key, what, channels: route(config, rule, tenant).0, told_to })
}
