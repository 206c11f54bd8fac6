//! Wires the layers together, spawns what runs, and stops it again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use super::{
    absence, blindness,
    clockwork::{Clockwork, Ticks},
    credential, descriptors, drill,
    planner::{Parts, Planner},
    report::{self, Reports},
    roster, silence,
};
use crate::{
    check::{Checker, outage::OpenOutages},
    clock::Clock,
    config::{Config, StoreLocation},
    crash_point::{self, CrashPoint},
    delivery::Dispatcher,
    egress::Egress,
    microsoft::Microsoft,
    store::{Store, StoreError, sqlite::SqliteStore},
    telemetry::{Health, Metrics, health::StoreTrouble},
    web,
};

/// How long whatever is under way at shutdown may take, so that the process ends within ten seconds.
const STOP_MAX: Duration = Duration::from_secs(8);

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address to listen on.
    #[error("can't listen on {address}: {source}; choose another address under `listen:`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The clockwork.
    #[error("the recurring jobs could not be started: {0}")]
    Clockwork(#[from] tokio_cron_scheduler::JobSchedulerError),
}

/// The parts that visits and deliveries need; what `run` keeps going and `once` uses for a while.
#[derive(Clone)]
pub struct Engine {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Who visits.
    pub checker: Checker,
    /// Who sends.
    pub dispatcher: Dispatcher,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// What is counted.
    pub metrics: Metrics,
    /// The time.
    pub clock: Clock,
}

/// Opens the store that a configuration names, as the one process that may work on it.
///
/// # Errors
/// [`StoreError`].
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    match &config.store {
        StoreLocation::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path).await?)),
    }
}

impl Engine {
    /// Opens the store, takes up what an earlier process left, and makes the parts. Also gives the tenants that were told.
    /// It leaves no sign of life: a single round of checks is no end of the service's absence.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        config: watch::Receiver<Arc<Config>>,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::UnboundedReceiver<crate::domain::TenantId>), StartError> {
        let current = config.borrow().clone();
        let store = open_store(&current).await?;
        crash_point::reach(CrashPoint::StoreOpened);
        let now = clock.now();
        roster::reconcile(store.as_ref(), &current, now).await?;
        let interrupted = store.recover(now).await?;
        if interrupted > 0 {
            warn!(
                interrupted,
                "attempts were under way when the service stopped; they are repeated, and marked as such"
            );
        }
        let egress = Egress::new();
        let microsoft = Microsoft::new(egress.clone(), clock.clone(), metrics.clone(), current.timeout);
        let (told_sender, told) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(
            store.clone(),
            egress,
            clock.clone(),
            metrics.clone(),
            config.clone(),
            told_sender,
            shutdown,
        );
        // The absence that ends now counts against nobody, whether or not the service goes on and records it.
        let mut away = store.away().await?;
        away.extend(absence::absence(store.last_beat().await?, now));
        let away = away.into();
        let checker = Checker {
            store: store.clone(),
            microsoft,
            clock: clock.clone(),
            metrics: metrics.clone(),
            away,
            outages: OpenOutages::default(),
        };
        Ok((Self { store, checker, dispatcher, config, metrics, clock }, told))
    }
}

