//! A slug that changes hands in a running service, and a tenant that is forgotten beside it.

use serde_json::Value;
use uuid::Uuid;

use crate::harness::{HIGH, LOW, SOC, World, entra, files_below, kinds};

/// What a command printed as JSON.
async fn json(world: &World, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = world.command(&[arguments, &["--json"]].concat()).await;
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reused_slug_shows_nothing_of_the_old_customer_and_the_old_one_can_be_forgotten() {
    let mut world = World::new().await;
    world.add_tenant("reused");
    let own = world.receivers.add_webhook("own");
    world.setup.channel("own", &format!("type: webhook, url: \"{own}\", tenants: [reused]"));
    world.write();
    let file = world.folder.path().join("tenants/reused.yaml");
    let old = std::fs::read_to_string(&file).unwrap() + "notify: [own]\n";
    std::fs::write(&file, &old).unwrap();
    let service = world.run().await;
    world.checked(&service, "reused", 2).await;
    world.set_score("reused", LOW);
    for channel in [SOC, "own"] {
        world
            .until(&service, channel, |arrived| {
                arrived.iter().any(|arrived| arrived.tenant == "reused" && arrived.accepted)
            })
            .await;
    }
    assert_eq!(world.command(&["tenants", "forget", "reused"]).await.status.code(), Some(2), "it is configured");

    // The same slug, another customer.
    world.cloud.add_tenant(entra("other"), Uuid::from_u128(0xa99), "secret-of-reused", HIGH);
    let new = old.replace(&entra("reused").to_string(), &entra("other").to_string()).replace("reused Ltd", "Fabrikam");
    assert_ne!(old, new);
    std::fs::write(&file, new).unwrap();
    service.signal("HUP");
    let kept = format!("reused.{}", &entra("reused").to_string()[..8]);
    world
        .until(&service, SOC, |arrived| {
            arrived.iter().any(|arrived| arrived.tenant == kept && arrived.kind == "alert.resolved")
        })
        .await;
    world.checked(&service, "other", 2).await;
    let arrived = world.accepted(SOC, &kept);
    assert_eq!(kinds(&arrived), [("alert.resolved", 2)]);
    assert_eq!(arrived[0].body["data"]["tenant"]["tenant_id"], entra("reused").to_string());
    assert!(arrived[0].body["data"]["alert"]["reason"].as_str().unwrap().contains("tenant was removed"));
    assert_eq!(world.arrived("own").len(), 1, "the new customer's channel hears nothing of the old one");
    let (_, alerts) = json(&world, &["alerts", "list", "--tenant", "reused"]).await;
    assert_eq!(alerts, Value::Array(Vec::new()));
    let (_, shown) = json(&world, &["tenants", "show", "reused"]).await;
    assert_eq!((&shown["tenant"]["name"], &shown["alerts"]), (&"Fabrikam".into(), &Value::Array(Vec::new())));
    let (_, gone) = json(&world, &["tenants", "list", "--gone"]).await;
    assert_eq!((&gone[0]["id"], &gone[0]["name"]), (&kept.as_str().into(), &"reused Ltd".into()));

    let (code, counted) = json(&world, &["tenants", "forget", &kept, "--dry-run"]).await;
    assert_eq!((code, &counted["verified"]), (Some(0), &false.into()));
    assert!(counted["removed"]["notification"].as_u64().unwrap() >= 2, "{counted}");
    let (code, erased) = json(&world, &["tenants", "forget", &entra("reused").to_string()]).await;
    assert_eq!((code, &erased["verified"], &erased["id"]), (Some(0), &true.into(), &kept.as_str().into()), "{erased}");
    let bytes = |needle: &str| {
        let files = files_below(&world.folder.path().join("data"));
        let has = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
        files.iter().filter(|(_, bytes)| has(bytes)).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&entra("reused").to_string()), Vec::<String>::new());
    assert_eq!(bytes("reused Ltd"), Vec::<String>::new());
    assert!(!bytes(&entra("other").to_string()).is_empty(), "as a control");
    assert_eq!(world.command(&["tenants", "forget", &kept]).await.status.code(), Some(2), "nothing is known of it");
    world.checked(&service, "other", 2).await;
    assert!(service.stop().await.success());
}
