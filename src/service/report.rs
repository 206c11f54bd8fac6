//! Reports: finds the channels whose report is due, and queues it. A report is queued once, also over a crash; one that was
//! missed is made up, unless it is too old.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::info;

use crate::{
    channel::ChannelSettings,
    config::{Config, Tenant},
    domain::{ChannelName, Excluded, Sample, SeriesId, TenantId, Timestamp},
    notify::{
        DeliveryState,
        facts::report::ReportDeliveries,
        report::{self, Fires, Move, Period, TenantStatus, moved},
    },
    rule::{AlertState, RuleName},
    schedule::Schedule,
    store::{Checks, DeliveryFilter, Listings, NewNotification, SeriesRecord, Store, StoreError, TenantRecord},
};

/// The most tenants that are read at a time.
const BATCH: usize = 200;
/// The most deliveries of a channel that are read, newest first.
const DELIVERIES_MAX: u32 = 1_000;

/// When each channel's next report is due, as far as this process knows. The store knows what was sent; this spares asking it.
#[derive(Debug, Clone, Default)]
pub struct Reports(Arc<Mutex<Agenda>>);

#[derive(Debug, Default)]
struct Agenda {
    /// When the agenda was last looked at; `None`: never.
    looked_at: Option<Timestamp>,
    next: BTreeMap<ChannelName, (Schedule, Timestamp)>,
}

impl Reports {
    /// Forgets the agenda: another replica goes by its own meanwhile.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Agenda::default();
    }

    /// The channels whose report is due, and for which instant. When the process begins, what was missed shortly before is due;
    /// a channel that gets its schedule later gets no report for having been configured.
    fn due(&self, config: &Config, now: Timestamp) -> Vec<(Arc<ChannelSettings>, Schedule, Timestamp)> {
        let mut agenda = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if agenda.looked_at.is_some_and(|looked_at| now < looked_at) {
            // The clock was set back: what was planned may lie far ahead.
            agenda.next.clear();
        }
        let earliest = report::made_up_after(config.retention, now);
        let from = if agenda.looked_at.is_some() { now } else { earliest };
        agenda.looked_at = Some(now);
        let scheduled = |name: &ChannelName| config.channels.get(name).and_then(|settings| settings.report.clone());
        agenda.next.retain(|name, (schedule, _)| scheduled(name).as_ref() == Some(&*schedule));
        let mut due = Vec::new();
        for (name, settings) in &config.channels {
            let Some(schedule) = &settings.report else { continue };
            if !agenda.next.contains_key(name)
                && let Some(next) = schedule.next_tick(from)
            {
                agenda.next.insert(name.clone(), (schedule.clone(), next));
            }
            let next = agenda.next.get(name).map(|(_, next)| *next).filter(|next| *next <= now);
            let newest = next.and_then(|_| schedule.last_tick(now)).filter(|newest| *newest > earliest);
            match newest {
                Some(newest) => due.push((settings.clone(), schedule.clone(), newest)),
                None if next.is_some() => agenda.done(name, now),
                None => {}
            }
        }
        due
    }

    fn done(&self, channel: &ChannelName, due_at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).done(channel, due_at);
    }
}

impl Agenda {
    /// What was due by then needs no more looking after.
    fn done(&mut self, channel: &ChannelName, due_at: Timestamp) {
        if let Some((schedule, next)) = self.next.get_mut(channel)
            && let Some(later) = schedule.next_tick(due_at)
        {
            *next = later;
        }
    }
}

/// Queues every report that is due and was not queued before. `true`: there is something to send.
///
/// # Errors
/// [`StoreError`]: some may have been queued; asking again queues the rest.
pub async fn queue_due(
    store: &dyn Store,
    config: &Config,
    reports: &Reports,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let due = reports.due(config, now);
    if due.is_empty() {
        return Ok(false);
    }
    let seen: BTreeMap<_, _> =
        store.channels().await?.into_iter().map(|known| (known.channel, known.seen_at)).collect();
    // Most channels have one of few schedules: what happened in a period is read once for all of them.
    let mut periods: BTreeMap<Period, Vec<Arc<ChannelSettings>>> = BTreeMap::new();
    for (settings, schedule, due_at) in due {
        let is_new = seen.get(&settings.name).copied().flatten().is_none_or(|seen_at| seen_at > due_at);
        if is_new || store.knows(&report::id(store.identity(), &settings.name, due_at)).await? {
            reports.done(&settings.name, due_at);
        } else {
            periods.entry(period(config, &schedule, due_at)).or_default().push(settings);
        }
    }
    let mut is_any = false;
    for (period, channels) in periods {
        let statuses = statuses(store, config, &channels, period, now).await?;
        for settings in channels {
            is_any |= queue(store, &settings, period, &statuses, now).await?;
            reports.done(&settings.name, period.until);
        }
    }
    Ok(is_any)
}

