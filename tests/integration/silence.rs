//! From a check through a silence to the receiver, on a clock that stands still: each drain looks at what is held and due.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scorewatch::{
    channel::{ChannelKind, Pagerduty, PagerdutyRegion, WebhookUrl},
    check::close::close_orphans,
    config::{Config, Operator},
    delivery::Dispatcher,
    domain::{TenantId, Timestamp},
    notify::{
        DeliveryState, Maintenance, SilenceId,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    rule::{Condition, Rule, Size},
    schedule::{Schedule, Window, WindowEnd},
    secret::SecretReference,
    simulation::cloud::{DefenderRefusal, Fetch},
};
use tokio::sync::{mpsc, watch};

use super::{
    fixture::Fixture,
    setup::{Build, at, channels, config, entra, minutes, rule, tenant_id},
};
use crate::harness::{by_ann, event};

/// `contoso`, judged by one rule with a step and reminders.
pub(super) struct Scene {
    pub(super) fixture: Fixture,
    pub(super) config: Config,
    pub(super) dispatcher: Dispatcher,
    pub(super) sender: watch::Sender<Arc<Config>>,
    pub(super) settled: mpsc::UnboundedReceiver<TenantId>,
}

fn low() -> Rule {
    Rule { step: Some(Size::Points(50.0)), repeat: Some(minutes(60)), ..rule("low", Condition::Below(300.0)) }
}

pub(super) fn of_contoso() -> Matchers {
    Matchers { tenants: BTreeSet::from([tenant_id("contoso")]), ..Matchers::default() }
}

impl Scene {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::new().await;
        let config = config()
            .with_tenant(fixture.tenant("contoso", 400.0))
            .with_channel(fixture.channel("soc"))
            .with_rule(low());
        Self::of(fixture, config)
    }

    fn of(fixture: Fixture, config: Config) -> Self {
        let (dispatcher, sender, settled) = fixture.dispatcher(config.clone());
        Self { fixture, config, dispatcher, sender, settled }
    }

    /// A silence of `contoso` between these minutes.
    pub(super) async fn silence(&self, from: i64, until: i64) -> SilenceId {
        self.silence_of(of_contoso(), from, until).await
    }

    async fn silence_of(&self, matchers: Matchers, from: i64, until: i64) -> SilenceId {
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        let new = NewSilence { matchers, starts_at: at(from), ends_at: at(until), author, comment };
        self.fixture.store.add_silence(new, None, by_ann(at(0))).await.unwrap()
    }

    /// What the channel is sent when the tenant is checked at that minute with that score.
    pub(super) async fn check(&self, minute: i64, score: f64) -> Vec<String> {
        self.until(minute);
        self.fixture.set_score("contoso", score);
        self.fixture.visit(&self.config).await;
        self.sent().await
    }

    /// What the channel is sent at that minute without a check.
    pub(super) async fn look(&self, minute: i64) -> Vec<String> {
        self.until(minute);
        self.sent().await
    }

    fn until(&self, minute: i64) {
        self.fixture.clock.advance(at(minute).since(self.fixture.clock.now()));
    }

    async fn sent(&self) -> Vec<String> {
        let before = self.fixture.received("soc").len();
        self.dispatcher.drain().await.unwrap();
        self.fixture.received("soc").split_off(before).into_iter().map(|(kind, _)| kind).collect()
    }

    async fn states(&self) -> Vec<DeliveryState> {
        self.fixture.deliveries().await.iter().map(|delivery| delivery.state).collect()
    }
}

pub(super) const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn an_alert_still_firing_at_the_end_of_a_silence_is_sent_once() {
    let scene = Scene::new().await;
    scene.silence(0, 100).await;
    assert_eq!(scene.check(10, 280.0).await, NOTHING);
    assert_eq!(scene.check(25, 280.0).await, NOTHING);
    assert_eq!(scene.look(99).await, NOTHING);
    assert_eq!(scene.look(100).await, ["alert.firing"]);
    assert_eq!(scene.check(115, 280.0).await, NOTHING);
    assert_eq!(scene.check(130, 400.0).await, ["alert.resolved"]);
}

#[tokio::test]
async fn an_alert_that_fires_and_ends_within_a_silence_is_not_sent() {
    let scene = Scene::new().await;
    scene.silence(0, 100).await;
    for (minute, score) in [(10, 280.0), (25, 200.0), (40, 400.0), (55, 280.0), (70, 400.0)] {
        assert_eq!(scene.check(minute, score).await, NOTHING, "{minute}");
    }
    assert_eq!(scene.look(100).await, NOTHING);
    assert!(scene.states().await.iter().all(|state| *state == DeliveryState::Suppressed));
    assert_eq!(scene.check(115, 280.0).await, ["alert.firing"], "the next time is sent as usual");
}

