//! Removes everything of one tenant: its rows in slices, and what others' rows say of it. Then looks whether anything is left.

mod audit;
mod mentions;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(in crate::store) use self::mentions::Target;
pub(super) use self::mentions::take_out_of_unsent;
use super::{
    WriteAccess, catalog,
    db::{Connection, query, query_as, query_scalar},
};
use crate::{
    domain::{ChannelName, TenantId},
    store::{NewEntry, StoreError},
};

/// Rows of one kind that one transaction removes: nobody waits for it noticeably.
const SLICE: i64 = 2_000;
/// Messages that are read at a time.
const MESSAGES: i64 = 500;

/// Rows of a tenant that are removed in slices, before the rows that they belong to. `$1`: the slug, `$2`: the row's number,
/// `$3`: how many.
const REMOVALS: [(&str, &str); 4] = [
    (
        "attempt",
        "DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE tenant = $1 ORDER BY id LIMIT $3) AND $2 > 0",
    ),
    (
        "delivery",
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE tenant = $1 ORDER BY id LIMIT $3) AND $2 > 0",
    ),
    (
        "notification",
        "DELETE FROM notification WHERE id IN (SELECT n.id FROM notification AS n WHERE n.tenant = $1 \
         AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.notification_id = n.id) LIMIT $3) AND $2 > 0",
    ),
    (
        "sample_day",
        "DELETE FROM sample_day WHERE (day, series_id) IN (SELECT day, series_id FROM sample_day WHERE series_id IN \
         (SELECT id FROM series WHERE tenant_id = $2) LIMIT $3) AND $1 <> ''",
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

/// What is to be erased, and how.
#[derive(Debug)]
pub(in crate::store) struct Erasure<'a> {
    /// The name under which the store keeps the tenant, or its Entra id.
    pub(in crate::store) tenant: &'a str,
    /// Channels that keep what is known of them, whatever they are called.
    pub(in crate::store) configured: &'a [ChannelName],
    /// Whether a service works on the store: it may visit the tenant.
    pub(in crate::store) is_served: bool,
    /// Whether it is only counted.
    pub(in crate::store) dry_run: bool,
    /// Records it in the audit log; it must not name the tenant.
    pub(in crate::store) entry: &'a NewEntry,
}

/// Erases a tenant from every table, and looks whether anything is left there. Gives what it was called, too.
pub(in crate::store) async fn from_tables(
    access: &mut dyn WriteAccess,
    what: &Erasure<'_>,
) -> Result<(TenantId, Erased, Target), EraseError> {
    let found = find(access.begin().await?, what).await;
    access.roll_back().await;
    let (row, id, target, unsent) = found?;
    let mut erased = Erased { unsent, ..Erased::default() };
    let at_most = if what.dry_run { i64::MAX } else { SLICE };
    loop {
        let done = everything(access.begin().await?, &target, row, &mut erased, at_most, what.entry).await;
        if what.dry_run || done.is_err() {
            access.roll_back().await;
            done?;
            return Ok((id, erased, target));
        }
        access.commit().await?;
        if !done? {
            break;
        }
    }
    let left = remains(access.begin().await?, &target).await;
    access.roll_back().await;
    erased.remains = left?;
    Ok((id, erased, target))
}

/// The row and the names of the tenant, and how many of its deliveries nobody has received yet.
async fn find(db: &mut Connection, what: &Erasure<'_>) -> Result<(i64, TenantId, Target, u64), EraseError> {
    let found = query("SELECT id, tenant, entra, name, gone_since FROM tenant WHERE tenant = $1 OR entra = $1")
        .bind(what.tenant)
        .fetch_optional(&mut *db)
        .await?;
    let Some(found) = found else { return Err(EraseError::Unknown(what.tenant.to_owned())) };
    if what.is_served && found.try_get::<Option<i64>, _>(4)?.is_none() {
        return Err(EraseError::Watched);
    }
    let slug: String = found.try_get(1)?;
    let id = super::row::tenant(&slug)?;
    let configured = what.configured.iter().map(ToString::to_string).collect();
    let target = Target { configured, ..target(db, &slug, found.try_get(2)?, found.try_get(3)?).await? };
    Ok((found.try_get(0)?, id, target, unsent(db, &slug).await?))
}

/// What tables still say of the tenant.
async fn remains(db: &mut Connection, target: &Target) -> Result<Vec<Remain>, StoreError> {
    let mut remains = mentions::scan(db, target, None).await?;
    let entries = audit::take_out(db, target, false).await?.len() as u64;
    if entries > 0 {
        remains.push(Remain { place: "audit.body".to_owned(), count: entries });
    }
    Ok(remains)
}

/// One slice of everything; what others say of the tenant comes last. `true`: there is more.
async fn everything(
    db: &mut Connection,
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
    db: &mut Connection,
    slug: &str,
    row: i64,
    at_most: i64,
    removed: &mut Counts,
) -> Result<bool, StoreError> {
    let mut more = false;
    for (table, sql) in REMOVALS {
        let done = query(sql).bind(slug).bind(row).bind(at_most).execute(&mut *db).await?;
        *removed.entry(table.to_owned()).or_default() += done.rows_affected();
        more |= table != "attempt" && i64::try_from(done.rows_affected()) == Ok(at_most);
    }
    if more {
        return Ok(true);
    }
    // Whatever refers to a tenant's row, also in tables that are yet to come.
    for (table, column) in catalog::referring(db, "tenant").await? {
        let sql = format!("DELETE FROM \"{table}\" WHERE \"{column}\" = $1");
        let done = query(sql).bind(row).execute(&mut *db).await?;
        *removed.entry(table).or_default() += done.rows_affected();
    }
    let done = query("DELETE FROM tenant WHERE id = $1").bind(row).execute(&mut *db).await?;
    *removed.entry("tenant".to_owned()).or_default() += done.rows_affected();
    Ok(false)
}

async fn unsent(db: &mut Connection, slug: &str) -> Result<u64, StoreError> {
    let count: i64 = query_scalar("SELECT count(*) FROM delivery WHERE tenant = $1 AND finished_at IS NULL")
        .bind(slug)
        .fetch_one(db)
        .await?;
    Ok(count.unsigned_abs())
}

/// All that the tenant is called.
pub(super) async fn target(
    db: &mut Connection,
    slug: &str,
    entra: Option<String>,
    name: Option<String>,
) -> Result<Target, StoreError> {
    let mut names: BTreeSet<String> = name.into_iter().collect();
    // Only its messages know what it was called before. They may be many, and are read a few at a time.
    let mut seen = String::new();
    loop {
        let messages: Vec<(String, String)> =
            query_as("SELECT id, body FROM notification WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(slug)
                .bind(&seen)
                .bind(MESSAGES)
                .fetch_all(&mut *db)
                .await?;
        for (_, body) in &messages {
            // What can't be read as a message may name the tenant all the same.
            let said = serde_json::from_str::<serde_json::Value>(body).ok();
            let called =
                said.as_ref().and_then(|said| said.pointer("/data/tenant/name")).and_then(|name| name.as_str());
            names.extend(called.map(str::to_owned));
        }
        match messages.into_iter().next_back() {
            Some((newest, _)) => seen = newest,
            None => break,
        }
    }
    names.retain(|name| !name.trim().is_empty() && name != slug);
    Ok(Target { slug: slug.to_owned(), entra, names, configured: BTreeSet::new() })
}
