//! Who is visited when. The clock stands still except the tests; a turn of the planner's wheel is a tick.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    check::Checker,
    config::Config,
    delivery::Dispatcher,
    domain::Timestamp,
    notify::{Maintenance, silence::Matchers},
    rule::Condition,
    schedule::{Schedule, Window, WindowEnd, Zone},
    service::planner::{Parts, Planner},
    simulation::{Reply, cloud::Fetch},
    store::Store,
    telemetry::Health,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use super::{
    faulty_store::{FaultyStore, Trouble},
    fixture::Fixture,
    setup::{Build, at, config, entra, minutes, rule, tenant_id},
};
use crate::harness::event;

/// A planner at work.
pub(super) struct PlannerFixture {
    pub(super) tick: Arc<Notify>,
    store_recovered: Arc<Notify>,
    pub(super) config: watch::Sender<Arc<Config>>,
    task: JoinHandle<()>,
    dispatcher: Dispatcher,
    health: Health,
}

impl PlannerFixture {
    pub(super) async fn start(fixture: &Fixture, config: &Config) -> Self {
        Self::on(fixture, fixture.store.clone(), config).await
    }

    async fn on(fixture: &Fixture, store: Arc<dyn Store>, config: &Config) -> Self {
        let (dispatcher, sender, settled) = fixture.dispatcher_on(store.clone(), config.clone());
        let (tick, store_recovered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let health = Health::default();
        let parts = Parts {
            checker: Checker { store, ..fixture.checker() },
            dispatcher: dispatcher.clone(),
            health: health.clone(),
            config: sender.subscribe(),
            due_scan: tick.clone(),
            store_recovered: store_recovered.clone(),
            settled,
            shutdown: fixture.shutdown.clone(),
        };
        let task = tokio::spawn(Planner::new(parts).await.unwrap().run());
        tick.notify_one();
        Self { tick, store_recovered, config: sender, task, dispatcher, health }
    }

    /// Lets so much time pass, then ticks.
    pub(super) fn pass(&self, fixture: &Fixture, minutes: u64) {
        fixture.pass(minutes);
        self.tick.notify_one();
    }

    /// Sets the wall clock, and waits until the planner has seen it.
    pub(super) async fn set(&self, fixture: &Fixture, wall: Timestamp) {
        fixture.clock.set(wall);
        let seen = || self.health.verdict(wall).iter().any(|sign| sign.part == "scheduler" && sign.at == Some(wall));
        self.until(async || seen()).await;
    }

    /// Waits until the store says so, ticking on.
    pub(super) async fn until<F: Future<Output = bool>>(&self, holds: impl FnMut() -> F) {
        self.until_it("what the store should say", holds).await;
    }

    /// The same, with words for what is waited for.
    pub(super) async fn until_it<F: Future<Output = bool>>(&self, what: &str, mut holds: impl FnMut() -> F) {
        let wait = async {
            while !holds().await {
                self.tick.notify_one();
                tokio::task::yield_now().await;
            }
        };
        assert!(event(wait).await.is_some(), "waited in vain for {what}");
    }

    pub(super) async fn stop(self, fixture: &Fixture) {
        fixture.shutdown.cancel();
        self.task.await.unwrap();
        self.dispatcher.stopped().await;
    }
}

async fn version(fixture: &Fixture, id: &str) -> u64 {
    fixture.record(id).await.map_or(0, |record| record.version)
}

async fn next_due_at(fixture: &Fixture, id: &str) -> Timestamp {
    fixture.record(id).await.unwrap().health.next_due_at
}

fn asked(fixture: &Fixture, id: &str) -> u64 {
    fixture.cloud.tenant_counts(entra(id)).score_requests
}

/// Waits until the tenant was checked so often.
pub(super) async fn checked(planner: &PlannerFixture, fixture: &Fixture, id: &str, times: u64) {
    planner.until(async || version(fixture, id).await >= times).await;
}

#[tokio::test]
async fn new_tenants_are_checked_at_once_and_then_at_their_own_phase() {
    let fixture = Fixture::new().await;
    let mut config =
        config().with_tenant(fixture.tenant("contoso", 400.0)).with_tenant(fixture.tenant("fabrikam", 400.0));
    config.spread = Duration::from_mins(10);
    let planner = PlannerFixture::start(&fixture, &config).await;
    checked(&planner, &fixture, "contoso", 1).await;
    checked(&planner, &fixture, "fabrikam", 1).await;
    let phases = [next_due_at(&fixture, "contoso").await, next_due_at(&fixture, "fabrikam").await];
    // The phases of `schedule/spread.rs`; the tick at the start is the one that they belong to.
    let seconds = phases.map(|due| due.since(at(0)).as_secs());
    assert_eq!(seconds, [42, 354]);
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn missed_ticks_are_made_up_once_and_the_phase_is_kept_over_a_restart() {
    let mut fixture = Fixture::new().await;
    let config = config().with_tenant(fixture.tenant("contoso", 400.0));
    let planner = PlannerFixture::start(&fixture, &config).await;
    checked(&planner, &fixture, "contoso", 1).await;
    assert_eq!(next_due_at(&fixture, "contoso").await, at(15));
    planner.stop(&fixture).await;

    fixture.shutdown = tokio_util::sync::CancellationToken::new();
    fixture.pass(7);
    let planner = PlannerFixture::start(&fixture, &config).await;
    fixture.pass(100);
    checked(&planner, &fixture, "contoso", 2).await;
    assert_eq!(next_due_at(&fixture, "contoso").await, at(120));
    planner.pass(&fixture, 12);
    planner.tick.notify_one();
    planner.pass(&fixture, 1);
    checked(&planner, &fixture, "contoso", 3).await;
    planner.stop(&fixture).await;
    assert_eq!(asked(&fixture, "contoso"), 3, "seven ticks were missed and made up once");
}

#[tokio::test]
async fn a_tenant_is_never_visited_twice_at_once() {
    let fixture = Fixture::new().await;
    let mut config =
        config().with_tenant(fixture.tenant("contoso", 400.0)).with_tenant(fixture.tenant("fabrikam", 400.0));
    // Its check is not given up while this test lasts.
    config.timeout = minutes(60);
    fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Raw(Reply::hang())));
    let planner = PlannerFixture::start(&fixture, &config).await;
    let is_asked = fixture.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == 1);
    assert!(event(is_asked).await.is_some(), "nobody asks");
    // Removed and added again while its visit hangs.
    let mut without = config.clone();
    without.tenants.remove("contoso");
    for (round, config) in [&config, &without, &config].into_iter().enumerate() {
        planner.config.send(Arc::new(config.clone())).unwrap();
        planner.pass(&fixture, 15);
        checked(&planner, &fixture, "fabrikam", round as u64 + 1).await;
    }
    planner.pass(&fixture, 15);
    checked(&planner, &fixture, "fabrikam", 4).await;
    assert_eq!(asked(&fixture, "contoso"), 1);
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn a_visit_that_breaks_down_or_can_not_be_kept_is_made_again() {
    // A visit that breaks down is written down as a failed check: two commits each.
    for (trouble, commits_per_visit) in [(Trouble::Panic, 2), (Trouble::Fail, 1)] {
        let fixture = Fixture::new().await;
        let config =
            config().with_tenant(fixture.tenant("contoso", 400.0)).with_tenant(fixture.tenant("fabrikam", 400.0));
        let store = FaultyStore::new(fixture.store.clone());
        store.trouble_commits(tenant_id("contoso"), vec![trouble; 2 * commits_per_visit]);
        let planner = PlannerFixture::on(&fixture, store.store(), &config).await;
        checked(&planner, &fixture, "fabrikam", 1).await;
        store.has_gone_wrong(1).await;
        assert_eq!(version(&fixture, "contoso").await, 0, "{trouble:?}");
        planner
            .until(async || {
                fixture.clock.advance(Duration::from_secs(1));
                version(&fixture, "contoso").await == 1
            })
            .await;
        assert!(asked(&fixture, "contoso") >= 3, "asked anew each time");
        planner.stop(&fixture).await;
    }
}

