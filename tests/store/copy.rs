//! A store that was copied to the other database is the same store: every row, every id, and what comes next.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use scorewatch::{
    domain::Caller,
    notify::DeliveryId,
    store::{
        AttemptOutcome, Audit, Checks, Claim, ClaimTerms, ClaimedDelivery, EntryFilter, NewEntry, Outbox, StoreError,
        Upkeep,
        copy::{self, Copied, Place},
        postgres::{self, PostgresSettings},
        sqlite::SqliteStore,
    },
};
use sqlx::{
    AssertSqlSafe, Column, Connection, Row, SqliteConnection, TypeInfo, ValueRef, sqlite::SqliteConnectOptions,
};

use super::fixture::*;
use crate::harness::postgres::Postgres;

/// A file, and an empty database on the server.
async fn places() -> (tempfile::TempDir, PathBuf, PostgresSettings) {
    let database = Postgres::shared().database().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/s.db");
    (folder, file, database)
}

fn file(path: &Path) -> Place {
    Place::Sqlite(path.to_owned())
}

fn server(database: &PostgresSettings) -> Place {
    Place::Postgres(Box::new(database.clone()))
}

async fn copied(from: &Place, to: &Place) -> Result<Copied, StoreError> {
    let entry = NewEntry::by(&Caller::local("ann"), "store.copy", None, at(0));
    copy::copy(from, to, &entry, &mut |_, _| ()).await
}

fn digests(copied: &Copied) -> BTreeMap<String, (u64, String)> {
    copied.tables.iter().map(|table| (table.name.clone(), (table.rows, table.digest.clone()))).collect()
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

async fn texts(connection: &mut SqliteConnection, sql: String) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
}

/// What stands in a column of the row of that number, as SQL. Columns that refer to another have what stands there.
fn value(table: &str, column: &str, kind: &str, number: u32) -> String {
    match kind {
        "INTEGER" => number.to_string(),
        "REAL" => format!("{number}.25e-3"),
        "BLOB" => format!("x'00ff{number:02x}'"),
        _ => format!("'{table}.{column} {number} ''\u{e4}\u{1f600}' || char(0) || 'x'"),
    }
}

/// Puts three rows into every table, whatever tables there are.
async fn fill(path: &Path) -> Vec<String> {
    let mut connection = raw(path).await;
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut connection).await.unwrap();
    let tables =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'";
    let tables = texts(&mut connection, tables.to_owned()).await;
    for table in tables.iter().filter(|table| *table != "meta") {
        let columns = texts(
            &mut connection,
            format!(
                "SELECT c.name || ' ' || c.type || ' ' || coalesce(f.\"table\", '{table}') || ' ' || coalesce(f.\"to\", CASE WHEN \
                 f.\"table\" IS NULL THEN c.name ELSE 'id' END) FROM pragma_table_info('{table}') AS c \
                 LEFT JOIN pragma_foreign_key_list('{table}') AS f ON f.\"from\" = c.name ORDER BY c.cid"
            ),
        )
        .await;
        for number in 1..=3 {
            let (mut names, mut values) = (Vec::new(), Vec::new());
            for column in &columns {
                let [name, kind, table, column] = column.split(' ').collect::<Vec<_>>()[..] else { panic!("{column}") };
                names.push(format!("\"{name}\""));
                values.push(value(table, column, kind, number));
            }
            let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(","), values.join(","));
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
    }
    // The newest delivery that there ever was is gone.
    sqlx::query("UPDATE sqlite_sequence SET seq = 4711 WHERE name = 'delivery'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    tables
}

