//! From the outbox to the receiver, step by step on a clock that stands still: each drain sends what is due then.

use std::{sync::Arc, time::Duration};

use scorewatch::{
    channel::{ChannelKind, ChannelSettings, Slack},
    config::{Config, Operator},
    domain::Timestamp,
    notify::{DeliveryState, NotificationType, compose, notification::OperatorFacts, route::Audience},
    rule::AlertKey,
    secret::SecretReference,
    simulation::Reply,
    store::{AttemptOutcome, Claim, ClaimTerms, NewNotification, Store},
};

use super::{
    fixture::Fixture,
    setup::{Build, SCORE, channel_name, channels, config, rule_name, tenant_id},
};
use crate::harness::{by_ann, event};

/// Queues a message about `contoso` and one of its alerts, by rule.
pub(super) async fn queue(store: &dyn Store, name: &str, rule: &str, to: &[&str], now: Timestamp) {
    let facts = OperatorFacts { summary: name.to_owned(), class: "test".to_owned(), ..OperatorFacts::default() };
    let alert = AlertKey { tenant: tenant_id("contoso"), rule: rule_name(rule), score: Some(SCORE), subject: None };
    let notification = compose::for_operator(NotificationType::Test, &[name], None, facts, now);
    let tenant = Some(tenant_id("contoso"));
    let new = NewNotification { notification, alert: Some(alert), tenant, channels: channels(to), hold: None };
    assert!(store.announce(new, now).await.unwrap());
}

/// What a receiver was sent, by the names given to [`queue`], with the answer.
pub(super) fn sent(fixture: &Fixture, channel: &str) -> Vec<(String, u16)> {
    let line = |request: Arc<scorewatch::simulation::receiver::Received>| {
        let name = request.json()["data"]["operator"]["summary"].as_str().unwrap().to_owned();
        (name, request.status.unwrap())
    };
    fixture.receivers.received_by(channel).into_iter().map(line).collect()
}

pub(super) fn lines(expected: &[(&str, u16)]) -> Vec<(String, u16)> {
    expected.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect()
}

pub(super) async fn states(fixture: &Fixture) -> Vec<DeliveryState> {
    fixture.deliveries().await.iter().map(|delivery| delivery.state).collect()
}

/// `soc`, and `ops` for the operator.
pub(super) fn two_channels(fixture: &Fixture) -> Config {
    let mut config = config().with_channel(fixture.channel("soc")).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["soc", "ops"]), ..config.operator };
    config
}

#[tokio::test]
async fn an_accepted_message_is_delivered_and_its_tenant_is_evaluated() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, mut arrived) = fixture.dispatcher(two_channels(&fixture));
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 204)]));
    let delivery = fixture.deliveries().await.remove(0);
    assert_eq!((delivery.state, delivery.attempts, delivery.possible_duplicate), (DeliveryState::Delivered, 1, false));
    assert_eq!(delivery.finished_at, Some(fixture.clock.now()));
    assert_eq!(fixture.receivers.received()[0].header("webhook-id"), delivery.notification.as_str());
    assert_eq!(event(arrived.recv()).await.flatten(), Some(tenant_id("contoso")));
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc").len(), 1);
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.script("soc", vec![Reply::status(503), Reply::close()]);
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    for attempts in 1..=3 {
        dispatcher.drain().await.unwrap();
        assert_eq!(fixture.deliveries().await[0].attempts, attempts);
        fixture.pass(15);
    }
    let received = fixture.receivers.received_by("soc");
    assert_eq!(received.iter().map(|request| request.status).collect::<Vec<_>>(), [Some(503), None, Some(204)]);
    assert!(received.iter().all(|request| request.header("webhook-id") == received[0].header("webhook-id")));
    assert_eq!(states(&fixture).await[0], DeliveryState::Delivered);
    assert!(received[2].json()["data"]["notification"]["possible_duplicate"] == true, "its answer was lost once");
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_exactly_that() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.script("soc", vec![Reply::status(429).retry_after("30")]);
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    queue(fixture.store.as_ref(), "two", "drop", &["soc"], fixture.clock.now()).await;
    let asked_at = fixture.clock.now();
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 429)]), "nothing else to that channel");
    assert_eq!(fixture.deliveries().await[0].next_attempt_at, asked_at.plus(Duration::from_secs(30)));
    fixture.clock.advance(Duration::from_secs(29));
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 429)]), "what it asks for concerns the channel");
    fixture.clock.advance(Duration::from_secs(1));
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[1..], lines(&[("one", 204), ("two", 204)]));
}

