//! A tenant is its Entra id: what is known of it follows it to another slug, and stays behind when its slug is given to another.

use std::{collections::BTreeSet, time::Duration};

use scorewatch::{
    domain::{EntraTenantId, SeriesKey},
    notify::{
        DeliveryState, Hold, HoldReason,
        notification::TenantFacts,
        silence::{Matchers, NewSilence},
    },
    store::{AlertFilter, CheckOutcome, Commit, Configured, DeliveryFilter, Outage, Store, TenantIdentity},
};
use uuid::Uuid;

use super::fixture::*;

pub(super) fn entra(number: u128) -> EntraTenantId {
    EntraTenantId(Uuid::from_u128(number << 96))
}

fn configured(tenants: &[(&str, u128)]) -> Vec<Configured> {
    let one = |(slug, number): &(&str, u128)| Configured {
        tenant: tenant(slug),
        entra: entra(*number),
        name: format!("{slug} Ltd"),
    };
    tenants.iter().map(one).collect()
}

/// What changed names: `before → after`, with `gone` for what is kept of a tenant whose slug is another's.
async fn reconcile(store: &dyn Store, tenants: &[(&str, u128)], seconds: i64) -> Vec<String> {
    let found = store.reconcile(configured(tenants), "one", at(seconds)).await.unwrap();
    let gone = found.replaced.iter().map(|(before, after)| format!("{before} → {after} gone"));
    gone.chain(found.renamed.iter().map(|(before, after)| format!("{before} → {after}"))).collect()
}

/// A check of a tenant that fires an alert of this value, and queues a message of it for `soc`.
fn fires(slug: &str, number: u128, value: f64, seconds: i64) -> CheckOutcome {
    let mut new = new_notification(&format!("{slug} {number} {seconds}"), Some(key(slug, "low")), &["soc"]);
    new.notification.data.tenant = Some(TenantFacts {
        id: slug.to_owned(),
        tenant_id: Some(entra(number).to_string()),
        name: format!("{slug} Ltd"),
        labels: std::collections::BTreeMap::default(),
    });
    CheckOutcome {
        identity: TenantIdentity::new(entra(number), at(seconds)),
        series: vec![series(vec![sample(seconds, value)], Duration::from_hours(1))],
        alerts: vec![update("low", firing(1, 1))],
        notifications: vec![new],
        ..check(slug, None, seconds)
    }
}

/// The values of a tenant's device score.
async fn values(store: &dyn Store, slug: &str) -> Vec<f64> {
    let key =
        SeriesKey { tenant: tenant(slug), score: scorewatch::domain::ScoreKind::DeviceSecureScore, subject: None };
    store.history(&key, at(-10_000)).await.unwrap().iter().map(|sample| sample.value).collect()
}

async fn deliveries(store: &dyn Store, slug: &str) -> usize {
    let filter = DeliveryFilter { tenant: Some(tenant(slug)), ..DeliveryFilter::default() };
    store.deliveries(&filter).await.unwrap().len()
}

