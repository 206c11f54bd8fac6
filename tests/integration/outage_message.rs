//! What the tenants of an outage have to say to a channel is one message when it begins and one when it is over, however few they are.

use std::sync::Arc;

use scorewatch::{
    config::{Config, Operator},
    notify::Delivery,
    rule::{Condition, Escalation, Rule},
    simulation::{Reply, cloud::Fetch},
};

use super::{
    fixture::Fixture,
    setup::{Build, channels, config, minutes, rule},
};

const TENANTS: [&str; 4] = ["adatum", "contoso", "fabrikam", "litware"];

/// Four tenants, all of which one channel is notified of; checked at 12:00 and then every quarter of an hour, one minute after the other.
async fn fleet(fixture: &Fixture) -> Config {
    let mut config = config().with_channel(fixture.channel("ops")).with_channel(fixture.channel("soc"));
    for name in TENANTS {
        config = config.with_tenant(fixture.tenant(name, 400.0));
    }
    config.operator = Operator { notify: channels(&["ops"]), blind_after: minutes(15) };
    let config = config.with_rule(rule("blind", Condition::NoData(minutes(60))));
    fixture.visit_all(&config).await;
    config
}

/// A quarter of an hour, in which the tenants are visited one minute after the other and what is due is sent after each.
async fn quarter(fixture: &Fixture, config: &Config) {
    let dispatcher = fixture.dispatcher(config.clone()).0;
    for name in TENANTS {
        fixture.pass(1);
        fixture.visit_one(config, name).await;
        fixture.notify_blindness(config).await;
        dispatcher.drain().await.unwrap();
    }
    fixture.pass(15 - 4);
    dispatcher.drain().await.unwrap();
}

/// What the channel `soc` was sent: the kind of each message, and how many tenants it is about.
fn sent(fixture: &Fixture) -> Vec<(String, usize)> {
    sent_to(fixture, "soc")
}

fn sent_to(fixture: &Fixture, channel: &str) -> Vec<(String, usize)> {
    let received = fixture.receivers.received_by(channel).into_iter();
    let line = |body: serde_json::Value| {
        let items = body["data"]["items"].as_array().map_or(0, Vec::len);
        (body["type"].as_str().unwrap().to_owned(), items.max(1))
    };
    received.map(|request| line(request.json())).collect()
}

async fn of_soc(fixture: &Fixture) -> Vec<Delivery> {
    fixture.deliveries().await.into_iter().filter(|delivery| delivery.channel.as_str() == "soc").collect()
}

fn digest_of_all() -> (String, usize) {
    ("digest".to_owned(), TENANTS.len())
}

#[tokio::test]
async fn tenants_of_one_outage_are_one_message_and_one_when_it_is_over() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_fetch(Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    for _ in 0..8 {
        quarter(&fixture, &config).await;
    }
    assert_eq!(sent(&fixture), [digest_of_all()]);
    fixture.cloud.set_every_fetch(None);
    for _ in 0..3 {
        quarter(&fixture, &config).await;
    }
    assert_eq!(sent(&fixture), [digest_of_all(), digest_of_all()]);
    assert!(fixture.firing().await.is_empty());
}

#[tokio::test]
async fn what_is_over_while_it_is_gathered_is_still_reported() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_every_fetch(Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    // The alerts fire in the fourth quarter after the last data, and Microsoft answers before they are sent.
    for _ in 0..4 {
        quarter(&fixture, &config).await;
    }
    while of_soc(&fixture).await.is_empty() {
        fixture.pass(1);
        fixture.visit_all(&config).await;
    }
    fixture.cloud.set_every_fetch(None);
    for _ in 0..3 {
        quarter(&fixture, &config).await;
    }
    let count: usize = sent(&fixture).iter().map(|(_, tenants)| tenants).sum();
    assert_eq!((sent(&fixture).len(), count), (1, TENANTS.len()), "{:?}", sent(&fixture));
    assert!(of_soc(&fixture).await.iter().all(|delivery| delivery.finished_at.is_some()));
}

#[tokio::test]
async fn a_tenant_that_fails_for_a_reason_of_its_own_waits_for_nobody() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await;
    fixture.cloud.set_fetch(super::setup::entra("contoso"), Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    for _ in 0..5 {
        quarter(&fixture, &config).await;
    }
    assert_eq!(sent(&fixture), [("alert.firing".to_owned(), 1)]);
    let delivered = of_soc(&fixture).await;
    assert_eq!(delivered[0].finished_at, Some(delivered[0].queued_at), "in the minute in which it fired");
}

#[tokio::test]
async fn what_nobody_acknowledges_in_an_outage_is_escalated_in_one_message_a_minute_later() {
    let fixture = Fixture::new().await;
    let config = fleet(&fixture).await.with_channel(fixture.channel("call"));
    let escalate = vec![Escalation { after: minutes(20), notify: channels(&["call"]) }];
    let blind = Rule { escalate, ..rule("blind", Condition::NoData(minutes(60))) };
    let config = Config { rules: vec![Arc::new(blind)], ..config };
    fixture.cloud.set_every_fetch(Some(Fetch::Raw(Reply::html(503).retry_after("60"))));
    while sent(&fixture).is_empty() {
        quarter(&fixture, &config).await;
    }
    let dispatcher = fixture.dispatcher(config.clone()).0;
    fixture.pass(20);
    fixture.visit_all(&config).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(sent_to(&fixture, "call"), []);
    fixture.pass(1);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent_to(&fixture, "call"), [digest_of_all()]);
}
