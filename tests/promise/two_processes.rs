//! One SQLite store, one process; one database, as many as you like.

use crate::harness::{HIGH, LOW, SENTINEL, SOC, Service, World, kinds, postgres::Postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_store_is_refused_and_the_first_goes_on() {
    let world = World::new().await;
    let first = world.run().await;
    world.checked(&first, "contoso", 1).await;
    let second = Service::spawn(&world.folder.config(), &[]);
    assert_eq!(second.ended().await.code(), Some(1));
    assert!(second.log().contains("in use by another scorewatch process"), "{}", second.log());
    let once = world.command(&["once"]).await;
    let complaint = String::from_utf8_lossy(&once.stderr);
    assert!(once.status.code() == Some(1) && complaint.contains("`scorewatch tenants recheck ID`"), "{complaint}");
    world.set_score("contoso", LOW);
    world.settle(&first, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    let listed = world.listing(&["alerts", "list", "--json", "--tenant", "contoso"]).await;
    assert_eq!(listed.len(), 1, "listings work beside the service");
}

/// The shards of each replica that lives, and whether all run the same configuration.
async fn replicas(world: &World) -> (Vec<u64>, bool) {
    let listed = world.listing(&["replicas", "--json"]).await;
    let living = || listed.iter().filter(|replica| replica["living"] == true);
    let same = living().all(|replica| replica["same_configuration"] == true);
    (living().map(|replica| replica["shards"].as_u64().unwrap()).collect(), same)
}

async fn until_shared(world: &World, service: &Service, shards: &[u64]) {
    let shared = async {
        while replicas(world).await != (shards.to_vec(), true) {
            world.checked(service, SENTINEL, 1).await;
        }
    };
    world.patiently(service, "shards to be shared", shared).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn two_replicas_share_the_work_and_either_may_go() {
    let server = Postgres::shared();
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&server.database().await);
    let first = world.run().await;
    world.checked(&first, "contoso", 1).await;
    let second = Service::spawn(&world.folder.config(), &[]);
    second.listening().await;
    until_shared(&world, &first, &[32, 32]).await;
    world.set_score("contoso", LOW);
    world.settle(&first, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);

    let output = world.command(&["tenants", "recheck", "contoso"]).await;
    assert!(output.status.success(), "{output:?}");
    world.checked(&second, "contoso", 1).await;
    assert_eq!(first.stop().await.code(), Some(0));
    until_shared(&world, &second, &[64]).await;
    world.set_score("contoso", HIGH);
    world.settle(&second, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1), ("alert.resolved", 2)]);
    let repeats =
        world.arrived(SOC).into_iter().filter(|arrived| arrived.possible_duplicate && !arrived.is_spoken_for).count();
    assert_eq!(repeats, 0, "nothing is repeated when a replica is asked to go");
}
