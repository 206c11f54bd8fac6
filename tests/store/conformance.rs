//! Tenants, versions and alerts.

use std::time::Duration;

use scorewatch::{
    domain::ScoreKind,
    notify::silence::Acknowledgement,
    rule::Alert,
    store::{
        AlertFilter, AlertPlace, AttemptOutcome, Commit, DeliveryFilter, Downtime, Failing, Store, StoreError,
        find_alert,
    },
};

use super::fixture::*;

const DAY: Duration = Duration::from_hours(24);

async fn a_check_is_kept_whole_over_a_restart() {
    let fixture = Fixture::new().await;
    let mut outcome = check("contoso", None, 60);
    outcome.health.wake_at = Some(at(500));
    outcome.health.failing = Some(Failing { since: at(5), class: "role-missing".into(), hint: Some("grant".into()) });
    outcome.series = vec![series(vec![sample(30, 41.25)], DAY)];
    outcome.alerts = vec![update("drop", firing(1, 1))];
    outcome.notifications = vec![new_notification("one", Some(key("contoso", "drop")), &["soc", "soar"])];
    let health = outcome.health.clone();
    commit(&*fixture.store, outcome).await;
    let identity = fixture.store.identity().to_owned();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.identity(), identity);
    let record = load(&*fixture.store, "contoso").await;
    assert_eq!((record.version, &record.health), (1, &health));
    assert_eq!(record.series[0].window, [sample(30, 41.25)]);
    assert_eq!(record.series[0].last_data_at, at(30));
    assert_eq!(record.alerts[0].alert, firing(1, 1));
    assert_eq!(record.alerts[0].notified_at, None);
    assert_eq!(record.alerts[0].notified_channels, [channel("soar"), channel("soc")]);
    let due = fixture.store.schedule().await.unwrap();
    assert_eq!((due.len(), &due[0].tenant, due[0].wake_at), (1, &tenant("contoso"), Some(at(500))));
    assert_eq!(fixture.store.busy_channels().await.unwrap(), [channel("soar"), channel("soc")]);
}

async fn a_check_that_began_with_another_version_writes_nothing_at_all() {
    let fixture = Fixture::new().await;
    commit(&*fixture.store, check("contoso", None, 0)).await;
    commit(&*fixture.store, check("contoso", Some(1), 10)).await;
    for (name, expected) in [("contoso", None), ("contoso", Some(1)), ("contoso", Some(3)), ("unknown", Some(1))] {
        let mut outcome = check(name, expected, 99);
        outcome.series = vec![series(vec![sample(1, 1.0)], DAY)];
        outcome.alerts = vec![update("drop", firing(1, 1))];
        outcome.notifications = vec![new_notification("lost", Some(key(name, "drop")), &["soc"])];
        assert_eq!(fixture.store.commit(outcome).await.unwrap(), Commit::Conflict, "{name} {expected:?}");
    }
    let record = load(&*fixture.store, "contoso").await;
    assert_eq!((record.version, record.health.checked_at), (2, Some(at(10))));
    assert!(record.series.is_empty() && record.alerts.is_empty());
    assert!(fixture.store.deliveries(&DeliveryFilter::default()).await.unwrap().is_empty());
    assert!(fixture.store.load(&[tenant("unknown")]).await.unwrap().is_empty());
}

async fn a_notification_whose_id_is_there_is_left_alone_with_its_deliveries() {
    let fixture = Fixture::new().await;
    let mut outcome = check("contoso", None, 0);
    outcome.notifications =
        vec![new_notification("one", None, &["soc"]), new_notification("one", None, &["soc", "late"])];
    commit(&*fixture.store, outcome).await;
    assert!(!fixture.store.announce(new_notification("one", None, &["later"]), at(1)).await.unwrap());
    assert!(fixture.store.announce(new_notification("two", None, &["soc", "soc"]), at(1)).await.unwrap());
    let deliveries = fixture.store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert_eq!(deliveries.iter().map(|row| row.channel.as_str()).collect::<Vec<_>>(), ["soc", "soc"]);
}

