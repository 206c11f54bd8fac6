//! A process that was stopped and goes on (SIGSTOP, a machine that was put to sleep) counts its own downtime against no tenant, and
//! says to the operator from when to when it was down.
//!
//! A binary with debug assertions counts half a minute as downtime. How long it is stopped is measured in checks
//! of another service.

use scorewatch::{clock::Clock, domain::Timestamp};
use serde_json::Value;

use crate::harness::{Arrived, OPS, SENTINEL, SOC, Service, World};

/// The other service checks every second.
const STOPPED_CHECKS: u64 = 40;

/// When the operator's message says that the service was down, if it says so.
fn downtime(arrived: &Arrived) -> Option<(Timestamp, Timestamp)> {
    let facts = &arrived.body["data"]["operator"];
    let at = |value: &Value| Timestamp::parse(value.as_str().unwrap_or_default());
    (arrived.kind == "operator.downtime").then_some(())?;
    Some((at(&facts["from"])?, at(&facts["until"])?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_is_one_message_to_the_operator_and_not_a_gap_in_the_data() {
    let elsewhere = World::new().await;
    let timer = elsewhere.run().await;
    let mut world = World::new().await;
    world.setup.blind_after = "5s";
    world.setup.rules += "  - name: blind\n    when: { no_data: 5s }\n    notify: [soc]\n";
    world.write();
    let service = Service::spawn(&world.folder.config(), &[("SCOREWATCH_DOWNTIME_MIN_S", "30")]);
    service.listening().await;
    world.all_checked(&service, 2).await;
    world.checked(&service, SENTINEL, 2).await;

    service.signal("STOP");
    let stopped_at = Clock::System.now();
    elsewhere.checked(&timer, "contoso", STOPPED_CHECKS).await;
    service.signal("CONT");
    let covers =
        |arrived: &Arrived| downtime(arrived).is_some_and(|(from, until)| from <= stopped_at && stopped_at < until);
    world.until(&service, OPS, |arrived| arrived.iter().any(covers)).await;
    world.settle(&service, SOC).await;
    world.quiet(&service).await;

    let of_it: Vec<Arrived> = world.arrived(OPS).into_iter().filter(covers).collect();
    assert_eq!(of_it.len(), 1, "one message says so");
    let blind = |arrived: &Arrived| arrived.kind == "operator.blind" || arrived.body["data"]["rule"]["name"] == "blind";
    let false_alarms: Vec<Arrived> =
        [SOC, OPS].iter().flat_map(|channel| world.arrived(channel)).filter(blind).collect();
    assert!(false_alarms.is_empty(), "nobody's data was missing: {false_alarms:?}");
    assert!(service.stop().await.success());
}
