//! Drills on a clock that stands still: when they go out, what they let go on, and who hears when they are not seen.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scorewatch::{
    action,
    channel::{ChannelKind, ChannelSettings, Teams},
    config::{Config, Operator},
    delivery::Dispatcher,
    domain::{Caller, Timestamp},
    notify::{DeliveryState, NotificationId},
    secret::SecretReference,
    service::drill,
    simulation::Reply,
};

use super::{
    delivery::queue,
    fixture::Fixture,
    setup::{self, Build, channel_name, channels, config},
};

const DAY: Duration = Duration::from_hours(24);

/// `soc`, and `ops` for the operator, each drilled every 30 days.
fn two_channels(fixture: &Fixture) -> Config {
    let mut config = config().with_channel(fixture.channel("soc")).with_channel(fixture.channel("ops"));
    config.operator = Operator { notify: channels(&["soc", "ops"]), ..config.operator };
    config
}

/// A Teams channel `flow`, whose drills are confirmed by people.
fn with_flow(fixture: &Fixture, mut config: Config) -> Config {
    let secret = fixture.directory.path().join("flow");
    std::fs::write(&secret, fixture.receivers.add_teams("flow")).unwrap();
    let kind = ChannelKind::Teams(Teams { url: SecretReference::File(secret) });
    let flow = ChannelSettings { kind, ..setup::channel("flow", "") };
    config.public_url = Some("https://scores.mssp.example".to_owned());
    config.with_channel(flow)
}

/// Lets days pass as the service would spend them, but with housekeeping every six hours only.
async fn days(fixture: &Fixture, dispatcher: &Dispatcher, config: &Config, count: u64) {
    for _ in 0..count * 4 {
        drill::queue_due(fixture.store.as_ref(), config, fixture.clock.now()).await.unwrap();
        fixture.pass(60);
        dispatcher.drain().await.unwrap();
        fixture.pass(300);
    }
}

/// On which days after `start` a channel's drills arrived.
async fn drilled_on(fixture: &Fixture, channel: &str, start: Timestamp) -> Vec<u64> {
    let mut days = Vec::new();
    for delivery in fixture.deliveries().await {
        let detail = fixture.store.delivery(delivery.id).await.unwrap().unwrap();
        if detail.notification.kind.as_str() == "drill" && delivery.channel.as_str() == channel {
            days.extend(delivery.finished_at.map(|at| at.since(start).as_secs() / DAY.as_secs()));
        }
    }
    days
}

/// The classes of what `ops` heard about channels.
fn heard(fixture: &Fixture) -> Vec<String> {
    let class = |body: serde_json::Value| body["data"]["operator"]["class"].as_str().map(str::to_owned);
    fixture.receivers.received_by("ops").iter().filter_map(|request| class(request.json())).collect()
}

/// The drill that the flow's card links to.
fn linked(card: &serde_json::Value) -> NotificationId {
    let text = card.to_string();
    let (_, id) = text.split_once("https://scores.mssp.example/confirm/").unwrap();
    NotificationId::parse(&id[..id.find('"').unwrap()]).unwrap()
}

#[tokio::test]
async fn a_channel_is_drilled_when_nothing_has_proven_it_for_its_interval() {
    let fixture = Fixture::new().await;
    let start = fixture.clock.now();
    let mut config = two_channels(&fixture).with_channel(fixture.channel("used"));
    config = config.with_channel(ChannelSettings { drill: None, ..fixture.channel("never") });
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    days(&fixture, &dispatcher, &config, 20).await;
    assert!(fixture.receivers.received().is_empty(), "a new channel gets nothing");
    queue(fixture.store.as_ref(), "real", "low", &["used"], fixture.clock.now()).await;
    days(&fixture, &dispatcher, &config, 45).await;
    assert_eq!(drilled_on(&fixture, "soc", start).await, [30, 60]);
    assert_eq!(drilled_on(&fixture, "used", start).await, [50], "a real message is as good as a drill");
    assert!(fixture.receivers.received_by("never").is_empty());
    let drill = fixture.receivers.received_by("soc")[0].json();
    assert_eq!((&drill["type"], &drill["data"]["tenant"]), (&"drill".into(), &serde_json::Value::Null));
    assert!(drill["data"]["links"].get("confirm").is_none(), "there is no `public_url`");
    assert!(heard(&fixture).is_empty(), "every channel is proven");
}

#[tokio::test]
async fn a_reload_lets_the_time_until_a_new_channel_s_first_drill_begin() {
    let fixture = Fixture::new().await;
    let (sender, current) = tokio::sync::watch::channel(Arc::new(config()));
    let follower =
        drill::onboard_reloaded(fixture.store.clone(), current, fixture.clock.clone(), fixture.shutdown.clone());
    let reloading = async {
        for (round, name) in ["soc", "ops"].into_iter().enumerate() {
            fixture.pass(1);
            sender.send(Arc::new(two_channels(&fixture).with_channel(fixture.channel(name)))).unwrap();
            while fixture.store.channels().await.unwrap().len() < 2 {
                tokio::task::yield_now().await;
            }
            let seen: Vec<_> =
                fixture.store.channels().await.unwrap().into_iter().map(|record| record.seen_at).collect();
            assert_eq!(seen, [Some(setup::at(1)), Some(setup::at(1))], "round {round}");
        }
        fixture.shutdown.cancel();
    };
    tokio::join!(follower, reloading);
}

