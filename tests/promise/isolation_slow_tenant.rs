//! A slow or failing tenant delays no other.

use scorewatch::simulation::{
    Reply,
    cloud::{Fetch, SignIn},
};

use crate::world::{LOW, SOC, World, entra, kinds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_that_hang_are_waited_for_by_nobody_else() {
    let mut world = World::new().await;
    for tenant in ["hangs-at-sign-in", "hangs-at-fetch", "drips"] {
        world.add_tenant(tenant);
    }
    world.setup.top = "concurrency: 16\ntimeout: 30s\n".to_owned();
    world.cloud.set_sign_in(entra("hangs-at-sign-in"), Some(SignIn::Raw(Reply::hang())));
    world.cloud.set_fetch(entra("hangs-at-fetch"), Some(Fetch::Raw(Reply::hang())));
    let drip = Reply::json(200, r#"{"score":1}"#).dripping(std::time::Duration::from_secs(5));
    world.cloud.set_fetch(entra("drips"), Some(Fetch::Raw(drip)));
    let service = world.run().await;
    world.checked(&service, "contoso", 5).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |told| told.iter().any(|told| told.accepted)).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    for tenant in ["hangs-at-fetch", "drips"] {
        assert_eq!(world.cloud.tenant_counts(entra(tenant)).score_requests, 1, "{tenant} has one call in flight");
    }
    assert_eq!(world.cloud.tenant_counts(entra("hangs-at-sign-in")).token_requests, 1);
}
