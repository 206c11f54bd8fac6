//! The service as a whole. Of what concerns every tenant, a limited scope learns nothing.

use std::{collections::HashMap, net::SocketAddr, path::Path, time::Duration};

use serde::Serialize;

use super::{
    Error, fleet,
    replicas::{self, Replica},
};
use crate::{
    config::{Config, StoreLocation, reload::Rejected},
    diagnostic::Problem,
    domain::{Scope, Timestamp, format_duration},
    store::{Downtime, Store, Upkeep},
};

/// Oldest heartbeat of a service that runs: it leaves one every ten seconds, and may be busy.
pub const HEARTBEAT_AGE_MAX: Duration = Duration::from_secs(35);

/// The service as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct System {
    /// The running version; of an installed one, with its commit and date.
    pub version: &'static str,
    /// The time of the answer.
    pub now: Timestamp,
    /// The time zone of schedules and reports.
    pub timezone: String,
    /// How the checks of the tenants that you see fare.
    pub checks: Checks,
    /// The configuration in force; null for a limited scope.
    pub configuration: Option<Configuration>,
    /// A changed configuration that was rejected, for as long as no other is accepted; always null for a limited scope.
    pub rejected: Option<Rejection>,
    /// How the service is set up; null for a limited scope.
    pub service: Option<Service>,
    /// The store; null for a limited scope.
    pub store: Option<StoreState>,
    /// The services that share the store, oldest first; empty for a limited scope, and if only one process may have it.
    pub replicas: Vec<Replica>,
}

/// How many tenants there are, and how many of them are not checked as they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Checks {
    /// How many tenants there are.
    pub tenants: usize,
    /// Tenants whose checks fail.
    pub failing: usize,
    /// Tenants whose next check is overdue.
    pub late: usize,
    /// How long the check that is overdue the longest should have been done, in seconds; 0: none is overdue.
    pub latest_seconds: u64,
    /// Tenants that were never checked.
    pub never_checked: usize,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Configuration {
    /// The same as long as its files say the same.
    pub fingerprint: String,
    /// How many tenants it has.
    pub tenants: usize,
    /// How many rules it has.
    pub rules: usize,
    /// How many channels it has.
    pub channels: usize,
    /// The release of the time zone data by which schedules and windows are reckoned, and where it comes from.
    pub zone_data: String,
    /// Its warnings, in file order; none that a comment switches off.
    pub warnings: Vec<Finding>,
}

/// How the service is set up, and when it was down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Service {
    /// The address on which it listens.
    pub listen: String,
    /// The address in messages' links; null: there are none.
    pub public_url: Option<String>,
    /// Whether nobody sees anything without a token or a session.
    pub sign_in: bool,
    /// How long what it knows is kept, as the configuration writes it: `400d`.
    pub retention: String,
    /// When it was down, the newest first; the last 100.
    pub downtimes: Vec<Downtime>,
}

/// The most periods of downtime that are listed.
const DOWNTIMES_MAX: usize = 100;

/// A changed configuration that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Rejection {
    /// How many errors it has.
    pub errors: usize,
    /// What was found in it, errors before warnings; the first 50.
    pub problems: Vec<Finding>,
}

/// Something that was found in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// The file that can't be read or is wrong.
    pub file: String,
    /// The line in the file, from 1.
    pub line: usize,
    /// The column in the line, from 1.
    pub column: usize,
    /// The key that it is about, as a path; empty: the whole file.
    pub key: String,
    /// The name of the warning; null: it is an error.
    pub warning: Option<&'static str>,
    /// What is wrong, without what to do about it.
    pub what: String,
    /// What to write instead; may be empty.
    pub instead: String,
}

impl Finding {
    fn of(problem: &Problem) -> Self {
        let Problem { place, key, warning, what, instead, .. } = problem;
        Self {
            file: place.file.display().to_string(),
            line: place.line,
            column: place.column,
            key: key.clone(),
            warning: warning.map(crate::diagnostic::Warning::name),
            what: what.clone(),
            instead: instead.clone(),
        }
    }
}

/// The store, and counts of what is in it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct StoreState {
    /// Which kind of database it is.
    pub kind: &'static str,
    /// Where it is: a file, or a database without its credentials.
    pub location: String,
    /// Bytes on the disk, what is not yet merged into the database included; null: unknown.
    pub bytes: Option<u64>,
    /// When the service last showed that it can write.
    pub last_heartbeat: Option<Timestamp>,
    /// How many tenants the store knows.
    pub tenants: u64,
    /// Tenants whose checks fail.
    pub failing: u64,
    /// How many alerts are pending: the condition holds, but not yet for long enough.
    pub pending: u64,
    /// How many alerts are firing.
    pub firing: u64,
    /// Deliveries that are not finished.
    pub unfinished: u64,
}

