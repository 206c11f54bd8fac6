//! Wires the layers together, spawns what runs, and stops it again.
//!
//! Long because the order in which the parts start and stop is best read in one place.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use super::{
    acceptance, blindness, credential, descriptors, downtime, drill, faults,
    planner::{Parts, Planner},
    report::{self, Reports},
    roster, secrets, silence,
    ticker::{Ticker, Ticks},
    watchdog::{self, Watched},
};
use crate::{
    check::{Checker, downtime::Downtimes, outage::OpenOutages},
    clock::Clock,
    config::{Config, StoreLocation},
    crash_point::{self, CrashPoint},
    delivery::Dispatcher,
    domain::Timestamp,
    egress::Egress,
    microsoft::Microsoft,
    store::{Store, StoreError, sqlite::SqliteStore},
    systemd,
    task::{self, Fault},
    telemetry::{Health, Metrics, health::StoreTrouble},
    web,
};

/// How long whatever is under way at shutdown may take, so that the process ends within ten seconds.
const STOP_MAX: Duration = Duration::from_secs(8);

/// How long the store may take to close after that.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be opened or used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address to listen on.
    #[error("can't listen on {address}: {source}; choose another address under `listen:`")]
    Listen {
        /// The address that could not be bound.
        address: SocketAddr,
        /// Why the address could not be opened.
        source: std::io::Error,
    },
    /// The recurring jobs could not be started.
    #[error("the recurring jobs could not be started: {0}")]
    Ticker(#[from] tokio_cron_scheduler::JobSchedulerError),
}

/// The parts that visits and deliveries need; what `run` keeps going and `once` uses for a while.
#[derive(Clone)]
pub struct Engine {
    /// The store with all of the service's state.
    pub store: Arc<dyn Store>,
    /// Checks one tenant at a time.
    pub checker: Checker,
    /// Sends what is queued for the channels.
    pub dispatcher: Dispatcher,
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// The counters that the service keeps.
    pub metrics: Metrics,
    /// Where the current time comes from.
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
                "attempts were under way when the service stopped; they are repeated, and marked as possible duplicates"
            );
        }
        let egress = Egress::new();
        let microsoft = Microsoft::new(egress.clone(), clock.clone(), metrics.clone(), current.timeout);
        let (settled_sender, settled) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(
            store.clone(),
            egress,
            clock.clone(),
            metrics.clone(),
            config.clone(),
            settled_sender,
            shutdown,
        );
        // The absence that ends now counts against nobody, whether or not the service goes on and records it.
        let mut downtimes = store.downtimes().await?;
        downtimes.extend(downtime::until_now(store.last_heartbeat().await?, now));
        let downtimes = Downtimes::new(downtimes);
        let _periods = downtimes.look(&clock);
        let checker = Checker {
            store: store.clone(),
            microsoft,
            clock: clock.clone(),
            metrics: metrics.clone(),
            downtimes,
            outages: OpenOutages::default(),
        };
        Ok((Self { store, checker, dispatcher, config, metrics, clock }, settled))
    }
}

