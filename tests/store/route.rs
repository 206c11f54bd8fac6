//! What a changed route does to notifications that are on their way.

use std::collections::BTreeSet;

use scorewatch::{
    notify::{Hold, NotificationType},
    rule::AlertKey,
    store::{AttemptOutcome, Reroute, Rerouted, Routes, Store},
};

use super::{
    fixture::*,
    hold::{SILENCE, due, ids, of_rule, states},
};

async fn reroute(store: &dyn Store, alerts: Vec<Reroute>, operator: &[&str], seconds: i64) -> Rerouted {
    let channels: BTreeSet<_> = ["soc", "old", "new"].map(channel).into();
    let operator = operator.iter().map(|name| channel(name)).collect();
    store.reroute(Routes { alerts, channels, operator }, at(seconds)).await.unwrap()
}

fn route(alert: AlertKey, names: &[&str], held_until: Option<i64>) -> Reroute {
    let hold = held_until.map(|until| Hold { why: SILENCE, until: at(until) });
    Reroute { alert, route: names.iter().map(|name| channel(name)).collect(), hold }
}

async fn a_message_that_was_moved_to_another_channel_of_the_operator_s_is_not_lost_when_routes_change_again() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut new = new_notification("op", None, &["old"]);
    new.notification.kind = NotificationType::OperatorChannel;
    assert!(store.announce(new, at(0)).await.unwrap());
    assert_eq!(reroute(store, Vec::new(), &["new"], 1).await.moved, 1);
    for seconds in [2, 3] {
        reroute(store, Vec::new(), &["new"], seconds).await;
        assert_eq!(states(store).await, ["merged", "queued"]);
    }
    assert_eq!(claim(store, "new", 4).await.notification.kind, NotificationType::OperatorChannel);
}

async fn what_is_sent_again_to_a_channel_that_came_back_and_is_held_is_released_when_its_time_has_come() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![of_rule("low", "F1", 1, None)];
    commit(store, outcome).await;
    let sent = claim(store, "soc", 1).await;
    store.settle(sent.id, sent.attempt, AttemptOutcome::Delivered, None, at(2)).await.unwrap();
    reroute(store, vec![route(key("contoso", "low"), &[], None)], &[], 3).await;
    let back = reroute(store, vec![route(key("contoso", "low"), &["soc"], Some(100))], &[], 4).await;
    assert_eq!((back.queued, states(store).await), (1, vec!["held"]));
    assert_eq!(due(store, 99).await, []);
    assert_eq!(due(store, 100).await.iter().map(ids).collect::<Vec<_>>(), [[sent.id]]);
}

on_both! {
    a_message_that_was_moved_to_another_channel_of_the_operator_s_is_not_lost_when_routes_change_again,
    what_is_sent_again_to_a_channel_that_came_back_and_is_held_is_released_when_its_time_has_come,
}
