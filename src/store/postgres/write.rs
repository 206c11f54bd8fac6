//! How a process writes: one transaction after the other, of all processes, since each locks one row first.
//!
//! After an error the connection is not used again: it may lead to a server that is no longer the primary. If the connection is lost while
//! the server commits, the server is asked afterward what became of the transaction.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};
use tokio::time::{Instant, sleep};

use super::{error::is_lost, lease::Lease, open, settings::PostgresSettings};
use crate::store::{
    StoreError,
    sql::{
        WriteAccess,
        db::{Connection, within_limit},
    },
};

/// How long it is asked what became of a transaction, and how often.
const ASKED_FOR: Duration = Duration::from_mins(1);
const ASKED_EVERY: Duration = Duration::from_millis(250);
/// How long closing a connection may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// What begins a transaction of a process that is not the service.
const BEGIN: &str = "BEGIN; SELECT pg_current_xact_id()::text, 'true', '' FROM writer FOR UPDATE";
/// What ends one. The first part fails in a transaction in which something has failed, which the second alone would not.
const COMMIT: &str = "SELECT 1; COMMIT";

/// A connection that writes, which is opened again after an error, and the right to write as a service.
pub(super) struct Session {
    settings: PostgresSettings,
    connection: Option<Connection>,
    lease: Option<Lease>,
    /// The transaction that is open.
    transaction: Option<String>,
}

impl Session {
    pub(super) fn new(settings: &PostgresSettings, connection: PgConnection, lease: Option<Lease>) -> Self {
        let connection = Some(Connection::Postgres(connection));
        Self { settings: settings.clone(), connection, lease, transaction: None }
    }

    /// The connection, opened again if it was lost.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        if self.connection.is_none() {
            self.connection = Some(Connection::Postgres(open::connect(&self.settings).await?));
        }
        match &mut self.connection {
            Some(Connection::Postgres(connection)) => Ok(connection),
            _ => Err(StoreError::Failed("the connection to the database is closed".to_owned())),
        }
    }

    /// What became of a transaction whose commit was not confirmed: `Ok` if it is durable.
    async fn fate(&mut self, transaction: &str, lost: StoreError) -> Result<(), StoreError> {
        let began = Instant::now();
        loop {
            match self.status(transaction).await {
                Ok(Some(status)) if status == "committed" => return Ok(()),
                Ok(Some(status)) if status == "aborted" => return Err(lost),
                // It is under way, or the server can't be asked.
                Ok(Some(_)) | Err(_) if began.elapsed() < ASKED_FOR => sleep(ASKED_EVERY).await,
                Ok(_) | Err(_) => return Err(StoreError::Unknown(lost.to_string())),
            }
        }
    }

    async fn status(&mut self, transaction: &str) -> Result<Option<String>, StoreError> {
        let connection = self.connection().await?;
        let asked = sqlx::query_scalar("SELECT pg_xact_status($1::text::xid8)").bind(transaction).fetch_one(connection);
        let status = within_limit(asked).await;
        if status.is_err() {
            self.connection = None;
        }
        Ok(status?)
    }
}

#[async_trait]
impl WriteAccess for Session {
    async fn begin(&mut self) -> Result<&mut Connection, StoreError> {
        let begin = self.lease.as_mut().map_or_else(|| BEGIN.to_owned(), Lease::begin);
        let is_new = self.connection.is_none();
        let mut answer =
            within_limit(sqlx::raw_sql(AssertSqlSafe(begin.as_str())).fetch_all(self.connection().await?)).await;
        if !is_new && answer.as_ref().is_err_and(is_lost) {
            // It was lost since the last transaction, and nothing is done yet.
            self.connection = None;
            answer = within_limit(sqlx::raw_sql(AssertSqlSafe(begin)).fetch_all(self.connection().await?)).await;
        }
        let rows = answer?;
        let Some(row) = rows.last() else {
            return Err(StoreError::Failed("the row of its writer is missing".to_owned()));
        };
        if row.try_get::<&str, _>(1)? != "true" {
            let by: &str = row.try_get(2)?;
            return Err(StoreError::InUse(if by.is_empty() { String::new() } else { format!(" ({by})") }));
        }
        self.transaction = Some(row.try_get(0)?);
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::Failed("the connection to the database is closed".to_owned()))
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let transaction = self.transaction.take().unwrap_or_default();
        let committed = within_limit(sqlx::raw_sql(COMMIT).execute(self.connection().await?)).await;
        let Err(error) = committed else { return Ok(()) };
        self.connection = None;
        self.fate(&transaction, error.into()).await
    }

    async fn roll_back(&mut self) {
        self.transaction = None;
        if let Some(lease) = &mut self.lease {
            lease.rolled_back();
        }
        // Dropping it ends the transaction as well, and what comes next goes to whatever server is the primary by then.
        if let Some(Connection::Postgres(connection)) = self.connection.take() {
            let _ = tokio::time::timeout(CLOSED_WITHIN, connection.close()).await;
        }
    }

    async fn close(mut self: Box<Self>, is_clean: bool) {
        let release = self.lease.as_ref().filter(|_| is_clean).map(Lease::release);
        if let Some(release) = release
            && let Ok(connection) = self.connection().await
            && let Err(error) = sqlx::raw_sql(AssertSqlSafe(release)).execute(connection).await
        {
            tracing::warn!(%error, "the store could not be given back; the next start waits until its time is over");
        }
        if let Some(Connection::Postgres(connection)) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the store's writing connection did not close");
        }
    }
}
