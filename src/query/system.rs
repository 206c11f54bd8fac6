//! The service as a whole. Of what concerns every tenant, a limited scope learns nothing.

use serde::Serialize;

use super::Error;
use crate::{
    config::{Config, StoreLocation},
    domain::{Scope, Timestamp},
    store::Store,
};

/// The service as a whole.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct System {
    /// The running version.
    pub version: &'static str,
    /// The time of the answer.
    pub now: Timestamp,
    /// The time zone of schedules and reports.
    pub timezone: String,
    /// The configuration in force; null for a limited scope.
    pub configuration: Option<Configuration>,
    /// The store; null for a limited scope.
    pub store: Option<StoreState>,
}

/// The configuration in force.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Configuration {
    /// The same as long as its files say the same.
    pub fingerprint: String,
    /// How many tenants it has.
    pub tenants: usize,
    /// How many rules it has.
    pub rules: usize,
    /// How many channels it has.
    pub channels: usize,
}

/// The store, and counts of what is in it.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct StoreState {
    /// What it is.
    pub kind: &'static str,
    /// When the service last showed that it can write.
    pub last_heartbeat: Option<Timestamp>,
    /// How many tenants the store knows.
    pub tenants: u64,
    /// Tenants whose checks fail.
    pub failing: u64,
    /// Alerts that pend.
    pub pending: u64,
    /// Alerts that fire.
    pub firing: u64,
    /// Deliveries that are not finished.
    pub unfinished: u64,
}

/// The service as a whole.
///
/// # Errors
/// [`Error::Store`].
pub async fn show(store: &dyn Store, config: &Config, scope: &Scope, now: Timestamp) -> Result<System, Error> {
    let (version, timezone) = (env!("CARGO_PKG_VERSION"), config.timezone.name().to_owned());
    if !scope.is_all() {
        return Ok(System { version, now, timezone, configuration: None, store: None });
    }
    let totals = store.totals().await?;
    let unfinished =
        totals.deliveries.iter().filter(|(_, state, _)| !state.is_finished()).map(|(.., count)| count).sum();
    let configuration = Configuration {
        fingerprint: config.watched.fingerprint(),
        tenants: config.tenants.len(),
        rules: config.rules.len(),
        channels: config.channels.len(),
    };
    let state = StoreState {
        kind: match &config.store {
            StoreLocation::Sqlite(_) => "sqlite",
            StoreLocation::Postgres(_) => "postgres",
        },
        last_heartbeat: store.last_heartbeat().await?,
        tenants: totals.tenants,
        failing: totals.failing,
        pending: totals.pending,
        firing: totals.firing,
        unfinished,
    };
    Ok(System { version, now, timezone, configuration: Some(configuration), store: Some(state) })
}
