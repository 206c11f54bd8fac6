//! The embedded store: one SQLite file, one writing process.

pub mod backup;
mod contents;
pub mod copy;
pub mod erase;
mod error;
mod files;
mod generation;
pub mod migrate;
mod open;
pub mod restore;
mod search;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;

use self::{generation::Generation, write::WritingConnection};
use super::{
    Inspection, StoreError,
    sql::{self, Origin, Place, SqlStore, Writer, db::Pool},
};
use crate::{
    domain::{EntraTenantId, TenantId},
    notify::DeliveryId,
};

/// A store in one file.
pub type SqliteStore = SqlStore;

impl SqlStore {
    /// Opens a store in an SQLite file for the service, makes it if there is none, and holds it against other services until closed.
    /// The file is checked first when it was not closed properly.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has it; [`StoreError::Open`] for a file that others may read and that is not ours to
    /// close, that is damaged, another program's or a newer version's; [`StoreError::Full`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::close_to_others(&path)?;
        files::create(&path)?;
        let lock = files::lock(&path)?;
        let mut connection = open::open_service(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let (origin, generation) = Generation::open(&mut connection, &path, &identity).await?;
        let place = Files { inodes: files::Inodes::of(&path), generation: Some(generation) };
        let writer = Writer::start(WritingConnection::new(connection, Some(lock)));
        let readers = Pool::Sqlite(open::readers(&path));
        Ok(Self::new(identity, Origin::new(origin), writer, readers, Arc::new(place)))
    }

    /// Opens an SQLite file beside a service that may be running, for listings and small writes (resend, unpark, accept).
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no store of this version's schema.
    pub async fn open_reader(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = files::real(path.as_ref())?;
        files::check_modes(&path)?;
        let mut connection = open::open_beside(&path).await?;
        let identity = open::identity(&mut connection).await?;
        let origin = generation::known(&mut connection, &identity).await?;
        let place = Files { inodes: files::Inodes::of(&path), generation: None };
        let writer = Writer::start(WritingConnection::new(connection, None));
        let readers = Pool::Sqlite(open::readers(&path));
        Ok(Self::new(identity, Origin::new(origin), writer, readers, Arc::new(place)))
    }

    /// Looks at an SQLite file beside a service that may be running: its schema, and whether it is damaged. Changes nothing. A store that
    /// is not there gives nothing.
    ///
    /// # Errors
    /// [`StoreError::Open`] for a file that others may read, that can't be read, or that is another program's or a newer version's.
    pub async fn inspect(path: impl AsRef<Path>) -> Result<Option<Inspection>, StoreError> {
        let path = files::real(path.as_ref())?;
        if !path.exists() {
            return Ok(None);
        }
        files::check_modes(&path)?;
        let process = files::holder(&path);
        let (schema, newest, faults) = open::inspect(&path).await?;
        Ok(Some(Inspection { schema: schema as u64, newest: newest as u64, faults, process }))
    }

    /// The name of every tenant that an SQLite file knows, each with its Entra id if that is noted, whatever the version that wrote it.
    /// A store that is not there knows none.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is a file that can't be read.
    pub async fn names(path: impl AsRef<Path>) -> Result<BTreeMap<TenantId, Option<EntraTenantId>>, StoreError> {
        sql::names(&open::names(path.as_ref()).await?)
    }
}

/// The files of a store.
#[derive(Debug)]
struct Files {
    inodes: files::Inodes,
    generation: Option<Generation>,
}

#[async_trait]
impl Place for Files {
    fn check(&self) -> Result<(), StoreError> {
        self.inodes.check()
    }

    fn attempting(&self, delivery: DeliveryId) {
        if let Some(generation) = &self.generation {
            generation.note(delivery);
        }
    }
}