async fn a_notification_is_known_from_when_it_is_written_until_nothing_of_it_is_kept() {
    let fixture = Fixture::new().await;
    let id = |name: &str| notification(name).data.facts.notification.id;
    assert!(!fixture.store.knows(&id("of a check")).await.unwrap());
    let mut outcome = check("contoso", None, 0);
    outcome.notifications = vec![new_notification("of a check", Some(key("contoso", "low")), &["soc"])];
    outcome.alerts = vec![update("low", firing(1, 1))];
    let mut refused = check("contoso", Some(7), 1);
    refused.notifications = vec![new_notification("refused", Some(key("contoso", "low")), &["soc"])];
    commit(&*fixture.store, outcome).await;
    assert_eq!(fixture.store.commit(refused).await.unwrap(), Commit::Conflict);
    assert!(fixture.store.announce(new_notification("announced", None, &["soc"]), at(1)).await.unwrap());
    assert!(fixture.store.announce(new_notification("for nobody", None, &[]), at(1)).await.unwrap());
    let fixture = fixture.reopen().await;
    for (name, is_known) in
        [("of a check", true), ("announced", true), ("for nobody", true), ("refused", false), ("other", false)]
    {
        assert_eq!(fixture.store.knows(&id(name)).await.unwrap(), is_known, "{name}");
    }

    for second in [2, 3] {
        let claimed = claim(&*fixture.store, "soc", second).await;
        fixture.store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, at(second)).await.unwrap();
    }
    while fixture.store.prune(at(0).plus(100 * DAY), 30 * DAY).await.unwrap() {}
    assert!(fixture.store.knows(&id("of a check")).await.unwrap(), "it is the newest of an alert that is kept");
    assert!(!fixture.store.knows(&id("announced")).await.unwrap(), "delivered long ago");
}

async fn requested_rechecks_are_known_until_a_check_is_written() {
    let fixture = Fixture::new().await;
    let alert = key("contoso", "low");
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![new_notification("one", Some(alert.clone()), &["soc"])];
    commit(&*fixture.store, outcome).await;
    commit(&*fixture.store, check("fabrikam", None, 0)).await;
    let seen = Acknowledgement { at: at(5), by: "ann".into(), comment: "ticket".into() };
    assert!(fixture.store.acknowledge(&alert, seen, by_ann(at(0))).await.unwrap());
    assert_eq!(fixture.store.rechecks_requested().await.unwrap(), []);
    assert!(fixture.store.unacknowledge(&alert, by_ann(at(10))).await.unwrap());
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.rechecks_requested().await.unwrap(), [(tenant("contoso"), at(10))]);
    commit(&*fixture.store, check("fabrikam", Some(1), 11)).await;
    assert_eq!(fixture.store.commit(check("contoso", Some(1), 11)).await.unwrap(), Commit::Conflict, "it began before");
    assert_eq!(fixture.store.rechecks_requested().await.unwrap().len(), 1);
    commit(&*fixture.store, check("contoso", Some(3), 12)).await;
    assert_eq!(fixture.store.rechecks_requested().await.unwrap(), []);
}

async fn a_check_that_a_person_asks_for_is_due_at_once_and_until_one_is_written() {
    let fixture = Fixture::new().await;
    commit(&*fixture.store, check("contoso", None, 0)).await;
    commit(&*fixture.store, check("fabrikam", None, 0)).await;
    let due = async |store: &dyn Store| {
        let due = store.schedule().await.unwrap();
        due.into_iter().find(|due| due.tenant == tenant("contoso")).unwrap().next_due_at
    };
    let by_schedule = due(&*fixture.store).await;
    assert!(by_schedule > at(10));
    assert_eq!(fixture.store.request_checks(&[tenant("nobody")].into(), by_ann(at(10))).await, Ok(0));
    assert_eq!(fixture.store.request_checks(&[tenant("contoso")].into(), by_ann(at(10))).await, Ok(1));
    assert_eq!(
        fixture.store.request_checks(&[tenant("contoso")].into(), by_ann(at(11))).await,
        Ok(1),
        "as often as they like"
    );
    let fixture = fixture.reopen().await;
    assert_eq!(due(&*fixture.store).await, at(10));
    assert_eq!(fixture.store.rechecks_requested().await.unwrap(), [(tenant("contoso"), at(11))]);
    assert_eq!(load(&*fixture.store, "contoso").await.health.next_due_at, at(10));
    assert_eq!(fixture.store.commit(check("contoso", Some(1), 11)).await.unwrap(), Commit::Conflict, "it began before");
    commit(&*fixture.store, check("contoso", Some(3), 12)).await;
    assert_eq!(fixture.store.rechecks_requested().await.unwrap(), []);
    assert!(due(&*fixture.store).await > at(12));
}

