//! The database's password is changed, as an administrator or a secret store does every few weeks.

use serde_json::Value;

use crate::harness::{LOW, OPS, SOC, Service, World, kinds, postgres::Postgres};

/// Which replicas live.
async fn living(world: &World) -> Vec<Value> {
    let listed = world.listing(&["replicas", "--json"]).await;
    listed.into_iter().filter(|one| one["living"] == true).map(|one| one["id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_changed_password_of_the_database_stops_no_replica() {
    let server = Postgres::apart();
    let database = server.guarded().await;
    let mut world = World::new().await;
    world.setup.store =
        format!("{{ postgres: \"{}\", password: {{ file: secrets/database }} }}", Postgres::address(&database));
    let set = async |password: &str| {
        server.change_password(&database, password).await;
        world.folder.write("secrets/database", &format!("{password}\n"));
    };
    set("first").await;
    world.write();
    let (first, second) = (Service::spawn(&world.folder.config(), &[]), Service::spawn(&world.folder.config(), &[]));
    let addresses = [first.listening().await, second.listening().await];
    world.checked(&first, "contoso", 2).await;
    world.settle(&first, SOC).await;
    let before = living(&world).await;
    assert_eq!(before.len(), 2);

    set("second").await;
    // A connection that is open stays open, whatever the password is.
    server.cut(&database).await;
    world.set_score("contoso", LOW);
    world.settle(&first, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    assert_eq!(living(&world).await, before, "the same replicas");
    assert_eq!(kinds(&world.arrived(OPS)), [], "nobody is alarmed");
    for address in addresses {
        let ready = world.command(&["health", "--address", &address.to_string()]).await;
        assert!(ready.status.success(), "{ready:?}");
    }
    for replica in [first, second] {
        assert_eq!(replica.stop().await.code(), Some(0));
    }
}
