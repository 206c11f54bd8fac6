//! What is erased of a tenant is gone from every table and from the files, and nothing else is.

use std::{collections::BTreeSet, path::Path, time::Duration};

use scorewatch::{
    domain::{Caller, Impact, RecommendationSnapshot, TenantId},
    notify::{
        DeliveryState, NotificationType,
        notification::TenantFacts,
        silence::{Acknowledgement, Matchers, NewSilence},
    },
    store::{
        AlertFilter, AttemptOutcome, CheckOutcome, Configured, DeliveryFilter, EntryFilter, NewEntry, Outage, Store,
        TenantIdentity, Upkeep, Verifier, postgres,
        sqlite::{
            SqliteStore,
            erase::{EraseError, Erased, erase},
        },
    },
};

use super::{fixture::*, tenant::entra};

const SLUG: &str = "canary-slug";
const NAME: &str = "Canary \"Öl\" GmbH";

fn facts(slug: &str) -> TenantFacts {
    let (number, name) = if slug == SLUG { (0xca_4a17, NAME) } else { (7, "Fabrikam") };
    TenantFacts {
        id: slug.to_owned(),
        tenant_id: Some(entra(number).to_string()),
        name: name.to_owned(),
        labels: [("customer".into(), slug.into())].into(),
    }
}

/// A check that leaves something of the tenant wherever a check can.
fn check_of(slug: &str, expected: Option<(u64, TenantIdentity)>, seconds: i64) -> CheckOutcome {
    let mut new = new_notification(&format!("{slug} {seconds}"), Some(key(slug, "low")), &["soc", "own"]);
    new.notification.data.tenant = Some(facts(slug));
    let id: uuid::Uuid = facts(slug).tenant_id.unwrap().parse().unwrap();
    let identity = TenantIdentity::new(scorewatch::domain::EntraTenantId(id), at(seconds));
    let (version, identity) = expected.map_or((None, identity), |(version, identity)| (Some(version), identity));
    // Days that are over go to rows of their own.
    let window = (0..=3).map(|day| sample(day * 86_400, 340.0)).collect();
    CheckOutcome {
        identity,
        series: vec![series(window, Duration::from_hours(1))],
        alerts: vec![update("low", firing(1, 1))],
        notifications: vec![new],
        recommendations: vec![RecommendationSnapshot {
            impact: Impact::Exposure,
            taken_at: at(seconds),
            is_complete: true,
            rows: Vec::new(),
        }],
        ..check(slug, version, seconds)
    }
}

fn configured(slugs: &[&str]) -> Vec<Configured> {
    let one = |slug: &&str| Configured {
        tenant: tenant(slug),
        entra: scorewatch::domain::EntraTenantId(facts(slug).tenant_id.unwrap().parse().unwrap()),
        name: facts(slug).name,
    };
    slugs.iter().map(one).collect()
}

