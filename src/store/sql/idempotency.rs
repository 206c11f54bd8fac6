//! Actions that were sent with an idempotency key.

use super::db::{Connection, query};
use crate::{
    domain::Timestamp,
    store::{ABANDONED_AFTER, ANSWER_KEPT, Begun, KeyedRequest, RecordedAnswer, StoreError},
};

/// Old answers that one action removes.
const SLICE: i64 = 200;

/// The SQL behind [`crate::store::Idempotency::begin_request`].
pub(super) async fn begin(
    connection: &mut Connection,
    request: &KeyedRequest,
    now: Timestamp,
) -> Result<Begun, StoreError> {
    let KeyedRequest { caller, key, fingerprint } = request;
    query(
        "DELETE FROM idempotency WHERE (caller, key) IN (SELECT caller, key FROM idempotency WHERE started_at <= $1 LIMIT $2) \
         OR (status IS NULL AND started_at <= $3)",
    )
    .bind(now.minus(ANSWER_KEPT).as_nanos())
    .bind(SLICE)
    .bind(now.minus(ABANDONED_AFTER).as_nanos())
    .execute(&mut *connection)
    .await?;
    let found =
        query("SELECT fingerprint, status, body FROM idempotency WHERE caller = $1 AND key = $2 AND started_at > $3")
            .bind(caller)
            .bind(key)
            .bind(now.minus(ANSWER_KEPT).as_nanos())
            .fetch_optional(&mut *connection)
            .await?;
    if let Some(found) = found {
        if found.try_get::<String, _>(0)? != *fingerprint {
            return Ok(Begun::OtherRequest);
        }
        let status: Option<i64> = found.try_get(1)?;
        let body: Option<String> = found.try_get(2)?;
        let answer = status.and_then(|status| u16::try_from(status).ok()).zip(body);
        return Ok(answer.map_or(Begun::InProgress, |(status, body)| Begun::Answered(RecordedAnswer { status, body })));
    }
    query("INSERT INTO idempotency (caller, key, fingerprint, started_at) VALUES ($1, $2, $3, $4) ON CONFLICT (caller, key) \
         DO UPDATE SET fingerprint = excluded.fingerprint, started_at = excluded.started_at, status = NULL, body = NULL")
        .bind(caller)
        .bind(key)
        .bind(fingerprint)
        .bind(now.as_nanos())
        .execute(connection)
        .await?;
    Ok(Begun::First)
}

/// The SQL behind [`crate::store::Idempotency::end_request`].
pub(super) async fn end(
    connection: &mut Connection,
    request: &KeyedRequest,
    answer: Option<&RecordedAnswer>,
) -> Result<(), StoreError> {
    let KeyedRequest { caller, key, fingerprint } = request;
    let sql = if answer.is_some() {
        "UPDATE idempotency SET status = $4, body = $5 WHERE caller = $1 AND key = $2 AND fingerprint = $3"
    } else {
        "DELETE FROM idempotency WHERE caller = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL"
    };
    let mut query = query(sql).bind(caller).bind(key).bind(fingerprint);
    if let Some(RecordedAnswer { status, body }) = answer {
        query = query.bind(i64::from(*status)).bind(body);
    }
    query.execute(connection).await?;
    Ok(())
}
