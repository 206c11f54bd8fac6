//! Wires the layers together, spawns what runs, and stops it again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{
    descriptors, downtime, drill,
    engine::{CLOSE_MAX, Engine, StartError, let_go},
    faults, jobs,
    month::Months,
    planner::{Parts, Planner},
    recorded, rejection, replica,
    report::Reports,
    roster, secrets, silence,
    ticker::{Ticker, Ticks},
    watchdog::{self, Watched},
};
use crate::{
    clock::Clock,
    config::{
        Config,
        reload::{Changes, Rejected},
    },
    crash_point::{self, CrashPoint},
    domain::{TenantId, Timestamp},
    store::{Store, StoreError},
    systemd,
    task::{self, Fault},
    telemetry::{Health, Metrics},
    web,
};

/// How long whatever is under way at shutdown may take, so that the process ends within ten seconds.
const STOP_MAX: Duration = Duration::from_secs(8);

/// The configurations that come, and where those go that take effect.
struct Follows {
    changes: watch::Receiver<Arc<Config>>,
    taken: watch::Sender<Arc<Config>>,
    rejected: watch::Receiver<Option<Rejected>>,
}

/// A running service, until it is stopped.
pub struct Service {
    address: SocketAddr,
    engine: Engine,
    ticker: Ticker,
    sweep: Arc<Notify>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Service {
    /// Starts the service with the configuration in force, which may change later.
    ///
    /// # Errors
    /// [`StartError`]; nothing goes on running then.
    pub async fn start(
        changes: Changes,
        clock: Clock,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let Changes { taken: mut changes, rejected } = changes;
        let (taken, config) = watch::channel(changes.borrow_and_update().clone());
        descriptors::provide(&config.borrow());
        let listen = config.borrow().listen;
        let listener = web::listen(listen).map_err(|source| StartError::Listen { address: listen, source })?;
        let address = listener.local_addr().unwrap_or(listen);
        let current = config.borrow().clone();
        let (engine, settled) = Engine::join(config, clock, metrics, shutdown.clone()).await?;
        let (store, follows) = (engine.store.clone(), Follows { changes, taken, rejected });
        let started = Self::begin(engine, settled, listener, address, follows, shutdown.clone()).await;
        if started.is_err() {
            // What has begun ends, and what was taken of a shared store is free for the others immediately.
            shutdown.cancel();
            let_go(store.as_ref(), &current).await;
        }
        started
    }

    /// Begins everything that the service does.
    async fn begin(
        engine: Engine,
        settled: mpsc::UnboundedReceiver<TenantId>,
        listener: TcpListener,
        address: SocketAddr,
        follows: Follows,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let Follows { changes, taken, rejected } = follows;
        let (clock, metrics, now) = (engine.clock.clone(), engine.metrics.clone(), engine.clock.now());
        metrics.started(now);
        resume(&engine, now).await?;
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
            config: engine.config.clone(),
            due_scan: ticks.due_scan.clone(),
            store_recovered: store_recovered.clone(),
            settled,
            shutdown: shutdown.clone(),
        })
        .await?;
        // The last that may fail: once something works on the store, it must not be closed under it.
        let ticker = Ticker::start(&ticks).await?;
        let spawner = Spawner { engine, health, ticks, tasks: TaskTracker::new(), shutdown };
        let follow = roster::follow(spawner.engine.store.clone(), changes, taken, clock, spawner.shutdown.clone());
        spawner.part("tenants", Box::pin(follow));
        let engine = &spawner.engine;
        let notifier = rejection::Notifier {
            store: engine.store.clone(),
            dispatcher: engine.dispatcher.clone(),
            config: engine.config.clone(),
            clock: engine.clock.clone(),
        };
        let rejections = rejection::follow(notifier, rejected.clone(), spawner.shutdown.clone());
        spawner.part("rejection", Box::pin(rejections));
        spawner.web(listener, rejected);
        spawner.part("planner", Box::pin(planner.run()));
        spawner.followers();
        spawner.part("replica", Box::pin(replica::follow(spawner.engine.clone(), spawner.shutdown.clone())));
        spawner.jobs(store_recovered);
        let (health, ticks) = (spawner.health.clone(), spawner.ticks.clone());
        let watched = Watched { health, metrics, ticks, address };
        let watch = watchdog::watch(systemd::watchdog_interval(), watched, spawner.shutdown.clone());
        spawner.part("watchdog", Box::pin(watch));
        let Spawner { engine, ticks, tasks, shutdown, .. } = spawner;
        for tick in
            [&ticks.secrets, &ticks.sweep, &ticks.reports, &ticks.heartbeat, &ticks.housekeeping, &ticks.due_scan]
        {
            tick.notify_one();
        }
        let dashboard = format!("http://{address}/");
        info!(%address, dashboard, "listening");
        systemd::ready();
        Ok(Self { address, engine, ticker, sweep: ticks.sweep, tasks, shutdown })
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