async fn queue(
    store: &dyn Store,
    settings: &ChannelSettings,
    period: Period,
    statuses: &[TenantStatus],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let deliveries = deliveries(store, settings, period, statuses).await?;
    let id = report::id(store.identity(), &settings.name, period.until);
    let notification = report::message(id, &settings.audience, period, statuses, deliveries, now);
    let channels = vec![settings.name.clone()];
    let new = NewNotification { notification, alert: None, tenant: None, hold: None, channels };
    let is_queued = store.announce(new, now).await?;
    if is_queued {
        info!(channel = %settings.name, due_at = %period.until, "a report is queued");
    }
    Ok(is_queued)
}

/// From the tick before, as far as samples are kept.
fn period(config: &Config, schedule: &Schedule, due_at: Timestamp) -> Period {
    let before = schedule.last_tick(due_at.minus(std::time::Duration::from_nanos(1)));
    let oldest = due_at.minus(config.retention);
    Period { from: before.map_or(oldest, |before| before.max(oldest)), until: due_at }
}

/// How every tenant stands that one of these channels may show.
async fn statuses(
    store: &dyn Store,
    config: &Config,
    channels: &[Arc<ChannelSettings>],
    period: Period,
    now: Timestamp,
) -> Result<Vec<TenantStatus>, StoreError> {
    let is_shown =
        |tenant: &&Arc<Tenant>| channels.iter().any(|channel| channel.audience.admits(&tenant.id, &tenant.labels));
    let shown: Vec<&Arc<Tenant>> = config.tenants.values().filter(is_shown).collect();
    let mut statuses = Vec::with_capacity(shown.len());
    for batch in shown.chunks(BATCH) {
        let ids: Vec<TenantId> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let known = store.load(&ids).await?.into_iter().map(|record| (record.tenant.clone(), record));
        let mut known: BTreeMap<TenantId, TenantRecord> = known.collect();
        for tenant in batch {
            let record = known.remove(&tenant.id).filter(|record| record.identity.is(tenant.account.entra));
            statuses.push(status(store, config, tenant, record, period, now).await?);
        }
    }
    Ok(statuses)
}

async fn status(
    store: &dyn Store,
    config: &Config,
    tenant: &Tenant,
    record: Option<TenantRecord>,
    period: Period,
    now: Timestamp,
) -> Result<TenantStatus, StoreError> {
    let (mut moves, mut firing, mut blind, mut has_excluded) = (Vec::new(), Vec::new(), None, false);
    if let Some(record) = record {
        for series in &record.series {
            moves.extend(moved_in(store, tenant, series, &record.excluded, period).await?);
        }
        has_excluded = !record.excluded.is_empty();
        // An alert whose rule is gone is about to be closed.
        let severity = |name: &RuleName| config.rules.iter().find(|rule| rule.name == *name).map(|rule| rule.severity);
        for alert in record.alerts {
            if let (AlertState::Firing(fires), Some(severity)) = (&alert.alert.state, severity(&alert.rule)) {
                let since = fires.since;
                firing.push(Fires { rule: alert.rule, severity, score: alert.score, subject: alert.subject, since });
            }
        }
        let failing = record.health.failing.filter(|failing| now.since(failing.since) >= config.operator.blind_after);
        blind = failing.map(|failing| (failing.since, failing.class));
    }
    Ok(TenantStatus {
        tenant: tenant.id.clone(),
        name: tenant.name.clone(),
        labels: tenant.labels.clone(),
        moves,
        firing,
        blind,
        has_excluded,
    })
}

