//! Removes everything of one tenant: its rows in slices, and what others' rows say of it. Then looks whether anything is left.

mod audit;
mod files;
mod mentions;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use sqlx::{Connection, Row, SqliteConnection};

pub(super) use self::mentions::{Target, take_out_of_unsent};
use super::{files as lock, open};
use crate::{
    domain::{ChannelName, TenantId},
    store::{NewEntry, StoreError},
};

/// Rows of one kind that one transaction removes: nobody waits for it noticeably.
const SLICE: i64 = 2_000;
/// How long readers of older data are waited for before the log is cut, and how often that is tried.
const CUTS_MAX: u32 = 50;
const CUT_WAIT: Duration = Duration::from_millis(200);

/// Rows of a tenant that are removed in slices, before the rows that they belong to. `?1`: the slug, `?2`: the row's number,
/// `?3`: how many.
const REMOVALS: [(&str, &str); 4] = [
    (
        "attempt",
        "DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE tenant = ?1 ORDER BY id LIMIT ?3) AND ?2",
    ),
    (
        "delivery",
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE tenant = ?1 ORDER BY id LIMIT ?3) AND ?2",
    ),
    (
        "notification",
        "DELETE FROM notification WHERE id IN (SELECT n.id FROM notification AS n WHERE n.tenant = ?1 \
         AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.notification_id = n.id) LIMIT ?3) AND ?2",
    ),
    (
        "sample_day",
        "DELETE FROM sample_day WHERE (day, series_id) IN (SELECT day, series_id FROM sample_day WHERE series_id IN \
         (SELECT id FROM series WHERE tenant_id = ?2) LIMIT ?3) AND ?1 <> ''",
    ),
];

/// The number of rows by table.
pub type Counts = BTreeMap<String, u64>;

/// What was erased of a tenant, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Rows that were removed.
    pub removed: Counts,
    /// Rows of others from which the tenant was taken out.
    pub edited: Counts,
    /// Deliveries among the removed ones that nobody had received yet.
    pub unsent: u64,
    /// Whether the file had to be written again, since older data was left in its free pages.
    pub rewritten: bool,
    /// What was found of the tenant afterwards; empty: nothing.
    pub remains: Vec<Remain>,
}

/// Something that was found of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remain {
    /// A table and column, or a file.
    pub place: String,
    /// In that many rows, or places of the file.
    pub count: u64,
}

/// Why a tenant is not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store knows no such tenant.
    #[error("the store knows nothing of a tenant `{0}`")]
    Unknown(String),
    /// The running service visits it.
    #[error("the running service still watches this tenant")]
    Watched,
    /// The store could not be opened or used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for EraseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

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
    let is_served = lock::is_locked(path)?;
    let mut db = open::open_beside(path).await?;
    let done = erase_from(&mut db, path, tenant, is_served, configured, dry_run, entry).await;
    // What was to be done is done, or the error is returned.
    let _ = db.close().await;
    done
}

async fn erase_from(
    db: &mut SqliteConnection,
    path: &Path,
    tenant: &str,
    is_served: bool,
    configured: &[ChannelName],
    dry_run: bool,
    entry: &NewEntry,
) -> Result<(TenantId, Erased), EraseError> {
    let found = sqlx::query("SELECT id, tenant, entra, name, gone_since FROM tenant WHERE tenant = ?1 OR entra = ?1")
        .bind(tenant)
        .fetch_optional(&mut *db)
        .await?;
    let Some(found) = found else { return Err(EraseError::Unknown(tenant.to_owned())) };
    if is_served && found.try_get::<Option<i64>, _>(4)?.is_none() {
        return Err(EraseError::Watched);
    }
    let slug: String = found.try_get(1)?;
    let (row, id) = (found.try_get::<i64, _>(0)?, super::row::tenant(&slug)?);
    let configured = configured.iter().map(ToString::to_string).collect();
    let target = Target { configured, ..target(db, &slug, found.try_get(2)?, found.try_get(3)?).await? };
    let mut erased = Erased { unsent: unsent(db, &slug).await?, ..Erased::default() };
    if dry_run {
        sqlx::query("BEGIN").execute(&mut *db).await?;
        let counted = everything(db, &target, row, &mut erased, i64::MAX, entry).await;
        sqlx::query("ROLLBACK").execute(&mut *db).await?;
        counted?;
        return Ok((id, erased));
    }
    loop {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *db).await?;
        let more = match everything(db, &target, row, &mut erased, SLICE, entry).await {
            Ok(more) => more,
            Err(error) => {
                // SQLite may have done so on its own.
                let _ = sqlx::query("ROLLBACK").execute(&mut *db).await;
                return Err(error.into());
            }
        };
        sqlx::query("COMMIT").execute(&mut *db).await?;
        if !more {
            break;
        }
    }
    cut_log(db).await?;
    erased.remains = mentions::scan(db, &target, None).await?;
    let entries = audit::take_out(db, &target, false).await?.len() as u64;
    if entries > 0 {
        erased.remains.push(Remain { place: "audit.body".to_owned(), count: entries });
    }
    if erased.remains.is_empty() && !files::search(path, &target.needles())?.is_empty() {
        // Pages that were free before may hold what was removed from them by older versions.
        sqlx::query("VACUUM").execute(&mut *db).await?;
        cut_log(db).await?;
        erased.rewritten = true;
        erased.remains = files::search(path, &target.needles())?;
    }
    Ok((id, erased))
}

