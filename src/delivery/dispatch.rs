//! Gives each channel its worker, and wakes it when there is something to send. The store is asked; a hint only saves time.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::try_join_all};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{
    context::{self, Context, Handles},
    fleet::FleetRead,
    operator, release, reroute, worker,
};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ChannelName, TenantId, Timestamp},
    egress::Egress,
    notify::HoldReason,
    store::{Shard, Store, StoreError},
    telemetry::Metrics,
};

/// How often the store is asked for work that no hint announced: deliveries queued again from another process.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// After this many sweeps, channels are checked for a new destination, since their secrets may have changed: once a minute.
const SWEEPS_BETWEEN_LOOKS: u32 = 12;
/// How long an attempt under way at shutdown may go on.
pub const DRAIN: Duration = context::DRAIN;

/// Sends what the store has queued. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher {
    context: Context,
    /// Tenants for which a person requested a check, as far as the planner knows of them.
    recheck_requested: Arc<Mutex<HashSet<(TenantId, Timestamp)>>>,
    /// Sweeps since it was last looked whether channels lead elsewhere.
    sweeps: Arc<AtomicU32>,
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
        let handles = Handles { store, egress, clock, metrics, config, settled, shutdown };
        let context = Context::new(handles, |context, channel, hint| worker::serve(context, channel, hint).boxed());
        Self { context, recheck_requested: Arc::default(), sweeps: Arc::default() }
    }

    /// What it works with.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Says that the channel may have something to send.
    pub fn wake(&self, channel: &ChannelName) {
        self.context.wake(channel);
    }

    /// Puts the routes of the configuration in force into effect once more: something may have been written by an earlier one.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was changed, and the next delivery tries again.
    pub async fn reroute(&self) -> Result<(), StoreError> {
        reroute::again(&self.context).await
    }

    /// Lets everything that silences hold be decided on again, as what held it may be gone, and wakes the channels.
    ///
    /// # Errors
    /// [`StoreError`]: what was not decided stays held.
    pub async fn reconsider(&self) -> Result<(), StoreError> {
        self.context.store.look_again(HoldReason::Silence, self.context.clock.now()).await?;
        self.sweep().await;
        Ok(())
    }

    /// A parked channel whose secret is another one is tried immediately; all others are checked from time to time.
    async fn look_where_channels_lead(&self) -> Result<(), StoreError> {
        let records = self.context.store.channels().await?;
        let is_turn = self.sweeps.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEPS_BETWEEN_LOOKS);
        let is_parked =
            |name: &ChannelName| records.iter().any(|record| record.channel == *name && record.parked.is_some());
        reroute::look_for_moved(&self.context, &records, |name| is_turn || is_parked(name)).await
    }

    /// Decides on what was held and is due, if that is this process's to do, and wakes every channel that has something to send.
    pub async fn sweep(&self) {
        if let Err(error) = self.look_where_channels_lead().await {
            error!(%error, "the destinations of channels could not be checked; trying again");
        }
        if let Some(_tenure) = self.context.lead()
            && let Err(error) = release::release(&self.context, FleetRead::Partial).await
        {
            error!(%error, "held deliveries could not be re-evaluated; trying again");
        }
        self.look().await;
        operator::notify_trouble(&self.context).await;
    }

    /// Looks for what another process has queued or asked for, and tells other replicas what happened here to their tenants.
    pub async fn look(&self) {
        self.context.budget.shared_by(self.context.division.living());
        let of_others = self.context.take_of_others();
        if !of_others.is_empty()
            && let Err(error) = self.context.store.wake_tenants(of_others, self.context.clock.now()).await
        {
            error!(%error, "other replicas could not be notified of settled notifications; their next checks see them");
        }
        match self.context.store.busy_channels().await {
            Ok(channels) => channels.iter().for_each(|channel| self.wake(channel)),
            Err(error) => error!(%error, "the store could not be asked for unfinished deliveries"),
        }
        if let Err(error) = self.wake_requested().await {
            error!(%error, "the store could not be asked whose alerts a person wants looked at");
        }
    }

    /// Lets the planner know whose alerts a person wants looked at, each once.
    async fn wake_requested(&self) -> Result<(), StoreError> {
        let config = self.context.config.borrow().clone();
        // Those of others are others' to look at.
        let is_ours = |id: &TenantId| {
            let tenant = config.tenants.get(id);
            tenant.is_some_and(|tenant| self.context.division.owns(Shard::of_tenant(tenant.account.entra)))
        };
        let requested = self.context.store.rechecks_requested().await?.into_iter();
        let recheck_requested: HashSet<_> = requested.filter(|(tenant, _)| is_ours(tenant)).collect();
        let mut known = self.recheck_requested.lock().unwrap_or_else(PoisonError::into_inner);
        recheck_requested.difference(&known).for_each(|(tenant, _)| self.context.report_settled(tenant.clone()));
        *known = recheck_requested;
        Ok(())
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
        self.context.store.look_again(HoldReason::Fleet, self.context.clock.now()).await?;
        self.drain_with(FleetRead::Complete).await
    }

    async fn drain_with(&self, fleet: FleetRead) -> Result<(), StoreError> {
        let mut failing = HashSet::new();
        reroute::ensure(&self.context).await?;
        loop {
            // What the operator must hear about channels that the round before has parked goes out with this one.
            operator::notify(&self.context).await?;
            release::release(&self.context, fleet).await?;
            let mut channels = self.context.store.busy_channels().await?;
            channels.retain(|channel| !failing.contains(channel));
            let drained = try_join_all(channels.iter().map(|channel| worker::drain(&self.context, channel))).await?;
            if drained.iter().all(|(has_sent, _)| !has_sent) {
                return Ok(());
            }
            failing
                .extend(channels.into_iter().zip(drained).filter(|(_, (_, is_good))| !is_good).map(|(name, _)| name));
        }
    }

    /// Waits until the workers have ended; they do after shutdown was asked for.
    pub async fn stopped(&self) {
        self.context.stopped().await;
    }
}
