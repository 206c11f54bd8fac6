//! A tenant's month comes once to each channel that may show it, also if the service is killed in between; and again when a person asks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::harness::{Arrived, HIGH, LOW, SENTINEL, SOC, World};

const CUSTOMER: &str = "customer";
/// Longer than a month, so that the month before this one is the tenants' first.
const DAYS: i64 = 32;

/// The months that arrived. What a kill interrupted is sent once more, by the same id and marked.
fn months(arrived: &[Arrived]) -> Vec<&Arrived> {
    arrived.iter().filter(|arrived| arrived.kind == "report.month" && arrived.accepted).collect()
}

/// Whose months arrived and which, each with the ids that it had and how often it was not marked as a possible duplicate.
fn named(arrived: &[Arrived]) -> BTreeMap<(String, String), (BTreeSet<&str>, usize)> {
    let mut named = BTreeMap::new();
    for arrived in months(arrived) {
        let month = &arrived.body["data"]["month"];
        let text = |key: &str| month[key].as_str().unwrap().to_owned();
        let (ids, unmarked): &mut (BTreeSet<&str>, usize) = named.entry((text("tenant"), text("month"))).or_default();
        ids.insert(&arrived.id);
        *unmarked += usize::from(!arrived.possible_duplicate);
    }
    named
}

/// As if tenants and channels had been there for a while.
async fn age(world: &World) {
    let file = SqliteConnectOptions::new().filename(world.folder.path().join("data/scorewatch.db"));
    let mut store = SqliteConnection::connect_with(&file).await.unwrap();
    let nanos = DAYS * 86_400 * 1_000_000_000;
    for sql in ["UPDATE tenant SET first_seen_at = first_seen_at - ?", "UPDATE channel SET seen_at = seen_at - ?"] {
        let changed = sqlx::query(sql).bind(nanos).execute(&mut store).await.unwrap();
        assert!(changed.rows_affected() > 0, "{sql}");
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_s_month_comes_once_also_over_a_kill_and_shows_nobody_else() {
    let mut world = World::new().await;
    let report = "report: { month: \"*/2 * * * * *\", timezone: UTC }";
    world.setup.channels[0] =
        world.setup.channels[0].replacen("allow_private:", &format!("{report}, allow_private:"), 1);
    let url = world.receivers.add_webhook(CUSTOMER);
    world.setup.channel(CUSTOMER, &format!("type: webhook, url: \"{url}\", tenants: [contoso], {report}"));
    let service = world.run().await;
    let checked = world.command(&["check", "-v"]).await;
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    let next = "channel `customer` \"*/2 * * * * *\" (UTC), monthly report of each of 1 tenant: next ";
    assert!(said.contains(next), "{said}");
    world.checked(&service, "contoso", 1).await;
    world.checked(&service, SENTINEL, 1).await;
    assert!(service.stop().await.success());
    assert!(months(&world.arrived(SOC)).is_empty(), "no tenant was known in the month before this one");
    age(&world).await;

    let service = world.run().await;
    world.until(&service, CUSTOMER, |arrived| !months(arrived).is_empty()).await;
    service.kill();
    drop(service);
    let service = world.run().await;
    world.until(&service, SOC, |arrived| named(arrived).len() >= 2).await;
    // A message that was queued later has arrived.
    world.set_score(SENTINEL, LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|one| one.kind == "alert.firing")).await;
    for (channel, tenants) in [(CUSTOMER, vec!["contoso"]), (SOC, vec!["contoso", SENTINEL])] {
        let arrived = world.arrived(channel);
        let said = named(&arrived);
        assert!(said.values().all(|(ids, unmarked)| ids.len() == 1 && *unmarked <= 1), "{channel}: {said:?}");
        let of: BTreeSet<&str> = said.keys().map(|(tenant, _)| tenant.as_str()).collect();
        assert_eq!(of.into_iter().collect::<Vec<_>>(), tenants, "{channel}");
    }

    let before = months(&world.arrived(CUSTOMER)).len();
    let sent = world.command(&["report", "--tenant", "contoso", "--channel", CUSTOMER]).await;
    let said = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.status.success() && said.contains("is queued for channel `customer`"), "{said}");
    world.until(&service, CUSTOMER, |arrived| months(arrived).len() > before).await;
    let arrived = world.arrived(CUSTOMER);
    let asked = &months(&arrived).pop().unwrap().body["data"]["month"];
    assert_eq!((&asked["is_over"], &asked["scores"][0]["value"]), (&Value::Bool(false), &Value::from(HIGH)), "{asked}");
    let refused = world.command(&["report", "--tenant", SENTINEL, "--channel", CUSTOMER]).await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("may not show this tenant"), "{said}");
    let all: String = world.arrived(CUSTOMER).iter().map(|arrived| arrived.body.to_string()).collect();
    assert!(!all.contains(SENTINEL));
}