/// One slice of everything; what others say of the tenant comes last. `true`: there is more.
async fn everything(
    db: &mut SqliteConnection,
    target: &Target,
    row: i64,
    erased: &mut Erased,
    at_most: i64,
    entry: &NewEntry,
) -> Result<bool, StoreError> {
    if slice(db, &target.slug, row, at_most, &mut erased.removed).await? {
        return Ok(true);
    }
    mentions::scan(db, target, Some(erased)).await?;
    let entries = audit::take_out(db, target, true).await?;
    if !entries.is_empty() {
        *erased.edited.entry("audit".to_owned()).or_default() += entries.len() as u64;
    }
    super::audit::add(db, entry, &entries).await?;
    Ok(false)
}

/// Removes a slice of a tenant's rows, and its own row once nothing else is left. `true`: there is more.
pub(super) async fn slice(
    db: &mut SqliteConnection,
    slug: &str,
    row: i64,
    at_most: i64,
    removed: &mut Counts,
) -> Result<bool, StoreError> {
    let mut more = false;
    for (table, sql) in REMOVALS {
        let done = sqlx::query(sql).bind(slug).bind(row).bind(at_most).execute(&mut *db).await?;
        *removed.entry(table.to_owned()).or_default() += done.rows_affected();
        more |= table != "attempt" && i64::try_from(done.rows_affected()) == Ok(at_most);
    }
    if more {
        return Ok(true);
    }
    // Whatever refers to a tenant's row, also in tables that are yet to come.
    let referring = sqlx::query(
        "SELECT t.name, f.\"from\" FROM pragma_table_list AS t JOIN pragma_foreign_key_list(t.name) AS f \
         WHERE f.\"table\" = 'tenant' AND t.type = 'table' ORDER BY t.name",
    )
    .fetch_all(&mut *db)
    .await?;
    for found in referring {
        let (table, column): (String, String) = (found.try_get(0)?, found.try_get(1)?);
        let sql = format!("DELETE FROM \"{table}\" WHERE \"{column}\" = ?");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(row).execute(&mut *db).await?;
        *removed.entry(table).or_default() += done.rows_affected();
    }
    let done = sqlx::query("DELETE FROM tenant WHERE id = ?").bind(row).execute(&mut *db).await?;
    *removed.entry("tenant".to_owned()).or_default() += done.rows_affected();
    Ok(false)
}

async fn unsent(db: &mut SqliteConnection, slug: &str) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery WHERE tenant = ? AND finished_at IS NULL")
        .bind(slug)
        .fetch_one(db)
        .await?;
    Ok(count.unsigned_abs())
}

/// All that the tenant is called.
pub(super) async fn target(
    db: &mut SqliteConnection,
    slug: &str,
    entra: Option<String>,
    name: Option<String>,
) -> Result<Target, StoreError> {
    use futures_util::TryStreamExt;
    let mut names: BTreeSet<String> = name.into_iter().collect();
    // Only its messages know what it was called before. They may be many, and are searched one by one.
    let mut bodies =
        sqlx::query_scalar::<_, String>("SELECT body FROM notification WHERE tenant = ?").bind(slug).fetch(db);
    while let Some(body) = bodies.try_next().await? {
        // What can't be read as a message may name the tenant all the same.
        let said = serde_json::from_str::<serde_json::Value>(&body).ok();
        let called = said.as_ref().and_then(|said| said.pointer("/data/tenant/name")).and_then(|name| name.as_str());
        names.extend(called.map(str::to_owned));
    }
    names.retain(|name| !name.trim().is_empty() && name != slug);
    Ok(Target { slug: slug.to_owned(), entra, names, configured: BTreeSet::new() })
}

/// Moves what is in the log to the database, and empties the log.
async fn cut_log(db: &mut SqliteConnection) -> Result<(), StoreError> {
    for _ in 0..CUTS_MAX {
        let busy: i64 = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *db).await?.try_get(0)?;
        if busy == 0 {
            return Ok(());
        }
        // Somebody reads what the log still holds, for a moment.
        tokio::time::sleep(CUT_WAIT).await;
    }
    Err(StoreError::Failed("its log could not be emptied, since somebody keeps reading; try again".to_owned()))
}