/// A handle to the running service.
pub struct Service {
    address: SocketAddr,
    engine: Engine,
    ticker: Ticker,
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
        let (engine, settled) = Engine::start(config.clone(), clock.clone(), metrics.clone(), shutdown.clone()).await?;
        let now = clock.now();
        let current = engine.config.borrow().clone();
        if let Some(downtime) = downtime::note(engine.store.as_ref(), &current, now).await? {
            warn!(from = %downtime.from, until = %downtime.until, "the service was down");
        }
        engine.store.heartbeat(now).await?;
        drill::onboard(engine.store.as_ref(), &current, now).await?;
        // All of this is so already; whoever reads "listening" finds the service ready.
        let health = Health::default();
        health.listening(true);
        health.store_written(now);
        health.scheduler_ticked(now);
        let (ticks, store_recovered) = (Ticks::default(), Arc::new(Notify::new()));
        let planner = Planner::new(Parts {
            checker: engine.checker.clone(),
            dispatcher: engine.dispatcher.clone(),
            health: health.clone(),
            config: config.clone(),
            due_scan: ticks.due_scan.clone(),
            store_recovered: store_recovered.clone(),
            settled,
            shutdown: shutdown.clone(),
        })
        .await?;
        let tasks = TaskTracker::new();
        let part = |task, work: BoxFuture<'static, ()>| {
            drop(tasks.spawn(task::until(task, shutdown.clone(), crash_point::part(task, work))));
        };
        let follow = roster::follow(engine.store.clone(), changes, taken, clock.clone(), shutdown.clone());
        part("tenants", Box::pin(follow));
        let state = web::State::new(
            engine.store.clone(),
            engine.store.clone(),
            metrics.clone(),
            health.clone(),
            clock.clone(),
            config.clone(),
        );
        part("web", Box::pin(web::serve(listener, state, shutdown.clone())));
        part("planner", Box::pin(planner.run()));
        let dispatcher = engine.dispatcher.clone();
        part("silences", Box::pin(silence::reconsider(dispatcher, config.clone(), clock.clone(), shutdown.clone())));
        part("secrets", Box::pin(secrets::try_all(config.clone(), shutdown.clone())));
        part("drills", Box::pin(drill::onboard_reloaded(engine.store.clone(), config, clock, shutdown.clone())));
        let on = |tick: &Arc<Notify>| (tick.clone(), shutdown.clone());
        let sweeping = (engine.clone(), health.clone());
        part("sweep", Box::pin(on_each("sweep", on(&ticks.sweep), sweeping, sweep)));
        // By itself: reading what happened to a whole fleet takes a while.
        let reporting = (engine.clone(), Reports::default());
        part("reports", Box::pin(on_each("reports", on(&ticks.reports), reporting, queue_reports)));
        // By itself: a program or a store may take its time.
        let looking = (engine.clone(), Arc::default());
        part("channel secrets", Box::pin(on_each("channel secrets", on(&ticks.secrets), looking, secrets::look)));
        let beating = (engine.clone(), health.clone(), store_recovered);
        part("heartbeat", Box::pin(on_each("heartbeat", on(&ticks.heartbeat), beating, heartbeat)));
        let keeping = engine.clone();
        part("housekeeping", Box::pin(on_each("housekeeping", on(&ticks.housekeeping), keeping, housekeeping)));
        if let Some(interval) = systemd::watchdog_interval() {
            let watched = Watched { health, metrics, ticks: ticks.clone(), address };
            part("watchdog", Box::pin(watchdog::watch(interval, watched, shutdown.clone())));
        }
        ticks.secrets.notify_one();
        ticks.sweep.notify_one();
        ticks.reports.notify_one();
        ticks.heartbeat.notify_one();
        ticks.housekeeping.notify_one();
        ticks.due_scan.notify_one();
        let ticker = Ticker::start(&ticks).await?;
        info!(%address, "listening");
        systemd::ready();
        Ok(Self { address, engine, ticker, tasks, shutdown })
    }

    /// The address on which the service listens.
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
        systemd::stopping();
        self.shutdown.cancel();
        crash_point::reach(CrashPoint::StopAsked);
        self.tasks.close();
        let finish = async {
            self.ticker.stop().await;
            self.tasks.wait().await;
            self.engine.dispatcher.stopped().await;
        };
        if tokio::time::timeout(STOP_MAX, finish).await.is_err() {
            warn!("some checks or attempts were abandoned at shutdown; they are repeated after the next start");
        }
        crash_point::reach(CrashPoint::Drained);
        if tokio::time::timeout(CLOSE_MAX, self.engine.store.close()).await.is_err() {
            warn!("the store did not close in time; the next start checks it");
        }
        crash_point::reach(CrashPoint::StoreClosed);
    }

    /// Notes for the operator that a part is gone, before the process ends for it.
    pub async fn note_death(&self, fault: &Fault) {
        let (now, config) = (self.engine.clock.now(), self.engine.config.borrow().clone());
        faults::notify_death(self.engine.store.as_ref(), &config, fault, now).await;
    }
}

