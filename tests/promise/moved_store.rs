//! A store moves to PostgreSQL while alerts fire and messages wait: nothing is sent twice, nothing is lost, and alerts end.

use scorewatch::simulation::Reply;

use crate::harness::{HIGH, LOW, SOC, World, kinds, postgres::Postgres};

/// A channel whose receiver is down.
const LATE: &str = "late";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_fires_and_what_waits_goes_on_in_the_other_database() {
    let server = Postgres::shared();
    let mut world = World::new().await;
    let url = world.receivers.add_webhook(LATE);
    world.setup.webhook(LATE, &url);
    world.receivers.set(LATE, Some(Reply::html(503)));
    world.setup.rules = world.setup.rules.replace("[soc]", "[soc, late]");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, LATE, |arrived| !arrived.is_empty()).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
    let contoso = ["alerts", "list", "--json", "--tenant", "contoso"];
    let before = world.listing(&contoso).await;

    // What a person notes in the old configuration is the new one, with another store.
    let old = std::fs::read_to_string(world.folder.config()).unwrap();
    let new_store = Postgres::address(&server.database().await);
    world.folder.write("new.yaml", &old.replace(&world.setup.store, &new_store));
    let new = world.folder.path().join("new.yaml");
    let copy = ["store", "copy", "--to-config", new.to_str().unwrap()];
    let refused = world.command(&copy).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use by another"), "{refused:?}");
    assert!(service.stop().await.success());
    let copied = world.command(&copy).await;
    assert!(copied.status.success(), "{copied:?}");
    assert!(String::from_utf8_lossy(&copied.stdout).contains("copied and verified"), "{copied:?}");

    world.setup.store = new_store;
    world.receivers.set(LATE, None);
    let service = world.run().await;
    world.until(&service, LATE, |arrived| arrived.iter().any(|one| one.accepted && one.tenant == "contoso")).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "nothing is sent twice");
    let after = world.listing(&contoso).await;
    let ids = |alerts: &[serde_json::Value]| alerts.iter().map(|alert| alert["id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&after), before.len()), (ids(&before), 1), "alerts keep their ids");
    world.set_score("contoso", HIGH);
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    for channel in [SOC, LATE] {
        let arrived = world.accepted(channel, "contoso");
        assert_eq!(kinds(&arrived), [("alert.firing", 1), ("alert.resolved", 2)], "{channel}");
        assert_eq!(arrived[0].alert, arrived[1].alert);
    }
    let refused = world.command(&copy).await;
    assert_eq!(refused.status.code(), Some(2), "both are in PostgreSQL now: {refused:?}");
    assert!(service.stop().await.success());
}
