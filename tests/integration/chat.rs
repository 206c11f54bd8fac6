//! What the chat applications take, from the outbox to the receiver.

use std::sync::Arc;

use scorewatch::{
    channel::{ChannelKind, ChannelSettings, Discord, GoogleChat, Mattermost, Slack, Teams},
    notify::DeliveryState,
    secret::SecretReference,
    simulation::{Reply, receiver::Received},
};

use super::{
    delivery::queue,
    fixture::Fixture,
    setup::{Build, channel, config},
};

/// Every chat application, with what it answers to a message whose rich form it rejects.
fn chats(fixture: &Fixture) -> Vec<(ChannelSettings, Reply)> {
    let secret = |name: &str, url: String| {
        let path = fixture.directory.path().join(name);
        std::fs::write(&path, url).unwrap();
        SecretReference::File(path)
    };
    let receivers = &fixture.receivers;
    let teams = Teams { url: secret("teams", receivers.add_teams("teams")) };
    let slack = Slack { url: secret("slack", receivers.add_slack("slack")) };
    let discord = Discord { url: secret("discord", receivers.add_discord("discord")) };
    let google_chat = GoogleChat { url: secret("google", receivers.add_google_chat("google-chat")) };
    let mattermost = Mattermost { url: secret("mattermost", receivers.add_mattermost("mattermost")) };
    let kinds = [
        (ChannelKind::Teams(teams), Reply::status(400)),
        (ChannelKind::Slack(slack), Reply::text(400, "invalid_blocks")),
        (ChannelKind::Discord(discord), Reply::status(400)),
        (ChannelKind::GoogleChat(google_chat), Reply::status(400)),
        (ChannelKind::Mattermost(mattermost), Reply::status(413)),
    ];
    let named = |kind: ChannelKind| ChannelSettings { kind: kind.clone(), ..channel(kind.as_str(), "") };
    kinds.into_iter().map(|(kind, rejection)| (named(kind), rejection)).collect()
}

fn texts(requests: &[Arc<Received>]) -> Vec<String> {
    requests.iter().map(|request| request.json().to_string()).collect()
}

#[tokio::test]
async fn what_an_own_template_writes_gives_way_to_the_notification_itself() {
    let fixture = Fixture::new().await;
    let own = ChannelSettings { template: Some("webhook".to_owned()), ..fixture.channel("own") };
    let (dispatcher, _config, _settled) =
        fixture.dispatcher(config().with_channel(own).with_channel(fixture.channel("none")));
    for channel in ["own", "none"] {
        fixture.receivers.set(channel, Some(Reply::status(422)));
    }
    queue(fixture.store.as_ref(), "one", "low", &["own", "none"], fixture.clock.now()).await;
    for _ in 0..3 {
        dispatcher.drain().await.unwrap();
        fixture.pass(30);
    }
    let bodies = fixture.receivers.received_by("own");
    let is_itself: Vec<bool> = bodies.iter().map(|request| request.json()["data"].is_object()).collect();
    assert_eq!(is_itself, [false, true]);
    assert_eq!(fixture.receivers.received_by("none").len(), 1, "there is no plainer form of it");
    assert!(fixture.deliveries().await.iter().all(|delivery| delivery.state == DeliveryState::Dead));
}

#[tokio::test]
async fn a_rejected_message_is_said_once_more_as_plain_text_and_only_once() {
    let fixture = Fixture::new().await;
    let chats = chats(&fixture);
    let config = chats.iter().fold(config(), |config, (settings, _)| config.with_channel(settings.clone()));
    let names: Vec<String> = chats.iter().map(|(settings, _)| settings.name.to_string()).collect();
    let to: Vec<&str> = names.iter().map(String::as_str).collect();
    let (dispatcher, _config, _settled) = fixture.dispatcher(config);
    for (settings, rejection) in &chats {
        fixture.receivers.script(settings.name.as_str(), vec![rejection.clone()]);
    }
    queue(fixture.store.as_ref(), "it is *this* one", "low", &to, fixture.clock.now()).await;
    for _ in 0..2 {
        dispatcher.drain().await.unwrap();
        fixture.pass(30);
    }
    for name in &to {
        let requests = fixture.receivers.received_by(name);
        let accepted: Vec<bool> = requests.iter().map(|request| request.accepted()).collect();
        assert_eq!(accepted, [false, true], "{name}");
        let texts = texts(&requests);
        assert!(texts[1].len() < texts[0].len() && texts[1].contains("one"), "{name}: {}", texts[1]);
        assert!(!texts[1].contains("blocks") && !texts[1].contains("embeds") && !texts[1].contains("cardsV2"));
    }
    // A receiver that rejects the plain text too has said its last word.
    for (settings, rejection) in &chats {
        fixture.receivers.set(settings.name.as_str(), Some(rejection.clone()));
    }
    queue(fixture.store.as_ref(), "another", "drop", &to, fixture.clock.now()).await;
    for _ in 0..4 {
        dispatcher.drain().await.unwrap();
        fixture.pass(30);
    }
    for name in &to {
        assert_eq!(fixture.receivers.received_by(name).len(), 4, "{name}");
    }
    let dead = fixture.deliveries().await.iter().filter(|delivery| delivery.state == DeliveryState::Dead).count();
    assert_eq!(dead, to.len());
}
