//! An alert that comes and goes is reported once as unstable, and then left alone.

use crate::harness::{HIGH, LOW, SOC, World, kinds};

const CHANGES: [(f64, &str); 4] =
    [(LOW, "alert.firing"), (HIGH, "alert.resolved"), (LOW, "alert.firing"), (HIGH, "alert.unstable")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_toggling_alert_is_reported_once_as_unstable_and_then_not_at_all() {
    let mut world = World::new().await;
    world.setup.top.push_str("flapping: { changes: 3 }\n");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    for (number, (score, kind)) in CHANGES.into_iter().enumerate() {
        world.set_score("contoso", score);
        world
            .until(&service, SOC, |arrived| {
                arrived.len() > number && arrived.last().is_some_and(|arrived| arrived.kind == kind)
            })
            .await;
    }
    for score in [LOW, HIGH, LOW] {
        world.set_score("contoso", score);
        world.checked(&service, "contoso", 2).await;
    }
    world.settle(&service, SOC).await;
    let expected = [("alert.firing", 1), ("alert.resolved", 2), ("alert.firing", 1), ("alert.unstable", 2)];
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), expected, "one message, then quiet");
    let reason = arrived[3].body["data"]["alert"]["reason"].as_str().unwrap();
    assert!(reason.contains('3'), "{reason}");

    world.quiet(&service).await;
    service.kill();
    world.set_score("contoso", HIGH);
    let service = world.run().await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), expected, "also over a crash");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_without_flapping_detection_reports_each_change() {
    let mut world = World::new().await;
    world.setup.top.push_str("flapping: { changes: 3 }\n");
    world.setup.rules.push_str("    flapping: off\n");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    for number in 0..6 {
        world.set_score("contoso", if number % 2 == 0 { LOW } else { HIGH });
        world.until(&service, SOC, |arrived| arrived.len() > number).await;
    }
    let pair = [("alert.firing", 1), ("alert.resolved", 2)];
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [pair, pair, pair].concat());
}
