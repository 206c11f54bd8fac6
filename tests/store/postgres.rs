//! What is particular to a store on PostgreSQL: its server, its lease, its schema, and connections that are lost.

use std::time::Duration;

use scorewatch::{
    secret::SecretReference,
    store::{
        Audit, Checks, Claim, ClaimTerms, Commit, Heartbeat, NewEntry, Outbox, Store, StoreError, Upkeep,
        postgres::{self, Password, PostgresSettings},
    },
};
use sqlx::Executor;

use super::fixture::*;
use crate::harness::{
    between::{Between, Trouble},
    postgres::Postgres,
};

async fn refusal(database: &PostgresSettings) -> String {
    match postgres::open(database).await {
        Err(StoreError::Open(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_second_service_is_refused_while_the_first_lives_and_takes_over_when_it_has_ended() {
    let (server, database) = Postgres::shared_database().await;
    let first = postgres::open(&database).await.unwrap();
    assert_eq!(first.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    // The first one renews its lease while the second one waits.
    let renewed = async {
        for _ in 0..u32::MAX {
            server.run(&database, "UPDATE replica SET expires_at = clock_timestamp() + interval '1 hour'").await;
        }
    };
    let second = tokio::select! {
        second = postgres::open(&database) => second,
        () = renewed => panic!("it never ends"),
    };
    let Err(StoreError::InUse(place)) = second else { panic!("not refused") };
    assert!(place.contains(&format!("pid {}", std::process::id())), "{place}");
    // It is not heard of any more: its time is over.
    server.run(&database, "UPDATE replica SET expires_at = clock_timestamp()").await;
    let second = postgres::open(&database).await.unwrap();
    let late = first.commit(check("contoso", Some(1), 10)).await;
    assert!(matches!(late, Err(StoreError::InUse(_))), "{late:?}");
    assert_eq!(second.commit(check("contoso", Some(1), 20)).await, Ok(Commit::Done));
    second.close().await;
    first.close().await;
    // Whoever closes properly lets the next one in immediately.
    postgres::open(&database).await.unwrap().close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn other_programs_and_newer_versions_tables_are_refused_and_left_as_they_are() {
    let (server, database) = Postgres::shared_database().await;
    let beside = postgres::open_reader(&database).await.unwrap_err().to_string();
    assert!(beside.contains("there is no store") && beside.contains("start the service once"), "{beside}");
    assert!(postgres::names(&database).await.unwrap().is_empty());
    server.run(&database, "CREATE TABLE theirs (id BIGINT)").await;
    let why = refusal(&database).await;
    assert!(why.contains("another program's tables"), "{why}");
    server.run(&database, "DROP TABLE theirs").await;
    postgres::open(&database).await.unwrap().close().await;
    server.run(&database, "INSERT INTO schema_version (version) VALUES (9999)").await;
    let before = schema(server, &database).await;
    let why = refusal(&database).await;
    assert!(why.contains("schema 9999"), "{why}");
    let why = postgres::bring_up_to_date(&database).await.unwrap_err().to_string();
    assert!(why.contains("schema 9999"), "{why}");
    assert_eq!(schema(server, &database).await, before);
}

/// Every table, column, index and trigger, and what is noted of the schema and the service.
async fn schema(server: &Postgres, database: &PostgresSettings) -> Vec<String> {
    let sql = "SELECT format('%s %s %s', c.relname, a.attname, a.atttypid::regtype) FROM pg_class AS c \
               JOIN pg_attribute AS a ON a.attrelid = c.oid WHERE c.relnamespace = current_schema()::regnamespace \
               UNION ALL SELECT tgname FROM pg_trigger UNION ALL SELECT schema_version::text FROM schema_version \
               UNION ALL SELECT writer::text FROM writer UNION ALL SELECT meta::text FROM meta ORDER BY 1";
    let mut connection = server.connect(&database.database).await;
    sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_server_that_takes_over_gives_new_events_new_ids_and_what_was_under_way_is_decided_again() {
    let server = Postgres::apart();
    let database = server.database().await;
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    let (identity, before) = (store.identity().to_owned(), store.origin());
    server.crash();
    server.start_again();
    // The first attempt may meet the connection that is gone.
    let mut outcome = store.commit(check("contoso", Some(1), 10)).await;
    if outcome.is_err() {
        outcome = store.commit(check("contoso", Some(1), 10)).await;
    }
    assert_eq!((outcome, store.origin()), (Ok(Commit::Done), before), "a restart changes nothing");

    server.crash();
    server.take_over();
    let refused = store.commit(check("contoso", Some(2), 20)).await.unwrap_err().to_string();
    assert!(refused.contains("has failed over"), "{refused}");
    let after = store.origin();
    assert!(after.starts_with(&format!("{identity}/")), "{after}");
    assert_eq!(load(&store, "contoso").await.version, 2);
    assert_eq!(store.commit(check("contoso", Some(2), 20)).await, Ok(Commit::Done));
    store.close().await;
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.origin(), after, "once");
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_server_that_says_nothing_is_given_up_by_readers_and_the_writer_and_used_again_when_it_speaks() {
    let (server, database) = Postgres::shared_database().await;
    let between = Between::new(server);
    let store = postgres::open(&between.to(&database)).await.unwrap();
    assert_eq!(store.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    assert_eq!(load(&store, "contoso").await.version, 1);
    between.set(Some(Trouble::Silence));
    // Time passes as soon as nobody has anything else to do.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let (written, read) = tokio::join!(store.commit(check("contoso", Some(1), 10)), store.schedule());
    let waited = began.elapsed();
    tokio::time::resume();
    assert!(written.is_err() && read.is_err(), "{written:?} {read:?}");
    assert!((100..600).contains(&waited.as_secs()), "{waited:?}");
    between.set(None);
    let version = load(&store, "contoso").await.version;
    assert_eq!(store.commit(check("contoso", Some(version), 20)).await, Ok(Commit::Done));
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_reader_that_loses_patience_leaves_its_connection_in_order() {
    let (server, database) = Postgres::shared_database().await;
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    // Whoever reads tenants waits for this.
    let mut lock = server.connect(&database.database).await;
    lock.execute("BEGIN; LOCK TABLE tenant").await.unwrap();
    for _ in 0..20 {
        // It is asked, and nobody waits for the answer.
        tokio::select! {
            biased;
            read = store.schedule() => panic!("it does not wait: {read:?}"),
            () = std::future::ready(()) => {}
        }
    }
    lock.execute("ROLLBACK").await.unwrap();
    for _ in 0..20 {
        assert_eq!(store.schedule().await.unwrap().len(), 1);
    }
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_server_that_confirms_before_it_has_written_is_refused() {
    let (server, database) = Postgres::shared_database().await;
    server.run(&database, &format!("ALTER DATABASE {} SET synchronous_commit = off", database.database)).await;
    let why = refusal(&database).await;
    assert!(why.contains("`synchronous_commit = off`") && why.contains("set it to `on`"), "{why}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_wrong_database_or_server_is_named_and_no_password_is_shown() {
    let (_, database) = Postgres::shared_database().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "hunter2-hunter2").unwrap();
    let password = Some(Password::new(SecretReference::File(file.path().to_owned())));
    let absent = PostgresSettings { database: "absent".to_owned(), password, ..database.clone() };
    let why = refusal(&absent).await;
    assert!(why.contains("CREATE DATABASE"), "{why}");
    assert!(!format!("{why}{absent:?}{absent}").contains("hunter2"));
    let nowhere = PostgresSettings { host: "/nowhere".to_owned(), ..database };
    assert!(matches!(postgres::open(&nowhere).await, Err(StoreError::Open(_))));
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn connections_that_are_cut_are_opened_again_and_nothing_is_half_done() {
    let (server, database) = Postgres::shared_database().await;
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    for round in 1..6 {
        server.cut(&database).await;
        // The first attempt may meet the connection that is gone.
        let seconds = i64::try_from(round).unwrap() * 10;
        let mut outcome = store.commit(check("contoso", Some(round), seconds)).await;
        if outcome.is_err() {
            outcome = store.commit(check("contoso", Some(round), seconds)).await;
        }
        assert_eq!(outcome, Ok(Commit::Done));
        assert_eq!(load(&store, "contoso").await.version, round + 1);
    }
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn how_long_ago_the_last_heartbeat_was_is_said_by_the_clock_of_the_database() {
    let (server, database) = Postgres::shared_database().await;
    let store = postgres::open(&database).await.unwrap();
    // By the clock of whoever gives it, that was long ago.
    store.heartbeat(at(5)).await.unwrap();
    let last = store.last_heartbeat().await.unwrap().unwrap();
    let minute = Duration::from_mins(1);
    assert!(last.at == at(5) && last.age.is_some_and(|age| age < minute), "{last:?}");
    let ten_minutes_before = "UPDATE meta SET value = split_part(value, ' ', 1) || ' ' || \
                              (split_part(value, ' ', 2)::bigint - 600000000) WHERE key = 'beat_clock'";
    server.run(&database, ten_minutes_before).await;
    let last = store.last_heartbeat().await.unwrap().unwrap();
    assert!(last.age.is_some_and(|age| (10 * minute..11 * minute).contains(&age)), "{last:?}");
    // An older version knows of no such clock, and leaves what was noted of it.
    let beat = format!("UPDATE meta SET value = '{}' WHERE key = 'beat'", at(7).as_nanos());
    server.run(&database, &beat).await;
    let last = store.last_heartbeat().await.unwrap();
    assert_eq!(last, Some(Heartbeat { at: at(7), age: None }));
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn writers_of_several_processes_follow_one_another() {
    let (_, database) = Postgres::shared_database().await;
    let service = postgres::open(&database).await.unwrap();
    let beside = postgres::open_reader(&database).await.unwrap();
    let record = async |store: &dyn Store| {
        for n in 0..40 {
            let entry = NewEntry::by(&scorewatch::domain::Caller::local("ann"), "token.create", None, at(n));
            store.record(entry).await.unwrap();
        }
    };
    tokio::join!(record(&service), record(&beside), record(&service), record(&beside));
    let links = service.links(0, 1000).await.unwrap();
    let mut verifier = scorewatch::store::Verifier::default();
    links.iter().try_for_each(|link| verifier.take(link)).unwrap();
    assert_eq!((links.len(), verifier.finish()), (160, Ok(())));
    beside.close().await;
    service.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn the_database_refuses_to_change_the_audit_log() {
    let (server, database) = Postgres::shared_database().await;
    let store = postgres::open(&database).await.unwrap();
    store.record(NewEntry::by(&scorewatch::domain::Caller::local("ann"), "token.create", None, at(0))).await.unwrap();
    let mut connection = server.connect(&database.database).await;
    for refused in
        ["DELETE FROM audit", "TRUNCATE audit", "UPDATE audit SET action = 'x'", "UPDATE audit SET body = '{}'"]
    {
        let error = connection.execute(refused).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{refused}: {error}");
    }
    connection.execute("UPDATE audit SET body = '{}', salt = NULL").await.unwrap();
    store.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_database_that_was_copied_gives_new_events_new_ids() {
    let (server, database) = Postgres::shared_database().await;
    let store = postgres::open(&database).await.unwrap();
    let (identity, first) = (store.identity().to_owned(), store.origin().to_owned());
    assert_eq!(identity, first);
    store.announce(new_notification("one", None, &["soc"]), at(0)).await.unwrap();
    let claim = store.claim(&channel("soc"), ClaimTerms::default(), at(0)).await.unwrap();
    assert!(matches!(claim, Claim::Send(_)));
    store.close().await;
    let copy = PostgresSettings { database: format!("{}_copy", database.database), ..database.clone() };
    let sql = format!("CREATE DATABASE {} TEMPLATE {}", copy.database, database.database);
    server.run(&PostgresSettings { database: "postgres".to_owned(), ..database.clone() }, &sql).await;
    for (settings, is_first) in [(&database, true), (&copy, false), (&copy, false)] {
        let store = postgres::open(settings).await.unwrap();
        assert_eq!((store.identity(), store.origin() == first), (&*identity, is_first));
        let beside = postgres::open_reader(settings).await.unwrap();
        assert_eq!(beside.origin(), store.origin());
        beside.close().await;
        store.close().await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_commit_whose_answer_is_lost_is_found_to_be_done_or_not_done_and_never_done_twice() {
    let (server, database) = Postgres::shared_database().await;
    for (index, (trouble, is_done)) in
        [(Trouble::CommitUnanswered, true), (Trouble::CommitLost, false)].into_iter().enumerate()
    {
        let between = Between::new(server);
        let store = postgres::open(&between.to(&database)).await.unwrap();
        let name = ["contoso", "fabrikam"][index];
        assert_eq!(store.commit(check(name, None, 0)).await, Ok(Commit::Done));
        between.set(Some(trouble));
        let outcome = store.commit(check(name, Some(1), 10)).await;
        between.is_over().await;
        assert_eq!(outcome.is_ok(), is_done, "{trouble:?}: {outcome:?}");
        assert!(!matches!(outcome, Err(StoreError::Unknown(_))), "{trouble:?}: {outcome:?}");
        assert_eq!(load(&store, name).await.version, 1 + u64::from(is_done), "{trouble:?}");
        if !is_done {
            assert_eq!(store.commit(check(name, Some(1), 10)).await, Ok(Commit::Done));
        }
        // An entry of the audit log has nothing by which a second one would be recognized.
        let record =
            || store.record(NewEntry::by(&scorewatch::domain::Caller::local("ann"), "token.create", None, at(0)));
        between.set(Some(trouble));
        let outcome = record().await;
        between.is_over().await;
        assert_eq!(outcome.is_ok(), is_done, "{trouble:?}: {outcome:?}");
        if !is_done {
            record().await.unwrap();
        }
        assert_eq!(store.links(0, 1000).await.unwrap().len(), index + 1, "{trouble:?}");
        store.close().await;
    }
}
