//! Tenants that can't be read, and the outages that report them.

use std::time::Duration;

use scorewatch::{
    notify::DeliveryState,
    store::{AttemptOutcome, Blind, Claim, ClaimTerms, DeliveryFilter, Failing, FailingTenant, Outage, Store},
};

use super::fixture::*;

const RULE: &str = "operator-blind";

fn failing(class: &str, seconds: i64) -> Failing {
    Failing { since: at(seconds), class: class.to_owned(), hint: Some("mend it".to_owned()) }
}

/// A check of a tenant that fails, with the operator's alert about it if it is there.
async fn fails(store: &dyn Store, name: &str, version: Option<u64>, how: Option<Failing>, fires: Option<bool>) {
    let mut outcome = check(name, version, 60);
    outcome.health.failing = how;
    if let Some(is_firing) = fires {
        outcome.alerts = vec![update(RULE, if is_firing { firing(1, 1) } else { pending() })];
    }
    commit(store, outcome).await;
}

async fn failing_now(store: &dyn Store) -> Vec<FailingTenant> {
    store.failing(&key("any", RULE).rule).await.unwrap()
}

fn outage(cause: &str, seconds: i64) -> Outage {
    Outage {
        cause: cause.to_owned(),
        since: at(seconds),
        tenants: [tenant("contoso"), tenant("fabrikam")].into(),
        notified_at: None,
        notified_channels: Vec::new(),
        over_at: None,
    }
}

async fn who_fails_is_listed_with_the_operators_alert_and_who_recovers_is_not() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fails(store, "calm", None, None, None).await;
    fails(store, "soon", None, Some(failing("garbage", 5)), None).await;
    fails(store, "pending", None, Some(failing("garbage", 5)), Some(false)).await;
    fails(store, "fires", None, Some(failing("role-missing", 7)), Some(true)).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    let listed = |name: &str, how: Failing, blind: Option<Blind>| FailingTenant {
        tenant: tenant(name),
        checked_at: Some(at(60)),
        failing: how,
        blind,
    };
    let worst_before = Some(Blind { notified_channels: Vec::new() });
    assert_eq!(
        failing_now(store).await,
        [
            listed("soon", failing("garbage", 5), None),
            listed("pending", failing("garbage", 5), None),
            listed("fires", failing("role-missing", 7), worst_before),
        ]
    );
    let other = store.failing(&key("any", "another").rule).await.unwrap();
    assert!(other.iter().all(|failing| failing.blind.is_none()), "another rule's alert is none of the operator's");
    fails(store, "soon", Some(1), None, None).await;
    fails(store, "fires", Some(1), None, None).await;
    assert_eq!(failing_now(store).await, [listed("pending", failing("garbage", 5), None)]);
}

async fn who_was_notified_of_a_tenant_is_known_for_the_current_episode_only() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fails(store, "contoso", None, Some(failing("garbage", 0)), Some(true)).await;
    let message = new_notification("one", Some(key("contoso", RULE)), &["ops", "mail"]);
    let mut outcome = check("contoso", Some(1), 60);
    outcome.health.failing = Some(failing("garbage", 0));
    outcome.alerts = vec![update(RULE, firing(1, 1))];
    outcome.notifications = vec![message];
    commit(store, outcome).await;
    let blind = failing_now(store).await.remove(0).blind.unwrap();
    assert_eq!(blind.notified_channels, [channel("mail"), channel("ops")]);
    let mut outcome = check("contoso", Some(2), 120);
    outcome.health.failing = Some(failing("garbage", 100));
    outcome.alerts = vec![update(RULE, firing(2, 1))];
    commit(store, outcome).await;
    let blind = failing_now(store).await.remove(0).blind.unwrap();
    assert_eq!(blind.notified_channels, [], "it fires again, of which nobody was notified");
}

async fn when_each_tenant_was_checked_is_known_also_of_those_that_fail() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    fails(store, "fails", None, Some(failing("garbage", 0)), None).await;
    let mut never = check("never", None, 0);
    never.health.checked_at = None;
    commit(store, never).await;
    commit(store, check("contoso", None, 30)).await;
    commit(store, check("contoso", Some(1), 90)).await;
    let mut checked = store.checked().await.unwrap();
    checked.sort();
    assert_eq!(checked, [(tenant("contoso"), at(90)), (tenant("fails"), at(60))]);
}

