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
    world.until(&service, SOC, |arrived| arrived.len() == 3).await;
    world.set_score("contoso", HIGH);
    world.until(&service, SOC, |arrived| arrived.last().is_some_and(|arrived| arrived.kind == "alert.resolved")).await;
    let arrived = world.accepted(SOC, "contoso");
    let reminders = arrived.len() - 2;
    assert!(
        arrived[0].kind == "alert.firing"
            && arrived[1..=reminders].iter().all(|arrived| arrived.kind == "alert.reminder")
    );
    assert!(arrived.iter().zip(1..).all(|(arrived, sequence)| arrived.sequence == sequence));
    for pair in arrived[..=reminders].windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at) >= Duration::from_secs(3), "counted from the last delivered one");
    }
    world.checked(&service, "contoso", 5).await;
    assert_eq!(world.arrived(SOC).len(), arrived.len(), "what is over is not reminded of");
}
