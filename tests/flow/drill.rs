//! Drills on a clock that stands still: when they go out, what they let go on, and who hears when they are not seen.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scorewatch::{
    channel::{ChannelKind, ChannelSettings, Teams},
    config::{Config, Operator},
    delivery::Dispatcher,
    domain::Timestamp,
    notify::{DeliveryState, NotificationId},
    secret::SecretReference,
    service::drill,
    simulation::Reply,
};

use super::{
    bed::Bed,
    delivery::queue,
    setup::{self, Build, channel_name, channels, config},
};

const DAY: Duration = Duration::from_hours(24);

/// `soc`, and `ops` for the operator, each drilled every 30 days.
fn two_channels(bed: &Bed) -> Config {
    let mut config = config().with_channel(bed.channel("soc")).with_channel(bed.channel("ops"));
    config.operator = Operator { notify: channels(&["soc", "ops"]), ..config.operator };
    config
}

/// A Teams channel `flow`, whose drills are confirmed by people.
fn with_flow(bed: &Bed, mut config: Config) -> Config {
    let secret = bed.directory.path().join("flow");
    std::fs::write(&secret, bed.receivers.add_teams("flow")).unwrap();
    let kind = ChannelKind::Teams(Teams { url: SecretReference::File(secret) });
    let flow = ChannelSettings { kind, ..setup::channel("flow", "") };
    config.public_url = Some("https://scores.mssp.example".to_owned());
    config.with_channel(flow)
}

/// Lets days pass as the service would spend them, but with housekeeping every six hours only.
async fn days(bed: &Bed, dispatcher: &Dispatcher, config: &Config, count: u64) {
    for _ in 0..count * 4 {
        drill::queue_due(bed.store.as_ref(), config, bed.clock.now()).await.unwrap();
        bed.pass(60);
        dispatcher.drain().await.unwrap();
        bed.pass(300);
    }
}

/// On which days after `start` a channel's drills arrived.
async fn drilled_on(bed: &Bed, channel: &str, start: Timestamp) -> Vec<u64> {
    let mut days = Vec::new();
    for delivery in bed.deliveries().await {
        let detail = bed.store.delivery(delivery.id).await.unwrap().unwrap();
        if detail.notification.kind.as_str() == "drill" && delivery.channel.as_str() == channel {
            days.extend(delivery.finished_at.map(|at| at.since(start).as_secs() / DAY.as_secs()));
        }
    }
    days
}

/// The classes of what `ops` heard about channels.
fn heard(bed: &Bed) -> Vec<String> {
    let class = |body: serde_json::Value| body["data"]["operator"]["class"].as_str().map(str::to_owned);
    bed.receivers.received_by("ops").iter().filter_map(|request| class(request.json())).collect()
}

/// The drill that the flow's card links to.
fn linked(card: &serde_json::Value) -> NotificationId {
    let text = card.to_string();
    let (_, id) = text.split_once("https://scores.mssp.example/confirm/").unwrap();
    NotificationId::parse(&id[..id.find('"').unwrap()]).unwrap()
}

#[tokio::test]
async fn a_channel_is_drilled_when_nothing_has_proven_it_for_its_interval() {
    let bed = Bed::new().await;
    let start = bed.clock.now();
    let mut config = two_channels(&bed).with_channel(bed.channel("used"));
    config = config.with_channel(ChannelSettings { drill: None, ..bed.channel("never") });
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    days(&bed, &dispatcher, &config, 20).await;
    assert!(bed.receivers.received().is_empty(), "a new channel gets nothing");
    queue(bed.store.as_ref(), "real", "low", &["used"], bed.clock.now()).await;
    days(&bed, &dispatcher, &config, 45).await;
    assert_eq!(drilled_on(&bed, "soc", start).await, [30, 60]);
    assert_eq!(drilled_on(&bed, "used", start).await, [50], "a real message is as good as a drill");
    assert!(bed.receivers.received_by("never").is_empty());
    let drill = bed.receivers.received_by("soc")[0].json();
    assert_eq!((&drill["type"], &drill["data"]["tenant"]), (&"drill".into(), &serde_json::Value::Null));
    assert!(drill["data"]["links"].get("confirm").is_none(), "there is no `public_url`");
    assert!(heard(&bed).is_empty(), "every channel is proven");
}

#[tokio::test]
async fn a_reload_lets_the_time_until_a_new_channel_s_first_drill_begin() {
    let bed = Bed::new().await;
    let (sender, current) = tokio::sync::watch::channel(Arc::new(config()));
    let follower = drill::adopt_reloaded(bed.store.clone(), current, bed.clock.clone(), bed.shutdown.clone());
    let reloading = async {
        for (round, name) in ["soc", "ops"].into_iter().enumerate() {
            bed.pass(1);
            sender.send(Arc::new(two_channels(&bed).with_channel(bed.channel(name)))).unwrap();
            while bed.store.channels().await.unwrap().len() < 2 {
                tokio::task::yield_now().await;
            }
            let seen: Vec<_> = bed.store.channels().await.unwrap().into_iter().map(|record| record.seen_at).collect();
            assert_eq!(seen, [Some(setup::at(1)), Some(setup::at(1))], "round {round}");
        }
        bed.shutdown.cancel();
    };
    tokio::join!(follower, reloading);
}