#[tokio::test]
async fn what_is_never_taken_becomes_a_dead_letter_that_can_be_resent() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, mut arrived) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.set("soc", Some(Reply::status(503)));
    let queued_at = fixture.clock.now();
    queue(fixture.store.as_ref(), "one", "low", &["soc"], queued_at).await;
    while states(&fixture).await[0] == DeliveryState::Queued {
        dispatcher.drain().await.unwrap();
        fixture.pass(15);
        assert!(fixture.clock.now().since(queued_at) < Duration::from_hours(26));
    }
    let dead = fixture.deliveries().await.remove(0);
    assert_eq!(dead.state, DeliveryState::Dead);
    assert_eq!(dead.last_error.as_deref(), Some("given up: the receiver answered 503"));
    assert!(dead.finished_at.unwrap().since(queued_at) > Duration::from_hours(23));
    assert_eq!(event(arrived.recv()).await.flatten(), Some(tenant_id("contoso")));
    fixture.receivers.set("soc", None);
    assert!(fixture.store.resend(dead.id, by_ann(fixture.clock.now())).await.unwrap());
    fixture.pass(30);
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&fixture).await[0], DeliveryState::Delivered);
}

#[tokio::test]
async fn a_final_refusal_stops_that_message_at_once_and_no_other() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.script("soc", vec![Reply::status(400)]);
    for name in ["one", "two"] {
        queue(fixture.store.as_ref(), name, "low", &["soc"], fixture.clock.now()).await;
    }
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 400), ("two", 204)]));
    assert_eq!(states(&fixture).await[..2], [DeliveryState::Dead, DeliveryState::Delivered]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_parks_its_channel_and_keeps_the_queue_in_order() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.set("soc", Some(Reply::status(404)));
    for (name, rule) in [("one", "low"), ("two", "drop"), ("three", "low")] {
        queue(fixture.store.as_ref(), name, rule, &["soc"], fixture.clock.now()).await;
    }
    for _ in 0..3 {
        dispatcher.drain().await.unwrap();
        fixture.pass(4);
    }
    assert_eq!(sent(&fixture, "soc"), lines(&[("one", 404)]), "no further request before its time");
    assert_eq!(states(&fixture).await[..3], [DeliveryState::Parked, DeliveryState::Queued, DeliveryState::Queued]);
    assert_eq!(
        fixture.received("ops"),
        [("operator.channel".to_owned(), Some(204))],
        "once, and through another channel"
    );
    let said = &fixture.receivers.received_by("ops")[0].json()["data"]["operator"];
    assert_eq!((said["channel"].as_str(), said["class"].as_str()), (Some("soc"), Some("channel-parked")));
    assert!(said["hint"].as_str().unwrap().contains("channels unpark soc"));

    fixture.receivers.set("soc", None);
    assert!(fixture.store.unpark(&channel_name("soc"), by_ann(fixture.clock.now())).await.unwrap());
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[1..], lines(&[("one", 204), ("two", 204), ("three", 204)]));

    fixture.receivers.set("soc", Some(Reply::status(410)));
    queue(fixture.store.as_ref(), "four", "low", &["soc"], fixture.clock.now()).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(fixture.received("ops").len(), 3, "that it works again, and that it is parked again");
}

#[tokio::test]
async fn a_parked_channel_is_reported_even_after_a_stop_in_between() {
    let fixture = Fixture::new().await;
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    let Claim::Send(claimed) =
        fixture.store.claim(&channel_name("soc"), ClaimTerms::default(), fixture.clock.now()).await.unwrap()
    else {
        panic!()
    };
    let parked = AttemptOutcome::Parked { error: "gone".to_owned() };
    fixture.store.settle(claimed.id, claimed.attempt, parked, None, fixture.clock.now()).await.unwrap();
    // After each restart the channel is tried again; after the last one its receiver takes what it is sent.
    let (gone, parked, works) = (Some(Reply::status(404)), "channel-parked", "channel-works-again");
    for (reply, expected) in [(gone.clone(), vec![parked]), (gone, vec![parked]), (None, vec![parked, works])] {
        fixture.pass(20);
        let config = two_channels(&fixture);
        fixture.receivers.set("soc", reply);
        let (dispatcher, _config, _settled) = fixture.dispatcher(config);
        dispatcher.drain().await.unwrap();
        let class = |body: serde_json::Value| body["data"]["operator"]["class"].as_str().unwrap().to_owned();
        let said: Vec<_> = fixture.receivers.received_by("ops").iter().map(|one| class(one.json())).collect();
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn one_alerts_messages_keep_their_order_while_the_first_waits() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    fixture.receivers.script("soc", vec![Reply::status(503)]);
    for (name, rule) in [("fired", "low"), ("resolved", "low"), ("other", "drop")] {
        queue(fixture.store.as_ref(), name, rule, &["soc"], fixture.clock.now()).await;
    }
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc"), lines(&[("fired", 503)]));
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[1..], lines(&[("other", 204)]), "another alert's goes on");
    fixture.pass(1);
    dispatcher.drain().await.unwrap();
    assert_eq!(sent(&fixture, "soc")[2..], lines(&[("fired", 204), ("resolved", 204)]));
}

