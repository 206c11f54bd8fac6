//! The state of every alert of a tenant under a configuration, at the newest reading in the store. Writes nothing, notifies nobody.
//!
//! The newest reading was judged when it came. Judged once more by the same rule it changes nothing, so what it would change now
//! is what another rule makes of it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use super::{blind, close, history, judge::no_data::Watch, moved};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Excluded, Sample, ScoreKind, SeriesId, TenantId, Timestamp},
    rule::{
        Alert, AlertKey, AlertState, Condition, EvaluationContext, Event, Explanation, Resolution, Rule, explain,
        explain::Verdict,
    },
    store::{AlertFilter, AlertRecord, AlertRow, Downtime, KnownTenant, SeriesRecord, Store, StoreError, TenantRecord},
};

/// The most tenants that are loaded together.
const BATCH: usize = 256;

/// How one alert stands.
#[derive(Debug, Clone)]
pub struct Outlook<'a> {
    /// The identity of the alert.
    pub key: AlertKey,
    /// What the store has of its series.
    pub series: Option<&'a SeriesRecord>,
    /// The readings of that series as the rule judges them: without excluded controls.
    pub window: Cow<'a, [Sample]>,
    /// What the store has of it.
    pub record: Option<&'a AlertRecord>,
    /// What its rule makes of it, and why.
    pub explanation: Explanation,
}

/// How the alerts of one rule stand for one tenant: one for each series that the rule judges.
#[must_use]
pub fn of_rule<'a>(
    config: &Config,
    rule: &Rule,
    tenant: &Tenant,
    record: Option<&'a TenantRecord>,
    downtimes: &[Downtime],
    now: Timestamp,
) -> Vec<Outlook<'a>> {
    if rule.is_no_data() {
        return of_no_data(config, rule, tenant, record, downtimes, now).into_iter().collect();
    }
    let judged = tenant.scores.iter().filter(|score| rule.applies_to(&tenant.labels, **score));
    let excluded =
        record.map_or_else(Excluded::default, |record| record.excluded.with_known(&config.excluded_names(tenant, now)));
    let mut outlooks = Vec::new();
    for &score in judged {
        let all = record.map_or(&[][..], |record| record.series.as_slice());
        let known: Vec<_> = all.iter().filter(|series| series.score == score).collect();
        if known.is_empty() {
            outlooks.push(of_series(rule, tenant, score, None, record, &excluded, now));
        }
        let of_known = |series| of_series(rule, tenant, score, Some(series), record, &excluded, now);
        outlooks.extend(known.into_iter().map(of_known));
    }
    outlooks
}

/// How the alert of a `no_data` rule stands: one for the score that it names, or for the whole tenant.
fn of_no_data<'a>(
    config: &Config,
    rule: &Rule,
    tenant: &Tenant,
    record: Option<&'a TenantRecord>,
    downtimes: &[Downtime],
    now: Timestamp,
) -> Option<Outlook<'a>> {
    let is_polled = rule.score.is_none_or(|score| tenant.scores.contains(&score));
    if !is_polled || !rule.tenants.matches(&tenant.labels) {
        return None;
    }
    let health = record.map(|record| &record.health);
    let watch = Watch {
        config,
        tenant,
        downtimes,
        checked_at: health.and_then(|health| health.checked_at),
        watched_since: health.and_then(|health| health.watched_since),
        poll_interval: tenant.schedule.interval_at(now),
        now,
    };
    let feeds = watch.feeds(rule, record.map_or(&[][..], |record| record.series.as_slice()));
    let key = rule.alert_key(&tenant.id, rule.score, None);
    let context = EvaluationContext { feeds: &feeds, ..quiet(now, &[], tenant.schedule.interval_at(now)) };
    Some(outlook(rule, key, None, record, None, Event::Tick, context))
}

