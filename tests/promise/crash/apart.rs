//! Crashes in small worlds of their own: what they need would slow the others down, or be sent in another form.

use scorewatch::simulation::Reply;

use super::points::aborted;
use crate::harness::{Arrived, LOW, SOC, Service, World, accepted, arrived};

type Environment<'a> = [(&'a str, &'a str); 2];

/// The channel that crashes are about.
const OWN: &str = "own";
/// Whom it may show, until it may show one of them alone.
const OWNED: [&str; 3] = ["contoso", "fabrikam", "tailspin"];

/// Crashes the service when a receiver has rejected the rich form of a message: it takes it once, in whatever form.
pub(super) async fn crash_at_a_rejection(environment: &Environment<'_>) {
    let mut world = World::new().await;
    let url = world.receivers.add_slack(OWN);
    world.folder.write("secrets/own", &url);
    world.setup.channel(OWN, "type: slack, url: { file: secrets/own }");
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, own]");
    world.receivers.script(OWN, vec![Reply::text(400, "invalid_blocks")]);
    world.set_score("contoso", LOW);
    world.write();
    let service = Service::spawn(&world.folder.config(), environment);
    crashes(&world, &service, environment).await;
    let service = world.run().await;
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    let messages = world.receivers.received_by(OWN);
    let taken: Vec<_> = messages.iter().filter(|message| message.accepted()).collect();
    let of_contoso = taken.iter().filter(|message| message.json().to_string().contains("contoso Ltd")).count();
    assert_eq!((of_contoso, messages.len() - taken.len()), (1, 1), "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Crashes the service when it takes out of a digest what its channel may not show any more: the rest arrives, and nothing else.
pub(super) async fn crash_at_an_audience(environment: &Environment<'_>) {
    let mut world = World::new().await;
    let url = world.receivers.add_webhook(OWN);
    let mut files = Vec::new();
    for tenant in OWNED {
        if tenant != "contoso" {
            world.add_tenant(tenant);
        }
        let name = format!("tenants/{tenant}.yaml");
        let plain = std::fs::read_to_string(world.folder.path().join(&name)).unwrap();
        world.folder.write(&name, &format!("{plain}notify: [own]\n"));
        files.push((name, plain));
    }
    let open = world.setup.channels.clone();
    let channel = |audience: &str| format!("type: webhook, url: \"{url}\", digest: {{ over: 1 }}{audience}");
    world.setup.channel(OWN, &channel(""));
    world.write();
    world.receivers.set(OWN, Some(Reply::status(503)));
    let service = Service::spawn(&world.folder.config(), environment);
    service.listening().await;
    for tenant in OWNED {
        world.set_score(tenant, LOW);
    }
    let is_digest = |arrived: &Arrived| arrived.body["type"] == "digest";
    world.until(&service, OWN, |arrived| arrived.iter().filter(|arrived| is_digest(arrived)).count() > 3).await;
    world.setup.channels = open;
    world.setup.channel(OWN, &channel(", tenants: [fabrikam]"));
    for (name, plain) in files.iter().filter(|(name, _)| !name.contains("fabrikam")) {
        world.folder.write(name, plain);
    }
    world.write();
    crashes(&world, &service, environment).await;
    world.receivers.set(OWN, None);

    let service = world.run().await;
    world
        .until(&service, OWN, |arrived| arrived.iter().any(|arrived| arrived.accepted && arrived.tenant == "fabrikam"))
        .await;
    world.settle(&service, SOC).await;
    let arrived = arrived(&world.receivers.received(), OWN);
    let count = |tenant: &str| accepted(arrived.clone(), tenant).len();
    assert_eq!((count("fabrikam"), count("contoso"), count("tailspin")), (1, 0, 0), "{environment:?}");
    let rows = world.listing(&["deliveries", "list", "--json", "--state", "dead"]).await;
    let mut dead: Vec<_> = rows.iter().map(|row| (row["channel"].as_str(), row["tenant"].as_str())).collect();
    dead.sort_unstable();
    assert_eq!(dead, [(Some(OWN), Some("contoso")), (Some(OWN), Some("tailspin"))], "{environment:?}");
    assert_eq!(service.stop().await.code(), Some(0));
}

/// Waits for the crash, and until everything that was sent before was heard.
async fn crashes(world: &World, service: &Service, environment: &Environment<'_>) {
    assert!(aborted(service).await, "{environment:?}: it ended otherwise:\n{}", service.log());
    world.receivers.drained().await.unwrap();
}
