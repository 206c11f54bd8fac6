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
async fn ended(held_until: Option<i64>) -> Fixture {
    let fixture = Fixture::new().await;
    let mut outcome = check("contoso", None, 10);
    outcome.alerts = vec![update("low", firing(1, 1))];
    commit(&*fixture.store, outcome).await;
    let mut outcome = check("contoso", Some(1), 20);
    outcome.alerts = vec![update("low", resolved(1, 2))];
    outcome.notifications = vec![of_rule("low", "O1", 2, held_until)];
    assert_eq!(outcome.notifications[0].notification.kind, NotificationType::AlertResolved);
    commit(&*fixture.store, outcome).await;
    fixture
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

async fn an_end_that_nobody_tried_to_send_is_taken_back_with_the_check_that_says_so() {
    for held_until in [Some(100), None] {
        let fixture = ended(held_until).await;
        assert!(load(&*fixture.store, "contoso").await.alerts[0].can_be_withdrawn);
        commit(&*fixture.store, taking_back(2)).await;
        assert_eq!(states(&*fixture.store).await, ["suppressed"]);
        let alert = &load(&*fixture.store, "contoso").await.alerts[0];
        assert_eq!((&alert.alert, alert.notified_at), (&firing_on(), Some(at(30))), "reminders go on from here");
        assert!(!alert.can_be_withdrawn);
        assert_eq!(asked(&*fixture.store, None, 1_000).await, Claim::Idle);
    }
}

async fn an_end_that_somebody_tried_to_send_is_not_taken_back() {
    for comes_back in [false, true] {
        let fixture = ended(None).await;
        let claimed = claim(&*fixture.store, "soc", 25).await;
        if comes_back {
            let failed = AttemptOutcome::Retry {
                next_attempt_at: at(900),
                error: "it answered 503".to_owned(),
                may_have_arrived: false,
            };
            fixture.store.settle(claimed.id, claimed.attempt, failed, None, at(26)).await.unwrap();
        }
        let before = states(&*fixture.store).await;
        assert!(!load(&*fixture.store, "contoso").await.alerts[0].can_be_withdrawn);
        assert_eq!(fixture.store.commit(taking_back(2)).await.unwrap(), Commit::Conflict);
        assert_eq!(states(&*fixture.store).await, before);
        assert_eq!(load(&*fixture.store, "contoso").await.alerts[0].alert, resolved(1, 2));
    }
}

async fn an_end_that_was_taken_back_and_is_sent_by_a_person_stops_no_check() {
    let fixture = ended(Some(100)).await;
    commit(&*fixture.store, taking_back(2)).await;
    let delivery = fixture.store.deliveries(&DeliveryFilter::default()).await.unwrap()[0].id;
    assert!(fixture.store.resend(delivery, by_ann(at(40))).await.unwrap());
    let _claimed = claim(&*fixture.store, "soc", 41).await;
    commit(&*fixture.store, taking_back(3)).await;
}

async fn an_end_is_taken_back_also_by_a_check_that_has_something_to_say() {
    let fixture = ended(None).await;
    let mut outcome = taking_back(2);
    outcome.alerts[0].alert.sequence = 3;
    outcome.notifications = vec![of_rule("low", "W1", 3, None)];
    commit(&*fixture.store, outcome).await;
    assert_eq!(states(&*fixture.store).await, ["suppressed", "queued"]);
    let alert = &load(&*fixture.store, "contoso").await.alerts[0];
    assert_eq!(alert.notified_at, None, "its newest notification is on its way");
}

on_both! {
    an_end_that_nobody_tried_to_send_is_taken_back_with_the_check_that_says_so,
    an_end_that_somebody_tried_to_send_is_not_taken_back,
    an_end_that_was_taken_back_and_is_sent_by_a_person_stops_no_check,
    an_end_is_taken_back_also_by_a_check_that_has_something_to_say,
}