fn of_series<'a>(
    rule: &Rule,
    tenant: &Tenant,
    score: ScoreKind,
    series: Option<&'a SeriesRecord>,
    record: Option<&'a TenantRecord>,
    excluded: &Excluded,
    now: Timestamp,
) -> Outlook<'a> {
    let id = SeriesId { score, subject: series.and_then(|series| series.subject.as_ref()) };
    let key = rule.alert_key(&tenant.id, Some(score), id.subject);
    let stored = series.map_or(&[][..], |series| series.window.as_slice());
    let moved = record.and_then(|record| record.excluded.moved(excluded, id, stored.last().copied()));
    let all = excluded.window(id, stored).map_or(Cow::Borrowed(stored), Cow::Owned);
    let of_alert = record.and_then(|record| record.alerts.iter().find(|alert| is_of(alert, &key)));
    let (event, window) = newest(of_alert.map(|record| &record.alert), &all);
    let interval = tenant.schedule.interval_at(now).max(score.record_interval());
    let shifts = moved::shifts(record, rule, key.score, key.subject.as_ref());
    let context = EvaluationContext {
        onboarded_at: series.and_then(|series| series.onboarded_at),
        shifts: &shifts,
        ..quiet(now, window, interval)
    };
    let outlook = outlook(rule, key, series, record, moved, event, context);
    Outlook { window: all, ..outlook }
}

/// A context without deliveries, shifts or missed readings: the newest reading was evaluated when it arrived.
const fn quiet(now: Timestamp, window: &[Sample], source_interval: Duration) -> EvaluationContext<'_> {
    EvaluationContext {
        now,
        window,
        source_interval,
        missed_checks: 0,
        onboarded_at: None,
        feeds: &[],
        notified_at: None,
        sendable_since: None,
        is_acknowledged: false,
        is_on_its_way: false,
        can_be_withdrawn: false,
        shifts: &[],
    }
}

fn is_of(alert: &AlertRecord, key: &AlertKey) -> bool {
    alert.rule == key.rule && alert.score == key.score && alert.subject == key.subject
}

fn outlook<'a>(
    rule: &Rule,
    key: AlertKey,
    series: Option<&'a SeriesRecord>,
    record: Option<&'a TenantRecord>,
    moved: Option<f64>,
    event: Event,
    context: EvaluationContext<'_>,
) -> Outlook<'a> {
    let of_alert = record.and_then(|record| record.alerts.iter().find(|alert| is_of(alert, &key)));
    let alert = of_alert.map_or_else(Alert::default, |record| record.alert.clone());
    // Other controls count than when it was judged: what was measured then is measured in the values of now.
    let alert = moved.map_or_else(|| alert.clone(), |by| alert.moved_by(by));
    let context = EvaluationContext {
        notified_at: of_alert.and_then(|record| record.notified_at),
        sendable_since: of_alert.and_then(|record| record.sendable_since),
        is_acknowledged: of_alert.is_some_and(AlertRecord::is_acknowledged),
        is_on_its_way: of_alert
            .is_some_and(|record| record.notified_at.is_none() && !record.notified_channels.is_empty()),
        can_be_withdrawn: of_alert.is_some_and(|record| record.can_be_withdrawn),
        ..context
    };
    let explanation = explain(rule, &alert, event, &context);
    Outlook { key, series, window: Cow::Borrowed(&[]), record: of_alert, explanation }
}

/// The newest reading and the samples before it. Where data itself is what is awaited, a reading that came long ago ends nothing.
fn newest<'a>(alert: Option<&Alert>, window: &'a [Sample]) -> (Event, &'a [Sample]) {
    let firing = alert.and_then(Alert::firing);
    let is_blind = firing.is_some_and(|firing| matches!(firing.terms.when, Condition::NoData(_)));
    match window.split_last() {
        Some((newest, before)) if !is_blind => (Event::Reading(*newest), before),
        _ => (Event::Tick, window),
    }
}

