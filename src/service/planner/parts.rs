//! What a planner is made from.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{check::Checker, config::Config, delivery::Dispatcher, domain::TenantId, telemetry::Health};

/// What a planner is made from.
pub struct Parts {
    /// Checks one tenant at a time.
    pub checker: Checker,
    /// Wakes the dispatcher when there is something to send.
    pub dispatcher: Dispatcher,
    /// Receives the scheduler's heartbeat.
    pub health: Health,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Says every second that somebody may be due.
    pub due_scan: Arc<Notify>,
    /// Says that the store takes writes again.
    pub store_recovered: Arc<Notify>,
    /// Tenants one of whose notifications became final.
    pub settled: mpsc::UnboundedReceiver<TenantId>,
    /// Cancelled when the planner is to end.
    pub shutdown: CancellationToken,
}
