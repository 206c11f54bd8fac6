//! Many tenants move together: one notice for each channel, and a tenant that moved on its own is reported on its own.

mod asked;
mod late;
mod lifted;
mod proven;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use scorewatch::{
    channel::ChannelSettings,
    check::{
        due::Turn,
        outlook::{self, Fate},
        plan::Plan,
    },
    config::{Config, Tenant},
    delivery::Dispatcher,
    domain::TenantId,
    notify::{
        route::Audience,
        silence::{Matchers, NewSilence},
    },
    rule::{Condition, Rule},
    schedule::Schedule,
};
use tokio::sync::{mpsc, watch};

use super::{
    fixture::Fixture,
    setup::{Build, at, channels, config, drop_of, minutes, rule, tenant_id},
};
use crate::harness::by_ann;

/// Tenants `t0`, `t1`, …, each read every 15 minutes at a minute of its own.
struct Fleet {
    fixture: Fixture,
    config: Config,
    dispatcher: Dispatcher,
    sender: watch::Sender<Arc<Config>>,
    /// Tenants whose alerts are to be evaluated.
    settled: Mutex<mpsc::UnboundedReceiver<TenantId>>,
    /// Whether alerts are evaluated when asked for.
    are_alerts_looked_at: bool,
    scores: BTreeMap<usize, f64>,
}

const SIZE: usize = 30;

impl Fleet {
    /// One rule that notifies `soc`, unless more are given.
    async fn of(size: usize, rules: Vec<Rule>, further: impl FnOnce(&Fixture) -> Vec<ChannelSettings>) -> Self {
        let fixture = Fixture::new().await;
        let mut config = config().with_channel(fixture.channel("soc"));
        for channel in further(&fixture) {
            config = config.with_channel(channel);
        }
        for number in 0..size {
            config = config.with_tenant(fixture.tenant(&format!("t{number}"), 400.0));
        }
        for rule in rules {
            config = config.with_rule(rule);
        }
        // Everybody is read over a quarter of an hour.
        config.fleet.spread = minutes(15);
        let (dispatcher, sender, settled) = fixture.dispatcher(config.clone());
        let scores = (0..size).map(|number| (number, 400.0)).collect();
        Self { fixture, config, dispatcher, sender, settled: Mutex::new(settled), are_alerts_looked_at: true, scores }
    }

    /// Whose alerts wait for that many minutes, though reading everybody takes longer.
    async fn holding(hold: u64) -> Self {
        let mut fleet = Self::new(vec![fall()]).await;
        (fleet.config.fleet.hold, fleet.config.fleet.spread) = (minutes(hold), minutes(0));
        fleet.sender.send(Arc::new(fleet.config.clone())).unwrap();
        fleet
    }

    async fn new(rules: Vec<Rule>) -> Self {
        Self::of(SIZE, rules, |_| Vec::new()).await
    }

    /// A quarter of an hour: everybody is read in turn, and what is due is sent each minute.
    async fn quarter(&self) {
        for minute in 0..15 {
            for (number, score) in self.scores.iter().filter(|(number, _)| *number % 15 == minute) {
                let id = format!("t{number}");
                self.fixture.set_score(&id, *score);
                self.visit(&id, Turn::Check { due_at: self.fixture.clock.now() }).await;
            }
            self.fixture.pass(1);
            self.dispatcher.drain().await.unwrap();
            for tenant in self.to_be_looked_at() {
                self.visit(tenant.as_str(), Turn::Wake).await;
            }
            self.dispatcher.drain().await.unwrap();
        }
    }

    async fn visit(&self, id: &str, turn: Turn) {
        let plan = Plan::new(Arc::new(self.config.clone()));
        let tenant = &self.config.tenants[&tenant_id(id)];
        let record = self.fixture.record(id).await;
        self.fixture.checker().visit(&plan, tenant, turn, record, &self.fixture.shutdown).await.unwrap().unwrap();
    }

