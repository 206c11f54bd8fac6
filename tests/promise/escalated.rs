//! What nobody acknowledges is sent to further channels, once, over a kill of the process too; its messages link to the alert's page, and
//! their short ids name it.

use crate::harness::{HIGH, LOW, OPS, SOC, World, kinds};

/// What the operator's channel was sent of that tenant's alerts.
fn escalated(world: &World) -> Vec<crate::harness::Arrived> {
    let mut arrived = world.accepted(OPS, "contoso");
    arrived.retain(|one| one.kind.starts_with("alert."));
    arrived
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_acknowledges_is_escalated_once_and_its_end_goes_to_both() {
    let mut world = World::new().await;
    world.setup.rules.push_str("    escalate: { after: 3s, notify: [ops] }\n");
    world.setup.top.push_str("public_url: https://scores.mssp.example\n");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|one| one.kind == "alert.firing")).await;
    service.kill();
    service.ended().await;

    let service = world.run().await;
    world.until(&service, OPS, |arrived| arrived.iter().any(|one| one.kind == "alert.escalated")).await;
    service.kill();
    service.ended().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 5).await;
    let message = world.accepted(SOC, "contoso").remove(0);
    let page = format!("https://scores.mssp.example/alerts/{}", message.alert);
    assert_eq!(message.body["data"]["links"]["dashboard"], page);

    let short = message.body["data"]["notification"]["short_id"].as_str().unwrap().to_ascii_lowercase();
    let seen = world.command(&["alerts", "acknowledge", &short, "--comment", "ticket"]).await;
    assert!(seen.status.success(), "{seen:?}");
    world.set_score("contoso", HIGH);
    for channel in [SOC, OPS] {
        world.until(&service, channel, |arrived| arrived.iter().any(|one| one.kind == "alert.resolved")).await;
    }
    world.quiet(&service).await;
    let mut said = escalated(&world);
    // A kill may have come between an answer and its record: then the same message came twice, and says so.
    said.dedup_by(|later, earlier| later.id == earlier.id && later.possible_duplicate);
    assert_eq!(kinds(&said), [("alert.escalated", 2), ("alert.resolved", 3)]);

    let shown = world.command(&["alerts", "show", "contoso", "device-score-low"]).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    let numbers: Vec<&str> =
        shown.split("`scorewatch deliveries show ").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert_eq!(numbers.len(), 2, "the end went to two channels: {shown}");
    for number in numbers {
        let delivery = world.command(&["deliveries", "show", number]).await;
        assert!(delivery.status.success(), "{number}: {delivery:?}");
    }
    assert!(world.command(&["explain", &short.to_ascii_uppercase()]).await.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_can_be_made_by_the_id_in_a_message() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|one| one.kind == "alert.firing")).await;
    let message = world.accepted(SOC, "contoso").remove(0);
    let short = message.body["data"]["notification"]["short_id"].as_str().unwrap().to_owned();
    let made = world.command(&["silences", "add", "--alert", &short, "--for", "1h", "--comment", "patching"]).await;
    let said = String::from_utf8(made.stdout).unwrap();
    let covers = "silence 1: tenant contoso, rule device-score-low, score device-secure-score, until ";
    assert!(said.starts_with(covers), "{said}");
    assert!(said.contains("it covers these firing alerts"), "{said}");
}
