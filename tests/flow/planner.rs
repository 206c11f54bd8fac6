//! Who is visited when. The clock stands still but for the tests; a turn of the planner's wheel is a tick.

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
    bed::Bed,
    setup::{Build, at, config, entra, minutes, rule, tenant_id},
    troubled::{Trouble, Troubled},
};
use crate::world::event;

/// A planner at work.
pub(super) struct Wheel {
    pub(super) tick: Arc<Notify>,
    store_mended: Arc<Notify>,
    pub(super) config: watch::Sender<Arc<Config>>,
    task: JoinHandle<()>,
    dispatcher: Dispatcher,
    health: Health,
}

impl Wheel {
    pub(super) async fn start(bed: &Bed, config: &Config) -> Self {
        Self::on(bed, bed.store.clone(), config).await
    }

    async fn on(bed: &Bed, store: Arc<dyn Store>, config: &Config) -> Self {
        let (dispatcher, sender, told) = bed.dispatcher_on(store.clone(), config.clone());
        let (tick, store_mended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let health = Health::default();
        let parts = Parts {
            checker: Checker { store, ..bed.checker() },
            dispatcher: dispatcher.clone(),
            health: health.clone(),
            config: sender.subscribe(),
            due_scan: tick.clone(),
            store_mended: store_mended.clone(),
            told,
            shutdown: bed.shutdown.clone(),
        };
        let task = tokio::spawn(Planner::new(parts).await.unwrap().run());
        tick.notify_one();
        Self { tick, store_mended, config: sender, task, dispatcher, health }
    }

    /// Lets so much time pass, then ticks.
    pub(super) fn pass(&self, bed: &Bed, minutes: u64) {
        bed.pass(minutes);
        self.tick.notify_one();
    }

    /// Sets the wall clock, and waits until the planner has seen it.
    pub(super) async fn set(&self, bed: &Bed, wall: Timestamp) {
        bed.clock.set(wall);
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

    pub(super) async fn stop(self, bed: &Bed) {
        bed.shutdown.cancel();
        self.task.await.unwrap();
        self.dispatcher.stopped().await;
    }
}

async fn version(bed: &Bed, id: &str) -> u64 {
    bed.record(id).await.map_or(0, |record| record.version)
}

async fn next_due_at(bed: &Bed, id: &str) -> Timestamp {
    bed.record(id).await.unwrap().health.next_due_at
}

fn asked(bed: &Bed, id: &str) -> u64 {
    bed.cloud.tenant_counts(entra(id)).score_requests
}

/// Waits until the tenant was checked so often.
pub(super) async fn checked(wheel: &Wheel, bed: &Bed, id: &str, times: u64) {
    wheel.until(async || version(bed, id).await >= times).await;
}

#[tokio::test]
async fn new_tenants_are_checked_at_once_and_then_at_their_own_phase() {
    let bed = Bed::new().await;
    let mut config = config().with_tenant(bed.tenant("contoso", 400.0)).with_tenant(bed.tenant("fabrikam", 400.0));
    config.spread = Duration::from_mins(10);
    let wheel = Wheel::start(&bed, &config).await;
    checked(&wheel, &bed, "contoso", 1).await;
    checked(&wheel, &bed, "fabrikam", 1).await;
    let phases = [next_due_at(&bed, "contoso").await, next_due_at(&bed, "fabrikam").await];
    // The phases of `schedule/spread.rs`; the tick at the start is the one that they belong to.
    let seconds = phases.map(|due| due.since(at(0)).as_secs());
    assert_eq!(seconds, [42, 354]);
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn missed_ticks_are_made_up_once_and_the_phase_is_kept_over_a_restart() {
    let mut bed = Bed::new().await;
    let config = config().with_tenant(bed.tenant("contoso", 400.0));
    let wheel = Wheel::start(&bed, &config).await;
    checked(&wheel, &bed, "contoso", 1).await;
    assert_eq!(next_due_at(&bed, "contoso").await, at(15));
    wheel.stop(&bed).await;

    bed.shutdown = tokio_util::sync::CancellationToken::new();
    bed.pass(7);
    let wheel = Wheel::start(&bed, &config).await;
    bed.pass(100);
    checked(&wheel, &bed, "contoso", 2).await;
    assert_eq!(next_due_at(&bed, "contoso").await, at(120));
    wheel.pass(&bed, 12);
    wheel.tick.notify_one();
    wheel.pass(&bed, 1);
    checked(&wheel, &bed, "contoso", 3).await;
    wheel.stop(&bed).await;
    assert_eq!(asked(&bed, "contoso"), 3, "seven ticks were missed and made up once");
}

#[tokio::test]
async fn a_tenant_is_never_visited_twice_at_once() {
    let bed = Bed::new().await;
    let mut config = config().with_tenant(bed.tenant("contoso", 400.0)).with_tenant(bed.tenant("fabrikam", 400.0));
    // Its check is not given up while this test lasts.
    config.timeout = minutes(60);
    bed.cloud.set_fetch(entra("contoso"), Some(Fetch::Raw(Reply::hang())));
    let wheel = Wheel::start(&bed, &config).await;
    bed.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == 1).await;
    // Removed and added again while its visit hangs.
    let mut without = config.clone();
    without.tenants.remove("contoso");
    for (round, config) in [&config, &without, &config].into_iter().enumerate() {
        wheel.config.send(Arc::new(config.clone())).unwrap();
        wheel.pass(&bed, 15);
        checked(&wheel, &bed, "fabrikam", round as u64 + 1).await;
    }
    wheel.pass(&bed, 15);
    checked(&wheel, &bed, "fabrikam", 4).await;
    assert_eq!(asked(&bed, "contoso"), 1);
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn a_visit_that_breaks_down_or_can_not_be_kept_is_made_again() {
    // A visit that breaks down is written down as a failed check: two commits each.
    for (trouble, commits_per_visit) in [(Trouble::Panic, 2), (Trouble::Fail, 1)] {
        let bed = Bed::new().await;
        let config = config().with_tenant(bed.tenant("contoso", 400.0)).with_tenant(bed.tenant("fabrikam", 400.0));
        let store = Troubled::new(bed.store.clone());
        store.trouble_commits(tenant_id("contoso"), vec![trouble; 2 * commits_per_visit]);
        let wheel = Wheel::on(&bed, store.store(), &config).await;
        checked(&wheel, &bed, "fabrikam", 1).await;
        store.has_gone_wrong(1).await;
        assert_eq!(version(&bed, "contoso").await, 0, "{trouble:?}");
        wheel
            .until(async || {
                bed.clock.advance(Duration::from_secs(1));
                version(&bed, "contoso").await == 1
            })
            .await;
        assert!(asked(&bed, "contoso") >= 3, "asked anew each time");
        wheel.stop(&bed).await;
    }
}

#[tokio::test]
async fn a_store_that_is_mended_is_waited_for_no_longer() {
    let bed = Bed::new().await;
    let store = Troubled::new(bed.store.clone());
    store.trouble_commits(tenant_id("contoso"), vec![Trouble::Fail]);
    let wheel = Wheel::on(&bed, store.store(), &config().with_tenant(bed.tenant("contoso", 400.0))).await;
    store.has_gone_wrong(1).await;
    // No time passes.
    wheel
        .until(async || {
            wheel.store_mended.notify_one();
            version(&bed, "contoso").await == 1
        })
        .await;
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn tenants_that_can_not_be_loaded_are_not_lost() {
    let bed = Bed::new().await;
    let config = config().with_tenant(bed.tenant("contoso", 400.0));
    let store = Troubled::new(bed.store.clone());
    store.fail_loads(3);
    let wheel = Wheel::on(&bed, store.store(), &config).await;
    wheel
        .until(async || {
            // Once the call is on the wire, no time passes: it must not come due again before it is back.
            if asked(&bed, "contoso") == 0 {
                bed.clock.advance(Duration::from_secs(1));
            }
            version(&bed, "contoso").await == 1
        })
        .await;
    assert_eq!(*store.gone_wrong.borrow(), 3);
    assert_eq!(asked(&bed, "contoso"), 1);
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn a_reload_adds_and_removes_tenants_and_ends_what_has_no_place() {
    let bed = Bed::new().await;
    let before = config()
        .with_tenant(bed.tenant("contoso", 250.0))
        .with_channel(bed.channel("soc"))
        .with_rule(rule("low", Condition::Below(300.0)));
    let store = Troubled::new(bed.store.clone());
    let wheel = Wheel::on(&bed, store.store(), &before).await;
    wheel.until(async || bed.received("soc").len() == 1).await;
    let mut after = before.clone().with_tenant(bed.tenant("fabrikam", 400.0));
    after.tenants.remove("contoso");
    store.fail_alerts(2);
    wheel.config.send(Arc::new(after)).unwrap();
    checked(&wheel, &bed, "fabrikam", 1).await;
    wheel
        .until(async || {
            bed.clock.advance(Duration::from_secs(1));
            bed.firing().await.is_empty()
        })
        .await;
    bed.receivers.wait_for(|received| received.len() == 2).await;
    assert_eq!(bed.queued().await, ["alert.firing to soc", "alert.resolved (TenantRemoved) to soc"]);
    let asked_before = asked(&bed, "contoso");
    let checks = version(&bed, "fabrikam").await;
    wheel.pass(&bed, 15);
    checked(&wheel, &bed, "fabrikam", checks + 1).await;
    assert_eq!(asked(&bed, "contoso"), asked_before, "no longer visited");
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn what_a_window_holds_is_looked_at_once_the_window_and_the_last_visit_under_it_are_gone() {
    let bed = Bed::new().await;
    let mut config = config().with_tenant(bed.tenant("contoso", 280.0)).with_channel(bed.channel("soc"));
    config = config.with_rule(rule("low", Condition::Below(300.0)));
    let all_day = Window::new(Schedule::parse("0 0 0 * * *", Zone::utc()).unwrap(), WindowEnd::After(minutes(1440)));
    config.maintenance = vec![Maintenance { name: "all-day".into(), matchers: Matchers::default(), window: all_day }];
    let store = Troubled::new(bed.store.clone());
    let mut looked = store.looked.subscribe();
    let wheel = Wheel::on(&bed, store.store(), &config).await;
    config.maintenance.clear();
    // The reload is taken, and what is held is looked at, while the first check is about to be written.
    let reload = wheel.config.clone();
    store.meanwhile(async move {
        looked.wait_for(|looked| *looked == 1).await.unwrap();
        reload.send(Arc::new(config)).unwrap();
        looked.wait_for(|looked| *looked == 2).await.unwrap();
    });
    let due = async || bed.store.held_due(bed.clock.now(), 10).await.unwrap().len();
    wheel.until(async || due().await == 1).await;
    wheel.stop(&bed).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_nobody() {
    let bed = Bed::new().await;
    let config = config().with_tenant(bed.tenant("contoso", 400.0));
    bed.pass(60);
    let wheel = Wheel::start(&bed, &config).await;
    checked(&wheel, &bed, "contoso", 1).await;
    assert_eq!(next_due_at(&bed, "contoso").await, at(75));
    wheel.set(&bed, at(1)).await;
    // Due at the next tick of the clock as it now stands, not in over an hour.
    wheel.pass(&bed, 14);
    checked(&wheel, &bed, "contoso", 2).await;
    assert_eq!(next_due_at(&bed, "contoso").await, at(30));
    wheel.stop(&bed).await;
}