/// What a configuration would change of one alert if it were loaded now.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The identity of the alert.
    pub key: AlertKey,
    /// What becomes of it.
    pub what: Fate,
    /// The channels that are notified of it from now on.
    pub channels: Vec<ChannelName>,
    /// The channels that were notified that it began, and lead where they led then.
    pub notified_channels: Vec<ChannelName>,
    /// The channels for which something of it waits.
    pub waiting: BTreeSet<ChannelName>,
}

/// What becomes of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It begins to fire.
    Opens,
    /// It begins to wait for `for`.
    Pends,
    /// The alert ends, for this reason.
    Closes(Resolution),
    /// The alert continues to fire.
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
        channels: config.route_of(&row.key, 0).unwrap_or_default(),
        notified_channels: row.notified_channels.clone(),
        waiting: BTreeSet::new(),
    }));
    let downtimes = store.downtimes().await?;
    let known: Vec<_> = named.iter().filter(|(_, slug)| slug.is_some()).map(|(name, _)| name.clone()).collect();
    for batch in known.chunks(BATCH) {
        let mut records = store.load(batch).await?;
        for record in &mut records {
            let slug = named.get(&record.tenant).and_then(Option::as_ref);
            let Some(tenant) = slug.and_then(|slug| config.tenants.get(slug)) else { continue };
            history::complete(store, config, tenant, record).await?;
            for rule in &config.rules {
                let outlooks = of_rule(config, rule, tenant, Some(record), &downtimes, now);
                changes.extend(outlooks.into_iter().filter_map(|outlook| change(config, rule, tenant, outlook)));
            }
        }
    }
    changes.sort_by(|left, right| left.key.cmp(&right.key));
    note_what_waits(store, config, &mut changes).await?;
    Ok(changes)
}

/// Notes what waits of each alert, and which channels lead elsewhere by now: those are notified of what fires as if they were new,
/// unless it waits for them.
async fn note_what_waits(store: &dyn Store, config: &Config, changes: &mut [Change]) -> Result<(), StoreError> {
    let moved: BTreeSet<ChannelName> = store
        .channels()
        .await?
        .into_iter()
        .filter_map(|record| {
            let identity = config.channels.get(&record.channel)?.identity(store.identity()).ok()?;
            record.leads.destination.is_some_and(|before| before != identity.destination).then_some(record.channel)
        })
        .collect();
    let mut waiting: HashMap<AlertKey, BTreeSet<ChannelName>> =
        store.routed().await?.alerts.into_iter().map(|routed| (routed.alert, routed.waiting)).collect();
    for change in changes {
        change.waiting = waiting.remove(&change.key).unwrap_or_default();
        let waits = &change.waiting;
        change.notified_channels.retain(|channel| !moved.contains(channel) || waits.contains(channel));
    }
    Ok(())
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
        channels: row.notified_channels.clone(),
        notified_channels: row.notified_channels.clone(),
        waiting: BTreeSet::new(),
    }
}

fn change(config: &Config, rule: &Rule, tenant: &Tenant, outlook: Outlook<'_>) -> Option<Change> {
    let was_pending = outlook.record.is_some_and(|record| matches!(record.alert.state, AlertState::Pending(_)));
    let what = match outlook.explanation.verdict {
        Verdict::Fires => Fate::Opens,
        Verdict::Pends if !was_pending => Fate::Pends,
        Verdict::Ends(why) => Fate::Closes(why),
        Verdict::GoesOn | Verdict::Worsens | Verdict::Reminds | Verdict::Escalates | Verdict::Unstable => Fate::Stays,
        Verdict::Quiet | Verdict::Pends => return None,
    };
    let notified_channels = outlook.record.map_or_else(Vec::new, |record| record.notified_channels.clone());
    let firing = outlook.record.and_then(|record| record.alert.firing());
    let escalated = firing.map_or(0, |firing| firing.escalated.steps);
    Some(Change {
        key: outlook.key,
        what,
        channels: config.routes(rule, tenant, escalated).0,
        notified_channels,
        waiting: BTreeSet::new(),
    })
}
