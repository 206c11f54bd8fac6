//! An alert that replaces another goes on where that one stood: who was notified, when, and of what.

use scorewatch::store::{AlertFilter, AlertRow, AlertUpdate, CheckOutcome, Inherited, Store};

use super::fixture::*;

async fn firing_alerts(store: &dyn Store) -> Vec<AlertRow> {
    let filter = AlertFilter { tenant: Some(tenant("contoso")), firing_only: true, ..AlertFilter::default() };
    store.alerts(&filter).await.unwrap()
}

async fn what_an_alert_inherits_survives_the_end_of_the_one_it_replaces_and_a_restart() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let message = new_notification("of the older one", Some(key("contoso", "blind")), &["soc", "ops"]);
    let first = CheckOutcome {
        alerts: vec![update("blind", firing(3, 1))],
        notifications: vec![message.clone()],
        ..check("contoso", None, 0)
    };
    commit(store, first).await;
    let older = load(store, "contoso").await.alerts.remove(0);
    assert_eq!(older.notified_channels, [channel("ops"), channel("soc")]);

    let inherited = Inherited {
        notified_channels: older.notified_channels.clone(),
        notified_at: Some(at(5)),
        from: (older.score, older.subject.clone()),
    };
    let own = AlertUpdate { score: None, inherits: Some(inherited), ..update("blind", firing(1, 1)) };
    let takes_over =
        CheckOutcome { alerts: vec![own, update("blind", resolved(3, 2))], ..check("contoso", Some(1), 10) };
    commit(store, takes_over).await;
    let fixture = fixture.reopen().await;
    let store = &*fixture.store;
    // Twice: a later check of the alert changes nothing of it.
    for seconds in [20, 30] {
        let record = load(store, "contoso").await;
        let own = record.alerts.iter().find(|alert| alert.score.is_none()).unwrap();
        assert_eq!((&own.notified_channels, own.notified_at), (&older.notified_channels, Some(at(5))));
        let [row] = &firing_alerts(store).await[..] else { panic!("one alert fires") };
        assert_eq!(row.key.score, None);
        let last = row.last_notification.as_ref().map(|last| &last.data.notification.id);
        assert_eq!(last, Some(&message.notification.data.notification.id));
        let again = AlertUpdate { score: None, ..update("blind", firing(1, 1)) };
        let next = CheckOutcome { alerts: vec![again], ..check("contoso", Some(record.version), seconds) };
        commit(store, next).await;
    }
}

on_both! {
    what_an_alert_inherits_survives_the_end_of_the_one_it_replaces_and_a_restart,
}
