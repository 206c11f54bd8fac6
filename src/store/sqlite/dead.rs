//! Dead letters: what the receiver's rejection of a message means, and which of them the operator has not been notified of.

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{outbox, row};
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, settle::Rejection},
    store::{AttemptOutcome, DeadLetters, StoreError},
};

/// See [`crate::store::Outbox::unnoticed_dead`]. A digest is not a message of its own: what is merged into it is.
pub(super) async fn unnoticed(pool: &SqlitePool, since: Timestamp) -> Result<Vec<DeadLetters>, StoreError> {
    let rows = sqlx::query(
        "SELECT d.channel, coalesce(d.last_error, '') AS cause, max(1, sum(n.type NOT IN ('digest', 'fleet.shift'))), \
         min(iif(d.merged_into IS NULL, d.id, NULL)), min(d.id), min(d.finished_at) \
         FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.state = 'dead' AND d.is_noticed = 0 \
         AND NOT EXISTS (SELECT 1 FROM dead_notice AS o WHERE o.channel = d.channel \
         AND o.cause = coalesce(d.last_error, '') AND o.at > ?1) GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .bind(since.as_nanos())
    .fetch_all(pool)
    .await?;
    let letters = |found: &SqliteRow| -> Result<DeadLetters, StoreError> {
        let (alone, any): (Option<i64>, i64) = (found.try_get(3)?, found.try_get(4)?);
        Ok(DeadLetters {
            channel: row::channel(found.try_get(0)?)?,
            cause: found.try_get(1)?,
            count: found.try_get::<i64, _>(2)?.cast_unsigned(),
            first: DeliveryId(alone.unwrap_or(any)),
            since: Timestamp::from_nanos(found.try_get(5)?),
        })
    };
    rows.iter().map(letters).collect()
}

/// The SQL behind [`crate::store::Outbox::notice_dead`].
pub(super) async fn notice(
    connection: &mut SqliteConnection,
    letters: &DeadLetters,
    new: &outbox::Prepared,
    now: Timestamp,
) -> Result<(), StoreError> {
    let noticed = sqlx::query(
        "UPDATE delivery SET is_noticed = 1 WHERE state = 'dead' AND is_noticed = 0 AND channel = ? \
         AND coalesce(last_error, '') = ?",
    )
    .bind(letters.channel.as_str())
    .bind(&letters.cause)
    .execute(&mut *connection)
    .await?;
    // Somebody else has noticed them since they were listed.
    if noticed.rows_affected() == 0 {
        return Ok(());
    }
    outbox::announce(connection, new).await?;
    sqlx::query(
        "INSERT INTO dead_notice (channel, cause, at) VALUES (?, ?, ?) \
         ON CONFLICT (channel, cause) DO UPDATE SET at = excluded.at",
    )
    .bind(letters.channel.as_str())
    .bind(&letters.cause)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// What a receiver's rejection of a message comes to; see [`Rejection::judge`].
pub(super) async fn judge(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    error: String,
    now: Timestamp,
) -> Result<AttemptOutcome, StoreError> {
    let found = sqlx::query(
        "SELECT d.rejected_at, c.delivered_at, c.rejected_delivery, c.parked_at, d.channel FROM delivery AS d \
         LEFT JOIN channel AS c ON c.name = d.channel WHERE d.id = ?",
    )
    .bind(id.0)
    .fetch_one(&mut *connection)
    .await?;
    let rejection = Rejection {
        rejected_at: row::time(found.try_get(0)?),
        delivered_at: row::time(found.try_get(1)?),
        follows_another: found.try_get::<Option<i64>, _>(2)?.is_some_and(|other| other != id.0),
        is_parked: found.try_get::<Option<i64>, _>(3)?.is_some(),
    };
    let channel: String = found.try_get(4)?;
    sqlx::query("UPDATE delivery SET rejected_at = ? WHERE id = ?")
        .bind(now.as_nanos())
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    let (outcome, is_first) = rejection.judge(error);
    if !is_first {
        return Ok(outcome);
    }
    sqlx::query(
        "INSERT INTO channel (name, rejected_delivery) VALUES (?, ?) \
         ON CONFLICT (name) DO UPDATE SET rejected_delivery = excluded.rejected_delivery",
    )
    .bind(&channel)
    .bind(id.0)
    .execute(connection)
    .await?;
    Ok(outcome)
}

/// The message that was rejected just before its channel was parked was not at fault: it waits with the others, with all that is
/// merged into it.
pub(super) async fn revive(connection: &mut SqliteConnection, channel: &str) -> Result<(), StoreError> {
    for sql in [
        "UPDATE delivery SET state = 'merged', finished_at = NULL WHERE state = 'dead' \
         AND merged_into = (SELECT rejected_delivery FROM channel WHERE name = ?1) \
         AND EXISTS (SELECT 1 FROM delivery AS c WHERE c.id = delivery.merged_into AND c.state = 'dead')",
        "UPDATE delivery SET state = 'parked', finished_at = NULL WHERE state = 'dead' \
         AND id = (SELECT rejected_delivery FROM channel WHERE name = ?1)",
        "UPDATE channel SET rejected_delivery = NULL WHERE name = ?1",
    ] {
        sqlx::query(sql).bind(channel).execute(&mut *connection).await?;
    }
    Ok(())
}
