//! An alert that nobody acknowledges, from its check to the receivers of the further channels. The clock stands still until it is moved.

use std::{collections::BTreeSet, sync::Arc};

use scorewatch::{
    channel::ChannelSettings,
    check::{due::Turn, plan::Plan},
    config::{Config, Tenant},
    delivery::Dispatcher,
    domain::TenantId,
    notify::{
        DeliveryState,
        route::Audience,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    rule::{Condition, Escalation, Rule, Size},
    schedule::{Schedule, Zone},
    simulation::Reply,
};
use tokio::sync::{mpsc, watch};

use super::{
    fixture::Fixture,
    planner::{PlannerFixture, checked},
    setup::{Build, at, channels, config, minutes, rule, tenant_id},
};
use crate::harness::by_ann;

const NOTHING: [&str; 0] = [];

/// `contoso`, whose alerts are sent to `soc`, and half an hour later to `call`.
struct Scene {
    fixture: Fixture,
    config: Config,
    dispatcher: Dispatcher,
    _sender: watch::Sender<Arc<Config>>,
    _settled: mpsc::UnboundedReceiver<TenantId>,
}

fn low(escalate: &[(u64, &[&str])]) -> Rule {
    let steps = escalate.iter().map(|&(after, names)| Escalation { after: minutes(after), notify: channels(names) });
    Rule { step: Some(Size::Points(50.0)), escalate: steps.collect(), ..rule("low", Condition::Below(300.0)) }
}

fn escalating(config: &Config, escalate: &[(u64, &[&str])]) -> Config {
    Config { rules: vec![Arc::new(low(escalate))], ..config.clone() }
}

impl Scene {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let config = ["soc", "call", "boss"]
            .into_iter()
            .fold(config(), |config, name| config.with_channel(fixture.channel(name)));
        let config = config.with_tenant(fixture.tenant("contoso", 400.0));
        let config = escalating(&config, &[(30, &["call"])]);
        Self::of(fixture, config)
    }

    fn of(fixture: Fixture, config: Config) -> Self {
        let (dispatcher, sender, settled) = fixture.dispatcher(config.clone());
        Self { fixture, config, dispatcher, _sender: sender, _settled: settled }
    }

    /// What the channels are sent when the tenant is checked at that minute with that score, as `type to channel`.
    async fn check(&self, minute: i64, score: f64) -> Vec<String> {
        self.until(minute);
        self.fixture.set_score("contoso", score);
        self.fixture.visit(&self.config).await;
        self.sent().await
    }

    /// The same when its alerts are evaluated without a check.
    async fn wake(&self, minute: i64) -> Vec<String> {
        self.until(minute);
        let (plan, record) = (Plan::new(Arc::new(self.config.clone())), self.fixture.record("contoso").await);
        let tenant = &self.config.tenants[&tenant_id("contoso")];
        let checker = self.fixture.checker();
        checker.visit(&plan, tenant, Turn::Wake, record, &self.fixture.shutdown).await.unwrap();
        self.sent().await
    }

    fn until(&self, minute: i64) {
        self.fixture.clock.set(at(minute));
    }

    async fn sent(&self) -> Vec<String> {
        let names = ["soc", "call", "boss"];
        let before = names.map(|name| self.fixture.received(name).len());
        self.dispatcher.drain().await.unwrap();
        let new = |(name, before): (&str, usize)| {
            let received = self.fixture.received(name).split_off(before);
            received.into_iter().map(|(kind, _)| format!("{kind} to {name}")).collect::<Vec<_>>()
        };
        names.into_iter().zip(before).flat_map(new).collect()
    }

    async fn acknowledge(&self, minute: i64) {
        let key = self.fixture.firing().await.remove(0).key;
        let seen = Acknowledgement { at: at(minute), by: "ann".into(), comment: "ticket".into() };
        assert!(self.fixture.store.acknowledge(&key, seen, by_ann(at(0))).await.unwrap());
    }

    /// The same tenant and store by another configuration, as after a restart.
    fn restarted(self, config: Config) -> Self {
        Self::of(self.fixture, config)
    }
}

