//! The one writer: a task that owns the one writing connection. After each commit it takes everything that waits into one
//! transaction, so the disk's flush is shared by as many as came meanwhile, and nobody waits for company.
//!
//! Callers only hold the receiving end of an answer. A caller that goes away leaves no transaction behind.

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{
    check::{self, Check},
    files::ProcessLock,
    open,
};
use crate::{
    crash_point::{self, CrashPoint},
    store::{Commit, StoreError},
    task,
};

/// Most operations in one transaction; bounds how long one caller waits for the others.
const GROUP_MAX: usize = 256;

/// Waiting operations before callers have to wait to hand theirs in.
const QUEUE_MAX: usize = 4 * GROUP_MAX;

/// Where an answer goes.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Work {
    Check(Box<Check>, Answer<Commit>),
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// An operation other than a check.
trait Job: Send {
    /// What kind of work it is.
    fn kind(&self) -> crash_point::Work;
    /// Does it within the open transaction. After an error, what it has written is taken back, and [`Job::fail`] follows.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>>;
    /// Keeps why it failed for the answer.
    fn fail(&mut self, error: StoreError);
    /// Answers the caller, once the transaction is durable or lost.
    fn answer(self: Box<Self>, group: Result<(), StoreError>);
}

struct Write<F, T> {
    kind: crash_point::Work,
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: Answer<T>,
}

impl<F, T> Job for Write<F, T>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
    T: Send,
{
    fn kind(&self) -> crash_point::Work {
        self.kind
    }

    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return Ok(()) };
            self.done = Some(Ok(work(connection).await?));
            Ok(())
        })
    }

    fn fail(&mut self, error: StoreError) {
        self.done = Some(Err(error));
    }

    fn answer(self: Box<Self>, group: Result<(), StoreError>) {
        let closed = || Err(StoreError::Failed("the operation was not run".to_owned()));
        let Self { done, answer, .. } = *self;
        // An error here means that the caller is gone.
        let _ = answer.send(group.and_then(|()| done.unwrap_or_else(closed)));
    }
}

/// Hands work to the writer.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::Sender<Work>);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Writer {
    /// Starts the task. It ends when it is closed, or when every handle is gone.
    pub(super) fn start(connection: SqliteConnection, lock: Option<ProcessLock>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(task::unbroken("store writer", run(connection, receiver, lock)));
        Self(sender)
    }

    pub(super) async fn check(&self, check: Check) -> Result<Commit, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Check(Box::new(check), answer), answered).await
    }

    pub(super) async fn write<F, T>(&self, kind: crash_point::Work, work: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Job(Box::new(Write { kind, work: Some(work), done: None, answer })), answered).await
    }

    async fn hand_in<T>(
        &self,
        work: Work,
        answered: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::Failed("it is closed".to_owned());
        self.0.send(work).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Finishes what was handed in before, marks the store as cleanly closed and lets go of it.
    pub(super) async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        if self.0.send(Work::Close(answer)).await.is_ok() {
            // An error means that it was closed already.
            let _ = closed.await;
        }
    }
}

async fn run(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Work>, lock: Option<ProcessLock>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    let mut asked_to_close = None;
    while asked_to_close.is_none() && queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let (mut checks, mut answers, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for work in group.drain(..) {
            match work {
                Work::Check(check, answer) => {
                    checks.push(*check);
                    answers.push(answer);
                }
                Work::Job(job) => jobs.push(job),
                Work::Close(answer) => asked_to_close = Some(answer),
            }
        }
        if checks.is_empty() && jobs.is_empty() {
            continue;
        }
        let commits = transact(&mut connection, &checks, &mut jobs).await;
        let group = commits.as_ref().map(|_| ()).map_err(Clone::clone);
        let commits = commits.flatten();
        for (index, answer) in answers.into_iter().enumerate() {
            let _ = answer.send(commits.as_ref().map(|commits| commits[index]).map_err(Clone::clone));
        }
        for job in jobs {
            job.answer(group.clone());
        }
    }
    queue.close();
    if lock.is_some()
        && asked_to_close.is_some()
        && let Err(error) = open::mark_clean(&mut connection, true).await
    {
        tracing::warn!(%error, "the store could not be marked as cleanly closed; the next start checks it");
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the store's writing connection did not close");
    }
    drop(lock);
    if let Some(answer) = asked_to_close {
        let _ = answer.send(());
    }
}

