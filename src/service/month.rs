//! Reports on a tenant's month: finds those that are due, and queues each once, also over a crash or a time in which the service was down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tracing::{error, info};

use crate::{
    channel::ChannelSettings,
    config::{Config, Tenant},
    domain::{Scope, TenantId, Timestamp},
    microsoft::Microsoft,
    notify::{
        facts::month::{Controls, MonthFacts, MonthReport},
        month::{self, message},
    },
    query::{self, report::Question},
    schedule::{Month, Zone},
    store::{NewNotification, Store, StoreError, TenantRecord},
};

/// The most tenants that are read at a time.
const BATCH: usize = 200;
/// How many tenants' months are gathered at the same time.
const AT_ONCE: usize = 4;
/// How long a report waits for Microsoft to say what only it knows. After that, the report says that Microsoft could not be asked.
const WAITS: Duration = Duration::from_hours(6);
/// How long it waits between two attempts.
const TRIES_EVERY: Duration = Duration::from_mins(15);
/// How long nothing is looked at while some wait.
const REST: Duration = Duration::from_mins(1);
/// The classes of failures that pass on their own.
const PASSING: [&str; 4] = ["throttled", "unreachable", "microsoft-down", "check-timeout"];

/// What this process has done of the reports on months. The store knows what was queued; this spares asking it.
#[derive(Debug, Clone, Default)]
pub struct Months(Arc<Mutex<Done>>);

#[derive(Debug, Default)]
struct Done {
    /// Everything that was due by then is queued; `None`: nothing is known yet.
    until: Option<Timestamp>,
    /// Some wait, and nothing is looked at before.
    resting_until: Option<Timestamp>,
    /// When Microsoft is asked again about a tenant's month; since when that is so.
    waiting: BTreeMap<(TenantId, Month), (Timestamp, Timestamp)>,
}

/// A tenant's month, by a zone's calendar, and the channels that are to get it.
type Wanted = BTreeMap<(TenantId, Month, String), Due>;

#[derive(Debug)]
struct Due {
    tenant: Arc<Tenant>,
    month: Month,
    zone: Zone,
    tenant_key: String,
    channels: Vec<Arc<ChannelSettings>>,
}

/// Queues every report on a month that is due and was not queued before. `true`: there is something to send.
///
/// # Errors
/// [`StoreError`]: some may have been queued; asking again queues the rest.
pub async fn queue_due(
    store: &dyn Store,
    config: &Config,
    microsoft: &Microsoft,
    months: &Months,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if config.channels.values().all(|channel| channel.month.is_none()) {
        months.done(now);
        return Ok(false);
    }
    if months.lock().resting_until.is_some_and(|until| now < until && until.since(now) <= REST) {
        return Ok(false);
    }
    let until = months.lock().until.filter(|until| *until <= now);
    let from = if let Some(until) = until {
        until
    } else {
        let downtimes = store.downtimes().await?;
        month::looks_from(downtimes.into_iter().map(|downtime| (downtime.from, downtime.until)), now)
    };
    let wanted = wanted(store, config, from, now).await?;
    let count = wanted.len();
    let queued = stream::iter(wanted.into_values())
        .map(|due| async move { queue(store, config, microsoft, months, &due, now).await })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<Result<Outcome, StoreError>>>()
        .await;
    let mut outcomes = Vec::with_capacity(count);
    for outcome in queued {
        outcomes.push(outcome?);
    }
    if outcomes.contains(&Outcome::Waits) {
        months.lock().resting_until = Some(now.plus(REST));
    } else {
        months.done(now);
    }
    Ok(outcomes.contains(&Outcome::Queued))
}

impl Months {
    /// Forgets what was queued: another replica does this meanwhile.
    pub fn forget(&self) {
        *self.lock() = Done::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, until: Timestamp) {
        *self.lock() = Done { until: Some(until), ..Done::default() };
    }

    /// Whether Microsoft was asked about this month a moment ago, and is to be asked again later.
    fn waits(&self, due: &Due, now: Timestamp) -> bool {
        self.lock().waiting.get(&due.key()).is_some_and(|(_, again_at)| now < *again_at)
    }

    /// Notes that Microsoft could not be asked. `false`: it was waited for long enough.
    fn wait(&self, due: &Due, now: Timestamp) -> bool {
        let mut done = self.lock();
        let (since, again_at) = done.waiting.entry(due.key()).or_insert((now, now));
        *again_at = now.plus(TRIES_EVERY);
        now.since(*since) < WAITS
    }
}

impl Due {
    fn key(&self) -> (TenantId, Month) {
        (self.tenant.id.clone(), self.month)
    }
}

/// What came of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is in the queue.
    Queued,
    /// There is none to send.
    Nothing,
    /// It waits for Microsoft, or could not be made.
    Waits,
}

/// A month that is due on a channel.
struct DueOn<'a> {
    channel: &'a Arc<ChannelSettings>,
    zone: &'a Zone,
    month: Month,
    /// Whether it was due before the channel led where it leads now.
    is_new: bool,
}