/// How a series that is still polled moved, without the controls that do not count. Its newest samples are at hand; only what they do
/// not reach back to is read.
async fn moved_in(
    store: &dyn Checks,
    tenant: &Tenant,
    series: &SeriesRecord,
    excluded: &Excluded,
    period: Period,
) -> Result<Option<Move>, StoreError> {
    if !tenant.scores.contains(&series.score) || series.last_data_at <= period.from {
        return Ok(None);
    }
    let id = SeriesId { score: series.score, subject: series.subject.as_ref() };
    let judged = |samples: &[Sample]| judged(samples, id, excluded, period);
    let reaches_back = series.window.first().is_some_and(|first| first.at <= period.from);
    let moved = if reaches_back {
        judged(&series.window)
    } else {
        judged(&store.history(&id.of(&tenant.id), period.from.minus(report::VALUE_AGE_MAX)).await?)
    };
    let of = |(before, value)| Move { score: series.score, subject: series.subject.clone(), before, value };
    Ok(moved.map(of))
}

/// How messages to a channel fare, without those about tenants that it may no longer show.
async fn deliveries(
    store: &dyn Listings,
    settings: &ChannelSettings,
    period: Period,
    statuses: &[TenantStatus],
) -> Result<ReportDeliveries, StoreError> {
    let states = vec![DeliveryState::Held, DeliveryState::Dead];
    let channel = Some(settings.name.clone());
    let filter = DeliveryFilter { states, channel, limit: DELIVERIES_MAX, ..DeliveryFilter::default() };
    let admitted = |one: &&TenantStatus| settings.audience.admits(&one.tenant, &one.labels);
    let own: BTreeSet<&TenantId> = statuses.iter().filter(admitted).map(|one| &one.tenant).collect();
    let mut counted = ReportDeliveries::default();
    for delivery in store.deliveries(&filter).await? {
        if delivery.tenant.as_ref().is_some_and(|tenant| !own.contains(tenant)) {
            continue;
        }
        let in_period = delivery.finished_at.is_some_and(|at| at > period.from);
        counted.held += usize::from(delivery.state == DeliveryState::Held);
        counted.dead += usize::from(delivery.state == DeliveryState::Dead && in_period);
    }
    Ok(counted)
}

/// How a series moved without the controls that do not count.
fn judged(samples: &[Sample], id: SeriesId<'_>, excluded: &Excluded, period: Period) -> Option<(f64, f64)> {
    let without = excluded.window(id, samples);
    moved(without.as_deref().unwrap_or(samples), period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Control, ControlsRead, Points, ScoreKind, ScoreRecord};

    #[test]
    fn what_excluded_controls_lose_is_not_a_move_and_what_others_lose_is() {
        const MFA: &str = "AdminMFAV2";
        let at = |day: i64| Timestamp::from_seconds(day * 86_400);
        let control = |points, maximum| Control {
            category: Some("Identity".to_owned()),
            points: Some(points),
            maximum: Some(maximum),
            counts: None,
        };
        let record = |day: i64, mfa: f64, others: f64| ScoreRecord {
            day: at(day),
            points: Points { earned: mfa + others, of: 100.0 },
            controls: [(MFA.to_owned(), control(mfa, 10.0)), ("Others".to_owned(), control(others, 90.0))].into(),
            services: None,
            all_tenants_average: None,
        };
        let period = Period { from: at(1), until: at(8) };
        for (is_excluded, mfa, others, expected) in [
            (false, 0.0, 45.0, Some((55.0, 45.0))),
            (true, 0.0, 45.0, None),
            (true, 0.0, 36.0, Some((50.0, 40.0))),
            (true, 10.0, 36.0, Some((50.0, 40.0))),
        ] {
            let records = [record(1, 10.0, 45.0), record(7, mfa, others)];
            let samples = records.clone().map(|record| Sample { at: record.day, value: record.points.earned });
            let wanted = if is_excluded { [MFA.to_owned()].into() } else { BTreeSet::new() };
            let records = records.into_iter().map(|record| (record.day, record)).collect();
            let excluded = Excluded::default().after(&ControlsRead { wanted, records, maxima: BTreeMap::new() });
            let id = SeriesId { score: ScoreKind::SecureScore, subject: None };
            assert_eq!(judged(&samples, id, &excluded, period), expected, "{is_excluded} {mfa} {others}");
        }
    }
}