#[tokio::test]
async fn what_nobody_acknowledges_is_escalated_once_and_both_channels_hear_what_becomes_of_it() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(29).await, NOTHING);
    assert_eq!(scene.wake(30).await, ["alert.escalated to call"]);
    assert_eq!(scene.wake(61).await, NOTHING);
    assert_eq!(scene.check(75, 220.0).await, ["alert.worsened to soc", "alert.worsened to call"]);
    assert_eq!(scene.check(150, 220.0).await, NOTHING);
    assert_eq!(scene.check(165, 400.0).await, ["alert.resolved to soc", "alert.resolved to call"]);
    assert_eq!(scene.check(180, 280.0).await, ["alert.firing to soc"], "another firing begins anew");
    assert_eq!(scene.wake(210).await, ["alert.escalated to call"]);

    let message = scene.fixture.receivers.received_by("call").remove(0).json();
    let escalation = &message["data"]["alert"]["escalation"];
    assert_eq!((&escalation["after_seconds"], &escalation["step"]), (&1_800.into(), &1.into()));
    assert_eq!(escalation["unacknowledged_since"], serde_json::json!(at(0)));
}

#[tokio::test]
async fn what_a_person_acknowledges_in_time_is_not_escalated_until_it_gets_worse() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    scene.acknowledge(20).await;
    assert_eq!(scene.wake(30).await, NOTHING);
    assert_eq!(scene.check(300, 280.0).await, NOTHING);
    assert_eq!(scene.check(315, 220.0).await, ["alert.worsened to soc"], "that ends the acknowledgement");
    assert_eq!(scene.wake(344).await, NOTHING);
    assert_eq!(scene.wake(345).await, ["alert.escalated to call"]);
    assert_eq!(scene.check(360, 400.0).await, ["alert.resolved to soc", "alert.resolved to call"]);

    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    scene.acknowledge(20).await;
    assert_eq!(scene.check(315, 400.0).await, ["alert.resolved to soc"]);
}

#[tokio::test]
async fn a_check_that_took_an_alert_for_unseen_judges_again() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    scene.until(45);
    let before = scene.fixture.record("contoso").await;
    scene.acknowledge(45).await;
    scene.fixture.visit_knowing(&scene.config, before).await;
    assert_eq!(scene.sent().await, NOTHING);
}

#[tokio::test]
async fn a_silence_delays_an_escalation_and_an_acknowledgement_meanwhile_ends_it() {
    for (acknowledged, withdrawn) in [(false, false), (true, false), (true, true)] {
        let scene = Scene::new().await;
        assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
        let matchers = Matchers { tenants: BTreeSet::from([tenant_id("contoso")]), ..Matchers::default() };
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        let new = NewSilence { matchers, starts_at: at(10), ends_at: at(100), author, comment };
        scene.fixture.store.add_silence(new, None, by_ann(at(0))).await.unwrap();
        assert_eq!(scene.wake(30).await, NOTHING);
        if acknowledged {
            scene.acknowledge(50).await;
        }
        let expected: &[&str] = if acknowledged { &[] } else { &["alert.escalated to call"] };
        assert_eq!(scene.check(105, 280.0).await, expected, "{acknowledged}");
        if withdrawn {
            let key = scene.fixture.firing().await.remove(0).key;
            assert!(scene.fixture.store.unacknowledge(&key, by_ann(at(110))).await.unwrap());
            assert_eq!(scene.wake(110).await, ["alert.escalated to call"], "nobody sees to it after all");
        }
        let knows = !acknowledged || withdrawn;
        let ends: &[&str] = &["alert.resolved to soc", "alert.resolved to call"][..if knows { 2 } else { 1 }];
        assert_eq!(scene.check(120, 400.0).await, ends, "whoever never heard of it hears of no end");
        let states: Vec<_> = scene.fixture.deliveries().await.iter().map(|one| one.state).collect();
        assert!(states.iter().all(|state| state.is_finished()), "{states:?}");
    }
}