async fn another_tenant_under_an_old_slug_inherits_nothing() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    assert_eq!(reconcile(store, &[("contoso", 1)], 0).await, Vec::<String>::new());
    commit(store, fires("contoso", 1, 340.0, 0)).await;
    let record = load(store, "contoso").await;
    let silence = NewSilence {
        matchers: Matchers { tenants: BTreeSet::from([tenant("contoso")]), ..Matchers::default() },
        starts_at: at(0),
        ends_at: at(1000),
        author: "ann".into(),
        comment: "patching".into(),
    };
    store.add_silence(silence, None, by_ann(at(0))).await.unwrap();
    let outage = Outage {
        cause: "x".into(),
        since: at(0),
        tenants: BTreeSet::from([tenant("contoso"), tenant("fabrikam")]),
        notified_at: None,
        notified_channels: Vec::new(),
        over_at: None,
    };
    store.record_outage(outage, Vec::new(), at(0)).await.unwrap();

    assert_eq!(reconcile(store, &[("contoso", 2)], 10).await, ["contoso → contoso.00000001 gone"]);
    assert!(store.load(&[tenant("contoso")]).await.unwrap().is_empty());
    assert!(values(store, "contoso").await.is_empty());
    assert_eq!(deliveries(store, "contoso").await, 0);
    let of = |slug: &str| AlertFilter { tenant: Some(tenant(slug)), ..AlertFilter::default() };
    assert!(store.alerts(&of("contoso")).await.unwrap().is_empty());
    let kept = load(store, "contoso.00000001").await;
    assert_eq!((kept.identity.clone(), kept.alerts.len()), (record.identity.clone(), 1), "its ids stay its own");
    assert_eq!(values(store, "contoso.00000001").await, [340.0]);
    let row = store.alerts(&of("contoso.00000001")).await.unwrap().remove(0);
    assert_eq!(row.key, key("contoso.00000001", "low"));
    let facts = row.last_notification.unwrap().data.facts.tenant.unwrap();
    assert_eq!((facts.id.as_str(), facts.tenant_id), ("contoso.00000001", Some(entra(1).to_string())));
    assert_eq!(store.silences(None).await.unwrap()[0].matchers.tenants, BTreeSet::from([tenant("contoso.00000001")]));
    let hit = store.outages(at(0)).await.unwrap().remove(0).tenants;
    assert_eq!(hit, BTreeSet::from([tenant("contoso.00000001"), tenant("fabrikam")]));
    let known = store.roster().await.unwrap().remove(0);
    assert_eq!((known.gone_since, known.name.as_deref()), (Some(at(10)), Some("contoso Ltd")));

    let late = CheckOutcome { expected_version: Some(record.version), ..fires("contoso", 1, 1.0, 11) };
    assert_eq!(store.commit(late).await.unwrap(), Commit::Conflict, "a visit under way when the slug changed hands");
    commit(store, fires("contoso", 2, 50.0, 12)).await;
    let stranger = CheckOutcome { expected_version: Some(1), ..fires("contoso", 1, 1.0, 13) };
    assert_eq!(store.commit(stranger).await.unwrap(), Commit::Conflict, "even where the version fits");
    assert_eq!(values(store, "contoso").await, [50.0]);
    assert_ne!(load(store, "contoso").await.identity.key, record.identity.key, "other ids");
    assert_eq!((deliveries(store, "contoso").await, deliveries(store, "contoso.00000001").await), (1, 1));
}

async fn a_tenant_goes_on_under_another_slug_also_when_two_are_swapped() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    reconcile(store, &[("a", 1), ("b", 2)], 0).await;
    commit(store, fires("a", 1, 340.0, 0)).await;
    commit(store, fires("b", 2, 50.0, 0)).await;
    let (of_a, of_b) = (load(store, "a").await.identity, load(store, "b").await.identity);
    assert_eq!(reconcile(store, &[("b", 1), ("a", 2)], 10).await, ["a → b", "b → a"]);
    assert_eq!((values(store, "b").await, values(store, "a").await), (vec![340.0], vec![50.0]));
    assert_eq!((load(store, "b").await.identity, load(store, "a").await.identity), (of_a.clone(), of_b));
    let row =
        store.alerts(&AlertFilter { tenant: Some(tenant("b")), ..AlertFilter::default() }).await.unwrap().remove(0);
    assert_eq!(
        (row.key, row.last_notification.unwrap().data.facts.tenant.unwrap().id.as_str()),
        (key("b", "low"), "b")
    );
    assert_eq!(reconcile(store, &[("c", 1), ("a", 2)], 20).await, ["b → c"]);
    assert_eq!(load(store, "c").await.identity, of_a);
    assert_eq!(reconcile(store, &[("c", 1), ("a", 2)], 30).await, Vec::<String>::new(), "nothing is left to do");
    let fixture = fixture.reopen().await;
    assert_eq!(values(&*fixture.store, "c").await, [340.0]);
    let version = load(&*fixture.store, "c").await.version;
    let next = CheckOutcome { identity: of_a, ..check("c", Some(version), 40) };
    commit(&*fixture.store, next).await;
}

async fn one_that_comes_back_is_itself_again_and_is_not_gone_any_more() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    reconcile(store, &[("a", 1)], 0).await;
    commit(store, fires("a", 1, 340.0, 0)).await;
    reconcile(store, &[("a", 2)], 10).await;
    commit(store, fires("a", 2, 50.0, 10)).await;
    assert_eq!(reconcile(store, &[("a", 2), ("c", 1)], 20).await, ["a.00000001 → c"]);
    assert_eq!(values(store, "c").await, [340.0]);
    assert!(store.roster().await.unwrap().iter().all(|known| known.gone_since.is_none()));
    reconcile(store, &[("a", 2)], 30).await;
    let gone = |known: Vec<scorewatch::store::KnownTenant>| known.iter().map(|one| one.gone_since).collect::<Vec<_>>();
    assert_eq!(gone(store.roster().await.unwrap()), [None, Some(at(30))]);
    reconcile(store, &[("a", 2)], 40).await;
    assert_eq!(gone(store.roster().await.unwrap()), [None, Some(at(30))], "since when it is gone stays");
}