#[tokio::test]
async fn the_end_of_a_notified_alert_is_sent_when_the_silence_ends_or_is_ended() {
    for is_ended_early in [false, true] {
        let scene = Scene::new().await;
        assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
        let silence = scene.silence(5, 100).await;
        assert_eq!(scene.check(15, 200.0).await, NOTHING);
        assert_eq!(scene.check(30, 400.0).await, NOTHING);
        if is_ended_early {
            assert_eq!(scene.look(40).await, NOTHING);
            assert!(scene.fixture.store.end_silence(silence, by_ann(at(40))).await.unwrap());
        } else {
            scene.until(100);
        }
        assert_eq!(scene.sent().await, ["alert.resolved"]);
        let received = scene.fixture.receivers.received_by("soc");
        let covers = &received.last().unwrap().json()["data"]["notification"]["covers"];
        assert_eq!(covers.as_array().unwrap().len(), 1, "for what got worse meanwhile");
        assert_eq!(scene.look(200).await, NOTHING);
    }
}

#[tokio::test]
async fn the_newest_worsening_within_a_silence_is_sent_and_a_reminder_is_not() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    scene.silence(5, 100).await;
    for (minute, score) in [(15, 220.0), (30, 160.0), (45, 160.0)] {
        assert_eq!(scene.check(minute, score).await, NOTHING);
    }
    assert_eq!(scene.look(100).await, ["alert.worsened"]);
    scene.silence(105, 200).await;
    assert_eq!(scene.check(165, 160.0).await, NOTHING, "a reminder is due");
    assert_eq!(scene.states().await.last(), Some(&DeliveryState::Held));
    assert_eq!(scene.look(200).await, NOTHING);
    assert_eq!(scene.check(255, 160.0).await, NOTHING, "reminders go on from the silence's end");
    assert_eq!(scene.check(260, 160.0).await, ["alert.reminder"]);
}

#[tokio::test]
async fn a_worsening_within_a_silence_is_sent_only_when_it_happens_again_afterwards() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    scene.silence(5, 100).await;
    for (minute, score) in [(15, 220.0), (30, 160.0), (45, 275.0)] {
        assert_eq!(scene.check(minute, score).await, NOTHING);
    }
    assert_eq!(scene.look(100).await, NOTHING, "it fires as reported");
    assert_eq!(scene.states().await, [DeliveryState::Delivered, DeliveryState::Suppressed, DeliveryState::Suppressed]);
    assert_eq!(scene.check(115, 220.0).await, ["alert.worsened"], "as if for the first time");
    assert_eq!(scene.check(130, 275.0).await, NOTHING);
    assert_eq!(scene.check(145, 220.0).await, NOTHING, "it was reported");
    assert_eq!(scene.check(160, 400.0).await, ["alert.resolved"]);
}

#[tokio::test]
async fn what_recovers_within_a_silence_and_is_worse_at_its_end_is_sent() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    scene.silence(5, 100).await;
    for (minute, score) in [(15, 160.0), (30, 280.0), (45, 220.0)] {
        assert_eq!(scene.check(minute, score).await, NOTHING);
    }
    assert_eq!(scene.look(100).await, ["alert.worsened"]);
    let said = scene.fixture.receivers.received_by("soc").last().unwrap().json();
    assert_eq!(said["data"]["score"]["value"], 220.0);
    assert_eq!(said["data"]["notification"]["covers"], serde_json::json!([]), "not for what was over");
}

#[tokio::test]
async fn silences_that_overlap_hold_until_none_covers_any_more() {
    let scene = Scene::new().await;
    let first = scene.silence(0, 100).await;
    scene.check(10, 280.0).await;
    let second = scene.silence(20, 200).await;
    assert_eq!(scene.look(100).await, NOTHING, "the second is in force");
    assert!(!scene.fixture.store.end_silence(first, by_ann(at(110))).await.unwrap());
    scene.silence_of(Matchers { rules: BTreeSet::from([low().name]), ..Matchers::default() }, 110, 150).await;
    scene.until(120);
    assert!(scene.fixture.store.end_silence(second, by_ann(at(120))).await.unwrap());
    assert_eq!(scene.look(149).await, NOTHING, "the third is in force");
    assert_eq!(scene.look(150).await, ["alert.firing"]);
}

#[tokio::test]
async fn what_a_silence_does_not_match_is_sent_immediately() {
    let scene = Scene::new().await;
    let fabrikam = Matchers { tenants: BTreeSet::from([tenant_id("fabrikam")]), ..Matchers::default() };
    scene.silence_of(fabrikam, 0, 100).await;
    scene.silence(30, 100).await;
    assert_eq!(scene.check(10, 280.0).await, ["alert.firing"], "the one is another's, the other is to come");
}

