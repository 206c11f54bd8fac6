//! Services that start at the same time on a database that has no tables yet.

use std::time::Duration;

use scorewatch::store::{
    Upkeep,
    postgres::{self, PostgresSettings},
};
use sqlx::PgConnection;

use crate::harness::{event, postgres::Postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn replicas_that_start_together_on_an_empty_database_share_it() {
    let (server, database) = Postgres::shared_database().await;
    let mut gate = Gate::shut(server, &database).await;
    let opened = async {
        gate.until_waiting(3).await;
        gate.open("").await;
    };
    let one = || async { postgres::join(&database, "one".to_owned()).await.unwrap().0 };
    let (first, second, third, ()) = tokio::join!(one(), one(), one(), opened);
    assert_eq!(first.replicas().await.unwrap().len(), 3);
    for replica in [first, second, third] {
        replica.close().await;
    }
}

/// The server tells a session of new tables when it next locks one. A large migration fills the queue of such news, so that the others
/// are told at once; this one is small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_replica_sees_the_schema_that_was_made_while_it_waited() {
    const LATER: &str = "CREATE TABLE schema_version (version BIGINT); CREATE TABLE meta (key TEXT, value TEXT); \
        INSERT INTO schema_version VALUES (999)";
    let (server, database) = Postgres::shared_database().await;
    let mut gate = Gate::shut(server, &database).await;
    let opened = async {
        gate.until_waiting(1).await;
        gate.open(LATER).await;
    };
    let (joined, ()) = tokio::join!(postgres::join(&database, "one".to_owned()), opened);
    let refused = joined.unwrap_err().to_string();
    assert!(refused.contains("newer version"), "{refused}");
}

/// Holds the lock that everyone waits for who makes the schema, having seen that there is none.
struct Gate(PgConnection);

impl Gate {
    const LOCK: i64 = 0x5363_6f72;

    async fn shut(server: &Postgres, database: &PostgresSettings) -> Self {
        let mut connection = server.connect(&database.database).await;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(Self::LOCK).execute(&mut connection).await.unwrap();
        Self(connection)
    }

    async fn until_waiting(&mut self, count: i64) {
        const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let wait = async {
            while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut self.0).await.unwrap() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(event(wait).await.is_some(), "waited in vain for those who want to make the schema");
    }

    /// Does that first, as one of them would.
    async fn open(&mut self, first: &'static str) {
        sqlx::raw_sql(first).execute(&mut self.0).await.unwrap();
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(Self::LOCK).execute(&mut self.0).await.unwrap();
    }
}
