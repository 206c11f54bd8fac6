//! How a process writes: one transaction after the other, of all processes, since each locks one row first.
//!
//! After an error the connection is not used again: it may lead to a server that is no longer the primary. If the connection is lost while
//! the server commits, the server is asked afterward what became of the transaction. A server that has taken over from another one is
//! not: it may have given the transaction's number to another. Whatever a service does first on such a server fails, after it has drawn
//! a new generation, so that everything is decided again by what is left, with ids that nobody has seen.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};
use tokio::time::{Instant, sleep, timeout};

use super::{
    error::at_open,
    lease::{self, Lease},
    open::{self, Reopened},
    origin,
    server::{self, Standbys},
    settings::PostgresSettings,
};
use crate::store::{
    StoreError,
    sql::{
        Origin, WriteAccess,
        db::{Connection, is_unusable_after, within_limit},
    },
};

/// How long it is asked what became of a transaction, and how often.
const ASKED_FOR: Duration = Duration::from_mins(1);
const ASKED_EVERY: Duration = Duration::from_millis(250);
/// How long it may take to find out what a server is.
const LOOKED_WITHIN: Duration = Duration::from_secs(20);
/// How long closing a connection may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// What begins a transaction of a process that is not the service.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_current_xact_id()::text, 'true', '' FROM writer FOR UPDATE";
/// What ends one. The first part fails in a transaction in which something has failed, which the second alone would not.
const COMMIT: &str = "SELECT 1; COMMIT";

/// A connection that writes, which is opened again after an error, and the right to write as a service.
pub(super) struct Session {
    settings: PostgresSettings,
    connection: Option<Connection>,
    lease: Option<Lease>,
    /// The transaction that is open.
    transaction: Option<String>,
    /// The timeline of the server to which the connection leads; `None`: it was not asked yet.
    timeline: Option<String>,
    /// The store's identity, and what its ids are made of, for the service.
    watched: Option<(String, Arc<Origin>)>,
    reopened: Reopened,
    standbys: Standbys,
}

impl Session {
    pub(super) fn new(
        settings: &PostgresSettings,
        connection: PgConnection,
        lease: Option<Lease>,
        standbys: Standbys,
    ) -> Self {
        let connection = Some(Connection::Postgres(connection));
        Self {
            settings: settings.clone(),
            connection,
            lease,
            transaction: None,
            timeline: None,
            watched: None,
            reopened: Reopened::default(),
            standbys,
        }
    }

    /// One of a process that is not the service.
    pub(super) fn beside(settings: &PostgresSettings, connection: PgConnection) -> Self {
        Self::new(settings, connection, None, Standbys::default())
    }

    /// Notices when the server has failed over, and makes ids of something else from then on.
    pub(super) fn watching(self, identity: &str, origin: &Arc<Origin>) -> Self {
        Self { watched: Some((identity.to_owned(), Arc::clone(origin))), ..self }
    }

    /// When its connection was last opened again, now and later.
    pub(super) fn reopened(&self) -> Reopened {
        self.reopened.clone()
    }

    /// What its connections have seen of the server's standbys.
    pub(super) fn standbys(&self) -> Standbys {
        self.standbys.clone()
    }

