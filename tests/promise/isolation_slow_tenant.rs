//! A slow or failing tenant delays no other.

use scorewatch::simulation::{
    Reply,
    cloud::{Fetch, SignIn},
};

use crate::harness::{LOW, SOC, World, entra, kinds};

/// More than there are places.
const SLOW: usize = 8;

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
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    for tenant in ["hangs-at-fetch", "drips"] {
        assert_eq!(world.cloud.tenant_counts(entra(tenant)).score_requests, 1, "{tenant} has one call in flight");
    }
    assert_eq!(world.cloud.tenant_counts(entra("hangs-at-sign-in")).token_requests, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_that_never_answer_take_a_quarter_of_the_places_at_most() {
    let mut world = World::new().await;
    let slow: Vec<String> = (0..SLOW).map(|number| format!("slow-{number}")).collect();
    for tenant in &slow {
        world.add_tenant(tenant);
        world.cloud.set_fetch(entra(tenant), Some(Fetch::Raw(Reply::hang())));
    }
    world.setup.top = "concurrency: 4\ntimeout: 1s\n".to_owned();
    let service = world.run().await;
    let asked = |tenant: &str| world.cloud.tenant_counts(entra(tenant)).score_requests;
    let slow_asked = || slow.iter().map(|tenant| asked(tenant)).sum::<u64>();
    let known =
        world.cloud.wait_for(|cloud| slow.iter().all(|tenant| cloud.tenant_counts(entra(tenant)).score_requests >= 2));
    world.patiently(&service, "every slow tenant failed once", known).await;
    let (slow_before, good_before) = (slow_asked(), asked("contoso"));
    world.checked(&service, "contoso", 6).await;
    let (slow_since, good_since) = (slow_asked() - slow_before, asked("contoso") - good_before);
    // In turn with the others, the good one would be asked once for each round of calls to the slow ones.
    assert!(
        slow_since < 4 * good_since,
        "{slow_since} calls to tenants that hang, {good_since} to the one that answers"
    );
}
