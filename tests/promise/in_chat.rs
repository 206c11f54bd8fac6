//! The same news reaches every kind of channel with the same id, in a form that the receiver shows.

use crate::harness::{LOW, SOC, World, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_chat_application_takes_the_message_with_the_same_short_id() {
    let mut world = World::new().await;
    for (kind, url) in [
        ("teams", world.receivers.add_teams("teams")),
        ("slack", world.receivers.add_slack("slack")),
        ("discord", world.receivers.add_discord("discord")),
        ("google-chat", world.receivers.add_google_chat("google-chat")),
        ("mattermost", world.receivers.add_mattermost("mattermost")),
    ] {
        world.folder.write(&format!("secrets/{kind}"), &url);
        world.setup.channel(kind, &format!("type: {kind}, url: {{ file: secrets/{kind} }}"));
    }
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, teams, slack, discord, google-chat, mattermost]");
    let service = world.run().await;
    let address = service.listening().await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    assert_eq!(get(address, "/healthz").await.0, 200);
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    for channel in [SOC, "teams", "slack", "discord", "google-chat", "mattermost"] {
        world.until(&service, channel, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    }
    let arrived = world.accepted(SOC, "contoso");
    let short_id = arrived[0].body["data"]["notification"]["short_id"].as_str().unwrap();
    let cards = world.receivers.posted("teams");
    assert_eq!(cards.len(), 1, "Teams accepts everything, but shows only valid cards");
    let mut texts = vec![cards[0].to_string()];
    for channel in ["slack", "discord", "google-chat", "mattermost"] {
        let messages = world.receivers.received_by(channel);
        assert!(messages[0].accepted(), "{:?}", messages[0]);
        texts.push(messages[0].json().to_string());
    }
    for text in texts {
        for expected in [short_id, "contoso Ltd", "device-score-low", "200"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    assert!(get(address, "/metrics").await.1.contains("scorewatch_"));
}