    fn to_be_looked_at(&self) -> BTreeSet<TenantId> {
        let mut settled = self.settled.lock().unwrap();
        std::iter::from_fn(|| settled.try_recv().ok()).filter(|_| self.are_alerts_looked_at).collect()
    }

    async fn quarters(&self, count: usize) {
        for _ in 0..count {
            self.quarter().await;
        }
    }

    /// A silence of a tenant from now on.
    async fn silence(&self, tenant: &str, for_minutes: u64) {
        let matchers = Matchers { tenants: [tenant_id(tenant)].into(), ..Matchers::default() };
        let (author, comment) = ("ann".to_owned(), "patching".to_owned());
        let (starts_at, ends_at) = (self.fixture.clock.now(), self.fixture.clock.now().plus(minutes(for_minutes)));
        self.fixture
            .store
            .add_silence(NewSilence { matchers, starts_at, ends_at, author, comment }, None, by_ann(at(0)))
            .await
            .unwrap();
    }

    fn all_fall_to(&mut self, score: f64) {
        self.scores.values_mut().for_each(|value| *value = score);
    }

    /// What a channel was sent: the type and, where there is one, the tenant.
    fn arrived(&self, channel: &str) -> Vec<String> {
        let line = |body: serde_json::Value| {
            let tenant = body["data"]["tenant"]["id"].as_str().map(|id| format!(" {id}")).unwrap_or_default();
            format!("{}{tenant}", body["type"].as_str().unwrap_or_default())
        };
        let mut arrived: Vec<_> =
            self.fixture.receivers.received_by(channel).iter().map(|request| line(request.json())).collect();
        arrived.sort();
        arrived
    }

    fn notice(&self, channel: &str) -> serde_json::Value {
        let received = self.fixture.receivers.received_by(channel);
        let is_first = |body: &serde_json::Value| {
            let fleet = &body["data"]["fleet"];
            body["type"] == "fleet.shift" && fleet["occasion"] == "shift" && fleet["median"].as_f64() < Some(0.0)
        };
        let mut notices = received.iter().map(|request| request.json()).filter(is_first);
        let notice = notices.next().expect("there is a notice");
        assert!(notices.next().is_none(), "there is one notice");
        notice["data"]["fleet"].clone()
    }

    /// What a channel's messages about shifts were sent for, with how many alerts each covers, in order.
    fn occasions(&self, channel: &str) -> Vec<(String, u64)> {
        let received = self.fixture.receivers.received_by(channel);
        let shifts = received.iter().map(|request| request.json()).filter(|body| body["type"] == "fleet.shift");
        let occasion = |body: serde_json::Value| {
            let fleet = &body["data"]["fleet"];
            (fleet["occasion"].as_str().unwrap().to_owned(), fleet["alerts"].as_u64().unwrap())
        };
        shifts.map(occasion).collect()
    }
}

/// A channel that may show these tenants alone.
fn own(fixture: &Fixture, tenants: &[&str]) -> Vec<ChannelSettings> {
    let tenants = Some(tenants.iter().map(|tenant| tenant_id(tenant)).collect());
    vec![ChannelSettings { audience: Audience { tenants, ..Audience::default() }, ..fixture.channel("own") }]
}

fn fall() -> Rule {
    rule("fall", drop_of(5.0))
}

fn occasions(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(occasion, alerts)| ((*occasion).to_owned(), *alerts)).collect()
}

#[tokio::test]
async fn a_rescoring_of_all_tenants_is_one_notice_and_outliers_are_reported_on_their_own() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.scores.insert(3, 250.0);
    fleet.scores.insert(4, 400.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3", "fleet.shift"]);
    let notice = fleet.notice("soc");
    assert_eq!((&notice["median"], &notice["measure"]), (&(-6.0).into(), &"percent".into()));
    assert_eq!((&notice["tenant_count"], &notice["apart"]), (&28.into(), &serde_json::json!(["t3"])));
    assert_eq!(fleet.fixture.firing().await.len(), 29, "each alert keeps its state");
}