#[tokio::test]
async fn a_restart_during_a_silence_loses_nothing_and_sends_nothing() {
    let scene = Scene::new().await;
    scene.silence(0, 100).await;
    scene.check(10, 280.0).await;
    let scene = Scene::of(scene.fixture, scene.config);
    scene.fixture.store.recover(scene.fixture.clock.now()).await.unwrap();
    scene.dispatcher.reconsider().await.unwrap();
    assert_eq!(scene.look(50).await, NOTHING);
    assert_eq!(scene.states().await, [DeliveryState::Held]);
    assert_eq!(scene.look(100).await, ["alert.firing"]);
}

/// A window of `contoso` that comes round in Berlin.
pub(super) fn window(from: &str, length: Duration) -> Maintenance {
    let from = Schedule::parse(from, "Europe/Berlin".parse().unwrap()).unwrap();
    let window = Window::new(from, WindowEnd::After(length));
    Maintenance { name: "patch-night".into(), matchers: of_contoso(), window }
}

#[tokio::test]
async fn a_maintenance_window_holds_and_a_reload_without_it_lets_go() {
    let mut scene = Scene::new().await;
    // It is 13:00 in Berlin at the start, on a Monday.
    scene.config.maintenance = vec![window("0 30 13 * * MON", minutes(120))];
    scene.sender.send(Arc::new(scene.config.clone())).unwrap();
    assert_eq!(scene.check(29, 280.0).await, ["alert.firing"]);
    assert_eq!(scene.check(44, 400.0).await, NOTHING);
    let held = scene.fixture.deliveries().await.pop().unwrap().hold.unwrap();
    assert_eq!(held.until, at(150));
    scene.dispatcher.reconsider().await.unwrap();
    assert_eq!(scene.look(60).await, NOTHING, "it is still there");
    scene.config.maintenance.clear();
    scene.sender.send(Arc::new(scene.config.clone())).unwrap();
    scene.dispatcher.reconsider().await.unwrap();
    assert!(event(scene.fixture.receivers.wait_for(|received| received.len() == 2)).await.is_some());
    assert_eq!(scene.fixture.received("soc")[1].0, "alert.resolved");
}

#[tokio::test]
async fn a_window_over_the_night_in_which_clocks_change_ends_when_it_should() {
    let scene = Scene::new().await;
    let mut config = scene.config.clone();
    let from = Schedule::parse("0 0 22 * * SAT", "Europe/Berlin".parse().unwrap()).unwrap();
    let until = Schedule::parse("0 0 6 * * SUN", "Europe/Berlin".parse().unwrap()).unwrap();
    config.maintenance =
        vec![Maintenance { window: Window::new(from, WindowEnd::At(until)), ..window("0 0 12 1 1 *", minutes(1)) }];
    let fixture = scene.fixture;
    fixture.clock.set(Timestamp::parse("2026-03-28T21:30:00Z").unwrap());
    let scene = Scene::of(fixture, config);
    scene.fixture.set_score("contoso", 280.0);
    scene.fixture.visit(&scene.config).await;
    let held = scene.fixture.deliveries().await.pop().unwrap().hold.unwrap();
    assert_eq!(held.until, Timestamp::parse("2026-03-29T04:00:00Z").unwrap(), "six o'clock is an hour earlier");
}

#[tokio::test]
async fn a_rule_removed_during_a_silence_is_reported_as_over_at_its_end() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    scene.silence(5, 100).await;
    scene.config.rules.clear();
    scene.sender.send(Arc::new(scene.config.clone())).unwrap();
    scene.until(10);
    close_orphans(scene.fixture.store.as_ref(), &scene.config, &BTreeSet::new(), at(10)).await.unwrap();
    assert_eq!(scene.look(99).await, NOTHING);
    assert_eq!(scene.look(100).await, ["alert.resolved"]);
}

#[tokio::test]
async fn that_we_are_blind_is_silenced_only_by_what_names_the_tenant() {
    for (matchers, is_held) in [(of_contoso(), true), (Matchers::default(), false)] {
        let fixture = Fixture::new().await;
        let mut config = config().with_tenant(fixture.tenant("contoso", 400.0)).with_channel(fixture.channel("soc"));
        config.operator = Operator { notify: channels(&["soc"]), blind_after: minutes(20) };
        let scene = Scene::of(fixture, config);
        scene.silence_of(matchers, 0, 100).await;
        scene.fixture.cloud.set_fetch(entra("contoso"), Some(Fetch::Refuse(DefenderRefusal::NoLicence)));
        assert_eq!(scene.check(0, 400.0).await, NOTHING);
        assert_eq!(scene.check(30, 400.0).await, NOTHING);
        scene.fixture.notify_blindness(&scene.config).await;
        let arrived = scene.look(30).await;
        assert_eq!(arrived.is_empty(), is_held, "{arrived:?}");
    }
}

