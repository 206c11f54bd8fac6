//! Gives each channel its worker, and wakes it when there is something to send. The store is asked; a hint only saves time.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use super::{addresses::Addresses, budget::RetryBudget, operator, release::FleetRead, worker};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ChannelName, TenantId, Timestamp},
    egress::Egress,
    notify::{HoldReason, NotificationId},
    store::{Store, StoreError},
    task,
    telemetry::Metrics,
};

/// How often the store is asked for work that no hint announced: deliveries queued again from another process.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// After this many sweeps, channels are checked for a new destination, since their secrets may have changed: once a minute.
const SWEEPS_BETWEEN_LOOKS: u32 = 12;
/// How long an attempt under way at shutdown may go on.
pub const DRAIN: Duration = Duration::from_secs(6);

/// Sends what the store has queued. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher {
    pub(super) store: Arc<dyn Store>,
    pub(super) egress: Egress,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) budget: RetryBudget,
    pub(super) addresses: Addresses,
    settled: mpsc::UnboundedSender<TenantId>,
    /// The tenants whose recheck was requested, as the planner knows already.
    recheck_requested: Arc<Mutex<HashSet<(TenantId, Timestamp)>>>,
    workers: Arc<Mutex<HashMap<ChannelName, Arc<Notify>>>>,
    /// Problems that this process has reported to the operator; for the others the store is asked.
    pub(super) reported_troubles: Arc<Mutex<HashSet<NotificationId>>>,
    /// The configuration whose routes are in effect.
    pub(super) routes: Arc<tokio::sync::Mutex<Option<Arc<Config>>>>,
    /// Sweeps since it was last looked whether channels lead elsewhere.
    sweeps: Arc<AtomicU32>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Dispatcher {
    /// A dispatcher without work. `settled` receives each tenant one of whose notifications became final, or that a person wants
    /// looked at.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        egress: Egress,
        clock: Clock,
        metrics: Metrics,
        config: watch::Receiver<Arc<Config>>,
        settled: mpsc::UnboundedSender<TenantId>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            store,
            egress,
            clock,
            metrics,
            config,
            budget: RetryBudget::default(),
            addresses: Addresses::default(),
            settled,
            recheck_requested: Arc::default(),
            workers: Arc::default(),
            reported_troubles: Arc::default(),
            routes: Arc::default(),
            sweeps: Arc::default(),
            tasks: TaskTracker::new(),
            shutdown,
        }
    }

    /// Says that the channel may have something to send.
    pub fn wake(&self, channel: &ChannelName) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hint) = workers.get(channel) {
            hint.notify_one();
        } else if !self.shutdown.is_cancelled() {
            let hint = Arc::new(Notify::new());
            workers.insert(channel.clone(), hint.clone());
            let (this, channel, shutdown) = (self.clone(), channel.clone(), self.shutdown.clone());
            let serve = move || worker::serve(this.clone(), channel.clone(), hint.clone(), this.shutdown.clone());
            self.tasks.spawn(task::restarted("channel", shutdown, serve));
        }
    }

    /// Says so to a channel that has a worker; who serves none does it all when it drains.
    pub(super) fn wake_if_serving(&self, channel: &ChannelName) {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hint) = workers.get(channel) {
            hint.notify_one();
        }
    }

    /// A parked channel whose secret is another one is tried immediately; all others are checked from time to time.
    async fn look_where_channels_lead(&self) -> Result<(), StoreError> {
        let mut records = self.store.channels().await?;
        let is_turn = self.sweeps.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEPS_BETWEEN_LOOKS);
        records.retain(|record| is_turn || record.parked.is_some());
        self.look_for_moved(&records).await
    }

    /// Decides on what was held and is due, and wakes every channel that has something to send.
    pub async fn sweep(&self) {
        if let Err(error) = self.look_where_channels_lead().await {
            error!(%error, "where channels lead could not be looked at; trying again");
        }
        if let Err(error) = self.release(FleetRead::Partial).await {
            error!(%error, "what is held could not be looked at; trying again");
        }
        match self.store.busy_channels().await {
            Ok(channels) => channels.iter().for_each(|channel| self.wake(channel)),
            Err(error) => error!(%error, "the store could not be asked for unfinished deliveries"),
        }
        self.notify_trouble().await;
        if let Err(error) = self.wake_requested().await {
            error!(%error, "the store could not be asked whose alerts a person wants looked at");
        }
    }

    /// Lets the planner know whose alerts a person wants looked at, each once.
    async fn wake_requested(&self) -> Result<(), StoreError> {
        let recheck_requested: HashSet<_> = self.store.rechecks_requested().await?.into_iter().collect();
        let mut known = self.recheck_requested.lock().unwrap_or_else(PoisonError::into_inner);
        recheck_requested.difference(&known).for_each(|(tenant, _)| self.report_settled(tenant.clone()));
        *known = recheck_requested;
        Ok(())
    }

    /// Notifies the operator of every failing channel that was not reported yet.
    pub(super) async fn notify_trouble(&self) {
        match operator::notify(self).await {
            Ok(channels) => channels.iter().for_each(|channel| self.wake(channel)),
            Err(error) => error!(%error, "the operator could not be notified of channels in trouble; trying again"),
        }
    }

    /// Sends all that is due now, without workers, and returns; what must wait for another attempt stays queued.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drain(&self) -> Result<(), StoreError> {
        self.drain_with(FleetRead::Partial).await
    }

    /// The same after a round that has read the whole fleet, so that nothing waits for the rest of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drain_round(&self) -> Result<(), StoreError> {
        self.store.look_again(HoldReason::Fleet, self.clock.now()).await?;
        self.drain_with(FleetRead::Complete).await
    }

    async fn drain_with(&self, fleet: FleetRead) -> Result<(), StoreError> {
        let mut failing = HashSet::new();
        self.ensure_routes().await?;
        loop {
            // What the operator must be notified about channels that the round before has parked goes out with this one.
            operator::notify(self).await?;
            self.release(fleet).await?;
            let mut channels = self.store.busy_channels().await?;
            channels.retain(|channel| !failing.contains(channel));
            let drained =
                try_join_all(channels.iter().map(|channel| worker::drain(self, channel, &self.shutdown))).await?;
            if drained.iter().all(|(has_sent, _)| !has_sent) {
                return Ok(());
            }
            failing
                .extend(channels.into_iter().zip(drained).filter(|(_, (_, is_good))| !is_good).map(|(name, _)| name));
        }
    }

    /// Waits until the workers have ended; they do after shutdown was asked for.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Ends some time after shutdown was asked for: whoever still sends then gives up.
    pub(super) async fn drained(&self, shutdown: &CancellationToken) {
        shutdown.cancelled().await;
        self.clock.sleep(DRAIN).await;
    }

    pub(super) fn report_settled(&self, tenant: TenantId) {
        // Nobody listens once the service is stopping, and nobody needs to.
        let _ = self.settled.send(tenant);
    }
}