async fn an_outage_is_kept_as_it_was_last_written_and_another_of_its_cause_is_another() {
    let fixture = Fixture::new().await;
    let first = outage("service", 0);
    fixture.store.record_outage(first.clone(), Vec::new(), at(10)).await.unwrap();
    assert_eq!(fixture.store.outages(at(0)).await.unwrap(), std::slice::from_ref(&first));
    let grown = Outage {
        tenants: [tenant("contoso"), tenant("fabrikam"), tenant("tailspin")].into(),
        notified_at: Some(at(20)),
        notified_channels: vec![channel("ops")],
        ..first
    };
    fixture.store.record_outage(grown.clone(), Vec::new(), at(20)).await.unwrap();
    let over = Outage { over_at: Some(at(50)), ..grown };
    fixture.store.record_outage(over.clone(), Vec::new(), at(50)).await.unwrap();
    let (again, other) = (outage("service", 60), outage("credential 7", 5));
    for new in [&again, &other] {
        fixture.store.record_outage(new.clone(), Vec::new(), at(70)).await.unwrap();
    }
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.outages(at(50)).await.unwrap(), [other.clone(), over, again.clone()]);
    assert_eq!(
        fixture.store.outages(at(51)).await.unwrap(),
        [other, again],
        "what was over before is asked for no more"
    );
}

async fn messages_about_one_outage_keep_their_order_and_are_sent_once() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let began = outage("service", 0);
    store.record_outage(began.clone(), vec![new_notification("began", None, &["ops", "mail"])], at(0)).await.unwrap();
    store.record_outage(began.clone(), vec![new_notification("began", None, &["ops"])], at(1)).await.unwrap();
    let over = Outage { over_at: Some(at(2)), ..began };
    store.record_outage(over, vec![new_notification("over", None, &["ops"])], at(2)).await.unwrap();
    store.record_outage(outage("clock", 0), vec![new_notification("other", None, &["ops"])], at(3)).await.unwrap();
    let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert_eq!(deliveries.len(), 4, "the notification that was there is left alone: {deliveries:?}");
    let id = |id: &str| notification(id).data.facts.notification.id;
    let first = claim(store, "ops", 10).await;
    assert_eq!(first.notification.data.notification.id, id("began"));
    let failed = AttemptOutcome::Retry { error: "503".into(), next_attempt_at: at(100), may_have_arrived: false };
    store.settle(first.id, 1, failed, None, at(11)).await.unwrap();
    // The end of the outage waits for its beginning; another outage does not.
    let second = claim(store, "ops", 12).await;
    assert_eq!(second.notification.data.notification.id, id("other"));
    store.settle(second.id, 1, AttemptOutcome::Delivered, None, at(13)).await.unwrap();
    assert_eq!(store.claim(&channel("ops"), ClaimTerms::default(), at(14)).await.unwrap(), Claim::Wait(at(100)));
    let first = claim(store, "ops", 100).await;
    store.settle(first.id, 2, AttemptOutcome::Delivered, None, at(101)).await.unwrap();
    assert_eq!(claim(store, "ops", 102).await.notification.data.notification.id, id("over"));
    let mail = DeliveryFilter { channel: Some(channel("mail")), ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(&mail).await.unwrap()[0].state, DeliveryState::Queued);
}

async fn outages_that_are_over_go_with_retention_and_those_that_go_on_stay() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let (going_on, over) = (outage("service", 0), Outage { over_at: Some(at(100)), ..outage("clock", 0) });
    for new in [&going_on, &over] {
        store.record_outage(new.clone(), Vec::new(), at(0)).await.unwrap();
    }
    for (now, left) in [(159, 2), (160, 2), (161, 1)] {
        assert!(!store.prune(at(now), Duration::from_mins(1)).await.unwrap());
        assert_eq!(store.outages(at(0)).await.unwrap().len(), left, "at {now}");
    }
    assert_eq!(store.outages(at(0)).await.unwrap(), [going_on]);
}

on_both! {
    who_fails_is_listed_with_the_operators_alert_and_who_recovers_is_not,
    who_was_notified_of_a_tenant_is_known_for_the_current_episode_only,
    when_each_tenant_was_checked_is_known_also_of_those_that_fail,
    an_outage_is_kept_as_it_was_last_written_and_another_of_its_cause_is_another,
    messages_about_one_outage_keep_their_order_and_are_sent_once,
    outages_that_are_over_go_with_retention_and_those_that_go_on_stay,
}
