//! Actions that were sent with an idempotency key.

use super::db::{Connection, Row, query};
use crate::{
    domain::{KeyedRequest, Timestamp},
    store::{ABANDONED_AFTER, ANSWER_KEPT, Begun, RecordedAnswer, StoreError},
};

/// Old answers that one action removes.
const SLICE: i64 = 200;

/// The SQL behind [`crate::store::Idempotency::begin_request`].
pub(super) async fn begin(
    connection: &mut Connection,
    request: &KeyedRequest,
    now: Timestamp,
) -> Result<Begun, StoreError> {
    let KeyedRequest { caller, key, fingerprint, attempt } = request;
    query(
        "DELETE FROM idempotency WHERE (caller, key) IN (SELECT caller, key FROM idempotency WHERE started_at <= $1 LIMIT $2) \
         OR (status IS NULL AND entry IS NULL AND started_at <= $3)",
    )
    .bind(now.minus(ANSWER_KEPT).as_nanos())
    .bind(SLICE)
    .bind(now.minus(ABANDONED_AFTER).as_nanos())
    .execute(&mut *connection)
    .await?;
    let found = query(
        "SELECT i.fingerprint, i.status, i.body, i.entry, a.at FROM idempotency AS i LEFT JOIN audit AS a ON a.seq = i.entry \
         WHERE i.caller = $1 AND i.key = $2 AND i.started_at > $3",
    )
    .bind(caller)
    .bind(key)
    .bind(now.minus(ANSWER_KEPT).as_nanos())
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(found) = found {
        if found.try_get::<String, _>(0)? != *fingerprint {
            return Ok(Begun::OtherRequest);
        }
        return known(&found);
    }
    query(
        "INSERT INTO idempotency (caller, key, fingerprint, started_at, attempt) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (caller, key) \
         DO UPDATE SET fingerprint = excluded.fingerprint, started_at = excluded.started_at, status = NULL, body = NULL, \
         attempt = excluded.attempt, entry = NULL",
    )
    .bind(caller)
    .bind(key)
    .bind(fingerprint)
    .bind(now.as_nanos())
    .bind(*attempt)
    .execute(connection)
    .await?;
    Ok(Begun::First)
}

/// What became of a request that was begun before.
fn known(found: &Row) -> Result<Begun, StoreError> {
    let (status, body): (Option<i64>, Option<String>) = (found.try_get(1)?, found.try_get(2)?);
    if let Some((status, body)) = status.and_then(|status| u16::try_from(status).ok()).zip(body) {
        return Ok(Begun::Answered(RecordedAnswer { status, body }));
    }
    let (entry, at): (Option<i64>, Option<i64>) = (found.try_get(3)?, found.try_get(4)?);
    let done = entry.zip(at).map(|(entry, at)| (entry.cast_unsigned(), Timestamp::from_nanos(at)));
    Ok(done.map_or(Begun::InProgress, |(entry, at)| Begun::Done { entry, at }))
}

/// Notes, in the transaction that does something of it, that the request was done; the first entry that says so stands.
///
/// # Errors
/// [`StoreError::Refused`] if it was given up since it was begun: whoever sent it may have sent it again.
pub(super) async fn mark(connection: &mut Connection, request: &KeyedRequest, entry: u64) -> Result<(), StoreError> {
    let KeyedRequest { caller, key, attempt, .. } = request;
    let marked =
        query("UPDATE idempotency SET entry = coalesce(entry, $4) WHERE caller = $1 AND key = $2 AND attempt = $3")
            .bind(caller)
            .bind(key)
            .bind(*attempt)
            .bind(i64::try_from(entry).unwrap_or(i64::MAX))
            .execute(connection)
            .await?;
    if marked.rows_affected() == 0 {
        let what = "the action took so long that its idempotency key was given up, so nothing was done";
        return Err(StoreError::Refused(what.to_owned()));
    }
    Ok(())
}

/// The SQL behind [`crate::store::Idempotency::end_request`].
pub(super) async fn end(
    connection: &mut Connection,
    request: &KeyedRequest,
    answer: Option<&RecordedAnswer>,
) -> Result<(), StoreError> {
    let KeyedRequest { caller, key, attempt, .. } = request;
    let sql = if answer.is_some() {
        "UPDATE idempotency SET status = $4, body = $5 WHERE caller = $1 AND key = $2 AND attempt = $3"
    } else {
        "DELETE FROM idempotency WHERE caller = $1 AND key = $2 AND attempt = $3 AND status IS NULL AND entry IS NULL"
    };
    let mut query = query(sql).bind(caller).bind(key).bind(*attempt);
    if let Some(RecordedAnswer { status, body }) = answer {
        query = query.bind(i64::from(*status)).bind(body);
    }
    query.execute(connection).await?;
    Ok(())
}
