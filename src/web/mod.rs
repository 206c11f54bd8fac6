//! What the service answers over HTTP: whether it lives, whether it does its work, and its metrics. Nothing here changes
//! anything, and nothing here names a tenant.

mod health;
mod metrics;
mod protect;
mod router;
mod server;

use std::sync::Arc;

pub use server::serve;

use crate::{
    clock::Clock,
    store::Store,
    telemetry::{Health, Metrics},
};

/// What the routes read from.
#[derive(Clone)]
pub struct State {
    /// Counted at each scrape.
    pub store: Arc<dyn Store>,
    /// The counters.
    pub metrics: Metrics,
    /// The signs of life.
    pub health: Health,
    /// For ages.
    pub clock: Clock,
}

#[cfg(test)]
mod tests;
