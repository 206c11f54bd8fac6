//! No secret shows in a log at any level, an error, a listing, a metric, a page or a database row.

use scorewatch::simulation::Reply;

use crate::world::{LOW, OPS, SOC, Service, World, entra, files_below, get};

/// What every simulated token begins with.
const TOKEN: &str = "eyJ0eXAi";
const SIGNING_SECRET: &str = "whsec_Y2FuYXJ5LXNpZ25pbmcta2V5LW9mLTMyLWJ5dGVzISE=";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaries_are_found_nowhere() {
    let mut world = World::new().await;
    let urls = [
        ("teams-canary", "teams", world.receivers.add_teams("teams-canary")),
        ("slack-canary", "slack", world.receivers.add_slack("slack-canary")),
        ("hook-canary", "webhook", world.receivers.add_webhook("hook-canary-path")),
        ("closed-canary", "webhook", "http://127.0.0.1:9/closed-canary-path".to_owned()),
    ];
    let mut canaries = vec![TOKEN.to_owned(), SIGNING_SECRET.to_owned(), SIGNING_SECRET["whsec_".len()..].to_owned()];
    for (name, kind, url) in &urls {
        world.folder.write(&format!("secrets/{name}"), url);
        let keys = format!("type: {kind}, url: {{ file: secrets/{name} }}");
        let signing = if *kind == "webhook" { ", signing_secret: { file: secrets/signing }" } else { "" };
        world.setup.channel(name, &(keys + signing));
        canaries.push(url.split_once("://").unwrap().1.split_once('/').unwrap().1.to_owned());
        canaries.extend(url.rsplit(['/', '=']).next().map(str::to_owned));
    }
    world.folder.write("secrets/signing", SIGNING_SECRET);
    world.add_tenant("wrong");
    world.cloud.set_secret(entra("wrong"), "what-entra-expects");
    canaries.extend(world.setup.tenants.iter().map(|tenant| format!("secret-of-{tenant}")));
    world.setup.rules =
        world.setup.rules.replace("[soc]", "[soc, teams-canary, slack-canary, hook-canary, closed-canary]");
    world.receivers.script(
        "teams-canary",
        vec![Reply::redirect(307, "http://127.0.0.1:9/elsewhere"), Reply::html(503), Reply::close()],
    );
    world.receivers.script("slack-canary", vec![Reply::text(403, "invalid_token")]);
    world.write();
    let service = Service::spawn(&world.folder.config(), &[("SCOREWATCH_LOG", "trace")]);
    let address = service.listening().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, "slack-canary", |told| !told.is_empty()).await;
    world.until(&service, OPS, |told| !told.is_empty()).await;
    world.settle(&service, SOC).await;

    let mut places =
        vec![("page".to_owned(), get(address, "/").await.1), ("metrics".to_owned(), get(address, "/metrics").await.1)];
    for arguments in [
        &["alerts", "list", "--all", "--json"][..],
        &["deliveries", "list", "--json"],
        &["tenants", "list", "--json"],
        &["channels", "list", "--json"],
        &["check", "--json"],
    ] {
        let output = world.command(arguments).await;
        let both = [output.stdout, output.stderr].concat();
        places.push((arguments.join(" "), String::from_utf8_lossy(&both).into_owned()));
    }
    assert!(service.log().contains("TRACE") || service.log().contains("DEBUG"), "the log is at its most talkative");
    places.push(("log".to_owned(), service.log()));
    assert!(service.stop().await.success());
    for (name, bytes) in files_below(&world.folder.path().join("data")) {
        places.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    assert!(
        places.iter().any(|(name, text)| name.ends_with("scorewatch.db") && text.contains("contoso")),
        "the store was read"
    );
    for (place, text) in &places {
        for canary in canaries.iter().filter(|canary| !canary.is_empty()) {
            assert!(!text.contains(canary.as_str()), "{canary} is in {place}");
        }
    }
}