async fn listings_are_narrowed_to_tenants_and_go_on_from_a_place() {
    let fixture = Fixture::new().await;
    for (minute, name) in [(0, "contoso"), (1, "fabrikam"), (2, "tailspin")] {
        let mut outcome = check(name, None, minute);
        outcome.alerts = vec![update("low", firing(1, 1)), update("lower", firing(1, 1))];
        outcome.notifications = ["low", "lower"]
            .map(|rule| new_notification(&format!("{rule} {name}"), Some(key(name, rule)), &["soc"]))
            .into_iter()
            .collect();
        commit(&*fixture.store, outcome).await;
    }
    let store = &*fixture.store;
    let alerts = async |filter: AlertFilter| store.alerts(&filter).await.unwrap();
    let all = alerts(AlertFilter::default()).await;
    assert_eq!(all.len(), 6);
    let tenants = Some([tenant("contoso"), tenant("tailspin"), tenant("nobody")].into());
    let some = alerts(AlertFilter { tenants: tenants.clone(), ..AlertFilter::default() }).await;
    assert_eq!(some, [&all[..2], &all[4..]].concat());
    assert_eq!(alerts(AlertFilter { tenants: Some([].into()), ..AlertFilter::default() }).await, []);
    assert_eq!(alerts(AlertFilter { limit: Some(4), ..AlertFilter::default() }).await, all[..4]);
    for (index, row) in all.iter().enumerate() {
        let after = AlertPlace { changed_at: row.changed_at, alert: row.key.clone() };
        let rest = alerts(AlertFilter { after: Some(after), limit: Some(2), ..AlertFilter::default() }).await;
        assert_eq!(rest, all[index + 1..].iter().take(2).cloned().collect::<Vec<_>>());
    }
    let gone = AlertPlace { changed_at: all[2].changed_at, alert: key("nobody", "low") };
    let rest = alerts(AlertFilter { after: Some(gone), ..AlertFilter::default() }).await;
    assert_eq!(rest, all[2..], "what changed at the same time is repeated rather than left out");

    let deliveries = async |filter: DeliveryFilter| store.deliveries(&filter).await.unwrap();
    let all = deliveries(DeliveryFilter::default()).await;
    assert_eq!(all.len(), 6);
    let some = deliveries(DeliveryFilter { tenants, ..DeliveryFilter::default() }).await;
    assert_eq!(some, [&all[..2], &all[4..]].concat());
    assert_eq!(deliveries(DeliveryFilter { tenants: Some([].into()), ..DeliveryFilter::default() }).await, []);
    let before = DeliveryFilter { before: Some(all[1].id), limit: 3, ..DeliveryFilter::default() };
    assert_eq!(deliveries(before).await, all[2..5]);
}

async fn many_checks_at_once_are_all_durable_and_of_one_tenant_only_one_wins() {
    let fixture = Fixture::new().await;
    let mut tasks = Vec::new();
    for index in 0..300 {
        let store = fixture.store.clone();
        tasks.push(tokio::spawn(async move {
            let name = if index % 3 == 0 { "contoso".to_owned() } else { format!("t{index}") };
            let mut outcome = check(&name, None, index);
            outcome.series = vec![series(vec![sample(index, 1.0)], DAY)];
            store.commit(outcome).await.unwrap()
        }));
    }
    let mut done = 0;
    for task in tasks {
        done += usize::from(task.await.unwrap() == Commit::Done);
    }
    assert_eq!(done, 201);
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.schedule().await.unwrap().len(), 201);
    assert_eq!(fixture.store.totals().await.unwrap().tenants, 201);
}

async fn a_caller_that_goes_away_leaves_a_store_that_works() {
    let fixture = Fixture::new().await;
    for index in 0..50 {
        let store = fixture.store.clone();
        let task = tokio::spawn(async move { store.commit(check(&format!("t{index}"), None, 0)).await });
        tokio::task::yield_now().await;
        task.abort();
    }
    commit(&*fixture.store, check("contoso", None, 0)).await;
    assert_eq!(load(&*fixture.store, "contoso").await.version, 1);
}