    /// The connection, opened again if it was lost.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        if self.connection.is_none() {
            let connection = self.reopen().await?;
            self.connection = Some(Connection::Postgres(connection));
        }
        match &mut self.connection {
            Some(Connection::Postgres(connection)) => Ok(connection),
            _ => Err(StoreError::Failed("the connection to the database is closed".to_owned())),
        }
    }

    /// Opens the connection again, and looks whether it leads to another server than before.
    async fn reopen(&mut self) -> Result<PgConnection, StoreError> {
        let mut connection = open::connect(&self.settings).await?;
        self.reopened.note();
        self.timeline = None;
        let Some((identity, origin)) = &self.watched else { return Ok(connection) };
        let looked = async {
            server::check(&mut connection, &self.standbys).await?;
            // One after the other: of the services that share the store, only one draws a new generation.
            lease::begin(&mut connection).await.map_err(|error| at_open(&error))?;
            let origin = origin::of_service(&mut connection, identity).await?;
            sqlx::query("COMMIT").execute(&mut connection).await.map_err(|error| at_open(&error))?;
            Ok::<_, StoreError>(origin)
        };
        // What is left undone by then is done again on another connection.
        let Ok(looked) = timeout(LOOKED_WITHIN, looked).await else {
            return Err(StoreError::Failed("the database server does not answer".to_owned()));
        };
        if origin.set(looked?) {
            let what = "the database server has failed over; what was under way is repeated";
            return Err(StoreError::Failed(what.to_owned()));
        }
        Ok(connection)
    }

    /// The timeline of the server to which the connection leads.
    async fn timeline(&mut self) -> Result<String, StoreError> {
        if self.timeline.is_none() {
            let asked = origin::timeline(self.connection().await?).await;
            if asked.is_err() {
                self.connection = None;
            }
            self.timeline = Some(asked?);
        }
        Ok(self.timeline.clone().unwrap_or_default())
    }

    /// What became of a transaction whose commit was not confirmed: `Ok` if it is durable.
    async fn fate(&mut self, transaction: &str, timeline: &str, lost: StoreError) -> Result<(), StoreError> {
        let began = Instant::now();
        loop {
            match self.status(transaction).await {
                // Another server's transactions of that number are others.
                Ok(_) if self.timeline.as_deref() != Some(timeline) => {
                    return Err(StoreError::Unknown(lost.to_string()));
                }
                // Only what follows it shows whether it is durable: a wait for a standby ends with its session.
                Ok(Some(status)) if status == "committed" && self.confirms().await => return Ok(()),
                Ok(Some(status)) if status == "aborted" => return Err(lost),
                // It is under way, or the server can't be asked, or has not confirmed it.
                Ok(Some(_)) | Err(_) if began.elapsed() < ASKED_FOR => sleep(ASKED_EVERY).await,
                Ok(_) | Err(_) => return Err(StoreError::Unknown(lost.to_string())),
            }
        }
    }

    /// Whether the server confirms something that was committed after all that it said was committed: then standbys for which commits
    /// wait have that as well.
    async fn confirms(&mut self) -> bool {
        let Some(Connection::Postgres(connection)) = &mut self.connection else { return false };
        let committed = async {
            // Locking a row is written to the log, too.
            lease::begin(connection).await?;
            sqlx::query("COMMIT").execute(connection).await
        };
        let is_confirmed = within_limit(committed).await.is_ok();
        if !is_confirmed {
            self.connection = None;
        }
        is_confirmed
    }

    async fn status(&mut self, transaction: &str) -> Result<Option<String>, StoreError> {
        // Opening the connection again forgets the timeline.
        self.connection().await?;
        self.timeline().await?;
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
        if !is_new && answer.as_ref().is_err_and(is_unusable_after) {
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
        self.timeline().await?;
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::Failed("the connection to the database is closed".to_owned()))
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let transaction = self.transaction.take().unwrap_or_default();
        let timeline = self.timeline.clone().unwrap_or_default();
        let committed = within_limit(sqlx::raw_sql(COMMIT).execute(self.connection().await?)).await;
        let Err(error) = committed else { return Ok(()) };
        self.connection = None;
        self.fate(&transaction, &timeline, error.into()).await
    }

    async fn roll_back(&mut self) {
        self.transaction = None;
        if let Some(lease) = &mut self.lease {
            lease.rolled_back();
        }
        // Dropping it ends the transaction as well, and what comes next goes to whatever server is the primary by then.
        if let Some(Connection::Postgres(connection)) = self.connection.take() {
            let _ = timeout(CLOSED_WITHIN, connection.close()).await;
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
