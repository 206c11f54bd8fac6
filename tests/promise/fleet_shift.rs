//! When Microsoft changes the ruler and all tenants fall together, each channel hears it once, of those that it may see; whoever
//! fell by itself is told by itself.

use serde_json::{Value, json};

use crate::world::{HIGH, SENTINEL, SOC, Service, Told, World, kinds};

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

/// The notices of a channel, each once, though its lines are told of as well.
fn notices(told: &[Told]) -> Vec<Value> {
    let notices = told.iter().filter(|told| told.accepted && told.kind == "fleet.shift");
    notices.map(|told| told.body["data"].clone()).collect()
}

/// What a channel was told by itself of any tenant but the sentinel.
fn by_themselves(world: &World, channel: &str) -> Vec<(String, String)> {
    let told = world.told(channel).into_iter().filter(|told| told.accepted && told.id == told.message);
    let told = told.filter(|told| !told.tenant.is_empty() && told.tenant != SENTINEL);
    told.map(|told| (told.tenant, told.kind)).collect()
}

async fn both_are_told(world: &World, service: &Service) {
    for channel in [SOC, OWN] {
        world.until(service, channel, |told| !notices(told).is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fall_of_everybody_is_one_notice_for_each_channel_and_an_outlier_is_told_by_itself() {
    let world = world().await;
    let service = world.run().await;
    fall(&world, &service).await;
    both_are_told(&world, &service).await;
    let all: Vec<String> = (0..FALL).map(name).collect();
    let [of_soc] = &notices(&world.told(SOC))[..] else { panic!("{:?}", world.told(SOC)) };
    let facts = &of_soc["fleet"];
    assert_eq!((&facts["median"], &facts["measure"]), (&json!(-44.0), &json!("percent")));
    assert_eq!((&facts["tenants"], &facts["apart"]), (&json!(all), &json!(["contoso"])));
    assert_eq!(of_soc["items"].as_array().map(Vec::len), Some(FALL));
    let [of_own] = &notices(&world.told(OWN))[..] else { panic!("{:?}", world.told(OWN)) };
    let facts = &of_own["fleet"];
    assert_eq!((&facts["tenants"], &facts["tenant_count"]), (&json!(["t03", "t04"]), &json!(2)));
    assert_eq!(facts["apart"], Value::Null, "there is nobody else");
    let text = of_own.to_string();
    assert!(!text.contains("contoso") && !text.contains("t05"), "a channel hears of its own alone: {text}");
    let fired = ("contoso".to_owned(), "alert.firing".to_owned());
    assert_eq!(by_themselves(&world, SOC), std::slice::from_ref(&fired));
    let firing = world.listing(&["alerts", "list", "--json"]).await;
    assert_eq!(firing.len(), FALL + 1, "each alert keeps its state");

    for number in 0..FALL {
        world.set_score(&name(number), HIGH);
    }
    world.set_score("contoso", HIGH);
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    assert_eq!(
        by_themselves(&world, SOC),
        [fired, ("contoso".to_owned(), "alert.resolved".to_owned())],
        "nobody hears that it is over who was never told of by itself"
    );
    assert_eq!(by_themselves(&world, OWN), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shift_that_is_noted_before_a_crash_is_told_once_after_it() {
    let world = world().await;
    let service = world.run().await;
    fall(&world, &service).await;
    service.says("\"a fleet shift\"").await;
    // The next sweep comes when it is noted.
    world.checked(&service, SENTINEL, 2).await;
    service.kill();
    assert!(notices(&world.told(SOC)).is_empty(), "it was killed before it was told");
    let service = world.run().await;
    both_are_told(&world, &service).await;
    world.quiet(&service).await;
    service.kill();
    let service = world.run().await;
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    for (channel, count) in [(SOC, FALL), (OWN, 2)] {
        let [notice] = &notices(&world.told(channel))[..] else { panic!("{channel}: {:?}", world.told(channel)) };
        assert_eq!(notice["fleet"]["tenant_count"], count, "{channel}");
        assert_eq!(notice["notification"]["possible_duplicate"], false, "{channel}");
    }
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
}
