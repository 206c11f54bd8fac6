//! A changed configuration is taken whole or not at all.

use crate::harness::{LOW, OPS, SOC, World, entra, kinds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_configuration_is_refused_whole_and_a_good_one_is_taken() {
    let mut world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;

    world.add_tenant("fabrikam");
    world.setup.top = "colour_of_the_moon: green\n".to_owned();
    world.write();
    service.says("colour_of_the_moon").await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "the old configuration goes on");
    assert_eq!(world.cloud.tenant_counts(entra("fabrikam")).token_requests, 0, "nothing of the new one is taken");

    // A rejected configuration may be the one that removes a customer: somebody must know that it is not in force.
    world
        .until(&service, OPS, |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "operator.configuration" && arrived.accepted)
        })
        .await;
    let of_configuration = |world: &World| {
        let arrived = world.arrived(OPS).into_iter().filter(|arrived| arrived.kind == "operator.configuration");
        arrived.map(|arrived| arrived.body["data"]["operator"].clone()).collect::<Vec<_>>()
    };
    let said = of_configuration(&world);
    let hint = said[0]["hint"].as_str().unwrap();
    assert!(hint.contains("scorewatch.yaml:") && hint.contains("colour_of_the_moon"), "{hint}");
    assert_eq!((said.len(), &said[0]["class"]), (1, &"configuration-rejected".into()));

    world.setup.top = String::new();
    world.setup.rules = world.setup.rules.replace("below: 300", "below: 100");
    world.write();
    world.checked(&service, "fabrikam", 1).await;
    world
        .until(&service, SOC, |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "alert.resolved" && arrived.tenant == "contoso")
        })
        .await;
    assert_eq!(
        kinds(&world.accepted(SOC, "contoso")),
        [("alert.firing", 1), ("alert.resolved", 2)],
        "an edited condition is judged at the next reading"
    );
    world
        .until(&service, OPS, |arrived| {
            arrived.iter().any(|arrived| arrived.body["data"]["operator"]["until"].is_string())
        })
        .await;
    let said = of_configuration(&world);
    assert_eq!((said.len(), &said[1]["class"]), (2, &"configuration-accepted".into()));

    let recorded = world.listing(&["audit", "list", "--json"]).await;
    let reload = recorded.iter().find(|entry| entry["action"] == "configuration.reload").unwrap();
    let after = &reload["after"];
    assert_eq!(after["tenants_added"], serde_json::json!(["fabrikam"]));
    let keys = after["keys"].as_object().unwrap();
    assert!(
        keys.iter().any(|(key, texts)| {
            key.starts_with("rules[") && key.ends_with("].when.below") && *texts == serde_json::json!(["300", "100"])
        }),
        "{after}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_is_over_too_if_the_configuration_is_corrected_and_the_service_started_again() {
    let mut world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    world.setup.top = "colour_of_the_moon: green\n".to_owned();
    world.write();
    let of_class = |class: &'static str| {
        move |arrived: &[crate::harness::Arrived]| {
            arrived.iter().any(|one| one.accepted && one.body["data"]["operator"]["class"] == class)
        }
    };
    world.until(&service, OPS, of_class("configuration-rejected")).await;
    assert!(service.stop().await.success());
    world.setup.top = String::new();
    world.write();
    for _restart in 0..2 {
        let service = world.run().await;
        world.until(&service, OPS, of_class("configuration-accepted")).await;
        world.quiet(&service).await;
        assert!(service.stop().await.success());
    }
    let said = world.arrived(OPS).into_iter().filter(|arrived| arrived.kind == "operator.configuration");
    assert_eq!(said.count(), 2, "once when it was rejected, and once when it was over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_written_beside_the_configuration_is_not_a_change_of_it() {
    let mut world = World::new().await;
    let service = world.run().await;
    for line in 0..3 {
        world.folder.write("scorewatch.log", &format!("line {line}"));
        world.checked(&service, "contoso", 1).await;
    }
    world.add_tenant("fabrikam");
    world.write();
    world.checked(&service, "fabrikam", 1).await;
    let log = service.log();
    assert_eq!(log.matches("the changed configuration is now in force").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_gone_closes_its_alerts_with_the_reason() {
    let mut world = World::new().await;
    world.add_tenant("leaves");
    let service = world.run().await;
    world.checked(&service, "leaves", 2).await;
    world.set_score("leaves", LOW);
    world
        .until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "leaves" && arrived.accepted))
        .await;
    std::fs::remove_file(world.folder.path().join("tenants/leaves.yaml")).unwrap();
    service.signal("HUP");
    world
        .until(&service, SOC, |arrived| {
            arrived.iter().any(|arrived| arrived.tenant == "leaves" && arrived.kind == "alert.resolved")
        })
        .await;
    let arrived = world.accepted(SOC, "leaves");
    assert_eq!(kinds(&arrived), [("alert.firing", 1), ("alert.resolved", 2)]);
    assert!(
        arrived[1].body["data"]["alert"]["reason"].as_str().is_some_and(|reason| reason.contains("tenant")),
        "{}",
        arrived[1].body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_secret_file_is_used_without_a_restart() {
    let world = World::with_cloud(|settings| settings.token_life = std::time::Duration::from_secs(2)).await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.cloud.set_secret(entra("contoso"), "another-secret");
    world.folder.write("secrets/contoso", "another-secret\n");
    world.checked(&service, "contoso", 3).await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    assert_eq!(
        kinds(&world.accepted(SOC, "contoso")),
        [("alert.firing", 1)],
        "tokens that live two seconds need the new secret"
    );
}