#[tokio::test]
async fn what_a_notice_covered_is_an_ordinary_firing_alert_and_what_comes_together_is_grouped() {
    let reminded = Rule { repeat: Some(minutes(60)), ..fall() };
    let mut fleet = Fleet::new(vec![reminded]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarters(6).await;
    assert_eq!(fleet.occasions("soc"), occasions(&[("shift", 30), ("reminders", 30)]));
    assert!(fleet.fixture.firing().await.iter().all(|row| row.notified_at.is_some() && row.shift.is_some()));
    fleet.scores.insert(5, 340.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.arrived("soc"), ["alert.worsened t5", "fleet.shift", "fleet.shift"]);
    fleet.all_fall_to(400.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.occasions("soc")[2], ("shift".to_owned(), 29), "the ends of those that moved back together");
    assert_eq!(
        fleet.arrived("soc")[..2],
        ["alert.resolved t5", "alert.worsened t5"],
        "and the end of what moved farther"
    );
    assert!(fleet.fixture.firing().await.is_empty());
}

#[tokio::test]
async fn what_a_notice_covered_and_worsens_for_a_while_in_a_window_has_its_end() {
    for is_back_at_its_end in [true, false] {
        let mut fleet = Fleet::new(vec![fall()]).await;
        fleet.quarters(2).await;
        fleet.all_fall_to(376.0);
        fleet.quarters(4).await;
        assert_eq!(fleet.arrived("soc"), ["fleet.shift"]);
        fleet.silence("t5", 45).await;
        fleet.scores.insert(5, 300.0);
        fleet.quarters(1).await;
        if is_back_at_its_end {
            fleet.scores.insert(5, 376.0);
        }
        fleet.quarters(4).await;
        fleet.scores.insert(5, 400.0);
        fleet.quarters(2).await;
        let expected: &[&str] = if is_back_at_its_end {
            &["alert.resolved t5", "fleet.shift"]
        } else {
            &["alert.resolved t5", "alert.worsened t5", "fleet.shift"]
        };
        assert_eq!(fleet.arrived("soc"), expected, "back at its end: {is_back_at_its_end}");
    }
}

#[tokio::test]
async fn the_end_of_what_a_notice_covered_is_not_lost_in_a_window() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarters(4).await;
    fleet.silence("t5", 45).await;
    fleet.scores.insert(5, 300.0);
    fleet.quarters(1).await;
    fleet.scores.insert(5, 400.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.arrived("soc"), ["alert.resolved t5", "fleet.shift"]);
    assert!(fleet.fixture.deliveries().await.iter().all(|delivery| delivery.finished_at.is_some()), "nothing waits");
}

#[tokio::test]
async fn each_channel_is_notified_only_of_tenants_that_it_may_show() {
    let both = Rule { notify: channels(&["soc", "own"]), ..fall() };
    let mut fleet = Fleet::of(SIZE, vec![both], |fixture| own(fixture, &["t7", "t8", "t9"])).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(370.0);
    fleet.scores.insert(3, 250.0);
    fleet.scores.insert(9, 250.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.arrived("own"), ["alert.firing t9", "fleet.shift"]);
    let notice = fleet.notice("own");
    assert_eq!((&notice["tenants"], &notice["tenant_count"]), (&serde_json::json!(["t7", "t8"]), &2.into()));
    assert_eq!(notice["apart"], serde_json::json!(["t9"]), "nor of outliers that are not its own");
    assert_eq!(fleet.notice("soc")["tenant_count"], 28);
}

