//! A store to which a later version has added: this version goes on with it, as a replica does that runs or is started during a rolling
//! upgrade. The whole suite runs on such stores with `SCOREWATCH_LATER_SCHEMA=1`.

use std::time::Duration;

use scorewatch::{
    notify::{
        DeliveryState,
        silence::{Matchers, NewSilence},
    },
    store::{
        AttemptOutcome, DeliveryFilter, Division, Downtime, EntryFilter, NewSession, SecretDigest, Store, Upkeep,
        postgres::{self, PostgresSettings},
        sqlite::SqliteStore,
    },
};

use super::{
    access::{account, by, token},
    fixture::*,
};
use crate::harness::{later, postgres::Postgres};

const DAY: Duration = Duration::from_hours(24);

/// Does some of everything that a service does, and reads it back. `round` counts from zero.
async fn works(store: &dyn Store, round: u32) {
    let (name, second) = (format!("tenant-{round}"), i64::from(round) * 100);
    let mut outcome = check(&name, None, second);
    outcome.series = vec![series(vec![sample(second, 41.0)], DAY)];
    outcome.alerts = vec![update("low", firing(1, 1))];
    outcome.notifications = vec![new_notification(&name, Some(key(&name, "low")), &["soc"])];
    commit(store, outcome).await;
    assert_eq!(load(store, &name).await.series[0].window, [sample(second, 41.0)]);
    let claimed = claim(store, "soc", second + 1).await;
    let settled = store.settle(claimed.id, claimed.attempt, AttemptOutcome::Delivered, None, at(second + 2)).await;
    assert!(settled.is_ok(), "{settled:?}");
    let seen = usize::try_from(round).unwrap() + 1;
    let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert_eq!(deliveries.len(), seen);
    assert!(deliveries.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
    assert_eq!(store.delivery(claimed.id).await.unwrap().unwrap().attempts.len(), 1);
    assert_eq!(store.channels().await.unwrap().len(), 1);

    let matchers = Matchers { tenants: [tenant(&name)].into(), ..Matchers::default() };
    let (starts_at, ends_at) = (at(second), at(second + 50));
    let silence = NewSilence { matchers, starts_at, ends_at, author: "ann".into(), comment: "patching".into() };
    store.add_silence(silence, None, by_ann(at(0))).await.unwrap();
    assert_eq!(store.silences(None).await.unwrap().len(), seen);
    store.heartbeat(at(second)).await.unwrap();
    assert_eq!(store.last_heartbeat().await.unwrap().map(|last| last.at), Some(at(second)));
    store.record_downtime(Downtime { from: at(second), until: at(second + 1) }).await.unwrap();
    assert_eq!(store.downtimes().await.unwrap().len(), seen);

    assert!(store.add_token(token(&name, &name), by("token.create", second)).await.unwrap());
    assert_eq!(store.find_token(SecretDigest::of(&name)).await.unwrap().unwrap().name, name);
    assert_eq!(store.tokens().await.unwrap().len(), seen);
    assert!(store.add_account(account(&name), by("account.create", second)).await.unwrap());
    let number = store.find_account(&name).await.unwrap().unwrap().0.id;
    let digest = SecretDigest::of(&format!("session of {name}"));
    let session = NewSession { digest, account: number, created_at: at(second), expires_at: at(second + 50) };
    store.add_session(session, by("session.create", second)).await.unwrap();
    assert_eq!(store.find_session(digest).await.unwrap().unwrap().account.name, name);
    assert_eq!(store.accounts().await.unwrap().len(), seen);
    assert_eq!(store.entries(&EntryFilter::default()).await.unwrap().len(), 4 * seen);
    assert_eq!(store.links(0, 100).await.unwrap().len(), 4 * seen);
    assert!(!store.prune(at(second), 365 * DAY).await.unwrap());
}

async fn this_version_goes_on_with_a_store_to_which_a_later_one_has_added() {
    let fixture = Fixture::new().await;
    works(&*fixture.store, 0).await;
    let fixture = fixture.added_to().await;
    works(&*fixture.store, 1).await;
    let beside = fixture.beside().await;
    works(&*beside, 2).await;
    beside.close().await;
    fixture.store.close().await;
}

on_both! { this_version_goes_on_with_a_store_to_which_a_later_one_has_added }

async fn until(division: &Division, owned: usize) {
    let wait = async {
        while division.owned() != owned {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(crate::harness::event(wait).await.is_some(), "waited in vain: {}", division.owned());
}

async fn join(database: &PostgresSettings) -> SqliteStore {
    postgres::join(database, "one".to_owned()).await.unwrap().0
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_go_on_while_a_later_version_adds_to_the_store_and_can_be_started_again() {
    let (server, database) = Postgres::shared_database().await;
    let first = join(&database).await;
    // Statements that were prepared before the change are used after it.
    works(&first, 0).await;
    later::add_to_postgres(server, &database).await;
    works(&first, 1).await;
    let step = postgres::schema(&database).await.unwrap();
    assert!(step.is_current() && step.from == step.to + 1, "{step:?}");
    assert_eq!(postgres::bring_up_to_date(&database).await.unwrap(), step, "there is nothing to do");
    let second = join(&database).await;
    until(&second.division(), 32).await;
    works(&second, 2).await;
    first.close().await;
    until(&second.division(), 64).await;
    works(&second, 3).await;

    later::outgrow_postgres(server, &database).await;
    let refused = postgres::join(&database, "one".to_owned()).await.unwrap_err().to_string();
    assert!(refused.contains("newer version") && refused.contains("use that version"), "{refused}");
    works(&second, 4).await;
    second.close().await;
}
