//! Notifications and their deliveries: queued, claimed, settled, recovered, sent again.

use sqlx::{Row, SqliteConnection};

use super::check::to_json;
use crate::{
    domain::{ChannelName, Timestamp},
    notify::DeliveryId,
    store::{AttemptOutcome, Claim, ClaimedDelivery, NewNotification, StoreError},
};

/// How many attempts of a delivery are kept, newest first.
const ATTEMPTS_KEPT: i64 = 50;

/// A notification with its texts already written.
pub(super) struct Prepared {
    id: String,
    kind: &'static str,
    tenant: Option<String>,
    alert_key: Option<String>,
    channels: String,
    body: String,
    now: Timestamp,
}

impl Prepared {
    pub(super) fn new(new: &NewNotification, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            id: new.notification.data.notification.id.as_str().to_owned(),
            kind: new.notification.kind.as_str(),
            tenant: new.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()),
            alert_key: new.alert.as_ref().map(to_json).transpose()?,
            channels: to_json(&new.channels)?,
            body: to_json(&new.notification)?,
            now,
        })
    }
}

/// Writes a notification and its deliveries; `false`: its id was already there, and nothing was done.
pub(super) async fn announce(connection: &mut SqliteConnection, new: &Prepared) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO notification (id, type, tenant, alert_key, at, body) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&new.id)
    .bind(new.kind)
    .bind(&new.tenant)
    .bind(&new.alert_key)
    .bind(new.now.as_nanos())
    .bind(&new.body)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at) \
         SELECT ?1, value, ?2, ?3, 'queued', ?4, ?4 FROM json_each(?5) WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(&new.alert_key)
    .bind(&new.tenant)
    .bind(new.now.as_nanos())
    .bind(&new.channels)
    .execute(&mut *connection)
    .await?;
    if let Some(key) = &new.alert_key {
        sqlx::query(
            "UPDATE alert SET told_at = NULL, last_notification = ?1, told_generation = generation, told_to = (\
               SELECT json_group_array(value) FROM (\
                 SELECT value FROM json_each(CASE WHEN told_generation = generation THEN told_to ELSE '[]' END) \
                 UNION SELECT value FROM json_each(?2))) WHERE key = ?3",
        )
        .bind(&new.id)
        .bind(&new.channels)
        .bind(key)
        .execute(&mut *connection)
        .await?;
    }
    Ok(true)
}

/// An unfinished delivery that no earlier unfinished one of the same alert precedes on its channel.
const HEAD: &str = "d.channel = ?1 AND d.finished_at IS NULL AND d.state = 'queued' AND NOT EXISTS (\
    SELECT 1 FROM delivery AS e WHERE e.channel = ?1 AND e.finished_at IS NULL AND e.alert_key IS NOT NULL \
    AND e.alert_key = d.alert_key AND e.id < d.id)";

/// See [`crate::store::Store::claim`]. While a delivery of the channel is `sending`, there is nothing else to take.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    channel: ChannelName,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let stands = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM channel WHERE name = ?1), \
         EXISTS (SELECT 1 FROM delivery WHERE channel = ?1 AND state = 'sending')",
    )
    .bind(channel.as_str())
    .fetch_one(&mut *connection)
    .await?;
    if stands.try_get::<i64, _>(0)? != 0 {
        return Ok(Claim::Parked);
    }
    if stands.try_get::<i64, _>(1)? != 0 {
        return Ok(Claim::Idle);
    }
    let due = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT d.id, d.attempts, d.queued_at, d.possible_repeat, d.tenant, n.body FROM delivery AS d \
         JOIN notification AS n ON n.id = d.notification_id \
         WHERE {HEAD} AND d.next_attempt_at <= ?2 ORDER BY d.id LIMIT 1"
    )))
    .bind(channel.as_str())
    .bind(now.as_nanos())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(due) = due else {
        let next: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT min(d.next_attempt_at) FROM delivery AS d WHERE {HEAD}"
        )))
        .bind(channel.as_str())
        .fetch_one(&mut *connection)
        .await?;
        return Ok(next.map_or(Claim::Idle, |next| Claim::Wait(Timestamp::from_nanos(next))));
    };
    let claimed = claimed(&due)?;
    record_attempt(connection, &claimed, now).await?;
    Ok(Claim::Send(Box::new(claimed)))
}

fn claimed(row: &sqlx::sqlite::SqliteRow) -> Result<ClaimedDelivery, StoreError> {
    let possible_repeat = row.try_get::<i64, _>(3)? != 0;
    let mut notification = super::row::notification(row.try_get(5)?)?;
    notification.data.notification.possible_repeat = possible_repeat;
    Ok(ClaimedDelivery {
        id: DeliveryId(row.try_get(0)?),
        attempt: super::row::count(row.try_get(1)?)? + 1,
        queued_at: Timestamp::from_nanos(row.try_get(2)?),
        possible_repeat,
        tenant: super::row::optional_tenant(row.try_get(4)?)?,
        notification,
    })
}

