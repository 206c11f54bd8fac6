//! What a channel does during an outage of its receiver and after it.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    config::{Config, Operator},
    delivery::Dispatcher,
    domain::{Labels, Severity},
    notify::{
        DeliveryState, NotificationType, compose,
        notification::{AlertFacts, OperatorFacts, TenantFacts},
    },
    rule::AlertKey,
    simulation::Reply,
    store::NewNotification,
};
use serde_json::Value;

use super::{
    fixture::Fixture,
    setup::{Build, SCORE, channels, config, rule_name, tenant_id},
};

/// Queues what an alert of a tenant has to say: `sequence` 1 fires, `is_over` resolves.
pub(super) async fn queue(fixture: &Fixture, tenant: &str, sequence: u64, is_over: bool) {
    let facts = OperatorFacts { summary: String::new(), class: String::new(), ..OperatorFacts::default() };
    let (now, id) = (fixture.clock.now(), tenant_id(tenant));
    let parts = [tenant, &sequence.to_string()];
    let mut notification = compose::for_operator(NotificationType::AlertFiring, &parts, None, facts, now);
    if is_over {
        notification.kind = NotificationType::AlertResolved;
    }
    let data = &mut notification.data;
    data.operator = None;
    data.notification.sequence = sequence;
    data.tenant =
        Some(TenantFacts { id: tenant.to_owned(), tenant_id: None, name: tenant.to_owned(), labels: Labels::new() });
    data.alert = Some(AlertFacts {
        id: format!("alert_{tenant}"),
        state: if is_over { "resolved" } else { "firing" }.to_owned(),
        severity: Severity::Warning,
        started_at: now,
        resolved_at: is_over.then_some(now),
        reason: None,
        remark: None,
        escalation: None,
        resolution: None,
        resolved_by: None,
    });
    let alert = AlertKey { tenant: id.clone(), rule: rule_name("low"), score: Some(SCORE), subject: None };
    let new = NewNotification {
        notification,
        alert: Some(alert),
        tenant: Some(id),
        channels: channels(&["soc"]),
        hold: None,
    };
    assert!(fixture.store.announce(new, now).await.unwrap());
}

/// `soc`, and `ops` for the operator.
fn two_channels(fixture: &Fixture) -> Config {
    let mut config = config().with_channel(fixture.channel("soc")).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["ops"]), ..config.operator };
    config
}

fn dispatcher(fixture: &Fixture, config: &Config) -> Dispatcher {
    fixture.dispatcher(config.clone()).0
}

/// The messages that the channel `soc` accepted.
fn taken(fixture: &Fixture) -> Vec<Value> {
    let received = fixture.receivers.received_by("soc");
    received.iter().filter(|request| request.accepted()).map(|request| request.json()).collect()
}

fn classes(fixture: &Fixture) -> Vec<String> {
    let class = |request: &Arc<scorewatch::simulation::receiver::Received>| {
        request.json()["data"]["operator"]["class"].as_str().unwrap().to_owned()
    };
    fixture.receivers.received_by("ops").iter().map(class).collect()
}

