//! What the service answers over HTTP: whether it lives, whether it does its work, its metrics, the page on which a person
//! confirms a drill, the API ([`api`]) and the dashboard ([`pages`]). Everything that names a tenant takes a
//! [`Caller`](crate::domain::Caller), whom [`access`] finds.

mod access;
pub mod api;
mod app;
mod attempts;
mod busy;
mod changes;
mod confirm;
mod connections;
mod health;
mod limits;
mod listed;
mod listen;
mod metrics;
mod pages;
mod people;
pub mod probe;
mod protect;
mod rate;
mod replay;
mod router;
mod server;
mod streams;
mod warm;
mod wire;

use std::sync::Arc;

pub use app::App;
pub use listen::listen;
pub use router::{dashboard, dashboard_routes};
pub use server::{CONNECTIONS_MAX, serve};
use tokio::sync::watch;
pub use warm::keep_warm;

use crate::{
    clock::Clock,
    config::Config,
    store::{Channels, Listings},
    telemetry::{Health, Metrics},
};

/// What the routes read from.
#[derive(Clone)]
pub struct State {
    /// Counted at each scrape.
    pub listings: Arc<dyn Listings>,
    /// Who proves them, and how they stand.
    pub channels: Arc<dyn Channels>,
    /// The counters and gauges of the service.
    pub metrics: Metrics,
    /// The health of the service's parts.
    pub health: Health,
    /// The clock, for ages and limits.
    pub clock: Clock,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    confirmations: Arc<rate::Confirmations>,
    /// Who may read the metrics; `None`: everybody, in tests.
    app: Option<App>,
}

impl State {
    /// What the routes read from.
    #[must_use]
    pub fn new(
        listings: Arc<dyn Listings>,
        channels: Arc<dyn Channels>,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        config: watch::Receiver<Arc<Config>>,
    ) -> Self {
        Self { listings, channels, metrics, health, clock, config, confirmations: Arc::default(), app: None }
    }
}

#[cfg(test)]
mod tests;
