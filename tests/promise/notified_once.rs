//! Of every real worsening you hear once, and once when it is over: across restarts, crashes and reloads.

use crate::harness::{HIGH, LOW, SOC, World, kinds, postgres::Postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_notified_once_whatever_happens_to_the_process_in_between() {
    notified_once(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn an_alert_is_notified_once_also_with_the_store_in_postgresql() {
    let server = Postgres::shared();
    let mut world = World::new().await;
    world.setup.store = Postgres::address(&server.database().await);
    notified_once(world).await;
}

async fn notified_once(mut world: World) {
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [], "a healthy tenant is not reported");

    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);

    assert!(service.stop().await.success());
    let service = world.run().await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "a restart repeats nothing");

    world.quiet(&service).await;
    service.kill();
    let service = world.run().await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "a crash in quiet times repeats nothing");

    world.add_tenant("fabrikam");
    world.write();
    world.checked(&service, "fabrikam", 1).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)], "a reload repeats nothing");

    assert!(service.stop().await.success());
    world.set_score("contoso", HIGH);
    let service = world.run().await;
    world.settle(&service, SOC).await;
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(
        kinds(&arrived),
        [("alert.firing", 1), ("alert.resolved", 2)],
        "a recovery during our downtime is reported"
    );
    assert_ne!(arrived[0].id, arrived[1].id);
    assert_eq!(arrived[0].alert, arrived[1].alert);
    assert_eq!(arrived[0].body["data"]["score"]["value"], LOW);
    assert_eq!(arrived[1].body["data"]["score"]["value"], HIGH);
    assert!(arrived[1].body["data"]["alert"]["resolved_at"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_further_loss_of_the_rule_s_size_is_notified_again() {
    let mut world = World::new().await;
    world.setup.rules =
        "rules:\n  - name: drop\n    score: device-secure-score\n    when: { drop: 50pts, within: 24h }\n    \
                         severity: critical\n    notify: [soc]\n"
            .to_owned();
    let service = world.run().await;
    world.checked(&service, "contoso", 3).await;
    for (score, sent_so_far) in [
        (451.0, vec![]),
        (450.0, vec![("alert.firing", 1)]),
        (401.0, vec![("alert.firing", 1)]),
        (400.0, vec![("alert.firing", 1), ("alert.worsened", 2)]),
        (460.0, vec![("alert.firing", 1), ("alert.worsened", 2), ("alert.resolved", 3)]),
    ] {
        world.set_score("contoso", score);
        world.checked(&service, "contoso", 2).await;
        world.settle(&service, SOC).await;
        assert_eq!(kinds(&world.accepted(SOC, "contoso")), sent_so_far, "at {score}");
    }
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(arrived[1].body["data"]["score"]["baseline"], HIGH, "the baseline is frozen");
    assert_eq!(arrived[1].body["data"]["score"]["loss"], 100.0);
}