    /// Looks now at what is otherwise looked at every five seconds: what may be released, grouped or reported.
    pub fn sweep(&self) {
        self.sweep.notify_one();
    }

    /// Stops: no new visit, no new attempt; what is under way is finished within eight seconds, or given up.
    pub async fn stop(self) {
        systemd::stopping();
        self.shutdown.cancel();
        // Others take over whatever nobody works on here.
        let division = self.engine.store.division();
        division.leave();
        crash_point::reach(CrashPoint::StopAsked);
        self.tasks.close();
        let finish = async {
            self.ticker.stop().await;
            self.tasks.wait().await;
            self.engine.dispatcher.stopped().await;
            division.left().await;
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

/// Records that the service lives again, and what it finds at its start.
async fn resume(engine: &Engine, now: Timestamp) -> Result<(), StoreError> {
    let current = engine.config.borrow().clone();
    if let Some(downtime) = downtime::note(engine.store.as_ref(), &current, now).await? {
        warn!(from = %downtime.from, until = %downtime.until, "the service was down");
    }
    engine.store.heartbeat(now).await?;
    recorded::start(engine.store.as_ref(), &current, now).await;
    recorded::log_head(engine.store.as_ref()).await;
    drill::onboard(engine.store.as_ref(), &current, now).await
}

/// Spawns the parts of the service.
struct Spawner {
    engine: Engine,
    health: Health,
    ticks: Ticks,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Spawner {
    /// Spawns a part without which the service can't go on.
    fn part(&self, task: &'static str, work: BoxFuture<'static, ()>) {
        drop(self.tasks.spawn(task::until(task, self.shutdown.clone(), crash_point::part(task, work))));
    }

    fn web(&self, listener: TcpListener, rejected: watch::Receiver<Option<Rejected>>) {
        let Engine { store, metrics, config, clock, checker, .. } = self.engine.clone();
        let app = web::App::new(store.clone(), clock.clone(), config.clone())
            .with_rejected(rejected)
            .with_address(listener.local_addr().ok())
            .with_asker(crate::query::report::Asker::of_service(checker.microsoft));
        let (warmed, shutdown) = (app.clone(), self.shutdown.clone());
        let warm = move || web::keep_warm(warmed.clone(), shutdown.clone());
        drop(self.tasks.spawn(task::restarted("fleet memory", self.shutdown.clone(), warm)));
        let state = web::State::new(store.clone(), store, metrics, self.health.clone(), clock, config);
        self.part("web", Box::pin(web::serve(listener, state, app, self.shutdown.clone())));
    }

    /// What follows the configuration in force.
    fn followers(&self) {
        let Engine { store, dispatcher, config, clock, .. } = self.engine.clone();
        let shutdown = || self.shutdown.clone();
        self.part("silences", Box::pin(silence::reconsider(dispatcher, config.clone(), clock.clone(), shutdown())));
        self.part("secrets", Box::pin(secrets::try_all(config.clone(), shutdown())));
        self.part("drills", Box::pin(drill::onboard_reloaded(store, config, clock, shutdown())));
    }

    /// What is done again and again.
    fn jobs(&self, store_recovered: Arc<Notify>) {
        let (engine, health) = (self.engine.clone(), self.health.clone());
        self.job("sweep", &self.ticks.sweep, move || jobs::sweep(engine.clone(), health.clone()));
        // On its own: reading what happened to a whole fleet takes a while.
        let (engine, reports) = (self.engine.clone(), Reports::default());
        self.job("reports", &self.ticks.reports, move || jobs::queue_reports(engine.clone(), reports.clone()));
        // On its own: Microsoft is asked about each tenant.
        let (engine, months) = (self.engine.clone(), Months::default());
        self.job("months", &self.ticks.months, move || jobs::queue_months(engine.clone(), months.clone()));
        // On its own: a program or a store may take its time.
        let (engine, known) = (self.engine.clone(), Arc::default());
        self.job("channel secrets", &self.ticks.secrets, move || secrets::look(engine.clone(), Arc::clone(&known)));
        let (engine, health) = (self.engine.clone(), self.health.clone());
        self.job("heartbeat", &self.ticks.heartbeat, move || {
            jobs::heartbeat(engine.clone(), health.clone(), store_recovered.clone())
        });
        let engine = self.engine.clone();
        self.job("housekeeping", &self.ticks.housekeeping, move || jobs::housekeeping(engine.clone()));
    }

    fn job<F>(&self, task: &'static str, tick: &Arc<Notify>, job: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.part(task, Box::pin(jobs::on_each(task, tick.clone(), self.shutdown.clone(), job)));
    }
}
