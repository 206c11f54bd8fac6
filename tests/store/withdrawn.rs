//! The end of an alert that fires on is taken back, as long as nobody has tried to send it.

use scorewatch::{
    notify::NotificationType,
    rule::{Alert, AlertState},
    store::{AttemptOutcome, CheckOutcome, Claim, Commit, DeliveryFilter},
};

use super::{
    fixture::*,
    hold::{asked, of_rule, states},
};

/// A store in which an alert ended, with the notification of that.
async fn ended(held_until: Option<i64>) -> Bed {
    let bed = Bed::new().await;
    let mut outcome = check("contoso", None, 10);
    outcome.alerts = vec![update("low", firing(1, 1))];
    commit(&*bed.store, outcome).await;
    let mut outcome = check("contoso", Some(1), 20);
    outcome.alerts = vec![update("low", resolved(1, 2))];
    outcome.notifications = vec![of_rule("low", "O1", 2, held_until)];
    assert_eq!(outcome.notifications[0].notification.kind, NotificationType::AlertResolved);
    commit(&*bed.store, outcome).await;
    bed
}

fn firing_on() -> Alert {
    let mut alert = firing(1, 2);
    let AlertState::Firing(firing) = &mut alert.state else { panic!("it fires") };
    firing.end_taken_back = 2;
    alert
}

fn taking_back(version: u64) -> CheckOutcome {
    let mut outcome = check("contoso", Some(version), 30);
    outcome.alerts = vec![update("low", firing_on())];
    outcome
}

#[tokio::test]
async fn an_end_that_nobody_tried_to_send_is_taken_back_with_the_check_that_says_so() {
    for held_until in [Some(100), None] {
        let bed = ended(held_until).await;
        assert!(load(&*bed.store, "contoso").await.alerts[0].can_be_withdrawn);
        commit(&*bed.store, taking_back(2)).await;
        assert_eq!(states(&*bed.store).await, ["suppressed"]);
        let alert = &load(&*bed.store, "contoso").await.alerts[0];
        assert_eq!((&alert.alert, alert.told_at), (&firing_on(), Some(at(30))), "reminders go on from here");
        assert!(!alert.can_be_withdrawn);
        assert_eq!(asked(&*bed.store, None, 1_000).await, Claim::Idle);
    }
}

#[tokio::test]
async fn an_end_that_somebody_tried_to_send_is_not_taken_back() {
    for comes_back in [false, true] {
        let bed = ended(None).await;
        let claimed = claim(&*bed.store, "soc", 25).await;
        if comes_back {
            let failed = AttemptOutcome::Retry {
                next_attempt_at: at(900),
                error: "it answered 503".to_owned(),
                may_have_arrived: false,
            };
            bed.store.settle(claimed.id, claimed.attempt, failed, None, at(26)).await.unwrap();
        }
        let before = states(&*bed.store).await;
        assert!(!load(&*bed.store, "contoso").await.alerts[0].can_be_withdrawn);
        assert_eq!(bed.store.commit(taking_back(2)).await.unwrap(), Commit::Conflict);
        assert_eq!(states(&*bed.store).await, before);
        assert_eq!(load(&*bed.store, "contoso").await.alerts[0].alert, resolved(1, 2));
    }
}

#[tokio::test]
async fn an_end_that_was_taken_back_and_is_sent_by_a_person_stops_no_check() {
    let bed = ended(Some(100)).await;
    commit(&*bed.store, taking_back(2)).await;
    let delivery = bed.store.deliveries(&DeliveryFilter::default()).await.unwrap()[0].id;
    assert!(bed.store.resend(delivery, at(40)).await.unwrap());
    let _claimed = claim(&*bed.store, "soc", 41).await;
    commit(&*bed.store, taking_back(3)).await;
}