/// Runs a group in one transaction: what succeeded of it is durable when this returns `Ok`, none of it otherwise. The checks, which
/// are written together, and each job succeed or fail on their own.
async fn transact(
    connection: &mut SqliteConnection,
    checks: &[Check],
    jobs: &mut [Box<dyn Job>],
) -> Result<Result<Vec<Commit>, StoreError>, StoreError> {
    // IMMEDIATE: a transaction that begins as a reader can't wait for its turn to write.
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let outcome = async {
        let mut commits = Ok(Vec::new());
        if !checks.is_empty() {
            begin_part(connection).await?;
            commits = check::write(connection, checks).await;
            end_part(connection, commits.as_ref().err()).await?;
        }
        for job in &mut *jobs {
            begin_part(connection).await?;
            let done = job.run(connection).await;
            end_part(connection, done.as_ref().err()).await?;
            if let Err(error) = done {
                job.fail(error);
            }
        }
        reach(CrashPoint::BeforeCommit, checks, jobs);
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        reach(CrashPoint::AfterCommit, checks, jobs);
        Ok(commits)
    }
    .await;
    if outcome.is_err() {
        // SQLite rolls back on its own after some errors (a full disk is one); then this says that there is no transaction.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    outcome
}

/// What follows can be taken back without the rest of the transaction.
async fn begin_part(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("SAVEPOINT part").execute(connection).await?;
    Ok(())
}

/// Takes back what a part that failed has written. If that is not possible, because SQLite has rolled everything back on its own,
/// the whole group has failed with it.
async fn end_part(connection: &mut SqliteConnection, failed: Option<&StoreError>) -> Result<(), StoreError> {
    if let Some(error) = failed {
        sqlx::query("ROLLBACK TO part").execute(&mut *connection).await.map_err(|_| error.clone())?;
    }
    sqlx::query("RELEASE part").execute(connection).await?;
    Ok(())
}

/// Passes the crash points of everything in a group.
fn reach(point: fn(crash_point::Work) -> CrashPoint, checks: &[Check], jobs: &[Box<dyn Job>]) {
    if !checks.is_empty() {
        crash_point::reach(point(crash_point::Work::Check));
    }
    for job in jobs {
        crash_point::reach(point(job.kind()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answered = oneshot::Receiver<Result<(), StoreError>>;

    fn job(statements: &'static [&'static str]) -> (Box<dyn Job>, Answered) {
        writes(move |connection| {
            Box::pin(async move {
                for statement in statements {
                    sqlx::query(*statement).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
    }

    fn writes<F>(work: F) -> (Box<dyn Job>, Answered)
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        (Box::new(Write { kind: crash_point::Work::Access, work: Some(work), done: None, answer }), answered)
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_nothing_of_others_with_it() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (x INTEGER NOT NULL)").execute(&mut connection).await.unwrap();
        let (mut jobs, answers): (Vec<_>, Vec<_>) = [
            job(&["INSERT INTO t VALUES (1)"]),
            job(&["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (NULL)"]),
            job(&["INSERT INTO nowhere VALUES (3)"]),
            job(&["INSERT INTO t VALUES (4)"]),
        ]
        .into_iter()
        .unzip();
        let group = transact(&mut connection, &[], &mut jobs).await.map(drop);
        assert_eq!(group, Ok(()));
        for job in jobs {
            job.answer(group.clone());
        }
        let mut succeeded = Vec::new();
        for answer in answers {
            succeeded.push(answer.await.unwrap().is_ok());
        }
        assert_eq!(succeeded, [true, false, false, true]);
        let kept: Vec<i64> = sqlx::query_scalar("SELECT x FROM t ORDER BY x").fetch_all(&mut connection).await.unwrap();
        assert_eq!(kept, [1, 4]);
    }
}
