//! What every part of the delivery side works with: the store, the door to the network, the clock, and the workers that can be woken.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{addresses::Addresses, budget::RetryBudget};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ChannelName, TenantId, Timestamp},
    egress::Egress,
    notify::NotificationId,
    store::{AttemptOutcome, ChannelRecord, Division, Shard, Store, Tenure},
    task,
    telemetry::Metrics,
};

/// How long an attempt under way at shutdown may go on.
pub(super) const DRAIN: Duration = Duration::from_secs(6);
/// How long to wait when the store does not answer as it should.
pub(super) const STORE_TROUBLE_WAIT: Duration = Duration::from_secs(2);

/// Serves one channel until shutdown; the hint says that there may be something to send.
pub(super) type Serve = fn(Context, ChannelName, Arc<Notify>) -> BoxFuture<'static, ()>;

/// What the delivery side works with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub(super) store: Arc<dyn Store>,
    pub(super) egress: Egress,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) shutdown: CancellationToken,
    /// Which channels this process serves.
    pub(super) division: Division,
    pub(super) budget: RetryBudget,
    pub(super) addresses: Addresses,
    /// Problems of which this process has notified the operator; the store is asked about all others.
    pub(super) reported_troubles: Arc<Mutex<HashSet<NotificationId>>>,
    /// The routes that are in effect.
    pub(super) routes: Arc<tokio::sync::Mutex<Option<InEffect>>>,
    settled: mpsc::UnboundedSender<TenantId>,
    /// Tenants of other replicas one of whose notifications was settled here.
    of_others: Arc<Mutex<BTreeSet<TenantId>>>,
    workers: Workers,
}

/// The routes that are in effect.
#[derive(Debug)]
pub(super) struct InEffect {
    /// The configuration that they are of.
    pub(super) config: Arc<Config>,
    /// Where channels led by then, as fingerprints.
    pub(super) destinations: BTreeMap<ChannelName, String>,
}

impl InEffect {
    /// Whether a channel leads elsewhere since. One of which nothing was known has sent nothing elsewhere.
    pub(super) fn is_outdated(&self, records: &[ChannelRecord]) -> bool {
        records.iter().any(|record| {
            let (was, is) = (self.destinations.get(&record.channel), record.leads.destination.as_ref());
            was.is_some() && is.is_some() && was != is
        })
    }
}

/// One task for each channel that has had something to send.
#[derive(Clone)]
struct Workers {
    serve: Serve,
    hints: Arc<Mutex<HashMap<ChannelName, Arc<Notify>>>>,
    tasks: TaskTracker,
}

/// What a [`Context`] is made of.
pub(super) struct Handles {
    pub(super) store: Arc<dyn Store>,
    pub(super) egress: Egress,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) settled: mpsc::UnboundedSender<TenantId>,
    pub(super) shutdown: CancellationToken,
}

impl Context {
    /// A context without workers, each of which will serve its channel in that way.
    pub(super) fn new(handles: Handles, serve: Serve) -> Self {
        let Handles { store, egress, clock, metrics, config, settled, shutdown } = handles;
        Self {
            division: store.division(),
            store,
            egress,
            clock,
            metrics,
            config,
            shutdown,
            budget: RetryBudget::default(),
            addresses: Addresses::default(),
            reported_troubles: Arc::default(),
            routes: Arc::default(),
            settled,
            of_others: Arc::default(),
            workers: Workers { serve, hints: Arc::default(), tasks: TaskTracker::new() },
        }
    }

    /// Says that the channel may have something to send. The channel of another replica is that replica's: it looks for itself.
    pub(super) fn wake(&self, channel: &ChannelName) {
        if !self.division.still_owns(Shard::of_channel(channel)) {
            return;
        }
        let mut hints = self.workers.hints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hint) = hints.get(channel) {
            hint.notify_one();
        } else if !self.shutdown.is_cancelled() {
            let hint = Arc::new(Notify::new());
            hints.insert(channel.clone(), hint.clone());
            let (this, channel, shutdown) = (self.clone(), channel.clone(), self.shutdown.clone());
            let serve = move || (this.workers.serve)(this.clone(), channel.clone(), hint.clone());
            self.workers.tasks.spawn(task::restarted("channel", shutdown, serve));
        }
    }

    /// Says so to a channel that has a worker; who serves none does it all when it drains.
    pub(super) fn wake_if_serving(&self, channel: &ChannelName) {
        let hints = self.workers.hints.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hint) = hints.get(channel) {
            hint.notify_one();
        }
    }

    /// Begins a send on a channel. `None`: it is another replica's, or the lease has run out.
    pub(super) fn serve(&self, channel: &ChannelName) -> Option<Tenure> {
        self.division.begin_brief(Shard::of_channel(channel))
    }

    /// Begins what is done once for the whole fleet. `None`: another replica does it.
    pub(super) fn lead(&self) -> Option<Tenure> {
        self.division.begin(Shard::LEAD)
    }

    /// Tenants of other replicas one of whose notifications was settled here since this was last asked.
    pub(super) fn take_of_others(&self) -> Vec<TenantId> {
        let mut tenants = self.of_others.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tenants).into_iter().collect()
    }

    /// Waits until the workers have ended; they do after shutdown was asked for.
    pub(super) async fn stopped(&self) {
        self.workers.tasks.close();
        self.workers.tasks.wait().await;
    }

    /// Ends some time after shutdown was asked for: whoever still sends then gives up.
    pub(super) async fn drained(&self) {
        self.shutdown.cancelled().await;
        self.clock.sleep(DRAIN).await;
    }

    /// Reports that a notification of the tenant was settled, or that a person requested a recheck.
    pub(super) fn report_settled(&self, tenant: TenantId) {
        let is_of_another = self.division.is_shared()
            && self
                .config
                .borrow()
                .tenants
                .get(&tenant)
                .is_some_and(|configured| !self.division.owns(Shard::of_tenant(configured.account.entra)));
        if is_of_another {
            self.of_others.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
            return;
        }
        // Nobody listens once the service is stopping, and nobody needs to.
        let _ = self.settled.send(tenant);
    }

    /// Waits for the time, a hint or shutdown, whichever comes first.
    pub(super) async fn rest(&self, wait: Option<Duration>, hint: Option<&Notify>) {
        let time = async {
            match wait {
                Some(wait) => self.clock.sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let hinted = async {
            match hint {
                Some(hint) => hint.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {}
            () = hinted => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

/// The outcome of an attempt during which the lease ran out: the message may have arrived.
pub(super) fn lease_lost(now: Timestamp) -> AttemptOutcome {
    let error = "the replica's lease ran out meanwhile".to_owned();
    AttemptOutcome::Retry { error, next_attempt_at: now, may_have_arrived: true }
}
