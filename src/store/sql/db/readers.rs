//! Connections that read from a server.
//!
//! Whoever reads may lose patience: a page has 20 seconds, a probe has one. A statement that is dropped half-way would leave its
//! connection with an answer that nobody has read, so each runs to its end in a task of its own, whoever still waits for it. A
//! connection on which something went wrong, or which the server is to have ended, is closed rather than given to the next one.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgRow},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    error::{is_login_refused, is_unusable_after},
    limit::within_limit,
};
use crate::task;

/// Rows that are read before somebody takes them.
const ROWS_AHEAD: usize = 64;
/// What such tasks are called.
const TASK: &str = "store reader";

/// A statement of ours with its values.
type Statement = sqlx::query::Query<'static, Postgres, PgArguments>;

/// How a server lets connections in.
#[async_trait]
pub(in crate::store) trait Door: Debug + Send + Sync {
    /// How to try once more after it has let nobody in: the password may have been changed. `None`: there is no other way.
    async fn after_refusal(&self) -> Option<PgConnectOptions>;
}

/// Connections that read from a server.
#[derive(Debug, Clone)]
pub(in crate::store) struct Readers {
    pool: PgPool,
    door: Arc<dyn Door>,
}

impl Readers {
    pub(in crate::store) fn new(pool: PgPool, door: Arc<dyn Door>) -> Self {
        Self { pool, door }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let acquired = within_limit(self.pool.acquire()).await;
        if acquired.as_ref().is_err_and(is_login_refused)
            && let Some(options) = self.door.after_refusal().await
        {
            self.pool.set_connect_options(options);
            return within_limit(self.pool.acquire()).await;
        }
        acquired
    }

    /// Runs a statement to its end, even if the caller goes away.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        statement: Statement,
        ask: impl for<'c> FnOnce(Statement, &'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
    ) -> Result<T, sqlx::Error> {
        let (sender, answer) = oneshot::channel();
        let readers = self.clone();
        let work = async move {
            // An error means that nobody waits any more.
            let _ = sender.send(answered(&readers, statement, ask).await);
        };
        tokio::spawn(task::brief(TASK, work));
        answer.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    /// Runs a statement and passes its rows on until the caller goes away.
    pub(super) fn stream(&self, statement: Statement) -> BoxStream<'static, Result<PgRow, sqlx::Error>> {
        let (sender, rows) = mpsc::channel(ROWS_AHEAD);
        let readers = self.clone();
        tokio::spawn(task::brief(TASK, async move { pass_on(&readers, statement, sender).await }));
        stream::unfold(rows, async |mut rows| rows.recv().await.map(|row| (row, rows))).boxed()
    }
}

async fn answered<T>(
    readers: &Readers,
    statement: Statement,
    ask: impl for<'c> FnOnce(Statement, &'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let mut connection = readers.acquire().await?;
    let answer = within_limit(ask(statement, &mut connection)).await;
    if answer.as_ref().is_err_and(is_unusable_after) {
        drop(connection.detach());
    }
    answer
}

async fn pass_on(readers: &Readers, statement: Statement, sender: mpsc::Sender<Result<PgRow, sqlx::Error>>) {
    let mut connection = match readers.acquire().await {
        Ok(connection) => connection,
        Err(error) => {
            // An error means that nobody waits any more.
            let _ = sender.send(Err(error)).await;
            return;
        }
    };
    let is_read = {
        let mut rows = statement.fetch(&mut *connection);
        loop {
            let Some(row) = within_limit(async { rows.next().await.transpose() }).await.transpose() else { break true };
            let is_good = row.is_ok();
            if sender.send(row).await.is_err() || !is_good {
                break false;
            }
        }
    };
    if !is_read {
        drop(connection.detach());
    }
}
