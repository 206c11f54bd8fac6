//! What still fires is said again at each `repeat`, counted from the last delivered message, and no more once it is over.

use std::time::Duration;

use crate::harness::{HIGH, LOW, SOC, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firing_alert_reminds_at_each_repeat_until_it_is_over() {
    let mut world = World::new().await;
    world.setup.rules.push_str("    repeat: 3s\n");
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |told| told.len() == 3).await;
    world.set_score("contoso", HIGH);
    world.until(&service, SOC, |told| told.last().is_some_and(|told| told.kind == "alert.resolved")).await;
    let told = world.accepted(SOC, "contoso");
    let reminders = told.len() - 2;
    assert!(told[0].kind == "alert.firing" && told[1..=reminders].iter().all(|told| told.kind == "alert.reminder"));
    assert!(told.iter().zip(1..).all(|(told, sequence)| told.sequence == sequence));
    for pair in told[..=reminders].windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at) >= Duration::from_secs(3), "counted from the last delivered one");
    }
    world.checked(&service, "contoso", 5).await;
    assert_eq!(world.told(SOC).len(), told.len(), "what is over is not reminded of");
}