/// The running service.
pub struct Service {
    address: SocketAddr,
    engine: Engine,
    clockwork: Clockwork,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Service {
    /// Starts the service with the configuration in force, which may change later.
    ///
    /// # Errors
    /// [`StartError`]; nothing goes on running then.
    pub async fn start(
        mut changes: watch::Receiver<Arc<Config>>,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let (taken, config) = watch::channel(changes.borrow_and_update().clone());
        descriptors::provide(&config.borrow());
        let listen = config.borrow().listen;
        let listener =
            TcpListener::bind(listen).await.map_err(|source| StartError::Listen { address: listen, source })?;
        let address = listener.local_addr().unwrap_or(listen);
        let (engine, told) = Engine::start(config.clone(), clock.clone(), metrics.clone(), shutdown.clone()).await?;
        let now = clock.now();
        if let Some(away) = absence::note(engine.store.as_ref(), &engine.config.borrow().clone(), now).await? {
            warn!(from = %away.from, until = %away.until, "the service was away");
        }
        engine.store.beat(now).await?;
        let current = engine.config.borrow().clone();
        drill::adopt(engine.store.as_ref(), &current, now).await?;
        // All of this is so already; whoever reads "listening" finds the service ready.
        let health = Health::default();
        health.listening(true);
        health.store_written(now);
        health.scheduler_ticked(now);
        let (ticks, store_mended) = (Ticks::default(), Arc::new(Notify::new()));
        let planner = Planner::new(Parts {
            checker: engine.checker.clone(),
            dispatcher: engine.dispatcher.clone(),
            health: health.clone(),
            config: config.clone(),
            due_scan: ticks.due_scan.clone(),
            store_mended: store_mended.clone(),
            told,
            shutdown: shutdown.clone(),
        })
        .await?;
        let tasks = TaskTracker::new();
        tasks.spawn(roster::follow(engine.store.clone(), changes, taken, clock.clone(), shutdown.clone()));
        let state = web::State::new(engine.store.clone(), metrics, health.clone(), clock.clone(), config.clone());
        tasks.spawn(web::serve(listener, state, shutdown.clone()));
        tasks.spawn(planner.run());
        let dispatcher = engine.dispatcher.clone();
        tasks.spawn(silence::reconsider(dispatcher, config.clone(), clock.clone(), shutdown.clone()));
        tasks.spawn(drill::adopt_reloaded(engine.store.clone(), config, clock, shutdown.clone()));
        tasks.spawn(on_each(ticks.sweep.clone(), shutdown.clone(), engine.clone(), sweep));
        // By itself: reading what happened to a whole fleet takes a while.
        let reporting = (engine.clone(), Reports::default());
        tasks.spawn(on_each(ticks.reports.clone(), shutdown.clone(), reporting, queue_reports));
        let beating = (engine.clone(), health, store_mended);
        tasks.spawn(on_each(ticks.beat.clone(), shutdown.clone(), beating, beat));
        tasks.spawn(on_each(ticks.housekeeping.clone(), shutdown.clone(), engine.clone(), housekeeping));
        ticks.sweep.notify_one();
        ticks.reports.notify_one();
        ticks.beat.notify_one();
        ticks.housekeeping.notify_one();
        ticks.due_scan.notify_one();
        let clockwork = Clockwork::start(&ticks).await?;
        info!(%address, "listening");
        Ok(Self { address, engine, clockwork, tasks, shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store, for whoever wants to look.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.engine.store.clone()
    }

    /// Stops: no new visit, no new attempt; what is under way is finished within eight seconds, or given up.
    pub async fn stop(self) {
        self.shutdown.cancel();
        crash_point::reach(CrashPoint::StopAsked);
        self.clockwork.stop().await;
        self.tasks.close();
        let finish = async {
            self.tasks.wait().await;
            self.engine.dispatcher.stopped().await;
        };
        if tokio::time::timeout(STOP_MAX, finish).await.is_err() {
            warn!("some visits or attempts were given up at shutdown; they are made again after the start");
        }
        crash_point::reach(CrashPoint::Drained);
        self.engine.store.close().await;
        crash_point::reach(CrashPoint::StoreClosed);
    }
}

/// Does a job each time the clockwork says so, one after the other.
async fn on_each<T, F>(tick: Arc<Notify>, shutdown: CancellationToken, with: T, job: fn(T) -> F)
where
    T: Clone,
    F: Future<Output = ()>,
{
    while shutdown.run_until_cancelled(tick.notified()).await.is_some() {
        job(with.clone()).await;
    }
}

async fn sweep(engine: Engine) {
    let passed_over = engine.checker.microsoft.passed_over();
    if !passed_over.is_empty() {
        let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
        if let Err(error) = credential::tell(engine.store.as_ref(), &config, passed_over, now).await {
            error!(%error, "the operator could not be told of a credential that is not taken");
        }
    }
    tell_blindness(&engine).await;
    engine.dispatcher.sweep().await;
}

async fn tell_blindness(engine: &Engine) {
    let config = engine.config.borrow().clone();
    let told = blindness::tell(engine.store.as_ref(), &config, &engine.checker.outages, engine.clock.now()).await;
    if let Err(error) = told {
        error!(%error, "the operator could not be told which tenants can't be read; trying again");
    }
}

async fn queue_reports((engine, reports): (Engine, Reports)) {
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    match report::queue_due(engine.store.as_ref(), &config, &reports, now).await {
        Ok(true) => engine.dispatcher.sweep().await,
        Ok(false) => {}
        Err(error) => error!(%error, "reports could not be queued; trying again"),
    }
}

async fn beat((engine, health, store_mended): (Engine, Health, Arc<Notify>)) {
    let now = engine.clock.now();
    match engine.store.beat(now).await {
        Ok(()) => {
            let is_mended = health.is_store_in_trouble();
            health.store_written(now);
            if is_mended {
                info!("the store can be written again");
                store_mended.notify_one();
            }
        }
        Err(error) => {
            let full = matches!(error, StoreError::Full);
            health.store_failed(now, if full { StoreTrouble::Full } else { StoreTrouble::Failed });
            error!(%error, "the store can't be written");
        }
    }
}

async fn housekeeping(engine: Engine) {
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    if let Err(error) = credential::warn(engine.store.as_ref(), &config, now).await {
        error!(%error, "credentials about to expire could not be looked through");
    }
    if let Err(error) = drill::queue_due(engine.store.as_ref(), &config, now).await {
        error!(%error, "drills could not be queued; trying again within the hour");
    }
    crash_point::reach(CrashPoint::BeforeRetention);
    loop {
        match engine.store.prune(now, config.retention).await {
            Ok(true) => {
                crash_point::reach(CrashPoint::BetweenSlices);
                tokio::task::yield_now().await;
            }
            Ok(false) => {
                crash_point::reach(CrashPoint::AfterRetention);
                break;
            }
            Err(error) => {
                error!(%error, "old samples and deliveries could not be removed");
                break;
            }
        }
    }
    engine.dispatcher.sweep().await;
}