async fn the_time_for_which_a_tenant_was_not_configured_is_not_a_gap_in_its_data() {
    let mut fixture = Fixture::new().await;
    reconcile(&*fixture.store, &[("a", 1), ("b", 2)], 0).await;
    commit(&*fixture.store, fires("a", 1, 340.0, 0)).await;
    commit(&*fixture.store, fires("b", 2, 340.0, 0)).await;
    // Which tenants are configured when, and since when `a` is watched by then.
    let (with, without): (&[_], &[_]) = (&[("a", 1), ("b", 2)], &[("b", 2)]);
    for (tenants, seconds, watched_since) in [
        (with, 10, None),
        (without, 20, None),
        (without, 30, None),
        (with, 40, Some(at(40))),
        (with, 50, Some(at(40))),
        (without, 60, Some(at(40))),
        (&[("c", 1), ("b", 2)], 70, Some(at(70))),
    ] {
        reconcile(&*fixture.store, tenants, seconds).await;
        fixture = fixture.reopen().await;
        let slug = if seconds == 70 { "c" } else { "a" };
        assert_eq!(load(&*fixture.store, slug).await.health.watched_since, watched_since, "after {seconds} s");
        assert_eq!(load(&*fixture.store, "b").await.health.watched_since, None, "it was there all the time");
    }
    let known = load(&*fixture.store, "c").await;
    let next = CheckOutcome { identity: known.identity, ..check("c", Some(known.version), 80) };
    commit(&*fixture.store, next).await;
    assert_eq!(load(&*fixture.store, "c").await.health.watched_since, Some(at(70)), "no check moves it");
}

async fn a_row_without_an_entra_id_takes_the_one_of_its_slug_and_says_so_in_what_waits() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let old = |slug: &str, id: &str| {
        let mut new = new_notification(id, Some(key(slug, "low")), &["soc"]);
        let facts = TenantFacts {
            id: slug.into(),
            tenant_id: None,
            name: slug.into(),
            labels: std::collections::BTreeMap::default(),
        };
        new.notification.data.tenant = Some(facts);
        new.hold = Some(Hold { why: HoldReason::Silence, until: at(1000) });
        CheckOutcome { alerts: vec![update("low", firing(1, 1))], notifications: vec![new], ..check(slug, None, 0) }
    };
    commit(store, old("a", "A")).await;
    commit(store, old("b", "B")).await;
    assert_eq!(load(store, "a").await.identity, TenantIdentity { entra: None, key: "a".to_owned() });
    reconcile(store, &[("a", 1)], 10).await;
    let learned = load(store, "a").await;
    assert_eq!(learned.identity, TenantIdentity { entra: Some(entra(1)), key: "a".to_owned() }, "its ids stay");
    let noted = |slug: &str| {
        let filter = DeliveryFilter { tenant: Some(tenant(slug)), ..DeliveryFilter::default() };
        async move {
            let delivery = store.deliveries(&filter).await.unwrap().remove(0);
            assert_eq!(delivery.state, DeliveryState::Held);
            store.delivery(delivery.id).await.unwrap().unwrap().notification.data.facts.tenant.unwrap().tenant_id
        }
    };
    assert_eq!((noted("a").await, noted("b").await), (Some(entra(1).to_string()), None));
    assert_eq!(
        reconcile(store, &[("a", 1), ("b", 2)], 20).await,
        ["b → b.removed gone"],
        "it was not there when ids were learned, so it may be anybody's"
    );
}

on_both! {
    another_tenant_under_an_old_slug_inherits_nothing,
    a_tenant_goes_on_under_another_slug_also_when_two_are_swapped,
    one_that_comes_back_is_itself_again_and_is_not_gone_any_more,
    the_time_for_which_a_tenant_was_not_configured_is_not_a_gap_in_its_data,
    a_row_without_an_entra_id_takes_the_one_of_its_slug_and_says_so_in_what_waits,
}