#[tokio::test]
async fn drills_that_fall_due_together_go_out_one_by_one_and_once() {
    let fixture = Fixture::new().await;
    let config = (0..200).fold(config(), |config, number| {
        let name = format!("channel-{number}");
        config.with_channel(setup::channel(&name, "https://nobody.example/"))
    });
    drill::queue_due(fixture.store.as_ref(), &config, fixture.clock.now()).await.unwrap();
    fixture.clock.advance(30 * DAY);
    let now = fixture.clock.now();
    for _crash in 0..3 {
        drill::queue_due(fixture.store.as_ref(), &config, now).await.unwrap();
        fixture.pass(20);
    }
    let queued = fixture.deliveries().await;
    assert_eq!(queued.len(), 200);
    let minutes: BTreeSet<_> = queued.iter().map(|one| one.next_attempt_at.since(now).as_secs() / 60).collect();
    assert!(minutes.len() > 50 && *minutes.last().unwrap() < 60, "{minutes:?}");
}

#[tokio::test]
async fn no_alert_waits_for_a_drill() {
    let fixture = Fixture::new().await;
    let config = two_channels(&fixture);
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    let now = fixture.clock.now();
    assert!(drill::queue(fixture.store.as_ref(), &config, &channel_name("soc"), now, now).await.unwrap());
    queue(fixture.store.as_ref(), "one", "low", &["soc"], now).await;
    fixture
        .receivers
        .script("soc", vec![Reply::status(204), Reply::status(503), Reply::status(503), Reply::status(503)]);
    for _attempt in 0..3 {
        dispatcher.drain().await.unwrap();
        fixture.pass(15);
    }
    queue(fixture.store.as_ref(), "two", "low", &["soc"], fixture.clock.now()).await;
    dispatcher.drain().await.unwrap();
    let sent = fixture.received("soc");
    let kinds: Vec<_> = sent.iter().map(|(kind, status)| (kind.as_str(), status.unwrap())).collect();
    assert_eq!(kinds[..2], [("test", 204), ("drill", 503)], "the alert goes first");
    assert!(
        kinds[2..].starts_with(&[("drill", 503), ("drill", 503), ("test", 204)]),
        "no breaker was opened: {kinds:?}"
    );
}

#[tokio::test]
async fn a_drill_that_arrives_lets_a_parked_channel_go_on() {
    let fixture = Fixture::new().await;
    let config = two_channels(&fixture);
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    days(&fixture, &dispatcher, &config, 1).await;
    fixture.receivers.set("soc", Some(Reply::status(404)));
    queue(fixture.store.as_ref(), "one", "low", &["soc"], fixture.clock.now()).await;
    days(&fixture, &dispatcher, &config, 32).await;
    let drills = fixture.received("soc").iter().filter(|(kind, _)| kind == "drill").count();
    assert_eq!(drills, 1, "a month later; all others try the message");
    let before = fixture.received("soc").len();
    let now = fixture.clock.now();
    for later in 0..2 {
        let at = now.plus(Duration::from_secs(later));
        drill::queue(fixture.store.as_ref(), &config, &channel_name("soc"), at, now).await.unwrap();
    }
    fixture.receivers.set("soc", None);
    dispatcher.drain().await.unwrap();
    let sent: Vec<_> = fixture.received("soc")[before..].iter().map(|(kind, _)| kind.clone()).collect();
    assert_eq!(sent, ["drill", "test"], "one drill speaks for those that waited, and the queue goes on");
    let states: BTreeSet<_> = fixture.deliveries().await.iter().map(|delivery| delivery.state.as_str()).collect();
    assert_eq!(states, [DeliveryState::Delivered.as_str()].into());
}

#[tokio::test]
async fn the_operator_is_notified_once_of_a_flow_that_nobody_confirms() {
    let fixture = Fixture::new().await;
    let config = with_flow(&fixture, two_channels(&fixture));
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    days(&fixture, &dispatcher, &config, 37).await;
    assert!(heard(&fixture).is_empty());
    assert_eq!(fixture.receivers.posted("flow").len(), 1, "the card is a good one");
    days(&fixture, &dispatcher, &config, 13).await;
    let (dispatcher, _sender, _heard) = fixture.dispatcher(config.clone());
    days(&fixture, &dispatcher, &config, 20).await;
    assert_eq!(heard(&fixture), ["channel-unproven"], "once, also over a restart, and while drills go on");
    let said =
        fixture.receivers.received_by("ops").into_iter().map(|request| request.json()["data"]["operator"].clone());
    let mut said = said.into_iter();
    let said = said.find(serde_json::Value::is_object).unwrap();
    assert_eq!(said["channel"], "flow");
    assert!(said["hint"].as_str().unwrap().contains("scorewatch channels drill flow"), "{said}");

    let cards = fixture.receivers.posted("flow");
    assert_eq!(cards.len(), 2);
    let confirmed =
        action::drill::confirm(&*fixture.store, &Caller::local("ann"), &linked(&cards[1]), fixture.clock.now())
            .await
            .unwrap();
    assert_eq!(confirmed, [channel_name("flow")]);
    days(&fixture, &dispatcher, &config, 10).await;
    assert_eq!(heard(&fixture).len(), 1, "it is proven");
    days(&fixture, &dispatcher, &config, 30).await;
    assert_eq!(heard(&fixture), ["channel-unproven", "channel-unproven"], "another episode");
}

#[tokio::test]
async fn a_flow_whose_drills_nobody_can_confirm_is_proven_by_being_taken() {
    let fixture = Fixture::new().await;
    let mut config = with_flow(&fixture, two_channels(&fixture));
    config.public_url = Some("http://scores.mssp.example".to_owned());
    let (dispatcher, _config, _settled) = fixture.dispatcher(config.clone());
    days(&fixture, &dispatcher, &config, 75).await;
    assert!(heard(&fixture).is_empty());
    let cards = fixture.receivers.posted("flow");
    assert!(cards.len() == 2 && !cards[0].to_string().contains("confirm"), "{cards:?}");
}