async fn alerts_are_distinguished_by_subject_and_listed_newest_change_first() {
    let fixture = Fixture::new().await;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(1, 1))];
    for text in ["", "=", "null", "EU ☂ 'x'"] {
        let mut of_subject = update("low", pending());
        of_subject.score = Some(ScoreKind::ExposureScoreByGroup);
        of_subject.subject = Some(subject(text));
        outcome.alerts.push(of_subject);
        let mut window = series(vec![sample(0, 1.0)], DAY);
        (window.score, window.subject) = (ScoreKind::ExposureScoreByGroup, Some(subject(text)));
        outcome.series.push(window);
    }
    let mut none = series(vec![sample(0, 2.0)], DAY);
    none.score = ScoreKind::ExposureScoreByGroup;
    outcome.series.push(none);
    commit(&*fixture.store, outcome).await;
    let mut outcome = check("fabrikam", None, 10);
    outcome.alerts = vec![update("low", firing(1, 1)), update("old", resolved(2, 2))];
    commit(&*fixture.store, outcome).await;

    let record = load(&*fixture.store, "contoso").await;
    assert_eq!((record.alerts.len(), record.series.len()), (5, 5));
    let count = async |filter: AlertFilter| fixture.store.alerts(&filter).await.unwrap().len();
    assert_eq!(count(AlertFilter::default()).await, 7);
    assert_eq!(count(AlertFilter { open_only: true, ..AlertFilter::default() }).await, 6);
    assert_eq!(count(AlertFilter { firing_only: true, ..AlertFilter::default() }).await, 2);
    assert_eq!(count(AlertFilter { tenant: Some(tenant("fabrikam")), ..AlertFilter::default() }).await, 2);
    assert_eq!(count(AlertFilter { rule: Some(key("x", "old").rule), ..AlertFilter::default() }).await, 1);
    let all = fixture.store.alerts(&AlertFilter::default()).await.unwrap();
    assert_eq!(all[0].key.tenant, tenant("fabrikam"));
    assert!(all.is_sorted_by(|a, b| a.changed_at >= b.changed_at));
    let totals = fixture.store.totals().await.unwrap();
    assert_eq!((totals.pending, totals.firing), (4, 2));
}

async fn a_blank_alert_is_deleted_and_the_others_stay() {
    let fixture = Fixture::new().await;
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("a", pending()), update("b", pending())];
    commit(&*fixture.store, outcome).await;
    let mut outcome = check("contoso", Some(1), 1);
    outcome.alerts = vec![update("a", Alert::default())];
    commit(&*fixture.store, outcome).await;
    assert_eq!(find_alert(&*fixture.store, &key("contoso", "a")).await.unwrap(), None);
    assert_eq!(find_alert(&*fixture.store, &key("contoso", "b")).await.unwrap().unwrap().alert, pending());
}

async fn heartbeats_and_downtimes_are_kept() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.last_heartbeat().await.unwrap(), None);
    fixture.store.heartbeat(at(5)).await.unwrap();
    fixture.store.heartbeat(at(7)).await.unwrap();
    let downtimes = [Downtime { from: at(1), until: at(3) }, Downtime { from: at(5), until: at(6) }];
    for downtime in [downtimes[1], downtimes[0], downtimes[0]] {
        fixture.store.record_downtime(downtime).await.unwrap();
    }
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.last_heartbeat().await.unwrap().map(|last| last.at), Some(at(7)));
    assert_eq!(fixture.store.downtimes().await.unwrap(), downtimes);
}

async fn a_closed_store_says_so() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    fixture.store.close().await;
    assert!(matches!(fixture.store.heartbeat(at(0)).await, Err(StoreError::Failed(_))));
}

on_both! {
    a_check_is_kept_whole_over_a_restart,
    a_check_that_began_with_another_version_writes_nothing_at_all,
    a_notification_whose_id_is_there_is_left_alone_with_its_deliveries,
    a_notification_is_known_from_when_it_is_written_until_nothing_of_it_is_kept,
    requested_rechecks_are_known_until_a_check_is_written,
    a_check_that_a_person_asks_for_is_due_at_once_and_until_one_is_written,
    listings_are_narrowed_to_tenants_and_go_on_from_a_place,
    many_checks_at_once_are_all_durable_and_of_one_tenant_only_one_wins,
    a_caller_that_goes_away_leaves_a_store_that_works,
    alerts_are_distinguished_by_subject_and_listed_newest_change_first,
    a_blank_alert_is_deleted_and_the_others_stay,
    heartbeats_and_downtimes_are_kept,
    a_closed_store_says_so,
}
