//! Removes everything of one tenant from a file: from its tables, from its log, and from its free pages.

use std::{path::Path, time::Duration};

pub use crate::store::sql::erase::{Counts, EraseError, Erased, Remain};

use super::{files, open, search, write::WritingConnection};
use crate::{
    domain::{ChannelName, TenantId},
    store::{
        NewEntry, StoreError,
        sql::{
            WriteAccess,
            db::{Connection, query},
            erase::{self, Erasure},
        },
    },
};

/// How long readers of older data are waited for before the log is cut, and how often that is tried.
const CUTS_MAX: u32 = 50;
const CUT_WAIT: Duration = Duration::from_millis(200);

/// Erases a tenant that is missing from the configuration, named by the name under which the store keeps it or by its Entra id.
/// Works beside a running service. `dry_run`: only counts. Channels in `configured` keep what is known of them, whatever they are
/// called. `entry` records it in the audit log; it must not name the tenant.
///
/// # Errors
/// [`EraseError`]. A failure half-way leaves some of it erased; doing it again erases the rest.
pub async fn erase(
    path: &Path,
    tenant: &str,
    configured: &[ChannelName],
    dry_run: bool,
    entry: &NewEntry,
) -> Result<(TenantId, Erased), EraseError> {
    let is_served = files::is_locked(path)?;
    let mut access = WritingConnection::new(open::open_beside(path).await?, None);
    let what = Erasure { tenant, configured, is_served, dry_run, entry };
    let done = erase_from(&mut access, path, &what).await;
    // What was to be done is done, or the error is returned.
    Box::new(access).close(false).await;
    done
}

async fn erase_from(
    access: &mut WritingConnection,
    path: &Path,
    what: &Erasure<'_>,
) -> Result<(TenantId, Erased), EraseError> {
    let (id, mut erased, target) = erase::from_tables(access, what).await?;
    if what.dry_run {
        return Ok((id, erased));
    }
    let db = access.connection();
    cut_log(db).await?;
    if erased.remains.is_empty() && !search::search(path, &target.needles())?.is_empty() {
        // Pages that were free before may hold what was removed from them by older versions.
        query("VACUUM").execute(&mut *db).await?;
        cut_log(db).await?;
        erased.rewritten = true;
        erased.remains = search::search(path, &target.needles())?;
    }
    Ok((id, erased))
}

/// Moves what is in the log to the database, and empties the log.
async fn cut_log(db: &mut Connection) -> Result<(), StoreError> {
    for _ in 0..CUTS_MAX {
        let busy: i64 = query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *db).await?.try_get(0)?;
        if busy == 0 {
            return Ok(());
        }
        // Somebody reads what the log still holds, for a moment.
        tokio::time::sleep(CUT_WAIT).await;
    }
    Err(StoreError::Failed("its log could not be emptied, since somebody keeps reading; try again".to_owned()))
}