/// Leaves something of the tenant, and of another, in every table.
async fn plant(store: &dyn Store) {
    store.reconcile(configured(&[SLUG, "fabrikam"]), "one", at(0)).await.unwrap();
    for slug in [SLUG, "fabrikam"] {
        commit(store, check_of(slug, None, 0)).await;
        let record = load(store, slug).await;
        commit(store, check_of(slug, Some((record.version, record.identity)), 4 * 86_400)).await;
        let by = Acknowledgement { at: at(1), by: "ann".to_owned(), comment: format!("seen at {slug}") };
        assert!(store.acknowledge(&key(slug, "low"), by, by_ann(at(0))).await.unwrap());
        let matchers = Matchers { tenants: BTreeSet::from([tenant(slug)]), ..Matchers::default() };
        store.add_silence(silence(matchers, format!("for {slug}")), None, by_ann(at(0))).await.unwrap();
    }
    let both = Matchers { tenants: BTreeSet::from([tenant(SLUG), tenant("fabrikam")]), ..Matchers::default() };
    store.add_silence(silence(both, format!("both, {NAME} too")), None, by_ann(at(0))).await.unwrap();
    for channel in ["soc", "own"] {
        let claimed = claim(store, channel, 4 * 86_400).await;
        let error = format!("{SLUG} was refused");
        let outcome = AttemptOutcome::Retry { error, next_attempt_at: at(5 * 86_400), may_have_arrived: false };
        store.settle(claimed.id, claimed.attempt, outcome, Some(claimed.health), at(4 * 86_400)).await.unwrap();
    }
    for (id, slugs) in [("both", &[SLUG, "fabrikam"][..]), ("one", &[SLUG])] {
        let mut digest = new_notification(id, None, &["soc"]);
        digest.notification.kind = NotificationType::Digest;
        let item = |slug: &&str| {
            let mut item = notification(&format!("{id} {slug}"));
            item.data.tenant = Some(facts(slug));
            item.into()
        };
        digest.notification.data.items = slugs.iter().map(item).collect();
        assert!(store.announce(digest, at(4 * 86_400)).await.unwrap());
    }
    let outage = |cause: &str, slugs: &[&str]| Outage {
        cause: cause.into(),
        since: at(0),
        tenants: slugs.iter().map(|slug| tenant(slug)).collect(),
        notified_at: None,
        notified_channels: Vec::new(),
        over_at: None,
    };
    store.record_outage(outage("x", &[SLUG, "fabrikam"]), Vec::new(), at(0)).await.unwrap();
    store.record_outage(outage("y", &[SLUG]), Vec::new(), at(0)).await.unwrap();
}

fn silence(matchers: Matchers, comment: String) -> NewSilence {
    NewSilence { matchers, starts_at: at(0), ends_at: at(i64::from(u32::MAX)), author: "ann".to_owned(), comment }
}

/// How often something of the tenant is in the files.
fn found_in_files(path: &Path) -> usize {
    let escaped = serde_json::to_string(NAME).unwrap();
    let needles =
        [SLUG.to_owned(), facts(SLUG).tenant_id.unwrap(), NAME.to_owned(), escaped.trim_matches('"').to_owned()];
    let files =
        ["", "-wal", "-shm"].map(|ending| std::fs::read(format!("{}{ending}", path.display())).unwrap_or_default());
    let count =
        |bytes: &Vec<u8>, needle: &str| bytes.windows(needle.len()).filter(|part| *part == needle.as_bytes()).count();
    files.iter().map(|bytes| needles.iter().map(|needle| count(bytes, needle)).sum::<usize>()).sum()
}

fn rows(erased: &Erased, table: &str) -> u64 {
    erased.removed.get(table).copied().unwrap_or_default()
}

/// How the erasure is recorded.
fn forgets() -> NewEntry {
    NewEntry::by(&Caller::local("ann"), "tenant.forget", None, at(9_000))
}

async fn the_log_has_lost_the_names_and_keeps_its_order(store: &dyn Store) {
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    let shown: Vec<_> = entries.iter().take(5).map(|entry| (entry.action.as_str(), entry.erased)).collect();
    assert_eq!(
        shown,
        [
            ("tenant.forget", false),
            ("configuration.reload", true),
            ("alert.accept", true),
            ("tenant.recheck", false),
            ("silence.add", true)
        ]
    );
    let reloaded = serde_json::json!({ "tenant_keys": { "fabrikam": { "notify": ["soc", ""] } } });
    assert_eq!(entries[1].body.after, Some(reloaded));
    assert_eq!(entries[4].body.after, Some(serde_json::json!({ "comment": "erased", "tenants": ["fabrikam"] })));
    assert_eq!((entries[4].body.target.as_deref(), entries[4].body.who.as_str()), (Some("erased"), "ann"));
    let mut verifier = Verifier::default();
    let links = store.links(0, 100).await.unwrap();
    links.iter().try_for_each(|link| verifier.take(link)).unwrap();
    // The second and the fifth are of the silences that were planted.
    assert_eq!((verifier.finish(), verifier.erased()), (Ok(()), 5));
    assert_eq!(links.last().unwrap().erases, [2, 5, 6, 8, 9]);
}

