//! A store on PostgreSQL as each earlier version left it is brought up to date with what is in it.

use std::{fmt::Write as _, fs};

use scorewatch::{
    notify::DeliveryState,
    store::{
        DeliveryFilter, Listings, StoreError, Upkeep,
        postgres::{self, PostgresSettings},
    },
};
use sqlx::AssertSqlSafe;

use super::fixture::{claim, load};
use crate::harness::postgres::Postgres;

/// Every migration, in their order.
const MIGRATIONS: &str = "src/store/postgres/migrations";
/// Rows that a service wrote to the first schema.
const ROWS: &str = include_str!("schema-20.sql");
/// The last schema of which one service has the store.
const LAST_WITH_OWNER: u64 = 21;
/// A minute after the rows were written, in seconds as the fixture counts them.
const LATER: i64 = 29_051_860;

/// Every migration with its number, oldest first.
fn migrations() -> Vec<(u64, String)> {
    let files = fs::read_dir(MIGRATIONS).unwrap().map(|entry| entry.unwrap().path());
    let number = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let mut found: Vec<_> = files.map(|path| (number(&path), fs::read_to_string(&path).unwrap())).collect();
    found.sort_unstable();
    found
}

/// A database as the version with that schema made it, with rows in it.
async fn earlier(server: &Postgres, schema: u64) -> PostgresSettings {
    let mut script =
        "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now());"
            .to_owned();
    for (version, migration) in migrations().into_iter().filter(|(version, _)| *version <= schema) {
        write!(script, "{migration}\nINSERT INTO schema_version (version) VALUES ({version});").unwrap();
    }
    let database = server.database().await;
    let identity = "INSERT INTO meta (key, value) VALUES ('identity', '5c07e3a7c45000000000000000000001');";
    server.run(&database, &format!("{script}\n{identity}\n{ROWS}")).await;
    database
}

/// Every table with its columns, settings, constraints, indexes and triggers.
async fn shape(server: &Postgres, database: &PostgresSettings) -> Vec<String> {
    let sql = "WITH ours AS (SELECT oid, relname, reloptions FROM pg_class \
                   WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r') \
               SELECT format('%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull, \
                   pg_get_expr(adbin, adrelid)) \
               FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped \
                   LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
               UNION ALL SELECT format('%s %s', relname, reloptions) FROM ours \
               UNION ALL SELECT format('%s %s', relname, pg_get_constraintdef(c.oid)) \
                   FROM ours JOIN pg_constraint AS c ON conrelid = ours.oid \
               UNION ALL SELECT pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = ours.oid \
               UNION ALL SELECT pg_get_triggerdef(t.oid) FROM ours JOIN pg_trigger AS t ON tgrelid = ours.oid \
                   WHERE NOT tgisinternal \
               ORDER BY 1";
    let mut connection = server.connect(&database.database).await;
    sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
}

async fn count(server: &Postgres, database: &PostgresSettings, what: &str) -> i64 {
    let mut connection = server.connect(&database.database).await;
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {what}"));
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_store_of_every_earlier_schema_is_brought_up_to_date_with_what_is_in_it() {
    let (server, fresh) = Postgres::shared_database().await;
    let newest = postgres::bring_up_to_date(&fresh).await.unwrap().to;
    let fresh = shape(server, &fresh).await;
    let migrations = migrations();
    assert_eq!(migrations.last().unwrap().0, newest, "every file is a migration");
    let mut expected = None;
    for (schema, _) in migrations {
        let database = earlier(server, schema).await;
        let before = postgres::schema(&database).await.unwrap();
        assert_eq!((before.from, before.to), (schema, newest));
        assert_eq!(shape(server, &database).await == fresh, schema == newest, "what is compared differs, {schema}");
        let step = postgres::bring_up_to_date(&database).await.unwrap();
        assert_eq!((step.from, step.to), (schema, newest));
        assert_eq!(shape(server, &database).await, fresh, "from schema {schema}");

        let store = postgres::open(&database).await.unwrap();
        let read = format!("{:?}", load(&store, "consolidated").await);
        let record = load(&store, "consolidated").await;
        assert_eq!((record.version, record.alerts.len(), record.series[0].window.len()), (47, 1, 3));
        let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
        let mut states: Vec<_> = deliveries.iter().map(|one| (one.channel.as_str(), one.state)).collect();
        states.sort_by_key(|(channel, _)| *channel);
        assert_eq!(states, [("soc", DeliveryState::Delivered), ("soc-mail", DeliveryState::Queued)]);
        assert_eq!(expected.get_or_insert(read.clone()), &read, "from schema {schema}");
        // What was queued is sent.
        let claimed = claim(&store, "soc-mail", LATER).await;
        assert_eq!(claimed.attempt, 1);
        store.close().await;
        assert_eq!(count(server, &database, "attempt").await, 2);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_schema_of_one_service_is_left_as_it_is_while_that_service_lives() {
    let server = Postgres::shared();
    let database = earlier(server, LAST_WITH_OWNER).await;
    let lives =
        "UPDATE writer SET owner = 'a', place = 'pid 7 on db1', expires_at = clock_timestamp() + interval '1 hour'";
    server.run(&database, lives).await;
    let before = shape(server, &database).await;
    match postgres::bring_up_to_date(&database).await {
        Err(StoreError::InUse(place)) => assert!(place.contains("pid 7 on db1"), "{place}"),
        other => panic!("not refused: {other:?}"),
    }
    assert_eq!(shape(server, &database).await, before);
    assert_eq!(count(server, &database, "delivery").await, 2);
    // It has ended without a word.
    server.run(&database, "UPDATE writer SET expires_at = clock_timestamp()").await;
    let step = postgres::bring_up_to_date(&database).await.unwrap();
    assert_eq!(step.from, LAST_WITH_OWNER);
}