#[tokio::test]
async fn what_fires_in_a_silence_is_escalated_only_once_it_was_sent_for_long_enough() {
    let scene = Scene::new().await;
    let (author, comment) = ("ann".to_owned(), "patching".to_owned());
    let new = NewSilence { matchers: Matchers::default(), starts_at: at(0), ends_at: at(100), author, comment };
    scene.fixture.store.add_silence(new, None, by_ann(at(0))).await.unwrap();
    assert_eq!(scene.check(15, 280.0).await, NOTHING);
    assert_eq!(scene.wake(60).await, NOTHING);
    assert_eq!(scene.wake(100).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(129).await, NOTHING);
    assert_eq!(scene.wake(130).await, ["alert.escalated to call"]);
}

#[tokio::test]
async fn a_crash_between_the_decision_and_the_delivery_neither_loses_nor_repeats_it() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    scene.until(30);
    let before = scene.fixture.record("contoso").await;
    scene.fixture.visit(&scene.config).await;
    // The process ends here; another one starts, and judges once more what the first had loaded.
    let config = scene.config.clone();
    let scene = scene.restarted(config);
    scene.fixture.visit_knowing(&scene.config, before).await;
    assert_eq!(scene.sent().await, ["alert.escalated to call"]);
    let config = scene.config.clone();
    let scene = scene.restarted(config);
    assert_eq!(scene.wake(45).await, NOTHING);
    assert_eq!(scene.check(60, 400.0).await, ["alert.resolved to soc", "alert.resolved to call"]);
}

#[tokio::test]
async fn a_worsening_after_an_acknowledgement_is_escalated_though_its_channel_does_not_answer() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    scene.acknowledge(5).await;
    assert_eq!(scene.wake(35).await, NOTHING);
    scene.fixture.receivers.set("soc", Some(Reply::status(503)));
    assert_eq!(scene.check(45, 220.0).await[..1], ["alert.worsened to soc"]);
    assert!(!scene.wake(74).await.contains(&"alert.escalated to call".to_owned()));
    assert!(scene.wake(75).await.contains(&"alert.escalated to call".to_owned()));
}

#[tokio::test]
async fn a_receiver_that_is_down_delays_no_escalation() {
    let scene = Scene::new().await;
    scene.fixture.receivers.set("soc", Some(Reply::status(503)));
    scene.check(0, 280.0).await;
    assert_eq!(scene.fixture.deliveries().await[0].state, DeliveryState::Queued);
    let sent = scene.wake(30).await;
    assert!(sent.contains(&"alert.escalated to call".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn the_end_reaches_whoever_was_escalated_to_also_after_a_restart() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(30).await, ["alert.escalated to call"]);
    scene.fixture.receivers.set("call", Some(Reply::status(503)));
    assert_eq!(scene.check(45, 400.0).await[..2], ["alert.resolved to soc", "alert.resolved to call"]);
    let config = scene.config.clone();
    let scene = scene.restarted(config);
    scene.fixture.receivers.set("call", None);
    scene.until(120);
    assert_eq!(scene.sent().await, ["alert.resolved to call"]);
}

#[tokio::test]
async fn a_reload_that_changes_or_removes_an_escalation_takes_effect_on_what_fires() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(30).await, ["alert.escalated to call"]);
    // Somebody else is on call: notified of what fires, like a channel that is new to a route.
    let other = escalating(&scene.config, &[(30, &["boss"])]);
    let scene = scene.restarted(other);
    let new = scene.sent().await;
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new[0].ends_with(" to boss"), "{new:?}");
    let none = escalating(&scene.config, &[]);
    let scene = scene.restarted(none);
    assert_eq!(scene.check(45, 400.0).await, ["alert.resolved to soc"], "who has left the route hears nothing more");

    assert_eq!(scene.check(60, 280.0).await, ["alert.firing to soc"]);
    let late = escalating(&scene.config, &[(20, &["call"]), (60, &["boss"])]);
    let scene = scene.restarted(late);
    assert_eq!(
        scene.wake(80).await,
        ["alert.escalated to call"],
        "a rule that is given one counts from the notification"
    );
    assert_eq!(scene.wake(119).await, NOTHING);
    assert_eq!(scene.wake(120).await, ["alert.escalated to boss"]);
    let resolved = ["alert.resolved to soc", "alert.resolved to call", "alert.resolved to boss"];
    assert_eq!(scene.check(135, 400.0).await, resolved);
}