#[tokio::test]
async fn drills_that_fall_due_together_go_out_one_by_one_and_once() {
    let bed = Bed::new().await;
    let config = (0..200).fold(config(), |config, number| {
        let name = format!("channel-{number}");
        config.with_channel(setup::channel(&name, "https://nobody.example/"))
    });
    drill::queue_due(bed.store.as_ref(), &config, bed.clock.now()).await.unwrap();
    bed.clock.advance(30 * DAY);
    let now = bed.clock.now();
    for _crash in 0..3 {
        drill::queue_due(bed.store.as_ref(), &config, now).await.unwrap();
        bed.pass(20);
    }
    let queued = bed.deliveries().await;
    assert_eq!(queued.len(), 200);
    let minutes: BTreeSet<_> = queued.iter().map(|one| one.next_attempt_at.since(now).as_secs() / 60).collect();
    assert!(minutes.len() > 50 && *minutes.last().unwrap() < 60, "{minutes:?}");
}

#[tokio::test]
async fn no_alert_waits_for_a_drill() {
    let bed = Bed::new().await;
    let config = two_channels(&bed);
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    let now = bed.clock.now();
    assert!(drill::queue(bed.store.as_ref(), &config, &channel_name("soc"), now, now).await.unwrap());
    queue(bed.store.as_ref(), "one", "low", &["soc"], now).await;
    bed.receivers.script("soc", vec![Reply::status(204), Reply::status(503), Reply::status(503), Reply::status(503)]);
    for _attempt in 0..3 {
        dispatcher.drain().await.unwrap();
        bed.pass(15);
    }
    queue(bed.store.as_ref(), "two", "low", &["soc"], bed.clock.now()).await;
    dispatcher.drain().await.unwrap();
    let sent = bed.received("soc");
    let kinds: Vec<_> = sent.iter().map(|(kind, status)| (kind.as_str(), status.unwrap())).collect();
    assert_eq!(kinds[..2], [("test", 204), ("drill", 503)], "the alert goes first");
    assert!(
        kinds[2..].starts_with(&[("drill", 503), ("drill", 503), ("test", 204)]),
        "no breaker was opened: {kinds:?}"
    );
}

#[tokio::test]
async fn a_drill_that_arrives_lets_a_parked_channel_go_on() {
    let bed = Bed::new().await;
    let config = two_channels(&bed);
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    days(&bed, &dispatcher, &config, 1).await;
    bed.receivers.set("soc", Some(Reply::status(404)));
    queue(bed.store.as_ref(), "one", "low", &["soc"], bed.clock.now()).await;
    days(&bed, &dispatcher, &config, 32).await;
    let drills = bed.received("soc").iter().filter(|(kind, _)| kind == "drill").count();
    assert_eq!(drills, 1, "a month later; all others try the message");
    let before = bed.received("soc").len();
    let now = bed.clock.now();
    for later in 0..2 {
        let at = now.plus(Duration::from_secs(later));
        drill::queue(bed.store.as_ref(), &config, &channel_name("soc"), at, now).await.unwrap();
    }
    bed.receivers.set("soc", None);
    dispatcher.drain().await.unwrap();
    let sent: Vec<_> = bed.received("soc")[before..].iter().map(|(kind, _)| kind.clone()).collect();
    assert_eq!(sent, ["drill", "test"], "one drill speaks for those that waited, and the queue goes on");
    let states: BTreeSet<_> = bed.deliveries().await.iter().map(|delivery| delivery.state.as_str()).collect();
    assert_eq!(states, [DeliveryState::Delivered.as_str()].into());
}

#[tokio::test]
async fn a_flow_that_nobody_confirms_is_told_to_the_operator_once_until_somebody_does() {
    let bed = Bed::new().await;
    let config = with_flow(&bed, two_channels(&bed));
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    days(&bed, &dispatcher, &config, 37).await;
    assert!(heard(&bed).is_empty());
    assert_eq!(bed.receivers.posted("flow").len(), 1, "the card is a good one");
    days(&bed, &dispatcher, &config, 13).await;
    let (dispatcher, _sender, _heard) = bed.dispatcher(config.clone());
    days(&bed, &dispatcher, &config, 20).await;
    assert_eq!(heard(&bed), ["channel-unproven"], "once, also over a restart, and while drills go on");
    let said = bed.receivers.received_by("ops").into_iter().map(|request| request.json()["data"]["operator"].clone());
    let mut said = said.into_iter();
    let said = said.find(serde_json::Value::is_object).unwrap();
    assert_eq!(said["channel"], "flow");
    assert!(said["hint"].as_str().unwrap().contains("scorewatch channels drill flow"), "{said}");

    let cards = bed.receivers.posted("flow");
    assert_eq!(cards.len(), 2);
    let confirmed = bed.store.confirm(&linked(&cards[1]), bed.clock.now()).await.unwrap();
    assert_eq!(confirmed, [channel_name("flow")]);
    days(&bed, &dispatcher, &config, 10).await;
    assert_eq!(heard(&bed).len(), 1, "it is proven");
    days(&bed, &dispatcher, &config, 30).await;
    assert_eq!(heard(&bed), ["channel-unproven", "channel-unproven"], "another episode");
}

#[tokio::test]
async fn a_flow_whose_drills_nobody_can_confirm_is_proven_by_being_taken() {
    let bed = Bed::new().await;
    let mut config = with_flow(&bed, two_channels(&bed));
    config.public_url = Some("http://scores.mssp.example".to_owned());
    let (dispatcher, _config, _told) = bed.dispatcher(config.clone());
    days(&bed, &dispatcher, &config, 75).await;
    assert!(heard(&bed).is_empty());
    let cards = bed.receivers.posted("flow");
    assert!(cards.len() == 2 && !cards[0].to_string().contains("confirm"), "{cards:?}");
}