#[tokio::test]
async fn a_few_tenants_that_fall_are_reported_one_by_one_once_all_were_read() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    for number in [0, 1, 2] {
        fleet.scores.insert(number, 376.0);
    }
    let before = fleet.fixture.clock.now();
    fleet.quarters(2).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t0", "alert.firing t1", "alert.firing t2"]);
    let arrived = fleet.fixture.deliveries().await;
    let latest = arrived.iter().filter_map(|delivery| delivery.finished_at).max().unwrap();
    assert!(latest.since(before) <= minutes(17), "no longer than the wait");
}

#[tokio::test]
async fn a_fall_that_is_taken_back_while_it_waits_is_still_reported() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    // Nobody knows whether this one was read, so the others wait for as long as they may.
    fleet.scores.remove(&6);
    fleet.config.fleet.hold = minutes(40);
    fleet.sender.send(Arc::new(fleet.config.clone())).unwrap();
    fleet.scores.insert(3, 376.0);
    fleet.quarter().await;
    fleet.scores.insert(3, 400.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.arrived("soc"), ["alert.resolved t3"], "one message says both");
}

#[tokio::test]
async fn a_tenant_that_was_not_read_meanwhile_has_a_follow_up() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.scores.remove(&6);
    fleet.all_fall_to(376.0);
    fleet.quarters(6).await;
    assert_eq!(fleet.occasions("soc"), occasions(&[("shift", 29)]), "all that were read, in one notice");
    fleet.scores.insert(6, 376.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.occasions("soc"), occasions(&[("shift", 29), ("follow-up", 1)]));
    fleet.scores.insert(6, 340.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.arrived("soc"), ["alert.worsened t6", "fleet.shift", "fleet.shift"]);
}

#[tokio::test]
async fn a_notice_refers_to_earlier_notifications_and_repeats_nothing() {
    let mut fleet = Fleet::holding(2).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarters(4).await;
    let arrived = fleet.arrived("soc");
    let alone: Vec<String> = arrived.into_iter().filter(|line| line != "fleet.shift").collect();
    assert!(!alone.is_empty(), "some were reported before it showed");
    let notice = fleet.notice("soc");
    let before: Vec<String> = serde_json::from_value(notice["notified_before"].clone()).unwrap();
    let mut lines: Vec<_> = before.iter().map(|tenant| format!("alert.firing {tenant}")).collect();
    lines.sort();
    assert_eq!(alone, lines);
    // Whoever is read when the wait is over has a follow-up.
    let covered: u64 = fleet.occasions("soc").iter().map(|(_, alerts)| alerts).sum();
    assert_eq!(usize::try_from(covered).unwrap(), SIZE - before.len());
}

#[tokio::test]
async fn the_end_of_what_a_notice_covered_would_be_sent_to_its_channels() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarters(4).await;
    for gone in [true, false] {
        let mut config = fleet.config.clone();
        config.rules = if gone { Vec::new() } else { vec![Arc::new(rule("fall", drop_of(10.0)))] };
        let changes = outlook::changes(fleet.fixture.store.as_ref(), &config, fleet.fixture.clock.now()).await.unwrap();
        assert_eq!(changes.len(), SIZE);
        let arrived = |change: &outlook::Change| {
            matches!(change.what, Fate::Closes(_)) && change.notified_channels == channels(&["soc"])
        };
        assert!(changes.iter().all(arrived));
    }
}

#[tokio::test]
async fn the_end_of_a_notified_alert_is_not_lost_in_a_shift_that_makes_it_fire_again() {
    let mut fleet = Fleet::new(vec![rule("fall", drop_of(5.0))]).await;
    fleet.quarters(2).await;
    fleet.scores.insert(3, 360.0);
    fleet.quarters(6).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3"]);
    fleet.scores.insert(3, 320.0);
    fleet.quarter().await;
    fleet.scores.insert(3, 400.0);
    fleet.quarters(2).await;
    fleet.all_fall_to(376.0);
    fleet.quarters(8).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3", "alert.resolved t3", "alert.worsened t3", "fleet.shift"]);
}