#[tokio::test]
async fn a_store_that_has_recovered_is_no_longer_waited_for() {
    let fixture = Fixture::new().await;
    let store = FaultyStore::new(fixture.store.clone());
    store.trouble_commits(tenant_id("contoso"), vec![Trouble::Fail]);
    let planner =
        PlannerFixture::on(&fixture, store.store(), &config().with_tenant(fixture.tenant("contoso", 400.0))).await;
    store.has_gone_wrong(1).await;
    // No time passes.
    planner
        .until(async || {
            planner.store_recovered.notify_one();
            version(&fixture, "contoso").await == 1
        })
        .await;
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn tenants_that_can_not_be_loaded_are_not_lost() {
    let fixture = Fixture::new().await;
    let config = config().with_tenant(fixture.tenant("contoso", 400.0));
    let store = FaultyStore::new(fixture.store.clone());
    store.fail_loads(3);
    let planner = PlannerFixture::on(&fixture, store.store(), &config).await;
    planner
        .until(async || {
            // Once the call is on the wire, no time passes: it must not come due again before it is back.
            if asked(&fixture, "contoso") == 0 {
                fixture.clock.advance(Duration::from_secs(1));
            }
            version(&fixture, "contoso").await == 1
        })
        .await;
    assert_eq!(*store.gone_wrong.borrow(), 3);
    assert_eq!(asked(&fixture, "contoso"), 1);
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn a_reload_adds_and_removes_tenants_and_ends_what_has_no_place() {
    let fixture = Fixture::new().await;
    let before = config()
        .with_tenant(fixture.tenant("contoso", 250.0))
        .with_channel(fixture.channel("soc"))
        .with_rule(rule("low", Condition::Below(300.0)));
    let store = FaultyStore::new(fixture.store.clone());
    let planner = PlannerFixture::on(&fixture, store.store(), &before).await;
    planner.until(async || fixture.received("soc").len() == 1).await;
    let mut after = before.clone().with_tenant(fixture.tenant("fabrikam", 400.0));
    after.tenants.remove("contoso");
    store.fail_alerts(2);
    planner.config.send(Arc::new(after)).unwrap();
    checked(&planner, &fixture, "fabrikam", 1).await;
    planner
        .until(async || {
            fixture.clock.advance(Duration::from_secs(1));
            fixture.firing().await.is_empty()
        })
        .await;
    assert!(event(fixture.receivers.wait_for(|received| received.len() == 2)).await.is_some());
    assert_eq!(fixture.queued().await, ["alert.firing to soc", "alert.resolved (TenantRemoved) to soc"]);
    let asked_before = asked(&fixture, "contoso");
    let checks = version(&fixture, "fabrikam").await;
    planner.pass(&fixture, 15);
    checked(&planner, &fixture, "fabrikam", checks + 1).await;
    assert_eq!(asked(&fixture, "contoso"), asked_before, "no longer visited");
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn what_a_window_holds_is_reviewed_once_the_window_and_its_last_visit_are_over() {
    let fixture = Fixture::new().await;
    let mut config = config().with_tenant(fixture.tenant("contoso", 280.0)).with_channel(fixture.channel("soc"));
    config = config.with_rule(rule("low", Condition::Below(300.0)));
    let all_day = Window::new(Schedule::parse("0 0 0 * * *", Zone::utc()).unwrap(), WindowEnd::After(minutes(1440)));
    config.maintenance = vec![Maintenance { name: "all-day".into(), matchers: Matchers::default(), window: all_day }];
    let store = FaultyStore::new(fixture.store.clone());
    let mut looked = store.looked.subscribe();
    let planner = PlannerFixture::on(&fixture, store.store(), &config).await;
    config.maintenance.clear();
    // The reload is taken, and what is held is evaluated, while the first check is about to be written.
    let reload = planner.config.clone();
    store.meanwhile(async move {
        looked.wait_for(|looked| *looked == 1).await.unwrap();
        reload.send(Arc::new(config)).unwrap();
        looked.wait_for(|looked| *looked == 2).await.unwrap();
    });
    let due = async || fixture.store.held_due(fixture.clock.now(), 10).await.unwrap().len();
    planner.until(async || due().await == 1).await;
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_nobody() {
    let fixture = Fixture::new().await;
    let config = config().with_tenant(fixture.tenant("contoso", 400.0));
    fixture.pass(60);
    let planner = PlannerFixture::start(&fixture, &config).await;
    checked(&planner, &fixture, "contoso", 1).await;
    assert_eq!(next_due_at(&fixture, "contoso").await, at(75));
    planner.set(&fixture, at(1)).await;
    // Due at the next tick of the clock as it now stands, not in over an hour.
    planner.pass(&fixture, 14);
    checked(&planner, &fixture, "contoso", 2).await;
    assert_eq!(next_due_at(&fixture, "contoso").await, at(30));
    planner.stop(&fixture).await;
}