impl System {
    /// The same, which says at which address connections arrive. The configuration may leave the port to the system.
    #[must_use]
    pub fn listening(mut self, address: Option<SocketAddr>) -> Self {
        if let (Some(service), Some(address)) = (&mut self.service, address) {
            service.listen = address.to_string();
        }
        self
    }
}

/// The service as a whole. `rejected`: the configuration that was rejected last, if none was accepted since.
///
/// # Errors
/// [`Error::Store`].
pub async fn show(
    store: &dyn Store,
    config: &Config,
    rejected: Option<&Rejected>,
    scope: &Scope,
    now: Timestamp,
) -> Result<System, Error> {
    let system = System {
        version: env!("SCOREWATCH_VERSION"),
        now,
        timezone: config.timezone.name().to_owned(),
        checks: checks(store, config, scope, now).await?,
        configuration: None,
        rejected: None,
        service: None,
        store: None,
        replicas: Vec::new(),
    };
    if !scope.is_all() {
        return Ok(system);
    }
    let configuration = Configuration {
        fingerprint: config.watched.fingerprint(),
        tenants: config.tenants.len(),
        rules: config.rules.len(),
        channels: config.channels.len(),
        zone_data: config.findings.zone_data.clone(),
        warnings: config.findings.warnings.iter().map(Finding::of).collect(),
    };
    let rejection = |rejected: &Rejected| Rejection {
        errors: rejected.errors,
        problems: rejected.problems.iter().map(Finding::of).collect(),
    };
    Ok(System {
        configuration: Some(configuration),
        rejected: rejected.map(rejection),
        service: Some(service(store, config).await?),
        store: Some(state(store, config, now).await?),
        replicas: replicas::list(store, scope).await?,
        ..system
    })
}

async fn service(store: &dyn Store, config: &Config) -> Result<Service, Error> {
    Ok(Service {
        listen: config.listen.to_string(),
        public_url: config.public_url.clone(),
        sign_in: config.needs_sign_in(),
        retention: format_duration(config.retention),
        downtimes: store.downtimes().await?.into_iter().rev().take(DOWNTIMES_MAX).collect(),
    })
}

/// Whether a service works on the store, by its heartbeat. One that has just been stopped counts for a while, and so does one of which
/// the store does not say.
pub async fn is_running(store: &dyn Upkeep, now: Timestamp) -> bool {
    let Ok(newest) = store.last_heartbeat().await else { return true };
    newest.is_some_and(|newest| now.since(newest.on_clock(now)) < HEARTBEAT_AGE_MAX)
}

async fn state(store: &dyn Store, config: &Config, now: Timestamp) -> Result<StoreState, Error> {
    let totals = store.totals().await?;
    let unfinished =
        totals.deliveries.iter().filter(|(_, state, _)| !state.is_finished()).map(|(.., count)| count).sum();
    let (kind, location, bytes) = match &config.store {
        StoreLocation::Sqlite(path) => ("sqlite", path.display().to_string(), bytes(path).await),
        StoreLocation::Postgres(database) => ("postgres", database.to_string(), None),
    };
    Ok(StoreState {
        kind,
        location,
        bytes,
        last_heartbeat: store.last_heartbeat().await?.map(|last| last.on_clock(now)),
        tenants: totals.tenants,
        failing: totals.failing,
        pending: totals.pending,
        firing: totals.firing,
        unfinished,
    })
}

/// The size of a database and of the file beside it that holds what was written last.
async fn bytes(database: &Path) -> Option<u64> {
    let whole = tokio::fs::metadata(database).await.ok()?.len();
    let mut newest = database.as_os_str().to_owned();
    newest.push("-wal");
    Some(whole + tokio::fs::metadata(newest).await.map_or(0, |file| file.len()))
}

async fn checks(store: &dyn Store, config: &Config, scope: &Scope, now: Timestamp) -> Result<Checks, Error> {
    let known: HashMap<_, _> =
        store.tenant_lines().await?.into_iter().map(|line| (line.tenant.clone(), line)).collect();
    let mut checks = Checks::default();
    for tenant in config.tenants.values().filter(|tenant| scope.includes(&tenant.id)) {
        checks.tenants += 1;
        let found = known.get(&tenant.id);
        let found = found.filter(|line| line.entra.is_none_or(|entra| entra == tenant.account.entra));
        let overdue = found.map_or(0, |line| now.since(line.next_due_at.plus(config.spread)).as_secs());
        match fleet::freshness(config, found, now) {
            fleet::Freshness::Failing => checks.failing += 1,
            fleet::Freshness::NeverChecked => checks.never_checked += 1,
            fleet::Freshness::Late => {
                checks.late += 1;
                checks.latest_seconds = checks.latest_seconds.max(overdue);
            }
            fleet::Freshness::Fresh => {}
        }
    }
    Ok(checks)
}
