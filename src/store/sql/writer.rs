//! The one writer of this process: a task that owns the one writing connection. After each commit it takes everything that waits into
//! one transaction, so the disk's flush is shared by as many as came meanwhile, and nobody waits for company.
//!
//! Callers only hold the receiving end of an answer. A caller that goes away leaves no transaction behind.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{
    check::{self, Check},
    db::{Connection, query},
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

/// How this process writes to a database. A transaction has the store to itself: no other process writes at the same time, whichever
/// database it is.
#[async_trait]
pub(in crate::store) trait WriteAccess: Send {
    /// Begins a transaction, and gives the connection on which it is open.
    async fn begin(&mut self) -> Result<&mut Connection, StoreError>;

    /// Makes it durable. On [`StoreError::Unknown`] nobody knows whether it is.
    async fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends it with nothing done; also after an error, which may have ended it.
    async fn roll_back(&mut self);

    /// Lets go of the database. `is_clean`: everything that was handed in is done.
    async fn close(self: Box<Self>, is_clean: bool);
}

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
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), StoreError>>;
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
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
    T: Send,
{
    fn kind(&self) -> crash_point::Work {
        self.kind
    }

    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<(), StoreError>> {
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
pub(in crate::store) struct Writer(mpsc::Sender<Work>);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Writer {
    /// Starts the task. It ends when it is closed, or when every handle is gone.
    pub(in crate::store) fn start(access: impl WriteAccess + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(task::unbroken("store writer", run(Box::new(access), receiver)));
        Self(sender)
    }

    pub(super) async fn check(&self, check: Check) -> Result<Commit, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Work::Check(Box::new(check), answer), answered).await
    }

    pub(in crate::store) async fn write<F, T>(&self, kind: crash_point::Work, work: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
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

async fn run(mut access: Box<dyn WriteAccess>, mut queue: mpsc::Receiver<Work>) {
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
        let commits = transact(&mut *access, &checks, &mut jobs).await;
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
    access.close(asked_to_close.is_some()).await;
    if let Some(answer) = asked_to_close {
        let _ = answer.send(());
    }
}

/// Runs a group in one transaction: what succeeded of it is durable when this returns `Ok`, none of it otherwise. The checks, which
/// are written together, and each job succeed or fail on their own.
async fn transact(
    access: &mut dyn WriteAccess,
    checks: &[Check],
    jobs: &mut [Box<dyn Job>],
) -> Result<Result<Vec<Commit>, StoreError>, StoreError> {
    let outcome = async {
        kinds(checks, jobs).for_each(crash_point::about_to_write);
        let connection = access.begin().await?;
        let mut commits = Ok(Vec::new());
        if jobs.is_empty() {
            // Nothing else is taken back with them.
            commits = Ok(check::write(connection, checks).await?);
        } else if !checks.is_empty() {
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
        kinds(checks, jobs).for_each(|work| crash_point::reach(CrashPoint::BeforeCommit(work)));
        access.commit().await?;
        kinds(checks, jobs).for_each(|work| crash_point::reach(CrashPoint::AfterCommit(work)));
        Ok(commits)
    }
    .await;
    if outcome.is_err() {
        access.roll_back().await;
    }
    outcome
}

/// What follows can be taken back without the rest of the transaction.
async fn begin_part(connection: &mut Connection) -> Result<(), StoreError> {
    query("SAVEPOINT part").execute(connection).await?;
    Ok(())
}

/// Takes back what a part that failed has written. If that is not possible, because SQLite has rolled everything back on its own or
/// the connection is gone, the whole group has failed with it.
async fn end_part(connection: &mut Connection, failed: Option<&StoreError>) -> Result<(), StoreError> {
    if let Some(error) = failed {
        query("ROLLBACK TO part").execute(&mut *connection).await.map_err(|_| error.clone())?;
    }
    query("RELEASE part").execute(connection).await?;
    Ok(())
}

/// What a group consists of, for the crash points.
fn kinds(checks: &[Check], jobs: &[Box<dyn Job>]) -> impl Iterator<Item = crash_point::Work> {
    let check = (!checks.is_empty()).then_some(crash_point::Work::Check);
    check.into_iter().chain(jobs.iter().map(|job| job.kind()))
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;
    use crate::store::sql::db::query_scalar;

    type Answered = oneshot::Receiver<Result<(), StoreError>>;

    struct InMemory(Connection);

    #[async_trait]
    impl WriteAccess for InMemory {
        async fn begin(&mut self) -> Result<&mut Connection, StoreError> {
            query("BEGIN").execute(&mut self.0).await?;
            Ok(&mut self.0)
        }

        async fn commit(&mut self) -> Result<(), StoreError> {
            query("COMMIT").execute(&mut self.0).await.map(drop)
        }

        async fn roll_back(&mut self) {
            query("ROLLBACK").execute(&mut self.0).await.unwrap();
        }

        async fn close(self: Box<Self>, _: bool) {}
    }

    fn job(statements: &'static [&'static str]) -> (Box<dyn Job>, Answered) {
        writes(move |connection| {
            Box::pin(async move {
                for statement in statements {
                    query(*statement).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
    }

    fn writes<F>(work: F) -> (Box<dyn Job>, Answered)
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<(), StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        (Box::new(Write { kind: crash_point::Work::Access, work: Some(work), done: None, answer }), answered)
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_nothing_of_others_with_it() {
        let mut access = InMemory(Connection::Sqlite(SqliteConnection::connect("sqlite::memory:").await.unwrap()));
        query("CREATE TABLE t (x INTEGER NOT NULL)").execute(&mut access.0).await.unwrap();
        let (mut jobs, answers): (Vec<_>, Vec<_>) = [
            job(&["INSERT INTO t VALUES (1)"]),
            job(&["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (NULL)"]),
            job(&["INSERT INTO nowhere VALUES (3)"]),
            job(&["INSERT INTO t VALUES (4)"]),
        ]
        .into_iter()
        .unzip();
        let group = transact(&mut access, &[], &mut jobs).await.map(drop);
        assert_eq!(group, Ok(()));
        for job in jobs {
            job.answer(group.clone());
        }
        let mut succeeded = Vec::new();
        for answer in answers {
            succeeded.push(answer.await.unwrap().is_ok());
        }
        assert_eq!(succeeded, [true, false, false, true]);
        let kept: i64 = query_scalar("SELECT sum(x) FROM t").fetch_one(&mut access.0).await.unwrap();
        assert_eq!(kept, 1 + 4);
    }
}
