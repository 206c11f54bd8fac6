//! The audit log: a chain of hashes in one table.

use super::{
    db::{Connection, Pool, Row, query},
    idempotency,
    text::to_json,
};
use crate::{
    domain::Timestamp,
    store::{BEFORE_FIRST, Entry, EntryFilter, Link, NewEntry, StoreError, Written, hex},
};

/// The SQL behind [`crate::store::Audit::record`]. `erases`: the entries from which this one takes the names of a tenant. What it fulfills
/// was done from then on, or can't be done any more: then nothing of the transaction may stay.
pub(in crate::store) async fn add(db: &mut Connection, entry: &NewEntry, erases: &[u64]) -> Result<(), StoreError> {
    let newest = query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *db).await?;
    let head = newest.map(|row| Ok::<_, StoreError>((number(&row, "seq")?, hash(&row, "hash")?))).transpose()?;
    let written =
        Written { at: entry.at, action: entry.action.to_owned(), body: to_json(&entry.body)?, erases: erases.to_vec() };
    let (seq, previous) = head.unwrap_or((0, BEFORE_FIRST));
    let link = Link::after(seq, previous, &written, rand::random());
    query(
        "INSERT INTO audit (seq, at, action, body, salt, digest, erases, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(i64::try_from(link.seq).unwrap_or(i64::MAX))
    .bind(link.at.as_nanos())
    .bind(&link.action)
    .bind(&link.body)
    .bind(link.salt.as_deref())
    .bind(&link.digest[..])
    .bind(if link.erases.is_empty() { None } else { Some(to_json(&link.erases)?) })
    .bind(&link.previous[..])
    .bind(&link.hash[..])
    .execute(&mut *db)
    .await?;
    match &entry.request {
        Some(request) => idempotency::mark(db, request, link.seq).await,
        None => Ok(()),
    }
}

/// Records what changed something, in the transaction that changes it. Returns whether it did.
pub(super) async fn note(db: &mut Connection, has_changed: bool, entry: &NewEntry) -> Result<bool, StoreError> {
    if has_changed {
        add(db, entry, &[]).await?;
    }
    Ok(has_changed)
}

/// How far back an entry is looked for that may have been written a moment ago.
const NEWEST: i64 = 1000;

/// The same when nobody knows whether this very entry was written: then it may be there.
pub(in crate::store) async fn add_unless_there(db: &mut Connection, entry: &NewEntry) -> Result<(), StoreError> {
    let there = query(
        "SELECT 1 FROM audit WHERE seq > (SELECT coalesce(max(seq), 0) FROM audit) - $1 AND at = $2 AND action = $3 AND body = $4 \
         LIMIT 1",
    )
    .bind(NEWEST)
    .bind(entry.at.as_nanos())
    .bind(entry.action)
    .bind(to_json(&entry.body)?)
    .fetch_optional(&mut *db)
    .await?;
    match there {
        Some(_) => Ok(()),
        None => add(db, entry, &[]).await,
    }
}

/// The SQL behind [`crate::store::Audit::entries`].
pub(super) async fn list(pool: &Pool, filter: &EntryFilter) -> Result<Vec<Entry>, StoreError> {
    let before = filter.before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let rows = query(
        "SELECT seq, at, action, body, salt, hash FROM audit WHERE seq < $1 \
         AND ($2 IS NULL OR action = $2 OR substr(action, 1, length($2) + 1) = $2 || '.') ORDER BY seq DESC LIMIT $3",
    )
    .bind(before)
    .bind(&filter.action)
    .bind(filter.limit.map_or(i64::MAX, i64::from))
    .fetch_all(pool)
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    let body: &str = row.try_get("body")?;
    Ok(Entry {
        seq: number(row, "seq")?,
        at: Timestamp::from_nanos(row.try_get("at")?),
        action: row.try_get("action")?,
        body: serde_json::from_str(body).map_err(|error| unreadable(&error.to_string()))?,
        erased: row.try_get::<Option<&[u8]>, _>("salt")?.is_none(),
        hash: hex(&hash(row, "hash")?),
    })
}

/// The SQL behind [`crate::store::Audit::links`].
pub(super) async fn links(pool: &Pool, after: u64, limit: u32) -> Result<Vec<Link>, StoreError> {
    let rows = query("SELECT seq, at, action, body, salt, digest, erases, previous, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(link).collect()
}

fn link(row: &Row) -> Result<Link, StoreError> {
    let erases: Option<&str> = row.try_get("erases")?;
    let erases = erases.map(serde_json::from_str).transpose().map_err(|error| unreadable(&error.to_string()))?;
    Ok(Link {
        seq: number(row, "seq")?,
        at: Timestamp::from_nanos(row.try_get("at")?),
        action: row.try_get("action")?,
        body: row.try_get("body")?,
        salt: row.try_get("salt")?,
        digest: hash(row, "digest")?,
        erases: erases.unwrap_or_default(),
        previous: hash(row, "previous")?,
        hash: hash(row, "hash")?,
    })
}

fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|error| unreadable(&error.to_string()))
}

/// A hash that is not one is another one: the chain shows it.
fn hash(row: &Row, column: &str) -> Result<[u8; 32], StoreError> {
    Ok(row.try_get::<&[u8], _>(column)?.try_into().unwrap_or(BEFORE_FIRST))
}

fn unreadable(why: &str) -> StoreError {
    StoreError::Undecodable(format!("audit entry: {why}"))
}