async fn erase_in(fixture: &Fixture, name: &str, dry_run: bool) -> Result<(TenantId, Erased), EraseError> {
    match &fixture.database {
        Some(database) => postgres::erase::erase(database, name, &[], dry_run, &forgets()).await,
        None => erase(&fixture.directory.path().join("data/s.db"), name, &[], dry_run, &forgets()).await,
    }
}

async fn nothing_is_left_of_a_tenant_that_is_erased_and_others_keep_theirs() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    plant(store).await;
    assert!(matches!(erase_in(&fixture, SLUG, false).await, Err(EraseError::Watched)), "the service watches it");
    assert!(matches!(erase_in(&fixture, "nobody", false).await, Err(EraseError::Unknown(_))));
    for (action, target, after) in [
        ("silence.add", SLUG, serde_json::json!({ "tenants": [SLUG, "fabrikam"], "comment": NAME })),
        ("tenant.recheck", "fabrikam", serde_json::json!(null)),
        ("alert.accept", "fabrikam", serde_json::json!({ "tenant": SLUG })),
        (
            "configuration.reload",
            "soc",
            serde_json::json!({ "tenant_keys": {
                SLUG: { "labels": ["", format!("name={NAME}")], "notify": ["soc", "own"], "tenant_id": [entra(1), entra(0xca_4a17)] },
                "fabrikam": { "notify": ["soc", ""] },
            } }),
        ),
    ] {
        let entry = NewEntry::by(&Caller::local("ann"), action, Some(target.to_owned()), at(0)).after(after);
        store.record(entry).await.unwrap();
    }
    store.reconcile(configured(&["fabrikam"]), "one", at(5 * 86_400)).await.unwrap();
    let path = fixture.directory.path().join("data/s.db");
    assert!(fixture.database.is_some() || found_in_files(&path) > 20, "as a control");
    let before = store.deliveries(&DeliveryFilter::default()).await.unwrap().len();
    let (_, counted) = erase_in(&fixture, SLUG, true).await.unwrap();
    assert_eq!(store.deliveries(&DeliveryFilter::default()).await.unwrap().len(), before, "only counted");

    let (id, erased) = erase_in(&fixture, &entra(0xca_4a17).to_string(), false).await.unwrap();
    assert_eq!(id, tenant(SLUG));
    assert_eq!((&erased.removed, &erased.edited, erased.unsent), (&counted.removed, &counted.edited, counted.unsent));
    assert_eq!(erased.remains, []);
    for (table, count) in [
        ("tenant", 1),
        ("series", 1),
        ("sample_day", 4),
        ("alert", 1),
        ("recommendation", 1),
        ("notification", 3),
        ("delivery", 5),
        ("silence", 1),
        ("outage", 1),
    ] {
        assert_eq!(rows(&erased, table), count, "{table}: {erased:?}");
    }
    assert!(fixture.database.is_some() || found_in_files(&path) == 0, "{erased:?}");
    assert!(matches!(erase_in(&fixture, SLUG, false).await, Err(EraseError::Unknown(_))), "once");

    assert_eq!(load(store, "fabrikam").await.alerts.len(), 1);
    let alerts = store.alerts(&AlertFilter::default()).await.unwrap();
    assert_eq!(alerts.iter().map(|row| row.key.tenant.as_str()).collect::<Vec<_>>(), ["fabrikam"]);
    assert!(alerts[0].acknowledged.is_some());
    let silences = store.silences(None).await.unwrap();
    let of: Vec<_> = silences.iter().map(|one| one.matchers.tenants.clone()).collect();
    assert_eq!(of, vec![BTreeSet::from([tenant("fabrikam")]); 2], "one that named only the erased one is gone");
    let hit: Vec<_> = store.outages(at(0)).await.unwrap().into_iter().map(|outage| outage.tenants).collect();
    assert_eq!(hit, [BTreeSet::from([tenant("fabrikam")])]);
    let digests = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    let digest = digests.iter().find(|delivery| delivery.tenant.is_none()).unwrap();
    let items = store.delivery(digest.id).await.unwrap().unwrap().notification.data.items;
    assert_eq!(items.iter().map(|item| item.tenant.as_ref().unwrap().id.as_str()).collect::<Vec<_>>(), ["fabrikam"]);

    the_log_has_lost_the_names_and_keeps_its_order(store).await;

    // A visit that began before does not bring it back.
    let late = check_of(SLUG, Some((2, TenantIdentity::default())), 6 * 86_400);
    assert_eq!(store.commit(late).await.unwrap(), scorewatch::store::Commit::Conflict);
}

