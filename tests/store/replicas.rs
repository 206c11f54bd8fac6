//! Services that share a database: who owns what, what is refused to whom, and what becomes of the work of one that is gone.

use std::{collections::BTreeSet, time::Duration};

use scorewatch::{
    domain::EntraTenantId,
    store::{
        AttemptOutcome, CheckOutcome, Checks, Claim, ClaimTerms, Commit, Configured, Division, Outbox,
        RejectedConfiguration, Roster, SHARDS, Shard, StoreError, TenantIdentity, Upkeep,
        postgres::{self, PostgresSettings},
    },
};

use super::fixture::*;
use crate::harness::{
    between::{Between, Trouble},
    event,
    postgres::Postgres,
};

/// A store on either database.
type Joined = scorewatch::store::sqlite::SqliteStore;

async fn join(database: &PostgresSettings, fingerprint: &str) -> Joined {
    postgres::join(database, fingerprint.to_owned()).await.unwrap().0
}

/// Waits until a replica sees itself so; its keeper looks twice a second.
async fn until(division: &Division, enough: impl Fn(&Division) -> bool) {
    let wait = async {
        while !enough(division) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(event(wait).await.is_some(), "waited in vain: {} shards, {} live", division.owned(), division.living());
}

fn owned(division: &Division) -> BTreeSet<u16> {
    Shard::all().filter(|shard| division.owns(*shard)).map(Shard::number).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_share_the_shards_and_each_leaves_its_own_to_the_others() {
    let (_, database) = Postgres::shared_database().await;
    let first = join(&database, "one").await;
    let division = first.division();
    assert_eq!((division.owned(), division.leads(), division.agrees()), (usize::from(SHARDS), true, true));
    let second = join(&database, "one").await;
    let other = second.division();
    until(&other, |other| other.owned() == 32).await;
    until(&division, |division| division.owned() == 32 && division.living() == 2).await;
    assert!(division.leads() && !other.leads());
    assert!(owned(&division).is_disjoint(&owned(&other)));
    let listed = second.replicas().await.unwrap();
    let facts: Vec<_> = listed.iter().map(|one| (one.shards, one.leads, one.is_living, &*one.fingerprint)).collect();
    assert_eq!(facts, [(32, true, true, "one"), (32, false, true, "one")]);
    // How late it is goes out with its next heartbeat, which a changed configuration brings forward.
    division.note_lateness(Duration::from_millis(2_500));
    division.configured("two".to_owned());
    until(&other, |other| !other.agrees()).await;
    let late: Vec<_> = second.replicas().await.unwrap().iter().map(|one| one.lateness).collect();
    assert_eq!(late, [Some(Duration::from_millis(2_500)), Some(Duration::ZERO)]);
    // What is under way on a shard keeps it.
    let tenure = division.begin(Shard::LEAD).unwrap();
    division.leave();
    until(&other, |other| other.owned() == 63).await;
    assert_eq!(division.owned(), 1);
    assert!(division.begin(Shard::LEAD).is_none(), "no new work");
    drop(tenure);
    until(&other, Division::leads).await;
    division.left().await;
    first.close().await;
    until(&other, |other| other.living() == 1).await;
    second.close().await;
    assert!(!postgres::open(&database).await.unwrap().division().is_shared());
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_a_dead_replica_was_sending_is_repeated_and_what_it_writes_is_refused() {
    let (server, database) = Postgres::shared_database().await;
    let dead = join(&database, "one").await;
    assert_eq!(dead.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    dead.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    dead.announce(new_notification("two", None, &["desk"]), at(0)).await.unwrap();
    let sending = claim(&dead, "soc", 0).await;
    let heir = join(&database, "one").await;
    let division = heir.division();
    until(&division, |division| division.owned() == 32).await;
    // Nothing that a living replica sends is touched.
    assert_eq!(state(&heir, "soc").await, "sending");
    // Its time is over. It does not know, as a process that was stopped does not.
    let id = heir.replicas().await.unwrap().remove(0).id;
    let expire = format!("UPDATE replica SET expires_at = clock_timestamp() WHERE id = '{id}'");
    let over = async {
        // The heir has just started: it waits for one lease before it believes that.
        while division.owned() < usize::from(SHARDS) {
            server.run(&database, &expire).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(event(over).await.is_some());
    let late = dead.commit(check("contoso", Some(1), 10)).await;
    assert!(matches!(late, Err(StoreError::InUse(_))), "{late:?}");
    let late = dead.settle(sending.id, sending.attempt, AttemptOutcome::Delivered, None, at(10)).await;
    assert!(matches!(late, Err(StoreError::InUse(_))), "{late:?}");
    let again = claim(&heir, "soc", i64::from(u32::MAX)).await;
    assert_eq!((again.id, again.possible_duplicate, again.attempt), (sending.id, true, 2));
    let other = claim(&heir, "desk", 0).await;
    assert!(!other.possible_duplicate, "what nobody was sending is no repeat");
    assert_eq!(heir.commit(check("contoso", Some(1), 20)).await, Ok(Commit::Done));
    heir.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn two_replicas_that_claim_at_once_never_take_the_same_delivery_and_none_waits_for_the_other_s_send() {
    let (server, database) = Postgres::shared_database().await;
    let (first, second) = (join(&database, "one").await, join(&database, "one").await);
    // Whoever takes a shard sends again what was on its way there, so nothing is claimed before the shards have moved.
    for division in [first.division(), second.division()] {
        until(&division, |division| division.owned() == usize::from(SHARDS) / 2).await;
    }
    for number in 0..8 {
        for name in ["soc", "desk"] {
            let new = new_notification(&format!("{name} {number}"), None, &[name]);
            assert!(first.announce(new, at(number)).await.unwrap());
        }
    }
    let (soc, desk, terms) = (channel("soc"), channel("desk"), ClaimTerms::default());
    let mut sent = BTreeSet::new();
    for number in 10..18 {
        // Not even if both take a channel for their own.
        let claims = tokio::join!(first.claim(&soc, terms, at(number)), second.claim(&soc, terms, at(number)));
        let sending = match claims {
            (Ok(Claim::Send(sending)), Ok(Claim::Idle)) | (Ok(Claim::Idle), Ok(Claim::Send(sending))) => sending,
            other => panic!("{other:?}"),
        };
        assert!(sent.insert(sending.id));
        // Whoever sends has no transaction open meanwhile.
        let beside = claim(&second, "desk", number).await;
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        let mut connection = server.connect(&database.database).await;
        // A heartbeat may have one for a moment.
        let mut still_open = 1;
        for _ in 0..100 {
            if still_open > 0 {
                still_open = sqlx::query_scalar::<_, i64>(open).fetch_one(&mut connection).await.unwrap();
            }
        }
        assert_eq!(still_open, 0);
        let another = second.claim(&desk, terms, at(number)).await;
        assert!(matches!(another, Ok(Claim::Idle)), "one at a time: {another:?}");
        let settled = tokio::join!(
            first.settle(sending.id, sending.attempt, AttemptOutcome::Delivered, None, at(number)),
            second.settle(beside.id, beside.attempt, AttemptOutcome::Delivered, None, at(number)),
        );
        assert!(settled.0.is_ok() && settled.1.is_ok(), "{settled:?}");
    }
    assert_eq!(sent.len(), 8);
    first.close().await;
    second.close().await;
}

async fn state(store: &Joined, name: &str) -> &'static str {
    match store.claim(&channel(name), ClaimTerms::default(), at(1)).await.unwrap() {
        Claim::Idle => "sending",
        _ => "free",
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_process_that_has_the_store_to_itself_and_replicas_keep_out_of_each_other_s_way() {
    let (_, database) = Postgres::shared_database().await;
    let alone = postgres::open(&database).await.unwrap();
    let waits = join(&database, "one").await;
    let division = waits.division();
    assert_eq!((division.owned(), division.leads()), (0, false));
    assert!(matches!(alone.commit(check("contoso", None, 0)).await, Ok(Commit::Done)));
    alone.close().await;
    until(&division, |division| division.owned() == usize::from(SHARDS)).await;
    let second = postgres::open(&database).await;
    assert!(matches!(second, Err(StoreError::InUse(_))), "{second:?}");
    waits.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_agree_only_while_all_run_the_same_configuration() {
    let (_, database) = Postgres::shared_database().await;
    let (first, second) = (join(&database, "old").await, join(&database, "new").await);
    let (division, other) = (first.division(), second.division());
    until(&division, |division| division.living() == 2 && !division.agrees()).await;
    assert!(!other.agrees());
    division.configured("new".to_owned());
    until(&division, Division::agrees).await;
    until(&other, Division::agrees).await;
    first.close().await;
    second.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_settled_notification_wakes_the_tenant_wherever_it_is() {
    let (_, database) = Postgres::shared_database().await;
    let store = join(&database, "one").await;
    commit(&store, check("contoso", None, 0)).await;
    store.wake_tenants(vec![tenant("contoso"), tenant("nobody")], at(5)).await.unwrap();
    assert_eq!(store.rechecks_requested().await.unwrap(), [(tenant("contoso"), at(5))]);
    commit(&store, check("contoso", Some(1), 10)).await;
    assert!(store.rechecks_requested().await.unwrap().is_empty());
    assert_eq!(Shard::of_tenant(EntraTenantId(uuid::Uuid::nil())), Shard::of_tenant(EntraTenantId(uuid::Uuid::nil())));
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_that_were_all_cut_off_go_on_and_one_that_is_gone_is_taken_over_from_a_lease_later() {
    let (server, database) = Postgres::shared_database().await;
    let (mut ways, mut stores) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ways.push(Between::new(server));
        stores.push(join(&ways.last().unwrap().to(&database), "one").await);
    }
    let divisions: Vec<_> = stores.iter().map(Upkeep::division).collect();
    for division in &divisions {
        until(division, |division| division.living() == 3 && (21..=22).contains(&division.owned())).await;
    }
    let owned_before: Vec<_> = divisions.iter().map(owned).collect();
    let mut table = server.connect(&database.database).await;
    let mut asked = async |sql: &'static str, expected: i64| {
        let wait = async {
            while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut table).await.unwrap() != expected {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        assert!(event(wait).await.is_some(), "waited in vain for {expected}: {sql}");
    };

    for way in &ways {
        way.set(Some(Trouble::Cut));
    }
    asked("SELECT count(*) FROM replica WHERE expires_at > clock_timestamp()", 0).await;
    assert!(divisions.iter().all(|division| !division.is_valid() && division.begin(Shard::LEAD).is_none()));
    // The first one back looks before the second one is.
    ways[0].set(None);
    until(&divisions[0], Division::is_valid).await;
    ways[1].set(None);
    until(&divisions[1], Division::is_valid).await;
    for (division, before) in divisions.iter().zip(&owned_before) {
        assert_eq!(&owned(division), before, "nobody has taken anything");
    }
    // The third one never comes back.
    for division in &divisions[..2] {
        until(division, |division| division.owned() == 32 && division.living() == 2).await;
    }
    asked("SELECT count(*) FROM replica", 2).await;
    for store in &stores[..2] {
        store.close().await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_replica_that_is_not_the_owner_of_what_it_takes_for_its_own_stops() {
    let (server, database) = Postgres::shared_database().await;
    let store = join(&database, "one").await;
    let division = store.division();
    assert!(division.begin(Shard::LEAD).is_some());
    // As on a server that took over without the last commits of the one before.
    server.run(&database, "UPDATE shard SET owner = NULL WHERE shard = 7").await;
    until(&division, |division| !division.is_valid()).await;
    assert!(division.begin(Shard::LEAD).is_none());
    division.left().await;
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_tenant_that_one_configuration_lacks_is_not_forgotten_while_replicas_differ() {
    let (_, database) = Postgres::shared_database().await;
    let (first, second) = (join(&database, "with").await, join(&database, "without").await);
    let division = first.division();
    commit(&first, check("contoso", None, 0)).await;
    second.reconcile(Vec::new(), "without", at(10)).await.unwrap();
    until(&division, |division| division.living() == 2).await;
    let (later, retention) = (at(1_000_000), Duration::from_secs(1_000));
    for agrees in [false, true] {
        if agrees {
            division.configured("without".to_owned());
            until(&division, Division::agrees).await;
            second.reconcile(Vec::new(), "without", at(10)).await.unwrap();
        }
        while first.prune(later, retention).await.unwrap() {}
        assert_eq!(first.roster().await.unwrap().is_empty(), agrees);
    }
    first.close().await;
    second.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn what_a_replica_rejects_is_known_to_all_until_it_accepts_or_is_gone() {
    let (_, database) = Postgres::shared_database().await;
    let (first, second) = (join(&database, "one").await, join(&database, "one").await);
    let rejected = RejectedConfiguration {
        fingerprint: "bad".to_owned(),
        errors: 2,
        first: "scorewatch.yaml:1:1: unknown key `colour`".to_owned(),
        since: at(5),
    };
    let listed = async || {
        let replicas = first.replicas().await.unwrap();
        replicas.into_iter().filter_map(|one| one.rejected).collect::<Vec<_>>()
    };
    let hears = |division: &Division| division.hears_of_rejection();
    let (here, there) = (first.division(), second.division());
    there.rejects(Some(rejected.clone()));
    until(&here, hears).await;
    assert_eq!(listed().await.as_slice(), std::slice::from_ref(&rejected));
    there.rejects(None);
    until(&here, |division| !division.hears_of_rejection()).await;
    assert_eq!(listed().await, []);
    there.rejects(Some(rejected));
    until(&here, hears).await;
    second.close().await;
    until(&here, |division| !division.hears_of_rejection()).await;
    first.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn an_older_configuration_renames_nothing_back_until_nobody_runs_the_newer_one() {
    let (_, database) = Postgres::shared_database().await;
    let (old, new) = (join(&database, "old").await, join(&database, "new").await);
    let named = |slug: &str| {
        vec![Configured { tenant: tenant(slug), entra: super::tenant::entra(1), name: "Contoso".to_owned() }]
    };
    let slugs = async || old.roster().await.unwrap().into_iter().map(|known| known.id).collect::<Vec<_>>();
    old.reconcile(named("contoso"), "old", at(0)).await.unwrap();
    let identity = TenantIdentity::new(super::tenant::entra(1), at(0));
    commit(&old, CheckOutcome { identity, ..check("contoso", None, 0) }).await;
    new.reconcile(named("fabrikam"), "new", at(10)).await.unwrap();
    assert_eq!(slugs().await, [tenant("fabrikam")]);
    for _restart in 0..2 {
        let found = old.reconcile(named("contoso"), "old", at(20)).await.unwrap();
        assert_eq!(found.held_back, [(tenant("fabrikam"), tenant("contoso"))]);
        assert_eq!(slugs().await, [tenant("fabrikam")]);
    }
    // Nobody is left who runs the newer one: the older one is what is meant.
    new.close().await;
    let found = old.reconcile(named("contoso"), "old", at(30)).await.unwrap();
    assert_eq!(found.renamed, [(tenant("fabrikam"), tenant("contoso"))]);
    old.close().await;
}