/// Does a job each time the ticker says so, one after the other. One that panics is noted, and done again at the next tick.
async fn on_each<T, F>(task: &'static str, on: (Arc<Notify>, CancellationToken), with: T, job: fn(T) -> F)
where
    T: Clone,
    F: Future<Output = ()>,
{
    let (tick, shutdown) = on;
    while shutdown.run_until_cancelled(tick.notified()).await.is_some() {
        // What it leaves half done at shutdown is made up by the next.
        shutdown.run_until_cancelled(task::brief(task, job(with.clone()))).await;
    }
}

async fn sweep((engine, health): (Engine, Health)) {
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    if let Err(error) = faults::notify(engine.store.as_ref(), &config, now).await {
        error!(%error, "the operator could not be notified of a fault");
    }
    let passed_over = engine.checker.microsoft.passed_over();
    if !passed_over.is_empty() {
        let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
        if let Err(error) = credential::notify(engine.store.as_ref(), &config, passed_over, now).await {
            error!(%error, "the operator could not be notified of a rejected credential");
        }
    }
    notify_blindness(&engine).await;
    let config = engine.config.borrow().clone();
    if let Err(error) = acceptance::accept_owed(engine.store.as_ref(), &config, engine.clock.now()).await {
        error!(%error, "alerts that a notice reported as accepted could not be accepted; trying again");
    }
    engine.dispatcher.sweep().await;
    health.dispatcher_swept();
}

async fn notify_blindness(engine: &Engine) {
    let config = engine.config.borrow().clone();
    let notified = blindness::notify(engine.store.as_ref(), &config, &engine.checker.outages, engine.clock.now()).await;
    if let Err(error) = notified {
        error!(%error, "the operator could not be notified of tenants that can't be read; trying again");
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

async fn heartbeat((engine, health, store_recovered): (Engine, Health, Arc<Notify>)) {
    let now = engine.clock.now();
    match engine.store.check_files().await {
        Err(StoreError::Gone(what)) => {
            health.store_failed(now, StoreTrouble::Gone(what));
            error!("the store {what}; everything recorded from now on is lost at the next start");
            let config = engine.config.borrow().clone();
            // The connection may still write: then the operator is notified.
            if let Err(error) = faults::notify_of_files(engine.store.as_ref(), &config, what, now).await {
                error!(%error, "the operator could not be notified of it");
            }
            return;
        }
        Err(error) => error!(%error, "the store's files could not be checked"),
        Ok(()) => {}
    }
    if !note_suspensions(&engine, now).await {
        return;
    }
    match engine.store.heartbeat(now).await {
        Ok(()) => {
            let has_recovered = health.is_store_in_trouble();
            health.store_written(now);
            if has_recovered {
                info!("the store can be written to again");
                store_recovered.notify_one();
            }
        }
        Err(error) => {
            let full = matches!(error, StoreError::Full);
            health.store_failed(now, if full { StoreTrouble::Full } else { StoreTrouble::Failed });
            error!(%error, "the store can't be written to");
        }
    }
}

/// Records suspensions before the heartbeat that would hide them from a restart. `false`: trying again.
async fn note_suspensions(engine: &Engine, now: Timestamp) -> bool {
    let _periods = engine.checker.downtimes.look(&engine.clock);
    let config = engine.config.borrow().clone();
    match downtime::note_suspensions(engine.store.as_ref(), &config, &engine.checker.downtimes, now).await {
        Ok(has_notified) => {
            if has_notified {
                warn!("the service was suspended; this does not count against any tenant");
                engine.dispatcher.sweep().await;
            }
            true
        }
        Err(error) => {
            error!(%error, "a suspension could not be recorded; trying again");
            false
        }
    }
}

async fn housekeeping(engine: Engine) {
    let (now, config) = (engine.clock.now(), engine.config.borrow().clone());
    if let Err(error) = credential::warn(engine.store.as_ref(), &config, now).await {
        error!(%error, "credentials about to expire could not be looked up");
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