#[tokio::test]
async fn after_an_outage_what_waited_is_a_digest_in_which_each_alert_has_one_line() {
    let fixture = Fixture::new().await;
    let config = two_channels(&fixture);
    let dispatcher = dispatcher(&fixture, &config);
    fixture.receivers.set("soc", Some(Reply::html(503)));
    for number in 0..30 {
        queue(&fixture, &format!("t{number}"), 1, false).await;
    }
    dispatcher.drain().await.unwrap();
    queue(&fixture, "t3", 2, true).await;
    queue(&fixture, "later", 1, false).await;
    queue(&fixture, "later", 2, true).await;
    fixture.receivers.set("soc", None);
    fixture.pass(60);
    dispatcher.drain().await.unwrap();
    let arrived = taken(&fixture);
    let kinds: Vec<_> = arrived.iter().map(|body| body["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["digest", "digest"], "what came later belongs to the same storm");
    assert_eq!(arrived[0]["data"]["items"].as_array().unwrap().len(), 30);
    let line = |item: &serde_json::Value| {
        let covered = item["notification"]["covers"].as_array().map_or(0, Vec::len);
        (item["tenant"]["id"].as_str().unwrap().to_owned(), item["type"].clone(), covered)
    };
    let mut lines: Vec<_> = arrived[1]["data"]["items"].as_array().unwrap().iter().map(line).collect();
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    let over = serde_json::Value::from("alert.resolved");
    assert_eq!(lines, [("later".to_owned(), over.clone(), 1), ("t3".to_owned(), over, 0)]);
    assert!(fixture.deliveries().await.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn an_open_breaker_outlives_a_restart_and_lets_one_attempt_through_at_a_time() {
    let fixture = Fixture::new().await;
    let mut config = two_channels(&fixture);
    config.operator.notify.clear();
    fixture.receivers.set("soc", Some(Reply::html(503)));
    for number in 0..5 {
        queue(&fixture, &format!("t{number}"), 1, false).await;
    }
    for _ in 0..3 {
        dispatcher(&fixture, &config).drain().await.unwrap();
        fixture.pass(15);
    }
    assert_eq!(fixture.receivers.received_by("soc").len(), 3);
    let health = async || {
        let records = fixture.store.channels().await.unwrap();
        records.into_iter().find(|record| record.channel.as_str() == "soc").unwrap().health
    };
    let open = health().await;
    assert!(open.is_open() && open.failing_since.is_some());
    fixture.receivers.set("soc", None);
    dispatcher(&fixture, &config).drain().await.unwrap();
    assert_eq!(taken(&fixture).len(), 5, "after a good answer nothing is held back");
    assert!(!health().await.is_open());
}

#[tokio::test]
async fn the_operator_is_notified_once_of_a_failing_channel_and_once_when_it_works_again() {
    let fixture = Fixture::new().await;
    let config = two_channels(&fixture);
    fixture.receivers.set("soc", Some(Reply::html(503)));
    queue(&fixture, "contoso", 1, false).await;
    dispatcher(&fixture, &config).drain().await.unwrap();
    fixture.clock.advance(Duration::from_secs(299));
    dispatcher(&fixture, &config).drain().await.unwrap();
    assert!(classes(&fixture).is_empty(), "not yet five minutes");
    for _restart in 0..3 {
        fixture.pass(10);
        dispatcher(&fixture, &config).drain().await.unwrap();
    }
    assert_eq!(classes(&fixture), ["channel-failing"]);
    fixture.receivers.set("soc", None);
    for _restart in 0..3 {
        fixture.pass(20);
        dispatcher(&fixture, &config).drain().await.unwrap();
    }
    assert_eq!(classes(&fixture), ["channel-failing", "channel-works-again"]);
    assert_eq!(taken(&fixture).len(), 1);
}

#[tokio::test]
async fn a_digest_shows_only_what_its_channel_may_see_when_it_is_sent() {
    // What is left is a digest again only if it is more than a channel is sent singly.
    for left in [22, 2] {
        let fixture = Fixture::new().await;
        let mut config = two_channels(&fixture);
        for number in 0..25 {
            queue(&fixture, &format!("t{number}"), 1, false).await;
        }
        let shown: Vec<String> = (0..left).map(|number| format!("t{number}")).collect();
        let mut fenced = (*config.channels["soc"]).clone();
        fenced.audience.tenants = Some(shown.iter().map(|tenant| tenant_id(tenant)).collect());
        config = config.with_channel(fenced);
        dispatcher(&fixture, &config).drain().await.unwrap();
        let arrived = taken(&fixture);
        let lines = if left > 20 {
            assert_eq!((arrived.len(), arrived[0]["type"].as_str()), (1, Some("digest")));
            arrived[0]["data"]["items"].as_array().unwrap().clone()
        } else {
            arrived.iter().map(|body| body["data"].clone()).collect()
        };
        let seen: Vec<_> = lines.iter().map(|line| line["tenant"]["id"].as_str().unwrap()).collect();
        assert_eq!(seen, shown);
        let dead = fixture.deliveries().await.into_iter().filter(|delivery| delivery.state == DeliveryState::Dead);
        assert_eq!(dead.count(), 25 - left);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_delays_no_message() {
    let fixture = Fixture::new().await;
    let config = two_channels(&fixture);
    fixture.receivers.set("soc", Some(Reply::status(429).retry_after("3000")));
    queue(&fixture, "contoso", 1, false).await;
    dispatcher(&fixture, &config).drain().await.unwrap();
    fixture.receivers.set("soc", None);
    fixture.clock.set(super::setup::at(-60));
    dispatcher(&fixture, &config).drain().await.unwrap();
    assert_eq!(taken(&fixture).len(), 1);
}
