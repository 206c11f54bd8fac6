//! The embedded store: one SQLite file, one writing process, one writer in it.
//!
//! A check rewrites one small row per tenant and one per series and appends nothing: the newest samples of a series are one blob, from
//! which completed days move to rows of their own once a day ([`days`]).

mod access;
mod alert_notes;
mod archive;
mod audit;
mod average;
mod bulk;
mod channel;
mod check;
mod claim;
mod days;
mod dead;
mod encoding;
pub mod erase;
mod error;
mod excluded;
mod files;
mod fleet;
mod generation;
mod hold;
mod idempotency;
mod listing;
mod merge;
mod movement;
mod notification;
mod open;
mod outage;
mod outbox;
mod overview;
mod queue;
mod read;
mod recommendation;
mod role;
mod roster;
mod route;
mod row;
mod silence;
#[cfg(test)]
mod tests;
mod text;
mod upkeep;
mod writer;

use std::{collections::BTreeMap, path::Path};

use sqlx::SqlitePool;

use self::{generation::Generation, writer::Writer};
use super::StoreError;
use crate::domain::{EntraTenantId, TenantId};

/// A store in one file. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct SqliteStore {
    identity: String,
    origin: String,
    generation: Option<Generation>,
    writer: Writer,
    readers: SqlitePool,
    files: files::Inodes,
}

impl SqliteStore {
    /// Opens the store for the service, makes it if there is none, and holds it against other services until closed.
    /// The file is checked first when it was not closed properly.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it; [`StoreError::Open`] for a file that others may read, that is damaged,
    /// another program's or a newer version's; [`StoreError::Full`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::check_modes(&path)?;
        files::create(&path)?;
        let lock = files::lock(&path)?;
        let mut connection = open::open_service(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let (origin, generation) = Generation::open(&mut connection, &path, &identity).await?;
        let files = files::Inodes::of(&path);
        let (writer, readers) = (Writer::start(connection, Some(lock)), open::readers(&path));
        Ok(Self { identity, origin, generation: Some(generation), writer, readers, files })
    }

    /// Opens the store beside a service that may be running, for listings and small writes (resend, unpark, accept).
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no store of this version's schema.
    pub async fn open_reader(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::check_modes(&path)?;
        let mut connection = open::open_beside(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let origin = generation::known(&mut connection, &identity).await?;
        let files = files::Inodes::of(&path);
        let (writer, readers) = (Writer::start(connection, None), open::readers(&path));
        Ok(Self { identity, origin, generation: None, writer, readers, files })
    }

    /// The name of every tenant that a store knows, each with its Entra id if that is noted, whatever the version that wrote it.
    /// A store that is not there knows none.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is a file that can't be read.
    pub async fn names(path: impl AsRef<Path>) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
        let names = open::names(path.as_ref()).await?;
        let read =
            |(name, entra): &(String, Option<String>)| Ok((row::tenant(name)?, roster::entra(entra.as_deref())?));
        names.iter().map(read).collect()
    }
}
