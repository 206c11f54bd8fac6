//! What retention costs those who write meanwhile, in a store with as many rows of samples as `SCOREWATCH_RETENTION_ROWS` says. It prints
//! figures, as no verdict depends on how fast the machine is.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use scorewatch::store::{Commit, Store, Upkeep, postgres, sqlite::SqliteStore};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::task::JoinSet;

use super::fixture::*;
use crate::harness::postgres::Postgres;

/// Rows of samples, unless `SCOREWATCH_RETENTION_ROWS` says otherwise.
const ROWS: i64 = 1_000_000;
/// How many days of samples there are, the last of which is today.
const DAYS: i64 = 100;
/// How many of them are too old.
const OLD_DAYS: i64 = 3;
/// Tenants that are checked meanwhile.
const TENANTS: u32 = 32;
const MEASURED_FOR: Duration = Duration::from_secs(15);
/// Series from here on are those of tenants that are not checked.
const OTHERS: i64 = 1_000_000;
/// Days of theirs that are left.
const LEFT: &str = "SELECT count(*) FROM sample_day WHERE series_id > 1000000";

/// A day of a series is as large as that of a score that is read four times an hour and moves now and then.
fn fill_postgres(rows: i64) -> String {
    format!(
        "INSERT INTO sample_day (day, series_id, samples) SELECT d, {OTHERS} + s, decode(repeat(md5((s * 1000 + d)::text), 40), 'hex') \
         FROM generate_series({first}, {today}) AS d, generate_series(1, {series}) AS s; ANALYZE sample_day;",
        first = today() - DAYS + 1,
        today = today(),
        series = rows / DAYS,
    )
}

/// Likewise, in rows of the same size.
fn fill_sqlite(rows: i64) -> String {
    format!(
        "WITH RECURSIVE day(d) AS (SELECT {first} UNION ALL SELECT d + 1 FROM day WHERE d < {today}), \
         one(s) AS (SELECT 1 UNION ALL SELECT s + 1 FROM one WHERE s < {series}) \
         INSERT INTO sample_day (day, series_id, samples) SELECT d, {OTHERS} + s, randomblob(640) FROM day, one;",
        first = today() - DAYS + 1,
        today = today(),
        series = rows / DAYS,
    )
}

fn today() -> i64 {
    at(0).as_nanos() / 86_400_000_000_000
}

/// Commits checks one after the other for as long as it may; how long each took.
async fn commits(
    store: &Arc<dyn Store>,
    versions: &mut [Option<u64>],
    mut goes_on: impl FnMut() -> bool,
) -> Vec<Duration> {
    let mut took = Vec::new();
    while goes_on() {
        let mut under_way = JoinSet::new();
        for (number, version) in versions.iter_mut().enumerate() {
            let (store, expected) = (Arc::clone(store), *version);
            let mut outcome = check(&format!("tenant-{number}"), expected, 1);
            outcome.series = vec![series(vec![sample(1, 41.0)], Duration::from_hours(24))];
            under_way.spawn(async move {
                let began = Instant::now();
                assert_eq!(store.commit(outcome).await, Ok(Commit::Done));
                began.elapsed()
            });
            *version = Some(expected.unwrap_or(0) + 1);
        }
        took.extend(under_way.join_all().await);
    }
    took
}

/// Says it past the test runner, which keeps what a green test prints to itself.
#[expect(clippy::explicit_write, reason = "what `eprintln!` prints is kept back")]
fn report(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

fn said(mut took: Vec<Duration>) -> String {
    took.sort();
    let of = |percent: usize| took[(took.len() - 1) * percent / 100];
    format!("{} commits, p50 {:.1?}, p99 {:.1?}, longest {:.1?}", took.len(), of(50), of(99), of(100))
}

fn rows() -> i64 {
    std::env::var("SCOREWATCH_RETENTION_ROWS").map_or(ROWS, |rows| rows.parse().unwrap())
}

/// Commits checks, first alone and then while the store removes what is too old of so many rows.
async fn measure(store: Arc<dyn Store>, rows: i64) {
    let mut versions = vec![None; usize::try_from(TENANTS).unwrap()];
    let began = Instant::now();
    let alone = commits(&store, &mut versions, || began.elapsed() < MEASURED_FOR).await;
    report(&format!("alone: {}", said(alone)));

    let (now, retention) = (at(0), Duration::from_hours(24 * u64::try_from(DAYS - OLD_DAYS - 1).unwrap()));
    let pruning = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (began, mut calls) = (Instant::now(), 1);
            while store.prune(now, retention).await.unwrap() {
                calls += 1;
            }
            (began.elapsed(), calls)
        })
    };
    let beside = commits(&store, &mut versions, || !pruning.is_finished()).await;
    let (took, calls) = pruning.await.unwrap();
    let what =
        format!("while {} rows of {rows} are removed, in {calls} transactions and {took:.1?}", rows / DAYS * OLD_DAYS);
    report(&format!("{what}: {}", said(beside)));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer; a measurement that takes minutes"]
async fn checks_are_committed_while_retention_removes_old_days_of_a_large_fleet_from_postgres() {
    let (rows, server) = (rows(), Postgres::apart());
    let database = server.database().await;
    let store = postgres::open(&database).await.unwrap();
    let mut connection = server.connect(&database.database).await;
    sqlx::raw_sql(AssertSqlSafe(fill_postgres(rows))).execute(&mut connection).await.unwrap();
    measure(Arc::new(store), rows).await;
    let left = sqlx::query_scalar::<_, i64>(LEFT).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, rows / DAYS * (DAYS - OLD_DAYS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement that takes minutes"]
async fn checks_are_committed_while_retention_removes_old_days_of_a_large_fleet_from_a_file() {
    let rows = rows();
    // Memory takes what is written to many a folder for temporary files.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = directory.path().join("s.db");
    SqliteStore::open(file.clone()).await.unwrap().close().await;
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(fill_sqlite(rows))).execute(&mut connection).await.unwrap();
    measure(Arc::new(SqliteStore::open(file).await.unwrap()), rows).await;
    let left = sqlx::query_scalar::<_, i64>(LEFT).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, rows / DAYS * (DAYS - OLD_DAYS));
}
