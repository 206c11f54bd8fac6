//! A person who asks for a check gets it now, whatever the schedule says; a service that does not run makes it at its start.

use scorewatch::simulation::cloud::{EntraRefusal, SignIn};

use crate::harness::{SENTINEL, Service, World, entra};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_checked_when_a_person_asks_whatever_its_schedule_says() {
    let world = World::new().await;
    world.write();
    let main = std::fs::read_to_string(world.folder.config()).unwrap();
    let yearly = main.replace("\"* * * * * *\"", "\"0 0 0 29 2 *\"");
    assert_ne!(main, yearly);
    world.folder.write("scorewatch.yaml", &yearly);
    let service = Service::spawn(&world.folder.config(), &[]);
    service.listening().await;
    let asked = |tenant: &str| world.cloud.tenant_counts(entra(tenant)).score_requests;
    let first = world.cloud.wait_for(|cloud| {
        ["contoso", SENTINEL].iter().all(|tenant| cloud.tenant_counts(entra(tenant)).score_requests == 1)
    });
    world.patiently(&service, "the first check of each", first).await;
    for count in 2..4 {
        // What is asked for is done once its outcome is in the store.
        while !world.command(&["tenants", "recheck", "contoso"]).await.status.success() {}
        let again = world.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == count);
        world.patiently(&service, "a check that a person asked for", again).await;
    }
    assert_eq!(service.stop().await.code(), Some(0));
    assert_eq!((asked("contoso"), asked(SENTINEL)), (3, 1), "nobody asked for the other one");

    let output = world.command(&["tenants", "recheck", "contoso"]).await;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "tenant `contoso` is due now; the running service checks it within seconds\n"
    );
    let service = Service::spawn(&world.folder.config(), &[]);
    let at_start = world.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == 4);
    world.patiently(&service, "the check that was asked for before the start", at_start).await;
    assert_eq!(service.stop().await.code(), Some(0));
    assert_eq!(world.command(&["tenants", "recheck", "nobody"]).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_a_moment_ago_is_not_remembered_when_a_person_asks() {
    let world = World::new().await;
    world.write();
    let main = std::fs::read_to_string(world.folder.config()).unwrap();
    world.folder.write("scorewatch.yaml", &main.replace("\"* * * * * *\"", "\"0 0 0 29 2 *\""));
    let service = Service::spawn(&world.folder.config(), &[]);
    service.listening().await;
    let counts = || world.cloud.tenant_counts(entra("contoso"));
    let first = world.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests == 1);
    world.patiently(&service, "the first check", first).await;
    let recheck = async || while !world.command(&["tenants", "recheck", "contoso"]).await.status.success() {};

    for refusal in [EntraRefusal::SecretExpired, EntraRefusal::AppUnknown] {
        let before = counts();
        world.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(refusal)));
        recheck().await;
        // The token that was good until now is not used any more, either: it may lack a role that was just granted.
        let refused =
            world.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).token_requests > before.token_requests);
        world.patiently(&service, "a refused sign-in", refused).await;
        let is_failing = async {
            let failing = |tenant: &serde_json::Value| tenant["id"] == "contoso" && !tenant["failing"].is_null();
            while !world.listing(&["tenants", "list", "--json"]).await.iter().any(failing) {}
        };
        world.patiently(&service, "the failure in the listing", is_failing).await;
        assert_eq!(counts().score_requests, before.score_requests);
        world.cloud.set_sign_in(entra("contoso"), None);
        recheck().await;
        let read =
            world.cloud.wait_for(|cloud| cloud.tenant_counts(entra("contoso")).score_requests > before.score_requests);
        world.patiently(&service, "a sign-in that is accepted again", read).await;
    }
    assert_eq!(service.stop().await.code(), Some(0));
}