#[tokio::test]
async fn what_the_configuration_no_longer_allows_is_not_sent_but_kept_as_a_dead_letter() {
    type Edit = fn(&mut Config);
    let table: [(Edit, &str); 3] = [
        (|config| drop(config.channels.remove("soc")), "the channel is not notified of this any more"),
        (
            |config| {
                let mut fenced = (*config.channels["soc"]).clone();
                fenced.audience.tenants = Some([tenant_id("fabrikam")].into());
                config.channels.insert(fenced.name.clone(), Arc::new(fenced));
            },
            "the channel may not show this tenant",
        ),
        (
            |config| {
                let mut fenced = (*config.channels["soc"]).clone();
                fenced.audience.labels.0.insert("tier".into(), "gold".into());
                config.channels.insert(fenced.name.clone(), Arc::new(fenced));
            },
            "the channel may not show this tenant",
        ),
    ];
    for (edit, why) in table {
        let fixture = Fixture::new().await;
        let mut config = two_channels(&fixture);
        let (dispatcher, sender, mut arrived) = fixture.dispatcher(config.clone());
        queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
        edit(&mut config);
        sender.send(Arc::new(config)).unwrap();
        dispatcher.drain().await.unwrap();
        assert!(fixture.receivers.received_by("soc").is_empty(), "{why}");
        assert_eq!(fixture.received("ops").len(), 1, "the operator is notified: {why}");
        let delivery = fixture.deliveries().await.remove(0);
        assert_eq!((delivery.state, delivery.last_error.as_deref()), (DeliveryState::Dead, Some(why)));
        assert_eq!(event(arrived.recv()).await.flatten(), Some(tenant_id("contoso")));
    }
}

#[tokio::test]
async fn what_may_have_arrived_before_a_crash_is_sent_again_with_its_mark() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    let Claim::Send(claimed) =
        fixture.store.claim(&channel_name("soc"), ClaimTerms::default(), fixture.clock.now()).await.unwrap()
    else {
        panic!()
    };
    dispatcher.drain().await.unwrap();
    assert!(fixture.receivers.received().is_empty(), "one in flight");
    assert_eq!(fixture.store.recover(fixture.clock.now()).await.unwrap(), 1);
    dispatcher.drain().await.unwrap();
    let received = fixture.receivers.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].json()["data"]["notification"]["possible_duplicate"], true);
    assert_eq!(received[0].header("webhook-id"), claimed.notification.data.notification.id.as_str());
}

#[tokio::test]
async fn a_drain_that_is_asked_to_stop_leaves_the_queue_as_it_was() {
    let fixture = Fixture::new().await;
    let (dispatcher, _config, _settled) = fixture.dispatcher(two_channels(&fixture));
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    fixture.shutdown.cancel();
    dispatcher.drain().await.unwrap();
    assert!(fixture.receivers.received().is_empty());
    assert_eq!(fixture.deliveries().await[0].attempts, 0);
}

/// A channel of that receiver that may show only this tenant.
fn for_one(fixture: &Fixture, name: &str, tenant: &str, url: SecretReference) -> ChannelSettings {
    let tenants = Some([tenant_id(tenant)].into());
    let kind = ChannelKind::Slack(Slack { url });
    ChannelSettings { kind, audience: Audience { tenants, ..Audience::default() }, ..fixture.channel(name) }
}

#[tokio::test]
async fn a_receiver_that_another_audience_reads_gets_nothing_as_soon_as_that_is_known() {
    let fixture = Fixture::new().await;
    let secret = |name: &str| SecretReference::File(fixture.directory.path().join(name));
    let write = |name: &str, url: &str| std::fs::write(fixture.directory.path().join(name), url).unwrap();
    let url = fixture.receivers.add_webhook("shared");
    write("theirs", &format!("{url}/?x=1"));
    // The address is not there when the configuration is loaded, as with a store that does not answer.
    let config = config()
        .with_channel(for_one(&fixture, "contoso", "contoso", secret("contoso")))
        .with_channel(for_one(&fixture, "fabrikam", "fabrikam", secret("theirs")))
        .with_channel(fixture.channel("ops"));
    let config = Config { operator: Operator { notify: channels(&["ops"]), ..config.operator.clone() }, ..config };
    let (dispatcher, _config, _settled) = fixture.dispatcher(config);
    queue(fixture.store.as_ref(), "one", "low", &["contoso"], fixture.clock.now()).await;
    dispatcher.drain().await.unwrap();
    assert_eq!(
        states(&fixture).await[0],
        DeliveryState::Parked,
        "its address can't be read, and the operator hears of it"
    );
    write("contoso", &url.replace("127.0.0.1", "0x7f.1"));
    fixture.pass(15);
    dispatcher.drain().await.unwrap();
    assert_eq!(fixture.receivers.received_by("shared").len(), 0, "another customer reads there");
    assert_eq!(states(&fixture).await[0], DeliveryState::Parked);
    let arrived = fixture.receivers.received_by("ops").last().unwrap().json();
    let summary = arrived["data"]["operator"]["summary"].as_str().unwrap();
    assert!(summary.contains("channel `fabrikam` sends to the same receiver"), "{summary}");
    write("contoso", &fixture.receivers.add_webhook("own"));
    fixture.store.unpark(&channel_name("contoso"), by_ann(fixture.clock.now())).await.unwrap();
    dispatcher.drain().await.unwrap();
    assert_eq!(states(&fixture).await[0], DeliveryState::Delivered);
}
