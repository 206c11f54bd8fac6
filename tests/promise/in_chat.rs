//! The same news reaches every kind of channel with the same id, in a form that the receiver shows.

use crate::world::{LOW, SOC, World, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_shows_the_card_and_slack_takes_the_message_with_the_same_short_id() {
    let mut world = World::new().await;
    for (name, kind, url) in
        [("teams", "teams", world.receivers.add_teams("teams")), ("slack", "slack", world.receivers.add_slack("slack"))]
    {
        world.folder.write(&format!("secrets/{name}"), &url);
        world.setup.channel(name, &format!("type: {kind}, url: {{ file: secrets/{name} }}"));
    }
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, teams, slack]");
    let service = world.run().await;
    let address = service.listening().await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    assert_eq!(get(address, "/healthz").await.0, 200);
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    for channel in [SOC, "teams", "slack"] {
        world.until(&service, channel, |told| told.iter().any(|told| told.accepted)).await;
    }
    let told = world.accepted(SOC, "contoso");
    let short_id = told[0].body["data"]["notification"]["short_id"].as_str().unwrap();
    let cards = world.receivers.posted("teams");
    assert_eq!(cards.len(), 1, "Teams accepts everything, but shows only valid cards");
    let messages = world.receivers.received_by("slack");
    assert!(messages[0].accepted(), "{:?}", messages[0]);
    for text in [cards[0].to_string(), messages[0].json().to_string()] {
        for expected in [short_id, "contoso Ltd", "device-score-low", "200"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    assert!(get(address, "/metrics").await.1.contains("scorewatch_"));
}