#[tokio::test]
async fn a_stateful_receiver_is_sent_each_step_of_a_firing_alert_and_only_the_end_of_a_resolved_one() {
    let scene = Scene::new().await;
    let mut config = scene.config.clone();
    let pager = scene.fixture.receivers.add_webhook("pager");
    let mut channel = scene.fixture.channel("pager");
    std::fs::write(scene.fixture.directory.path().join("routing"), "0123456789abcdef0123456789abcdef").unwrap();
    channel.kind = ChannelKind::Pagerduty(Pagerduty {
        routing_key: SecretReference::File(scene.fixture.directory.path().join("routing")),
        region: PagerdutyRegion::Us,
        url: Some(WebhookUrl::Open(pager)),
    });
    config.channels.clear();
    let config = Config { rules: vec![], ..config }
        .with_channel(channel)
        .with_rule(Rule { notify: channels(&["pager"]), ..low() });
    let scene = Scene::of(scene.fixture, config);
    scene.silence(0, 100).await;
    for (minute, score) in [(10, 280.0), (25, 400.0), (40, 280.0), (55, 200.0)] {
        scene.check(minute, score).await;
    }
    scene.until(100);
    scene.dispatcher.drain().await.unwrap();
    let states = scene.states().await;
    assert_eq!(
        states[..2],
        [DeliveryState::Suppressed, DeliveryState::Suppressed],
        "a firing that was over is opened for nobody"
    );
    assert!(states[2..].iter().all(|state| !matches!(state, DeliveryState::Held | DeliveryState::Merged)));
    assert_eq!(states.len(), 4);
}

#[tokio::test]
async fn what_a_person_has_seen_is_not_reminded_of_until_it_worsens_or_is_over() {
    let scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    let key = scene.fixture.firing().await.remove(0).key;
    let seen = Acknowledgement { at: at(5), by: "ann".into(), comment: "ticket".into() };
    assert!(scene.fixture.store.acknowledge(&key, seen.clone(), by_ann(at(0))).await.unwrap());
    assert_eq!(scene.check(75, 280.0).await, NOTHING, "a reminder would be due");
    assert_eq!(scene.fixture.firing().await[0].acknowledged, Some(seen.clone()));
    assert_eq!(scene.check(90, 220.0).await, ["alert.worsened"]);
    assert_eq!(scene.fixture.firing().await[0].acknowledged, None, "this nobody has seen yet");
    assert_eq!(scene.check(165, 220.0).await, ["alert.reminder"]);
    assert!(scene.fixture.store.acknowledge(&key, seen.clone(), by_ann(at(0))).await.unwrap());
    assert_eq!(scene.check(240, 220.0).await, NOTHING);
    assert!(scene.fixture.store.unacknowledge(&key, by_ann(at(250))).await.unwrap());
    assert_eq!(scene.check(255, 220.0).await, ["alert.reminder"]);
    assert!(scene.fixture.store.acknowledge(&key, seen, by_ann(at(0))).await.unwrap());
    assert_eq!(scene.check(270, 400.0).await, ["alert.resolved"]);
}

#[tokio::test]
async fn an_acknowledgement_that_is_taken_back_lets_a_reminder_come_at_once() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.check(0, 280.0).await, ["alert.firing"]);
    let (store, key) = (scene.fixture.store.clone(), scene.fixture.firing().await.remove(0).key);
    let seen = Acknowledgement { at: at(5), by: "ann".into(), comment: "ticket".into() };
    assert!(store.acknowledge(&key, seen, by_ann(at(0))).await.unwrap());
    assert_eq!(scene.check(75, 280.0).await, NOTHING);
    while scene.settled.try_recv().is_ok() {}

    scene.until(77);
    let before = scene.fixture.record("contoso").await;
    assert!(store.unacknowledge(&key, by_ann(at(77))).await.unwrap());
    scene.dispatcher.sweep().await;
    scene.dispatcher.sweep().await;
    assert_eq!(scene.settled.try_recv().ok(), Some(tenant_id("contoso")), "it is to be looked at");
    assert!(scene.settled.try_recv().is_err(), "once");
    let stale = scene.fixture.visit_knowing(&scene.config, before).await;
    assert!(!stale.channels.is_empty(), "a check that took it for acknowledged judges again");
    assert_eq!(scene.sent().await, ["alert.reminder"]);
    assert!(store.rechecks_requested().await.unwrap().is_empty());
    assert!(!store.unacknowledge(&key, by_ann(at(78))).await.unwrap());
    assert!(store.rechecks_requested().await.unwrap().is_empty(), "nobody has asked for anything");
}
