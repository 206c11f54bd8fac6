//! The writing connection of a process.

use async_trait::async_trait;
use sqlx::{Connection as _, SqliteConnection};

use super::{files::ProcessLock, open};
use crate::store::{
    StoreError,
    sql::{
        WriteAccess,
        db::{Connection, query},
    },
};

/// A connection that writes, and the right to do so as a service.
pub(super) struct WritingConnection {
    connection: Connection,
    lock: Option<ProcessLock>,
}

impl WritingConnection {
    pub(super) const fn new(connection: SqliteConnection, lock: Option<ProcessLock>) -> Self {
        Self { connection: Connection::Sqlite(connection), lock }
    }

    pub(super) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

#[async_trait]
impl WriteAccess for WritingConnection {
    async fn begin(&mut self) -> Result<&mut Connection, StoreError> {
        // IMMEDIATE: a transaction that begins as a reader can't wait for its turn to write.
        query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        Ok(&mut self.connection)
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        query("COMMIT").execute(&mut self.connection).await.map(drop)
    }

    async fn roll_back(&mut self) {
        // SQLite rolls back on its own after some errors (a full disk is one); then this says that there is no transaction.
        let _ = query("ROLLBACK").execute(&mut self.connection).await;
    }

    async fn close(self: Box<Self>, is_clean: bool) {
        let Connection::Sqlite(mut connection) = self.connection else { return };
        if self.lock.is_some()
            && is_clean
            && let Err(error) = open::mark_clean(&mut connection, true).await
        {
            tracing::warn!(%error, "the store could not be marked as cleanly closed; the next start checks it");
        }
        if let Err(error) = connection.close().await {
            tracing::warn!(%error, "the store's writing connection did not close");
        }
    }
}