/// The reports that were due after `from` and are not known to the store.
async fn wanted(store: &dyn Store, config: &Config, from: Timestamp, now: Timestamp) -> Result<Wanted, StoreError> {
    let from = from.max(month::made_up_after(config.retention, now));
    let known = store.channels().await?.into_iter().filter_map(|known| Some((known.channel, known.seen_at?)));
    let seen: BTreeMap<_, _> = known.collect();
    let mut due: Vec<DueOn<'_>> = Vec::new();
    for (name, settings) in &config.channels {
        // A channel gets nothing for having been configured.
        let (Some(schedule), Some(seen_at)) = (&settings.month, seen.get(name)) else { continue };
        let since_seen = month::due(schedule, from.max(*seen_at), now);
        due.extend(month::due(schedule, from, now).into_iter().map(|month| DueOn {
            channel: settings,
            zone: schedule.zone(),
            month,
            is_new: !since_seen.contains(&month),
        }));
    }
    let mut wanted = Wanted::new();
    if due.is_empty() {
        return Ok(wanted);
    }
    let is_shown = |tenant: &&Arc<Tenant>| due.iter().any(|due| admits(due.channel, tenant));
    let tenants: Vec<&Arc<Tenant>> = config.tenants.values().filter(is_shown).collect();
    for batch in tenants.chunks(BATCH) {
        let ids: Vec<TenantId> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let records = store.load(&ids).await?;
        for tenant in batch {
            let record = records.iter().find(|record| record.tenant == tenant.id);
            let Some(record) = record.filter(|record| record.identity.is(tenant.account.entra)) else { continue };
            let mut is_sent = BTreeSet::new();
            for DueOn { channel, zone, month, is_new } in due.iter().filter(|due| admits(due.channel, tenant)) {
                let id = |month| month::id(store.identity(), &record.identity.key, month, &channel.name);
                if !is_known_in(record, *month, zone) || store.knows(&id(*month)).await? {
                    continue;
                }
                // A channel that leads elsewhere counts as new, and is not if it was sent the month before, or is now.
                if let Some(before) =
                    month.before().filter(|before| *is_new && !is_sent.contains(&(&channel.name, *before)))
                    && !store.knows(&id(before)).await?
                {
                    continue;
                }
                is_sent.insert((&channel.name, *month));
                let key = (tenant.id.clone(), *month, zone.name().to_owned());
                let due = wanted.entry(key).or_insert_with(|| Due {
                    tenant: Arc::clone(tenant),
                    month: *month,
                    zone: (*zone).clone(),
                    tenant_key: record.identity.key.clone(),
                    channels: Vec::new(),
                });
                due.channels.push(Arc::clone(channel));
            }
        }
    }
    Ok(wanted)
}

fn admits(channel: &ChannelSettings, tenant: &Tenant) -> bool {
    channel.audience.admits(&tenant.id, &tenant.labels)
}

/// Whether the tenant was watched in that month and has been read by now: its first report is about the month of its first reading.
fn is_known_in(record: &TenantRecord, month: Month, zone: &Zone) -> bool {
    let health = &record.health;
    let watched_since = health.watched_since.map_or(health.first_seen_at, |since| since.max(health.first_seen_at));
    let is_in = month.bounds(zone).is_some_and(|(_, end)| watched_since < end);
    is_in && record.series.iter().any(|series| !series.window.is_empty())
}

/// Makes the report and queues it for each of its channels.
async fn queue(
    store: &dyn Store,
    config: &Config,
    microsoft: &Microsoft,
    months: &Months,
    due: &Due,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    if months.waits(due, now) {
        return Ok(Outcome::Waits);
    }
    let question = Question {
        tenant: due.tenant.id.to_string(),
        month: Some(due.month),
        zone: Some(due.zone.clone()),
        ask_microsoft: true,
    };
    let report = query::report::report_by(store, config, &Scope::All, &question, microsoft, now).await;
    let report = match report {
        Ok(report) => report,
        Err(query::Error::Store(error)) => return Err(error),
        Err(error) => {
            error!(tenant = %due.tenant.id, month = %due.month, %error, "the report on a month can't be made");
            return Ok(Outcome::Nothing);
        }
    };
    if is_passing(&report) && months.wait(due, now) {
        info!(tenant = %due.tenant.id, month = %due.month, "the report on a month waits until Microsoft can be asked");
        return Ok(Outcome::Waits);
    }
    let facts = MonthFacts { language: due.tenant.language, brand: config.brand.clone(), report };
    let mut outcome = Outcome::Nothing;
    for channel in &due.channels {
        let id = month::id(store.identity(), &due.tenant_key, due.month, &channel.name);
        let notification = message(id, due.tenant.facts(), facts.clone(), now);
        let new = NewNotification {
            notification,
            alert: None,
            tenant: Some(due.tenant.id.clone()),
            hold: None,
            channels: vec![channel.name.clone()],
        };
        if store.announce(new, now).await? {
            outcome = Outcome::Queued;
            info!(tenant = %due.tenant.id, channel = %channel.name, month = %due.month, "a report on a month is queued");
        }
    }
    Ok(outcome)
}

/// Whether something could not be asked for a reason that passes on its own.
fn is_passing(report: &MonthReport) -> bool {
    let of_controls = match &report.controls {
        Controls::Failed { class } => Some(class),
        _ => None,
    };
    let classes: BTreeSet<&String> =
        report.actions_unknown.iter().map(|unknown| &unknown.class).chain(of_controls).collect();
    classes.iter().any(|class| PASSING.contains(&class.as_str()))
}
