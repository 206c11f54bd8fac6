//! The service beside a later version that adds to the store, as in a rolling upgrade or after a rollback.

use crate::harness::{HIGH, LOW, SOC, Service, World, kinds, later, postgres::Postgres};

/// The score changes, and the message about that is the one of that number.
async fn sends(world: &World, service: &Service, score: f64, number: usize, kind: &str) {
    world.set_score("contoso", score);
    // Whoever waits for all tenants waits only for those that were read before.
    world.checked(service, "contoso", 1).await;
    world.settle(service, SOC).await;
    let accepted = world.accepted(SOC, "contoso");
    assert_eq!((accepted.len(), kinds(&accepted).last().map(|last| last.0)), (number, Some(kind)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_replica_goes_on_and_can_be_started_again_after_a_later_version_has_changed_the_store() {
    let server = Postgres::shared();
    let database = server.database().await;
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&database);
    let first = world.run().await;
    sends(&world, &first, LOW, 1, "alert.firing").await;
    later::add_to_postgres(server, &database).await;
    sends(&world, &first, HIGH, 2, "alert.resolved").await;
    let second = Service::spawn(&world.folder.config(), &[]);
    second.listening().await;
    assert_eq!(first.stop().await.code(), Some(0));
    sends(&world, &second, LOW, 3, "alert.firing").await;

    later::outgrow_postgres(server, &database).await;
    let third = Service::spawn(&world.folder.config(), &[]);
    assert_eq!(third.ended().await.code(), Some(1));
    assert!(third.log().contains("it was written by a newer version"), "{}", third.log());
    sends(&world, &second, HIGH, 4, "alert.resolved").await;
    assert_eq!(second.stop().await.code(), Some(0));
    assert!(world.arrived(SOC).iter().all(|arrived| !arrived.possible_duplicate), "nothing is repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_put_back_works_with_what_a_later_one_has_added_to_a_file_and_refuses_more() {
    let world = World::new().await;
    let file = world.folder.path().join("data/scorewatch.db");
    let service = world.run().await;
    sends(&world, &service, LOW, 1, "alert.firing").await;
    assert_eq!(service.stop().await.code(), Some(0));
    later::add_to_sqlite(&file).await;
    let service = world.run().await;
    sends(&world, &service, HIGH, 2, "alert.resolved").await;
    assert_eq!(service.stop().await.code(), Some(0));
    let migrated = world.command(&["migrate", "--check"]).await;
    assert!(migrated.status.success(), "{migrated:?}");
    assert!(String::from_utf8_lossy(&migrated.stdout).contains("which works with it"), "{migrated:?}");

    later::outgrow_sqlite(&file).await;
    let refused = Service::spawn(&world.folder.config(), &[]);
    assert_eq!(refused.ended().await.code(), Some(1));
    assert!(refused.log().contains("it was written by a newer version"), "{}", refused.log());
}

/// An older version's binary, as it was shipped, beside this one: `SCOREWATCH_OLDER_BINARY` names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer and SCOREWATCH_OLDER_BINARY"]
async fn an_older_version_checks_and_sends_beside_this_one_and_can_be_started_again() {
    let older = std::env::var("SCOREWATCH_OLDER_BINARY").expect("SCOREWATCH_OLDER_BINARY names an older binary");
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&Postgres::shared().database().await);
    let tenants: Vec<String> = (0..12).map(|number| format!("tenant-{number}")).collect();
    for tenant in &tenants {
        world.add_tenant(tenant);
    }
    world.write();
    let config = world.folder.config();
    let start_older = async || {
        let mut command = std::process::Command::new(&older);
        command.arg("--config").arg(&config).arg("run");
        let service = Service::spawn_by(command, &[]);
        service.listening().await;
        service
    };
    let first = start_older().await;
    for tenant in &tenants {
        // Whoever waits for all tenants waits only for those that were read before.
        world.checked(&first, tenant, 2).await;
    }
    let mut expected = 0;
    let mut turns = async |world: &World, service: &Service| {
        expected += 1;
        for tenant in &tenants {
            world.set_score(tenant, if expected % 2 == 1 { LOW } else { HIGH });
        }
        world.settle(service, SOC).await;
        for tenant in &tenants {
            let accepted = world.accepted(SOC, tenant);
            let sequences: Vec<_> = accepted.iter().map(|one| one.sequence).collect();
            assert_eq!(accepted.len(), expected, "{tenant}: lost or repeated: {sequences:?}");
            assert!(accepted.iter().all(|one| !one.possible_duplicate), "{tenant}");
        }
    };
    turns(&world, &first).await;
    let newer = Service::spawn(&config, &[]);
    newer.listening().await;
    world.all_checked(&newer, 3).await;
    turns(&world, &newer).await;
    assert_eq!(first.stop().await.code(), Some(0));
    turns(&world, &newer).await;
    let first = start_older().await;
    world.all_checked(&newer, 3).await;
    turns(&world, &newer).await;
    let owned: Vec<_> = world.listing(&["replicas", "--json"]).await.iter().map(|one| one["shards"].clone()).collect();
    assert_eq!(owned, [32, 32], "both work");
    assert_eq!(newer.stop().await.code(), Some(0));
    world.all_checked(&first, 2).await;
    turns(&world, &first).await;
    assert_eq!(first.stop().await.code(), Some(0));
}
