//! The parts that visits and deliveries need, made from the store on.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{recorded, roster};
use crate::{
    check::{
        Checker,
        downtime::Downtimes,
        outage::{KnownOutages, gather::Gathering},
    },
    clock::Clock,
    config::{Config, StoreLocation},
    crash_point::{self, CrashPoint},
    delivery::Dispatcher,
    domain::{TenantId, Timestamp},
    egress::Egress,
    microsoft::Microsoft,
    query,
    store::{Shard, Store, StoreError, Tenure, postgres, sqlite::SqliteStore},
    telemetry::Metrics,
};

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store can't be opened or written to.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address to listen on.
    #[error(
        "can't listen on {address}: another program, perhaps another Scorewatch, listens there, or this address is not one of this machine; stop it, or choose another address under `listen:`"
    )]
    Listen {
        /// The address on which it was to listen.
        address: SocketAddr,
        /// Why the address could not be opened.
        source: std::io::Error,
    },
    /// The ticker of recurring jobs could not be started.
    #[error("the recurring jobs could not be started: {0}")]
    Ticker(#[from] tokio_cron_scheduler::JobSchedulerError),
}

impl StartError {
    /// Whether another process has the store.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self, Self::Store(StoreError::InUse(_)))
    }
}

/// How long the store may take to close.
pub(super) const CLOSE_MAX: Duration = Duration::from_secs(1);

/// The parts that visits and deliveries need; what `run` keeps going and `once` uses for a while.
#[derive(Clone)]
pub struct Engine {
    /// The store, shared by all parts of the service.
    pub store: Arc<dyn Store>,
    /// Checks tenants, and holds the cached tokens and the limits of calls to Microsoft.
    pub checker: Checker,
    /// Sends deliveries, with one task for each channel that has work.
    pub dispatcher: Dispatcher,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// The counters that `/metrics` shows.
    pub metrics: Metrics,
    /// The clock that every part reads; tests set it by hand.
    pub clock: Clock,
}

/// Opens the store that a configuration names, to share it with other services if that is possible. Also returns how many attempts were
/// under way there.
async fn join_store(config: &Config, now: Timestamp) -> Result<(Arc<dyn Store>, u64), StoreError> {
    let StoreLocation::Postgres(database) = &config.store else { return resume_store(config, now).await };
    let settings = query::database::settings(database);
    let (store, interrupted) = postgres::join(&settings, recorded::meaning(config)).await?;
    let store: Arc<dyn Store> = Arc::new(store);
    if let Err(error) = roster::reconcile(store.as_ref(), config, now).await {
        let_go(store.as_ref(), config).await;
        return Err(error);
    }
    Ok((store, interrupted))
}

/// Opens the store that a configuration names, as the one process that may work on it, and takes up what was under way there. Also
/// returns how many attempts that were.
async fn resume_store(config: &Config, now: Timestamp) -> Result<(Arc<dyn Store>, u64), StoreError> {
    let store = open_store(config).await?;
    crash_point::reach(CrashPoint::StoreOpened);
    let resumed = async {
        roster::reconcile(store.as_ref(), config, now).await?;
        store.recover(now).await
    };
    match resumed.await {
        Ok(interrupted) => Ok((store, interrupted)),
        Err(error) => {
            let_go(store.as_ref(), config).await;
            Err(error)
        }
    }
}

/// Lets go of the store after a start that failed, so that nobody waits for what was taken of a database. A file is left as a crash leaves
/// it: the next start examines it.
pub(super) async fn let_go(store: &dyn Store, config: &Config) {
    if matches!(config.store, StoreLocation::Postgres(_)) {
        // A server that does not answer must not keep the start from saying what failed.
        let _ = tokio::time::timeout(CLOSE_MAX, store.close()).await;
    }
}

/// Opens the store that a configuration names, as the one process that may work on it.
///
/// # Errors
/// [`StoreError`].
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    match &config.store {
        StoreLocation::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path).await?)),
        StoreLocation::Postgres(database) => Ok(Arc::new(postgres::open(&query::database::settings(database)).await?)),
    }
}

impl Engine {
    /// Opens the store, resumes what an earlier process left, and creates the parts. Also returns the tenants that were
    /// reported.
    /// It writes no heartbeat: a single round of checks does not end the service's downtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: watch::Receiver<Arc<Config>>,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::UnboundedReceiver<TenantId>), StartError> {
        let current = config.borrow().clone();
        let (store, interrupted) = resume_store(&current, clock.now()).await?;
        Self::assemble(store, interrupted, config, clock, metrics, shutdown).await
    }

    /// The same for a service, which shares a store with others if that is possible, and takes up only its part.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn join(
        config: watch::Receiver<Arc<Config>>,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::UnboundedReceiver<TenantId>), StartError> {
        let current = config.borrow().clone();
        let (store, interrupted) = join_store(&current, clock.now()).await?;
        Self::assemble(store, interrupted, config, clock, metrics, shutdown).await
    }

    /// Begins what is done once for the whole fleet. `None`: another replica does it.
    #[must_use]
    pub fn lead(&self) -> Option<Tenure> {
        self.store.division().begin(Shard::LEAD)
    }

    async fn assemble(
        store: Arc<dyn Store>,
        interrupted: u64,
        config: watch::Receiver<Arc<Config>>,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::UnboundedReceiver<TenantId>), StartError> {
        let (current, now) = (config.borrow().clone(), clock.now());
        let downtimes = match downtimes(store.as_ref(), now).await {
            Ok(downtimes) => downtimes,
            Err(error) => {
                let_go(store.as_ref(), &current).await;
                return Err(error.into());
            }
        };
        let _periods = downtimes.look(&clock);
        if interrupted > 0 {
            warn!(
                interrupted,
                "attempts were under way when the service stopped; they are repeated, and marked as possible duplicates"
            );
        }
        let egress = Egress::new();
        let microsoft = Microsoft::new(egress.clone(), clock.clone(), metrics.clone(), current.timeout);
        let (settled_sender, notified) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(
            store.clone(),
            egress,
            clock.clone(),
            metrics.clone(),
            config.clone(),
            settled_sender,
            shutdown,
        );
        let checker = Checker {
            store: store.clone(),
            microsoft,
            clock: clock.clone(),
            metrics: metrics.clone(),
            downtimes,
            outages: KnownOutages::default(),
            gathering: Gathering::default(),
        };
        Ok((Self { store, checker, dispatcher, config, metrics, clock }, notified))
    }
}

/// When the service was down. The time that ends now counts against nobody, whether or not the service goes on and records it.
async fn downtimes(store: &dyn Store, now: Timestamp) -> Result<Downtimes, StoreError> {
    // First the heartbeat: another replica that starts at the same time records the downtime and leaves a new one.
    let heartbeat = store.last_heartbeat().await?;
    let mut downtime = store.downtimes().await?;
    downtime.extend(heartbeat.and_then(|last| super::downtime::until_now(last, now)));
    Ok(Downtimes::new(downtime))
}
