//! A shift that lifts every score does not end the alert of a tenant that lost points of its own.

use super::{Fleet, fall};

#[tokio::test]
async fn what_every_tenant_gains_gives_nobody_back_what_it_lost_itself() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.scores.insert(3, 360.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3"]);
    fleet.all_fall_to(480.0);
    fleet.scores.insert(3, 432.0);
    fleet.quarters(4).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3"], "its end would be none");
    assert_eq!(fleet.fixture.firing().await.len(), 1);
    assert!(fleet.fixture.deliveries().await.iter().all(|delivery| delivery.finished_at.is_some()), "nothing waits");
    fleet.scores.insert(3, 480.0);
    fleet.quarters(2).await;
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3", "alert.resolved t3"]);
    assert!(fleet.fixture.firing().await.is_empty());
}

#[tokio::test]
async fn an_end_that_is_not_taken_back_is_reported() {
    let mut fleet = Fleet::new(vec![fall()]).await;
    fleet.quarters(2).await;
    fleet.scores.insert(3, 360.0);
    fleet.quarters(2).await;
    fleet.all_fall_to(480.0);
    fleet.scores.insert(3, 432.0);
    fleet.are_alerts_looked_at = false;
    fleet.quarter().await;
    for _ in 0..20 {
        fleet.fixture.pass(1);
        fleet.dispatcher.drain().await.unwrap();
    }
    assert_eq!(fleet.arrived("soc"), ["alert.firing t3", "fleet.shift"], "its end is a line of what all gained");
    fleet.are_alerts_looked_at = true;
    fleet.quarters(2).await;
    assert_eq!(
        fleet.arrived("soc"),
        ["alert.firing t3", "alert.firing t3", "fleet.shift"],
        "it fires, and its channel knows"
    );
}