/// All rows of a table, a text each, without what each database notes of itself.
async fn rows(path: &Path, table: &str) -> Vec<String> {
    let mut connection = raw(path).await;
    let columns =
        texts(&mut connection, format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}') ORDER BY name"));
    let columns = columns.await.join(",");
    let sql = format!("SELECT {columns} FROM {table}");
    let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    let mut rows: Vec<String> = found
        .iter()
        .map(|row| {
            let cell = |place: usize| {
                let cell = row.try_get_raw(place).unwrap();
                match cell.type_info().name() {
                    "NULL" => "-".to_owned(),
                    "INTEGER" => row.get::<i64, _>(place).to_string(),
                    "REAL" => row.get::<f64, _>(place).to_string(),
                    "BLOB" => format!("{:?}", row.get::<Vec<u8>, _>(place)),
                    _ => row.get::<String, _>(place).replace('\0', "\u{fffd}"),
                }
            };
            (0..row.columns().len())
                .map(|place| format!("{}={}", row.column(place).name(), cell(place)))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn every_row_of_every_table_arrives_there_and_back() {
    let (folder, path, database) = places().await;
    SqliteStore::open(&path).await.unwrap().close().await;
    let tables = fill(&path).await;
    let there = copied(&file(&path), &server(&database)).await.unwrap();
    let names: Vec<_> = digests(&there).into_keys().collect();
    let mut expected = tables.clone();
    expected.sort();
    assert_eq!(names, expected);
    assert!(there.tables.iter().all(|table| table.rows >= 3 || table.name == "meta"), "{there:?}");

    let back_path = folder.path().join("back/s.db");
    let back = copied(&server(&database), &file(&back_path)).await.unwrap();
    let (there, back) = (digests(&there), digests(&back));
    for table in &tables {
        let (one, other) = (rows(&path, table).await, rows(&back_path, table).await);
        let own = |row: &&String| ["clean", "copied_to", "store.copy"].iter().all(|own| !row.contains(own));
        assert_eq!(one.iter().filter(own).collect::<Vec<_>>(), other.iter().filter(own).collect::<Vec<_>>(), "{table}");
        if table != "audit" {
            assert_eq!(there[table], back[table], "{table}");
        }
    }
    let newest = "SELECT CAST(seq AS TEXT) FROM sqlite_sequence WHERE name = 'delivery'".to_owned();
    assert_eq!(texts(&mut raw(&back_path).await, newest).await, ["4711"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn ids_go_on_where_they_were_and_a_source_that_is_used_again_has_others() {
    let (folder, path, database) = places().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let mut outcome = check("contoso", None, 0);
    outcome.alerts = vec![update("low", firing(3, 2))];
    outcome.notifications = vec![new_notification("fired", Some(key("contoso", "low")), &["soc", "ops"])];
    commit(&store, outcome).await;
    let sent = claim(&store, "soc", 1).await;
    let (identity, origin) = (store.identity().to_owned(), store.origin().to_owned());
    let refused = copied(&file(&path), &server(&database)).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    let alerts = load(&store, "contoso").await.alerts;
    store.close().await;

    copied(&file(&path), &server(&database)).await.unwrap();
    let moved = postgres::open(&database).await.unwrap();
    assert_eq!((moved.identity(), moved.origin()), (&*identity, &*origin));
    assert_eq!(load(&moved, "contoso").await.alerts, alerts);
    assert_eq!(moved.recover(at(2)).await.unwrap(), 1, "what was under way may have arrived");
    let again = claim(&moved, "soc", 3).await;
    let id = |claimed: &ClaimedDelivery| (claimed.id, claimed.notification.data.notification.id.clone());
    assert_eq!((id(&again), again.possible_duplicate), (id(&sent), true));
    let Claim::Send(waiting) = moved.claim(&channel("ops"), ClaimTerms::default(), at(3)).await.unwrap() else {
        panic!("what waits is lost")
    };
    assert_eq!(waiting.id, DeliveryId(sent.id.0 + 1));
    moved.announce(new_notification("next", None, &["soc"]), at(4)).await.unwrap();
    let entries = moved.entries(&EntryFilter::default()).await.unwrap();
    assert_eq!(entries.iter().map(|entry| &*entry.action).collect::<Vec<_>>(), ["store.copy"]);
    let target = entries[0].body.target.as_deref().unwrap();
    assert!(target.contains("s.db -> postgres://scorewatch@"), "{target}");

    let (back, there) = (file(&folder.path().join("back.db")), server(&database));
    let refused = copied(&there, &back).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    moved.close().await;
    let source = SqliteStore::open(&path).await.unwrap();
    assert!(source.origin().starts_with(&format!("{identity}/")), "the source goes on as another store");
    source.close().await;

    copied(&there, &back).await.unwrap();
    let back = SqliteStore::open(folder.path().join("back.db")).await.unwrap();
    assert_eq!((back.identity(), back.origin()), (&*identity, &*origin));
    assert_eq!(back.recover(at(8)).await.unwrap(), 2);
    let mut newest = None;
    while let Claim::Send(next) = back.claim(&channel("soc"), ClaimTerms::default(), at(9)).await.unwrap() {
        newest = Some(next.id);
        back.settle(next.id, next.attempt, AttemptOutcome::Delivered, None, at(9)).await.unwrap();
    }
    assert_eq!(newest, Some(DeliveryId(sent.id.0 + 2)), "its number was not given twice");
    back.close().await;
    let there = postgres::open(&database).await.unwrap();
    assert_ne!(there.origin(), origin);
    there.close().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_target_with_rows_a_store_of_the_same_kind_and_an_absent_one_are_refused() {
    let (folder, path, database) = places().await;
    let absent = copied(&file(&path), &server(&database)).await.unwrap_err().to_string();
    assert!(absent.contains("there is no store"), "{absent}");
    SqliteStore::open(&path).await.unwrap().close().await;
    let store = postgres::open(&database).await.unwrap();
    commit(&store, check("contoso", None, 0)).await;
    store.close().await;
    let refused = copied(&file(&path), &server(&database)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused(why) if why.contains("table `tenant` has rows")), "{refused}");
    let store = postgres::open(&database).await.unwrap();
    assert_eq!(store.schedule().await.unwrap().len(), 1, "and is as it was");
    store.close().await;
    let source = SqliteStore::open(&path).await.unwrap();
    assert_eq!(source.origin(), source.identity(), "as is the source");
    source.close().await;
    let same = copied(&file(&path), &file(&folder.path().join("other.db"))).await.unwrap_err().to_string();
    assert!(same.contains("scorewatch backup"), "{same}");
    let same = copied(&server(&database), &server(&database)).await.unwrap_err().to_string();
    assert!(same.contains("pg_dump"), "{same}");
}