async fn record_attempt(
    connection: &mut SqliteConnection,
    claimed: &ClaimedDelivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE delivery SET state = 'sending', attempts = ? WHERE id = ?")
        .bind(i64::from(claimed.attempt))
        .bind(claimed.id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO attempt (delivery_id, number, started_at) VALUES (?, ?, ?)")
        .bind(claimed.id.0)
        .bind(i64::from(claimed.attempt))
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
    if i64::from(claimed.attempt) > ATTEMPTS_KEPT {
        sqlx::query("DELETE FROM attempt WHERE delivery_id = ? AND number <= ?")
            .bind(claimed.id.0)
            .bind(i64::from(claimed.attempt) - ATTEMPTS_KEPT)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// See [`crate::store::Store::settle`]. An attempt that is not the one under way changes nothing.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    attempt: u32,
    outcome: AttemptOutcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (name, state, error, next) = match &outcome {
        AttemptOutcome::Delivered => ("delivered", "delivered", None, None),
        AttemptOutcome::Retry { error, next_attempt_at } => ("retry", "queued", Some(error), Some(*next_attempt_at)),
        AttemptOutcome::Dead { error } => ("dead", "dead", Some(error), None),
        AttemptOutcome::Parked { error } => ("parked", "parked", Some(error), None),
        AttemptOutcome::NotMade => return undo_claim(connection, id, attempt).await,
    };
    let at_rest = matches!(outcome, AttemptOutcome::Delivered | AttemptOutcome::Dead { .. });
    let settled = sqlx::query(
        "UPDATE delivery SET state = ?3, last_error = coalesce(?4, last_error), \
         next_attempt_at = coalesce(?5, next_attempt_at), finished_at = ?6 \
         WHERE id = ?1 AND attempts = ?2 AND state = 'sending' RETURNING channel, alert_key, notification_id",
    )
    .bind(id.0)
    .bind(i64::from(attempt))
    .bind(state)
    .bind(error)
    .bind(next.map(Timestamp::as_nanos))
    .bind(at_rest.then_some(now.as_nanos()))
    .fetch_all(&mut *connection)
    .await?;
    let Some(settled) = settled.first() else { return Ok(()) };
    sqlx::query("UPDATE attempt SET finished_at = ?, outcome = ?, error = ? WHERE delivery_id = ? AND number = ?")
        .bind(now.as_nanos())
        .bind(name)
        .bind(error)
        .bind(id.0)
        .bind(i64::from(attempt))
        .execute(&mut *connection)
        .await?;
    if let AttemptOutcome::Parked { error } = &outcome {
        sqlx::query("INSERT INTO channel (name, parked_reason, parked_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(settled.try_get::<String, _>(0)?)
            .bind(error)
            .bind(now.as_nanos())
            .execute(&mut *connection)
            .await?;
    }
    if at_rest {
        sqlx::query("UPDATE alert SET told_at = ? WHERE key = ? AND last_notification = ? AND told_at IS NULL")
            .bind(now.as_nanos())
            .bind(settled.try_get::<Option<String>, _>(1)?)
            .bind(settled.try_get::<String, _>(2)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn undo_claim(connection: &mut SqliteConnection, id: DeliveryId, attempt: u32) -> Result<(), StoreError> {
    let undone = sqlx::query(
        "UPDATE delivery SET state = 'queued', attempts = attempts - 1 WHERE id = ? AND attempts = ? AND state = 'sending'",
    )
    .bind(id.0)
    .bind(i64::from(attempt))
    .execute(&mut *connection)
    .await?;
    if undone.rows_affected() > 0 {
        sqlx::query("DELETE FROM attempt WHERE delivery_id = ? AND number = ?")
            .bind(id.0)
            .bind(i64::from(attempt))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// See [`crate::store::Store::recover`].
pub(super) async fn recover(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreError> {
    let recovered = sqlx::query(
        "UPDATE delivery SET state = 'queued', possible_repeat = 1, next_attempt_at = ? \
         WHERE state = 'sending'",
    )
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(recovered.rows_affected())
}

/// See [`crate::store::Store::resend`].
pub(super) async fn resend(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let queued = sqlx::query(
        "UPDATE delivery SET state = 'queued', queued_at = ?2, next_attempt_at = ?2, finished_at = NULL \
         WHERE id = ?1 AND state IN ('delivered', 'dead', 'parked')",
    )
    .bind(id.0)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(queued.rows_affected() > 0)
}

/// See [`crate::store::Store::unpark`].
pub(super) async fn unpark(
    connection: &mut SqliteConnection,
    channel: ChannelName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let gone =
        sqlx::query("DELETE FROM channel WHERE name = ?").bind(channel.as_str()).execute(&mut *connection).await?;
    sqlx::query(
        // Giving up counts from here: the time in which nothing could be sent must not kill what was kept.
        "UPDATE delivery SET state = iif(state = 'parked', 'queued', state), next_attempt_at = ?1, queued_at = ?1 \
         WHERE channel = ?2 AND finished_at IS NULL AND ?3",
    )
    .bind(now.as_nanos())
    .bind(channel.as_str())
    .bind(gone.rows_affected() > 0)
    .execute(connection)
    .await?;
    Ok(gone.rows_affected() > 0)
}