#[tokio::test]
async fn a_tenant_that_no_service_watches_is_erased_though_nobody_noted_that_it_is_gone() {
    let fixture = Fixture::new().await;
    let path = fixture.directory.path().join("data/s.db");
    plant(&*fixture.store).await;
    fixture.store.close().await;
    let (_, erased) = erase(&path, SLUG, &[channel("own")], false, &forgets()).await.unwrap();
    assert_eq!((erased.remains.len(), found_in_files(&path)), (0, 0), "{erased:?}");
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(load(&store, "fabrikam").await.alerts.len(), 1);
    store.close().await;
}

async fn retention_forgets_tenants_that_are_gone_for_longer_and_series_that_ended() {
    let fixture = Fixture::new().await;
    let store = &*fixture.store;
    let (day, retention) = (86_400, Duration::from_hours(24 * 10));
    plant(store).await;
    store.reconcile(configured(&["fabrikam"]), "one", at(5 * day)).await.unwrap();
    let prune = async |seconds: i64| while store.prune(at(seconds), retention).await.unwrap() {};
    prune(14 * day).await;
    assert_eq!(store.roster().await.unwrap().len(), 2, "not yet");
    let waiting = || async {
        let filter = DeliveryFilter { states: vec![DeliveryState::Queued], ..DeliveryFilter::default() };
        store.deliveries(&filter).await.unwrap().iter().filter(|one| one.tenant == Some(tenant(SLUG))).count()
    };
    assert!(waiting().await > 0);
    prune(16 * day).await;
    assert_eq!(store.roster().await.unwrap().len(), 1);
    assert_eq!(waiting().await, 0, "what waited is gone with it");
    assert!(
        store.alerts(&AlertFilter { tenant: Some(tenant(SLUG)), ..AlertFilter::default() }).await.unwrap().is_empty()
    );
    let silences = store.silences(None).await.unwrap();
    assert!(silences.iter().all(|one| one.matchers.tenants == BTreeSet::from([tenant("fabrikam")])), "{silences:?}");

    // Of a tenant that is read well, a group that has long been without a reading ends; one that an open alert is about stays.
    let record = load(store, "fabrikam").await;
    let group = |name: &str| scorewatch::store::SeriesUpdate {
        subject: Some(subject(name)),
        ..series(vec![sample(16 * day, 1.0)], Duration::from_hours(1))
    };
    let outcome = CheckOutcome {
        identity: record.identity.clone(),
        series: vec![group("old"), group("kept")],
        alerts: vec![
            scorewatch::store::AlertUpdate { subject: Some(subject("old")), ..update("low", resolved(1, 2)) },
            scorewatch::store::AlertUpdate { subject: Some(subject("kept")), ..update("low", firing(1, 1)) },
            update("low", resolved(1, 2)),
        ],
        ..check("fabrikam", Some(record.version), 16 * day)
    };
    commit(store, outcome).await;
    let fresh = |version| CheckOutcome {
        identity: record.identity.clone(),
        series: vec![series(vec![sample(30 * day, 1.0)], Duration::from_hours(1))],
        ..check("fabrikam", Some(version), 30 * day)
    };
    let version = load(store, "fabrikam").await.version;
    commit(store, fresh(version)).await;
    prune(30 * day).await;
    let left = load(store, "fabrikam").await;
    let subjects: Vec<_> = left.series.iter().map(|series| series.subject.clone()).collect();
    assert_eq!(subjects, [None, Some(subject("kept"))]);
    assert_eq!(left.alerts.len(), 2, "{:?}", left.alerts);
}

on_both! {
    nothing_is_left_of_a_tenant_that_is_erased_and_others_keep_theirs,
    retention_forgets_tenants_that_are_gone_for_longer_and_series_that_ended,
}
