//! The store's generation: part of what notification ids are made of, and another one after a restore from a backup.
//!
//! A restored store would number its transitions as the lost one did, so that different events got the same id and receivers dropped
//! them as repeats. So a small file beside the database says which database it belongs to, and the newest delivery that was ever
//! tried. A database that does not fit it, because it is older, another one, or was copied without it, was restored, and draws a new
//! generation. What is stored keeps its ids.
//!
//! The file is written after the database and before anything is sent, so a crash at any point leaves a database that is at least
//! as new as the file says. It is not synced with each delivery: after a power cut it may be a little older, which only matters
//! if a backup is restored right then.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sqlx::SqliteConnection;
use tracing::{error, warn};
use uuid::Uuid;

use super::{error::at_open, files};
use crate::{
    notify::DeliveryId,
    store::{StoreError, sql::origin},
};

pub(super) const ENDING: &str = ".generation";
/// What stands in the file if the database is to draw a new generation, whatever it is.
const FORGOTTEN: &str = "another";
const FILE_MODE: u32 = 0o600;
/// Digits of the delivery's number, so that it can be written in place.
const DIGITS: usize = 20;
/// Longest file that is ours.
const BYTES_MAX: u64 = 1024;

/// What the file says, or what the database is.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    /// The store's identity and generation.
    origin: String,
    /// The number of the newest delivery.
    newest: i64,
}

impl Mark {
    fn text(&self) -> String {
        format!("{}\n{:0DIGITS$}\n", self.origin, self.newest)
    }

    fn parse(text: &str) -> Option<Self> {
        let (origin, newest) = text.trim_end().split_once('\n')?;
        Some(Self { origin: origin.to_owned(), newest: newest.parse().ok()? })
    }

    fn read(path: &Path) -> Option<Self> {
        let length = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?.len();
        if length > BYTES_MAX {
            return None;
        }
        Self::parse(&fs::read_to_string(path).ok()?)
    }
}

/// The file beside the database that a service has open.
#[derive(Debug)]
pub(super) struct Generation {
    file: File,
    /// Where the delivery's number stands in it.
    offset: u64,
    newest: Mutex<i64>,
}

impl Generation {
    /// Finds out whether the database was restored, draws a new generation if so, and gives what ids are made of: the identity, and
    /// behind it the generation, if there ever was another.
    pub(super) async fn open(
        connection: &mut SqliteConnection,
        database: &Path,
        identity: &str,
    ) -> Result<(String, Self), StoreError> {
        let path = files::beside(database, ENDING);
        let known = stored(connection).await?;
        let newest = newest(connection).await?;
        let before = known.as_deref().map(|generation| origin(identity, generation));
        let origin = match (&before, Mark::read(&path)) {
            // A new store, or one from before there were generations.
            (None, None) => origin(identity, ""),
            // Nothing was ever sent of it.
            (Some(before), None) if newest == 0 => before.clone(),
            (Some(before), Some(mark)) if mark.origin == *before && mark.newest <= newest => before.clone(),
            _ => {
                let generation = Uuid::new_v4().simple().to_string();
                if let Some(place) = copied_to(connection).await? {
                    warn!(
                        place,
                        "the store was copied to another place, and is used again here; make sure that no service runs there"
                    );
                } else {
                    warn!(
                        "the store was restored from a backup or copied; notifications made from now on have new ids"
                    );
                }
                keep(connection, &generation).await?;
                origin(identity, &generation)
            }
        };
        if known.is_none() && !origin.contains('/') {
            keep(connection, "").await?;
        }
        let mark = Mark { origin: origin.clone(), newest };
        let generation = Self::write(&path, &mark)
            .map_err(|error| StoreError::Open(format!("can't write `{}`: {error}", path.display())))?;
        Ok((origin, generation))
    }

    /// Writes the file whole, so that a crash leaves the old one or the new one.
    fn write(path: &Path, mark: &Mark) -> std::io::Result<Self> {
        let new = PathBuf::from(format!("{}.new", path.display()));
        // What a crash has left of it is in the way, and so is a link.
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&new)?;
        files::hand_over(&file, &new)?;
        file.write_all(mark.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // A power cut must not take the name away: without its file, the store would count as a copy.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        let offset = u64::try_from(mark.origin.len()).unwrap_or_default() + 1;
        Ok(Self { file, offset, newest: Mutex::new(mark.newest) })
    }

    /// Notes that a delivery is about to be tried.
    pub(super) fn note(&self, delivery: DeliveryId) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if *newest >= delivery.0 {
            return;
        }
        *newest = delivery.0;
        let number = format!("{:0DIGITS$}", delivery.0);
        if let Err(error) = self.file.write_all_at(number.as_bytes(), self.offset) {
            error!(%error, "the file beside the store can't be written; a restore from a backup might not be noticed");
        }
    }
}

/// Makes the next service draw a new generation.
pub(super) fn forget(database: &Path) -> std::io::Result<()> {
    let mark = Mark { origin: FORGOTTEN.to_owned(), newest: 0 };
    Generation::write(&files::beside(database, ENDING), &mark).map(drop)
}

/// Makes the next service go on with the generation that the database has.
pub(super) async fn settle(connection: &mut SqliteConnection, database: &Path) -> Result<(), StoreError> {
    let identity = super::open::identity(connection).await?;
    let (origin, newest) = (known(connection, &identity).await?, newest(connection).await?);
    let path = files::beside(database, ENDING);
    let written = Generation::write(&path, &Mark { origin, newest });
    written.map(drop).map_err(|error| StoreError::Open(format!("can't write `{}`: {error}", path.display())))
}

/// What ids are made of, for whoever reads beside the service.
pub(super) async fn known(connection: &mut SqliteConnection, identity: &str) -> Result<String, StoreError> {
    Ok(origin(identity, &stored(connection).await?.unwrap_or_default()))
}

/// Where it was copied to, as long as it was not used again since.
async fn copied_to(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let noted = sqlx::query_scalar("DELETE FROM meta WHERE key = 'copied_to' RETURNING value");
    noted.fetch_optional(connection).await.map_err(|error| at_open(&error))
}

async fn stored(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let stored = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'generation'").fetch_optional(connection).await;
    stored.map_err(|error| at_open(&error))
}

async fn keep(connection: &mut SqliteConnection, generation: &str) -> Result<(), StoreError> {
    let kept = sqlx::query(
        "INSERT INTO meta (key, value) VALUES ('generation', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(generation)
    .execute(connection)
    .await;
    kept.map(drop).map_err(|error| at_open(&error))
}

/// The newest delivery that there ever was, though it may be gone.
async fn newest(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let newest: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'").fetch_optional(connection).await;
    newest.map(Option::unwrap_or_default).map_err(|error| at_open(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        for origin in ["a1b2", "a1b2/c3d4"] {
            let mark = Mark { origin: origin.to_owned(), newest: 4711 };
            assert_eq!(Mark::parse(&mark.text()), Some(mark));
        }
        for text in ["", "a", "a\n", "a\nb\n", "\u{0}"] {
            assert_eq!(Mark::parse(text), None, "{text:?}");
        }
    }
}
