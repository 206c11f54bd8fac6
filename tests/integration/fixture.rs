//! A real store, the simulated cloud and receivers, and a clock that stands still until it is moved.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    check::{
        Checker, Visit,
        downtime::Downtimes,
        due::Turn,
        outage::{KnownOutages, gather::Gathering},
        plan::Plan,
    },
    clock::Clock,
    config::{Config, Tenant},
    delivery::Dispatcher,
    domain::TenantId,
    egress::Egress,
    microsoft::Microsoft,
    notify::Delivery,
    simulation::{Cloud, Receivers, cloud::CloudSettings},
    store::{AlertFilter, AlertRow, DeliveryFilter, Store, TenantRecord, sqlite::SqliteStore},
    telemetry::Metrics,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::setup::{self, SCORE, at, entra, tenant_id};

pub(super) struct Fixture {
    pub(super) directory: TempDir,
    pub(super) store: Arc<dyn Store>,
    pub(super) cloud: Cloud,
    pub(super) receivers: Receivers,
    pub(super) clock: Clock,
    pub(super) shutdown: CancellationToken,
    pub(super) outages: KnownOutages,
    pub(super) gathering: Gathering,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::by(Clock::manual(at(0))).await
    }

    pub(super) async fn by(clock: Clock) -> Self {
        Self::apart(clock.clone(), clock).await
    }

    /// Microsoft goes by a clock of its own.
    pub(super) async fn apart(clock: Clock, cloud_clock: Clock) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path().join("data/s.db")).await.unwrap());
        let cloud = Cloud::start(CloudSettings::new(Arc::new(move || cloud_clock.now()))).await.unwrap();
        let receivers = Receivers::start().await.unwrap();
        Self {
            directory,
            store,
            cloud,
            receivers,
            clock,
            shutdown: CancellationToken::new(),
            outages: KnownOutages::default(),
            gathering: Gathering::default(),
        }
    }

    /// A tenant that the cloud knows, with that device score.
    pub(super) fn tenant(&self, id: &str, score: f64) -> Tenant {
        self.cloud.add_tenant(entra(id), setup::app(), setup::SECRET, score);
        setup::tenant(id, &self.cloud.base_url(), self.directory.path())
    }

    /// A channel whose receiver takes everything.
    pub(super) fn channel(&self, name: &str) -> scorewatch::channel::ChannelSettings {
        setup::channel(name, &self.receivers.add_webhook(name))
    }

    pub(super) fn set_score(&self, id: &str, score: f64) {
        self.cloud.set_score(entra(id), SCORE, score);
    }

    pub(super) fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_mins(minutes));
    }

    pub(super) fn checker(&self) -> Checker {
        let (metrics, clock) = (Metrics::default(), self.clock.clone());
        Checker {
            store: self.store.clone(),
            microsoft: Microsoft::new(Egress::new(), clock.clone(), metrics.clone(), Duration::from_mins(10)),
            clock,
            metrics,
            downtimes: Downtimes::default(),
            outages: self.outages.clone(),
            gathering: self.gathering.clone(),
        }
    }

    /// Visits every tenant, now.
    pub(super) async fn visit_all(&self, config: &Config) {
        for id in config.tenants.keys() {
            self.visit_one(config, id.as_str()).await;
        }
    }

    /// Visits one tenant, now.
    pub(super) async fn visit_one(&self, config: &Config, id: &str) -> Visit {
        let record = self.record(id).await;
        let (plan, turn) = (Plan::new(Arc::new(config.clone())), Turn::Check { due_at: self.clock.now() });
        let visit = self.checker();
        visit.visit(&plan, &config.tenants[id], turn, record, &self.shutdown).await.unwrap().unwrap()
    }

    /// Notifies the operator of the tenants that can't be read.
    pub(super) async fn notify_blindness(&self, config: &Config) {
        let now = self.clock.now();
        scorewatch::service::blindness::notify(self.store.as_ref(), config, &self.outages, now).await.unwrap();
    }

    /// Visits `contoso` with what the store knows of it.
    pub(super) async fn visit(&self, config: &Config) -> Visit {
        let record = self.record("contoso").await;
        self.visit_knowing(config, record).await
    }

    pub(super) async fn visit_knowing(&self, config: &Config, record: Option<TenantRecord>) -> Visit {
        let plan = Plan::new(Arc::new(config.clone()));
        let turn = Turn::Check { due_at: self.clock.now() };
        let visit = self.checker();
        let visit = visit.visit(&plan, &config.tenants[&tenant_id("contoso")], turn, record, &self.shutdown);
        visit.await.unwrap().unwrap()
    }

    pub(super) async fn record(&self, id: &str) -> Option<TenantRecord> {
        self.store.load(&[tenant_id(id)]).await.unwrap().pop()
    }

    /// The alerts that fire now.
    pub(super) async fn firing(&self) -> Vec<AlertRow> {
        self.store.alerts(&AlertFilter { firing_only: true, ..AlertFilter::default() }).await.unwrap()
    }

    /// Every delivery, oldest first.
    pub(super) async fn deliveries(&self) -> Vec<Delivery> {
        let mut deliveries = self.store.deliveries(&DeliveryFilter::default()).await.unwrap();
        deliveries.reverse();
        deliveries
    }

    /// What was made for each channel, oldest first: `alert.firing to soc`.
    pub(super) async fn queued(&self) -> Vec<String> {
        let mut queued = Vec::new();
        for delivery in self.deliveries().await {
            let detail = self.store.delivery(delivery.id).await.unwrap().unwrap();
            let reason = detail.notification.data.facts.alert.and_then(|alert| alert.resolution);
            let reason = reason.map(|reason| format!(" ({reason:?})")).unwrap_or_default();
            queued.push(format!("{}{reason} to {}", detail.notification.kind.as_str(), delivery.channel));
        }
        queued
    }

    pub(super) fn dispatcher(
        &self,
        config: Config,
    ) -> (Dispatcher, watch::Sender<Arc<Config>>, mpsc::UnboundedReceiver<TenantId>) {
        self.dispatcher_on(self.store.clone(), config)
    }

    pub(super) fn dispatcher_on(
        &self,
        store: Arc<dyn Store>,
        config: Config,
    ) -> (Dispatcher, watch::Sender<Arc<Config>>, mpsc::UnboundedReceiver<TenantId>) {
        let (sender, current) = watch::channel(Arc::new(config));
        let (settled, heard) = mpsc::unbounded_channel();
        let (egress, metrics) = (Egress::new(), Metrics::default());
        let dispatcher =
            Dispatcher::new(store, egress, self.clock.clone(), metrics, current, settled, self.shutdown.clone());
        (dispatcher, sender, heard)
    }

    /// What one channel's receiver was sent: type and answer.
    pub(super) fn received(&self, channel: &str) -> Vec<(String, Option<u16>)> {
        let line = |request: Arc<scorewatch::simulation::receiver::Received>| {
            (request.json()["type"].as_str().unwrap_or_default().to_owned(), request.status)
        };
        self.receivers.received_by(channel).into_iter().map(line).collect()
    }
}
