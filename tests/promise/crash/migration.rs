//! A store of an older schema is taken over whole, also when the process crashes in any step of it.

use std::{fs, os::unix::fs::PermissionsExt};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

#[cfg(debug_assertions)]
use crate::harness::Service;
use crate::harness::{HIGH, LOW, SENTINEL, SOC, World, kinds};

/// Made by the first schema: `sentinel` fires and was reported; `contoso` fires and the message was on its way.
const SCHEMA_1: &str = include_str!("fixture/schema-1.sql");

/// A world in which the service was down since the store was left behind; the scores are as they were.
async fn world_with_old_store() -> World {
    let world = World::new().await;
    let path = world.folder.path().join("data/scorewatch.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut store = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(SCHEMA_1).execute(&mut store).await.unwrap();
    store.close().await.unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    for tenant in ["contoso", SENTINEL] {
        world.set_score(tenant, LOW);
    }
    world
}

/// Runs the service on the old store: what was on its way arrives, marked, and the alerts go on where they were.
async fn goes_on(world: &World) {
    let service = world.run().await;
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    world.checked(&service, SENTINEL, 2).await;
    for tenant in ["contoso", SENTINEL] {
        world.set_score(tenant, HIGH);
    }
    world.quiet(&service).await;
    let resolved = |tenant: &str| kinds(&world.accepted(SOC, tenant)).last() == Some(&("alert.resolved", 2));
    world.until(&service, SOC, |_| resolved("contoso") && resolved(SENTINEL)).await;
    assert_eq!(service.stop().await.code(), Some(0));
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), [("alert.firing", 1), ("alert.resolved", 2)]);
    assert!(arrived[0].possible_duplicate, "it was on its way when the old store was left behind");
    assert!(!arrived[1].possible_duplicate);
    assert_eq!(kinds(&world.accepted(SOC, SENTINEL)), [("alert.resolved", 2)], "what was sent is not sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_the_first_schema_is_taken_over_with_its_alerts_and_messages() {
    goes_on(&world_with_old_store().await).await;
}

/// Crashes at that point in every step from the old store, and in every step of making a new one. Returns how often.
#[cfg(debug_assertions)]
pub(super) async fn crash_in_every_step(point: &str) -> u32 {
    let old = world_with_old_store().await;
    let mut crashes = crash_until_it_runs(&old, point).await;
    goes_on(&old).await;
    let new = World::new().await;
    crashes += crash_until_it_runs(&new, point).await;
    new.set_score("contoso", LOW);
    let service = new.run().await;
    new.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    new.settle(&service, SOC).await;
    assert_eq!(kinds(&new.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    crashes
}

/// Crashes once in each step: before its commit it is to be made again, after it is done. Returns in how many.
#[cfg(debug_assertions)]
async fn crash_until_it_runs(world: &World, point: &str) -> u32 {
    world.write();
    let mut crashes = 0;
    loop {
        // The step that the crash before has left is passed this time.
        let pass = if crashes > 0 && point.starts_with("Before") { "2" } else { "1" };
        let environment = [("SCOREWATCH_CRASH_POINT", point), ("SCOREWATCH_CRASH_PASS", pass)];
        let service = Service::spawn(&world.folder.config(), &environment);
        if service.listens().await {
            service.kill();
            return crashes;
        }
        assert!(super::points::aborted(&service).await, "{point}: {}", service.log());
        crashes += 1;
    }
}
