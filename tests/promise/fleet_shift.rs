//! When all tenants fall together, each channel is sent one notice, about those that it may see; whoever fell farther is reported
//! on its own. From then on each alert is like any other.

use serde_json::{Value, json};

use crate::harness::{Arrived, HIGH, SENTINEL, SOC, Service, World, kinds};

/// The channel of two tenants.
const OWN: &str = "own";
/// With `contoso`, which falls farther, thirteen of fourteen.
const FALL: usize = 12;
/// Where they fall to.
const FALLEN: f64 = 280.0;

fn name(number: usize) -> String {
    format!("t{number:02}")
}

async fn world() -> World {
    let mut world = World::new().await;
    for number in 0..FALL {
        world.add_tenant(&name(number));
    }
    let url = world.receivers.add_webhook(OWN);
    world.setup.channel(OWN, &format!("type: webhook, url: \"{url}\", tenants: [t03, t04]"));
    for tenant in ["t03", "t04"] {
        let file = format!("tenants/{tenant}.yaml");
        let yaml = std::fs::read_to_string(world.folder.path().join(&file)).unwrap();
        world.folder.write(&file, &format!("{yaml}notify: [own]\n"));
    }
    // Long enough for a slow machine to have read everybody.
    world.setup.top.push_str("fleet: { hold: 3s, at_least: 10 }\n");
    world
}

/// Everybody was read, and then everybody but the sentinel falls at once.
async fn fall(world: &World, service: &Service) {
    world.checked(service, SENTINEL, 2).await;
    world.all_checked(service, 2).await;
    for number in 0..FALL {
        world.set_score(&name(number), FALLEN);
    }
    world.set_score("contoso", 100.0);
}

/// What a channel's messages about shifts say, each once, though its lines are listed as well. Scores that are set while everybody
/// is read may take a follow-up.
fn notices(arrived: &[Arrived]) -> Vec<Value> {
    let notices = arrived
        .iter()
        .filter(|arrived| arrived.accepted && arrived.kind == "fleet.shift" && arrived.id == arrived.message);
    notices.map(|arrived| arrived.body["data"].clone()).collect()
}

/// The tenants that those messages have lines of that kind about, in order.
fn lines(arrived: &[Arrived], kind: &str) -> Vec<String> {
    let mut tenants: Vec<String> = notices(arrived)
        .iter()
        .flat_map(|notice| notice["items"].as_array().cloned().unwrap_or_default())
        .filter(|item| item["type"] == kind)
        .map(|item| item["tenant"]["id"].as_str().unwrap().to_owned())
        .collect();
    tenants.sort();
    tenants
}

/// What a channel was sent about single tenants other than the sentinel.
fn by_themselves(world: &World, channel: &str) -> Vec<(String, String)> {
    let arrived =
        world.arrived(channel).into_iter().filter(|arrived| arrived.accepted && arrived.id == arrived.message);
    let arrived = arrived.filter(|arrived| !arrived.tenant.is_empty() && arrived.tenant != SENTINEL);
    arrived.map(|arrived| (arrived.tenant, arrived.kind)).collect()
}

async fn both_arrive(world: &World, service: &Service) {
    for (channel, count) in [(SOC, FALL), (OWN, 2)] {
        world.until(service, channel, |arrived| lines(arrived, "alert.firing").len() >= count).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fall_of_all_tenants_is_one_notice_per_channel_and_an_outlier_is_reported_on_its_own() {
    let world = world().await;
    let service = world.run().await;
    fall(&world, &service).await;
    both_arrive(&world, &service).await;
    let all: Vec<String> = (0..FALL).map(name).collect();
    let arrived = world.arrived(SOC);
    assert!(notices(&arrived).len() <= 2, "a notice, and at most a follow-up: {arrived:?}");
    let facts = notices(&arrived)[0]["fleet"].clone();
    assert_eq!((&facts["median"], &facts["measure"]), (&json!(-44.0), &json!("percent")));
    assert_eq!(facts["evidence"]["verdict"], "none");
    assert_eq!(lines(&arrived, "alert.firing"), all);
    let own = world.arrived(OWN);
    assert_eq!(lines(&own, "alert.firing"), ["t03", "t04"]);
    let text = format!("{:?}", notices(&own));
    assert!(!text.contains("contoso") && !text.contains("t05"), "a channel hears of its own alone: {text}");
    let fired = ("contoso".to_owned(), "alert.firing".to_owned());
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    assert_eq!(by_themselves(&world, SOC), std::slice::from_ref(&fired));
    let firing = world.listing(&["alerts", "list", "--json"]).await;
    assert_eq!(firing.len(), FALL + 1, "each alert keeps its state");
    let shift = facts["id"].as_str().unwrap();
    assert!(firing.iter().filter(|alert| alert["shift"] == shift).count() >= 10, "and knows its shift");

    for number in 0..FALL {
        world.set_score(&name(number), HIGH);
    }
    world.set_score("contoso", HIGH);
    for (channel, count) in [(SOC, FALL), (OWN, 2)] {
        world.until(&service, channel, |arrived| lines(arrived, "alert.resolved").len() >= count).await;
    }
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    assert_eq!(lines(&world.arrived(SOC), "alert.resolved"), all, "the end of each has a line");
    assert_eq!(by_themselves(&world, SOC), [fired, ("contoso".to_owned(), "alert.resolved".to_owned())]);
    assert_eq!(by_themselves(&world, OWN), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shift_recorded_before_a_crash_is_reported_once_after_it() {
    let world = world().await;
    let service = world.run().await;
    fall(&world, &service).await;
    service.says("\"a fleet shift\"").await;
    service.kill();
    let service = world.run().await;
    both_arrive(&world, &service).await;
    world.quiet(&service).await;
    service.kill();
    let service = world.run().await;
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    for (channel, count) in [(SOC, FALL), (OWN, 2)] {
        let arrived = world.arrived(channel);
        let first: Vec<Arrived> = arrived.into_iter().filter(|arrived| !arrived.possible_duplicate).collect();
        let repeated: Vec<String> = lines(&world.arrived(channel), "alert.firing");
        let mut each = repeated.clone();
        each.dedup();
        assert_eq!(each.len(), count, "{channel}: each has a line: {repeated:?}");
        assert!(lines(&first, "alert.firing").len() <= count, "{channel}: and an unmarked one once");
    }
    assert_eq!(kinds(&world.accepted(SOC, "contoso"))[..1], [("alert.firing", 1)]);
}
