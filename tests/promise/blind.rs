//! You hear it when we go blind, with the reason, and when we see again.

use scorewatch::simulation::cloud::{EntraRefusal, Fetch, ScoreValue, SignIn};

use crate::harness::{OPS, SOC, World, entra, kinds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_tenant_is_reported_with_class_and_hint_and_again_when_it_recovers() {
    let mut world = World::with_cloud(|settings| settings.token_life = std::time::Duration::from_secs(2)).await;
    // Long enough that nobody who can be read is ever so late on a machine with much to do.
    world.setup.blind_after = "20s";
    world
        .setup
        .rules
        .push_str("  - name: blind\n    when: { no_data: 20s }\n    severity: critical\n    notify: [soc]\n");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    world.until(&service, OPS, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;

    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), [("alert.firing", 1)]);
    let data = &arrived[0].body["data"];
    assert_eq!(data["rule"]["name"], "blind");
    assert!(data["score"]["value"].is_null(), "{data}");
    let reason = data["alert"]["reason"].as_str().unwrap();
    assert!(reason.contains("secret-expired") && reason.contains("new"), "{reason}");
    assert!(!reason.contains("Trace ID"), "no upstream text: {reason}");
    let operator = &world.accepted(OPS, "contoso")[0];
    assert_eq!(
        (operator.kind.as_str(), &operator.body["data"]["operator"]["class"]),
        ("operator.blind", &"secret-expired".into())
    );
    assert!(operator.body["data"]["operator"]["hint"].is_string());

    world.cloud.set_sign_in(entra("contoso"), None);
    world.cloud.set_secret(entra("contoso"), "renewed");
    world.folder.write("secrets/contoso", "renewed\n");
    world
        .until(&service, SOC, |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "alert.resolved" && arrived.accepted)
        })
        .await;
    world.until(&service, OPS, |arrived| arrived.len() == 2 && arrived[1].accepted).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1), ("alert.resolved", 2)]);
    assert_eq!(world.accepted(OPS, "contoso")[1].kind, "operator.blind");
    assert_eq!(kinds(&world.accepted(SOC, "sentinel")), [], "a readable tenant is not reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_is_never_zero() {
    let mut world = World::new().await;
    let values =
        [ScoreValue::Null, ScoreValue::Absent, ScoreValue::Number(f64::NAN), ScoreValue::Literal("NaN".to_owned())];
    let tenants: Vec<_> = (0..values.len()).map(|number| format!("missing-{number}")).collect();
    for tenant in &tenants {
        world.add_tenant(tenant);
    }
    let service = world.run().await;
    for (tenant, value) in tenants.iter().zip(values) {
        world.checked(&service, tenant, 2).await;
        world.cloud.set_score(entra(tenant), scorewatch::domain::ScoreKind::DeviceSecureScore, value);
    }
    world.cloud.script_fetches(entra("contoso"), vec![Fetch::Raw(scorewatch::simulation::Reply::status(200)); 2]);
    world.settle(&service, SOC).await;
    for tenant in tenants.iter().map(String::as_str).chain(["contoso"]) {
        assert_eq!(kinds(&world.accepted(SOC, tenant)), [], "{tenant}: a value that is missing is not below 300");
    }
}
