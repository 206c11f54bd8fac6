//! Moves a store to the other database: from a SQLite file to PostgreSQL, or back.
//!
//! The copy is the same store. It has the same identity and generation, so every id stays what it was, and the next event gets the id
//! that it would have had. There may be only one such store: before the copy is complete, the source is marked, and draws a new
//! generation if a service starts on it again. Then its events have ids of their own, and no receiver takes one for another.

use std::path::{Path, PathBuf};

use super::{
    NewEntry, StoreError,
    postgres::{self, PostgresSettings},
    sql::{self, WriteAccess, db::Connection},
    sqlite,
};

pub use super::sql::copy::{Copied, Table as CopiedTable};

/// Where a store is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A SQLite file at this path.
    Sqlite(PathBuf),
    /// In a database on a server.
    Postgres(Box<PostgresSettings>),
}

/// Copies everything of a store to an empty place, in one transaction, and reads the copy again. `entry` is recorded in the copy's audit
/// log. Calls `progress` with a table's name and how many of its rows were copied.
///
/// # Errors
/// [`StoreError::InUse`] while a service works on one of them; [`StoreError::Refused`] if the target is not empty or both are of the
/// same kind; [`StoreError::Open`]. Then the target is as empty as before. [`StoreError::Unknown`] if nobody knows.
pub async fn copy(
    from: &Place,
    to: &Place,
    entry: &NewEntry,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Copied, StoreError> {
    match (from, to) {
        (Place::Sqlite(from), Place::Postgres(to)) => {
            let source = sqlite::copy::source(from).await?;
            let target = postgres::copy::target(to).await?;
            run(from.as_path(), source, &**to, target, entry, progress).await
        }
        (Place::Postgres(from), Place::Sqlite(to)) => {
            let source = postgres::copy::source(from).await?;
            let target = sqlite::copy::target(to).await?;
            run(&**from, source, to.as_path(), target, entry, progress).await
        }
        (Place::Sqlite(_), Place::Sqlite(_)) => Err(StoreError::Refused(
            "both stores are SQLite files; use `scorewatch backup` and `scorewatch restore`".to_owned(),
        )),
        (Place::Postgres(_), Place::Postgres(_)) => {
            Err(StoreError::Refused("both stores are in PostgreSQL; use `pg_dump` and `pg_restore`".to_owned()))
        }
    }
}

/// What is particular to a database at one end of a copy, within the transaction that is open there.
trait End {
    /// What people call the place.
    fn name(&self) -> String;

    /// Makes sure that no service works on the store, and that nothing ends the transaction for taking long.
    async fn begin(&self, db: &mut Connection) -> Result<(), StoreError>;

    /// Makes the store go on with the generation that was copied.
    async fn keep_generation(&self, db: &mut Connection) -> Result<(), StoreError>;

    /// Makes the store draw a new generation if a service starts on it again.
    async fn forget_generation(&self, db: &mut Connection) -> Result<(), StoreError>;
}

impl End for Path {
    fn name(&self) -> String {
        format!("sqlite://{}", self.display())
    }

    async fn begin(&self, _: &mut Connection) -> Result<(), StoreError> {
        // Its lock is held.
        Ok(())
    }

    async fn keep_generation(&self, db: &mut Connection) -> Result<(), StoreError> {
        sqlite::copy::keep_generation(db, self).await
    }

    async fn forget_generation(&self, _: &mut Connection) -> Result<(), StoreError> {
        sqlite::copy::forget_generation(self)
    }
}

impl End for PostgresSettings {
    fn name(&self) -> String {
        self.to_string()
    }

    async fn begin(&self, db: &mut Connection) -> Result<(), StoreError> {
        postgres::copy::begin(db).await
    }

    async fn keep_generation(&self, db: &mut Connection) -> Result<(), StoreError> {
        postgres::copy::keep_generation(db).await
    }

    async fn forget_generation(&self, db: &mut Connection) -> Result<(), StoreError> {
        postgres::copy::forget_generation(db).await
    }
}

async fn run<From: End + ?Sized, To: End + ?Sized>(
    from: &From,
    mut source: impl WriteAccess,
    to: &To,
    mut target: impl WriteAccess,
    entry: &NewEntry,
    progress: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Copied, StoreError> {
    let entry = entry.clone().of(format!("{} -> {}", from.name(), to.name()));
    let done = async {
        // Nobody else writes to either from here on.
        let there = source.begin().await?;
        from.begin(there).await?;
        let here = target.begin().await?;
        to.begin(here).await?;
        let copied = sql::copy::copy(there, here, progress).await?;
        sql::audit::add(here, &entry, &[]).await?;
        to.keep_generation(here).await?;
        // First, so that there are never two stores that give different events the same ids.
        from.forget_generation(there).await?;
        sql::note_copied(there, &to.name()).await?;
        source.commit().await?;
        target.commit().await?;
        Ok(copied)
    }
    .await;
    if done.is_err() {
        source.roll_back().await;
        target.roll_back().await;
    }
    // Whether it was closed properly before is not ours to say.
    Box::new(source).close(false).await;
    Box::new(target).close(done.is_ok()).await;
    done
}