#[tokio::test]
async fn a_reload_that_changes_nothing_sends_nothing() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(30).await, ["alert.escalated to call"]);
    let config = scene.config.clone();
    let scene = scene.restarted(config);
    assert_eq!(scene.sent().await, NOTHING);
    assert_eq!(scene.wake(40).await, NOTHING);
    assert_eq!(scene.check(45, 400.0).await, ["alert.resolved to soc", "alert.resolved to call"]);
}

#[tokio::test]
async fn a_customer_s_channel_is_escalated_to_for_its_own_tenant_only() {
    let fixture = Fixture::new().await;
    let own = Audience { tenants: Some(BTreeSet::from([tenant_id("fabrikam")])), ..Audience::default() };
    let config = config()
        .with_channel(fixture.channel("soc"))
        .with_channel(ChannelSettings { audience: own, ..fixture.channel("call") })
        .with_channel(fixture.channel("boss"))
        .with_tenant(fixture.tenant("contoso", 400.0));
    let config = escalating(&config, &[(30, &["call", "boss"])]);
    let scene = Scene::of(fixture, config);
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing to soc"]);
    assert_eq!(scene.wake(30).await, ["alert.escalated to boss"]);
    assert_eq!(scene.check(45, 400.0).await, ["alert.resolved to soc", "alert.resolved to boss"]);
}

#[tokio::test]
async fn an_escalation_waits_for_no_check() {
    let scene = Scene::new().await;
    let Scene { fixture, config, .. } = scene;
    let daily = Schedule::parse("0 0 6 * * *", Zone::utc()).unwrap();
    let tenant = (*config.tenants[&tenant_id("contoso")]).clone();
    let config = config.with_tenant(Tenant { schedule: Arc::new(daily), ..tenant });
    fixture.set_score("contoso", 280.0);
    let planner = PlannerFixture::start(&fixture, &config).await;
    checked(&planner, &fixture, "contoso", 1).await;
    // Not only received: the time counts from when that is known.
    let is_settled = async || fixture.firing().await.iter().any(|row| row.notified_at.is_some());
    planner.until_it("the firing", is_settled).await;
    for _ in 0..35 {
        planner.pass(&fixture, 1);
    }
    planner.until_it("the escalation", async || fixture.received("call").len() == 1).await;
    assert_eq!(fixture.received("call")[0].0, "alert.escalated");
    planner.stop(&fixture).await;
}

#[tokio::test]
async fn an_escalation_that_a_reload_brings_waits_for_no_check() {
    let scene = Scene::new().await;
    let Scene { fixture, config, .. } = scene;
    let daily = Schedule::parse("0 0 6 * * *", Zone::utc()).unwrap();
    let tenant = (*config.tenants[&tenant_id("contoso")]).clone();
    let with = config.with_tenant(Tenant { schedule: Arc::new(daily), ..tenant });
    let without = escalating(&with, &[]);
    fixture.set_score("contoso", 280.0);
    let planner = PlannerFixture::start(&fixture, &without).await;
    checked(&planner, &fixture, "contoso", 1).await;
    let is_settled = async || fixture.firing().await.iter().any(|row| row.notified_at.is_some());
    planner.until_it("the firing", is_settled).await;
    for _ in 0..35 {
        planner.pass(&fixture, 1);
    }
    planner.config.send_replace(Arc::new(with));
    planner.until_it("the escalation", async || fixture.received("call").len() == 1).await;
    assert_eq!(fixture.received("call")[0].0, "alert.escalated");
    planner.stop(&fixture).await;
}
