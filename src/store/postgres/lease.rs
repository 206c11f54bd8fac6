//! The right to write as a service: a row in `replica` with an owner and the time until which it is good, on the database's clock.
//!
//! Every transaction that writes first locks the one row of `writer`, so that transactions follow one another whichever process they are
//! of, and then looks whether the process still has its row. Whoever removes the row of a service that was not heard of locks the same
//! row first: so from then on, nothing that that service writes is kept.

use std::{process, time::Duration};

use rustix::system::uname;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::error::at_open;
use crate::{
    domain::Clause,
    store::{StoreError, division::Timing},
};

/// For how long a service that shares its store with nobody and is not heard of has it.
const SOLE_SECONDS: u32 = 20;
/// How often that is renewed at most; a transaction does it in passing.
const RENEWED_AFTER: Duration = Duration::from_secs(5);
/// How long that may take for a start that failed: it has to end, and the lease does so by itself.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(1);
/// How often a start that waits for another one's time looks again.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What begins every transaction that writes.
pub(super) const LOCK: &str = "SELECT 1 FROM writer FOR UPDATE";
/// What begins the transaction itself. Whoever waits for the lock must see what the one before wrote, whatever the connection's default is.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The right to write to the store as a service.
#[derive(Debug)]
pub(super) struct Lease {
    id: String,
    /// When it was renewed in passing; `None`: it is renewed by the next transaction.
    renewed_at: Option<Instant>,
    /// Whether this service has the store to itself.
    is_sole: bool,
}

impl Lease {
    /// Takes the whole store. If a service has it, or a part of it, that is not heard of, waits until its time is over.
    pub(super) async fn take(connection: &mut PgConnection) -> Result<Self, StoreError> {
        let id = drawn();
        let mut seen: Option<String> = None;
        loop {
            let Some((place, until)) = insert_sole(connection, &id).await.map_err(|error| at_open(&error))? else {
                return Ok(Self { id, renewed_at: Some(Instant::now()), is_sole: true });
            };
            match &seen {
                // It was renewed meanwhile, so somebody lives.
                Some(seen) if *seen != until => return Err(StoreError::InUse(place)),
                Some(_) => {}
                None => tracing::info!(
                    "another service has the store{place}; waiting until it has not been heard of for {SOLE_SECONDS} s"
                ),
            }
            seen = Some(until);
            sleep(LOOK_EVERY).await;
        }
    }

    /// Joins the services that share the store, within the transaction that is open.
    pub(super) async fn join(
        connection: &mut PgConnection,
        fingerprint: &str,
        timing: Timing,
    ) -> Result<Self, sqlx::Error> {
        let id = drawn();
        insert(connection, &id, fingerprint, false, timing.lease).await?;
        Ok(Self { id, renewed_at: None, is_sole: false })
    }

    /// The id of the replica.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What begins a transaction: nobody else writes, and it says whether this service may still.
    pub(super) fn begin(&mut self) -> String {
        let Self { id, renewed_at, is_sole } = self;
        let is_fresh = !*is_sole || renewed_at.is_some_and(|at| at.elapsed() < RENEWED_AFTER);
        let renew = if is_fresh {
            String::new()
        } else {
            *renewed_at = Some(Instant::now());
            format!(
                "UPDATE replica SET heard_at = clock_timestamp(), \
                 expires_at = clock_timestamp() + interval '{SOLE_SECONDS} seconds' WHERE id = '{id}';"
            )
        };
        // The row is looked for by a statement of its own, which sees what was committed while the one before waited for the lock.
        format!(
            "{BEGIN}; {LOCK}; {renew} SELECT pg_current_xact_id()::text, (EXISTS (SELECT 1 FROM replica WHERE id = '{id}'))::text, \
             coalesce((SELECT place FROM replica WHERE id <> '{id}' ORDER BY started_at DESC LIMIT 1), '')"
        )
    }

    /// Notes that the transaction is not kept.
    pub(super) const fn rolled_back(&mut self) {
        self.renewed_at = None;
    }

    /// Gives the store back, for a process that has not begun to work on it.
    pub(super) async fn give_back(&self, connection: &mut PgConnection) {
        let given_back = timeout(GIVEN_BACK_WITHIN, sqlx::raw_sql(AssertSqlSafe(self.release())).execute(connection));
        let error = match given_back.await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            error,
            "what was taken of the store could not be given back; others wait until its time is over"
        );
    }

    /// What gives the store back.
    pub(super) fn release(&self) -> String {
        let id = &self.id;
        format!(
            "{BEGIN}; {LOCK}; UPDATE shard SET owner = NULL WHERE owner = '{id}'; DELETE FROM replica WHERE id = '{id}'; COMMIT"
        )
    }
}

fn drawn() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Notes a service that has the store to itself, unless another one lives: its place, and until when it does.
async fn insert_sole(connection: &mut PgConnection, id: &str) -> Result<Option<(String, String)>, sqlx::Error> {
    begin(connection).await?;
    sqlx::query("DELETE FROM replica WHERE expires_at <= clock_timestamp()").execute(&mut *connection).await?;
    let other: Option<(String, String)> =
        sqlx::query_as("SELECT ' (' || place || ')', expires_at::text FROM replica ORDER BY started_at LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    if other.is_none() {
        insert(connection, id, "", true, Duration::from_secs(SOLE_SECONDS.into())).await?;
    }
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(other)
}

async fn insert(
    connection: &mut PgConnection,
    id: &str,
    fingerprint: &str,
    is_sole: bool,
    lease: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO replica (id, place, version, fingerprint, is_sole, started_at, heard_at, expires_at) VALUES \
         ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), clock_timestamp() + make_interval(secs => $6))",
    )
    .bind(id)
    .bind(place())
    .bind(env!("CARGO_PKG_VERSION"))
    .bind(fingerprint)
    .bind(is_sole)
    .bind(lease.as_secs_f64())
    .execute(connection)
    .await
    .map(drop)
}

/// Begins a transaction that nobody else writes beside.
pub(super) async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(BEGIN).execute(&mut *connection).await?;
    sqlx::query(LOCK).execute(connection).await.map(drop)
}

/// Where this process is, for people.
fn place() -> String {
    let system = uname();
    // The kernel is asked, as a hardened service sees little of `/proc`.
    let host = system.nodename().to_string_lossy();
    Clause::Process.with(&[&process::id().to_string(), if host.is_empty() { "another machine" } else { &*host }])
}

/// Whether a service works on the store now.
pub(super) async fn is_held(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let is_held = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM replica WHERE expires_at > clock_timestamp())");
    is_held.fetch_one(connection).await.map_err(|error| at_open(&error))
}
