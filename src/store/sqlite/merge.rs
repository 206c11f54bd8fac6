//! Deliveries that go along with another: several of one alert with the newest, many of one channel with a digest.

use std::collections::BTreeSet;

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{check::to_json, row};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        DeliveryId, NotificationId,
        digest::{self, Waiting},
    },
    store::StoreError,
};

/// Queued deliveries that a digest may take, oldest first: nothing that somebody waits for, and nothing that comes after something
/// of its alert which is held, or goes along with a message about more than that alert that is still on its way.
const WAITING: &str = "FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
    WHERE d.channel = ?1 AND d.finished_at IS NULL AND d.state = 'queued' AND n.type NOT IN ('digest', 'fleet.shift', 'report', 'drill', 'test') \
    AND NOT EXISTS (SELECT 1 FROM delivery AS e WHERE e.channel = ?1 AND e.finished_at IS NULL \
    AND e.alert_key IS NOT NULL AND e.alert_key = d.alert_key AND e.id < d.id AND (e.state = 'held' OR e.state = 'carried' \
    AND NOT EXISTS (SELECT 1 FROM delivery AS c WHERE c.id = e.carrier AND c.alert_key = d.alert_key)))";

/// Makes one delivery of what waits for the channel, if that is more than `over`.
pub(super) async fn into_digest(
    connection: &mut SqliteConnection,
    store: &str,
    channel: &ChannelName,
    over: usize,
    now: Timestamp,
) -> Result<Option<DeliveryId>, StoreError> {
    let count: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM (SELECT 1 {WAITING} LIMIT ?2)")))
            .bind(channel.as_str())
            .bind(i64::try_from(over).unwrap_or(i64::MAX).saturating_add(1))
            .fetch_one(&mut *connection)
            .await?;
    if usize::try_from(count).unwrap_or_default() <= over {
        return Ok(None);
    }
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT d.id, n.body, d.possible_repeat {WAITING} ORDER BY d.id LIMIT ?2"
    )))
    .bind(channel.as_str())
    .bind(i64::try_from(digest::MEMBERS_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let mut waiting = Vec::with_capacity(rows.len());
    for found in &rows {
        let (delivery, notification) = read(found)?;
        let stands_for = stands_for(connection, delivery).await?;
        waiting.push(Waiting { delivery, notification, stands_for });
    }
    let lines = digest::lines(waiting);
    if lines.len() < 2 {
        return Ok(None);
    }
    let message = digest::message(store, channel, &lines, now);
    let id = message.data.notification.id.as_str();
    sqlx::query("INSERT INTO notification (id, type, at, body) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(message.kind.as_str())
        .bind(now.as_nanos())
        .bind(to_json(&message)?)
        .execute(&mut *connection)
        .await?;
    let carrier: i64 = sqlx::query_scalar(
        "INSERT INTO delivery (notification_id, channel, state, queued_at, next_attempt_at) \
         VALUES (?1, ?2, 'queued', ?3, ?3) RETURNING id",
    )
    .bind(id)
    .bind(channel.as_str())
    .bind(now.as_nanos())
    .fetch_one(&mut *connection)
    .await?;
    let members: Vec<DeliveryId> = lines.into_iter().flat_map(|line| line.deliveries).collect();
    carry(connection, DeliveryId(carrier), &members).await?;
    Ok(Some(DeliveryId(carrier)))
}

/// Lets the newest waiting delivery of an alert speak for the ones before it, as far as it can. Returns the one to send.
pub(super) async fn into_newest(
    connection: &mut SqliteConnection,
    channel: &ChannelName,
    alert: &str,
    head: DeliveryId,
) -> Result<DeliveryId, StoreError> {
    let rows = sqlx::query(
        "SELECT d.id, n.body, d.possible_repeat FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE d.channel = ? AND d.alert_key = ? AND d.finished_at IS NULL AND d.state = 'queued' AND d.id >= ? \
         AND NOT EXISTS (SELECT 1 FROM delivery AS e WHERE e.channel = d.channel AND e.alert_key = d.alert_key \
         AND e.finished_at IS NULL AND e.state = 'held' AND e.id < d.id) ORDER BY d.id LIMIT ?",
    )
    .bind(channel.as_str())
    .bind(alert)
    .bind(head.0)
    .bind(i64::try_from(digest::MEMBERS_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() < 2 {
        return Ok(head);
    }
    let run = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let (mut ids, notifications): (Vec<_>, Vec<_>) = run.into_iter().unzip();
    ids.truncate(digest::foldable(&notifications));
    let Some(newest) = ids.pop() else { return Ok(head) };
    carry(connection, newest, &ids).await?;
    Ok(newest)
}

/// The notifications that a delivery goes along with others for, oldest first; a digest says it in its items.
pub(super) async fn stands_for(
    connection: &mut SqliteConnection,
    carrier: DeliveryId,
) -> Result<Vec<NotificationId>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT notification_id FROM delivery WHERE carrier = ?1 \
         AND (alert_key = (SELECT alert_key FROM delivery WHERE id = ?1) \
         OR EXISTS (SELECT 1 FROM notification AS n WHERE n.id = notification_id AND n.type = 'drill')) ORDER BY id",
    )
    .bind(carrier.0)
    .fetch_all(connection)
    .await?;
    Ok(ids.iter().map(|id| NotificationId::from_text(id)).collect())
}

/// Takes notifications out of a digest that its channel may no longer show; see [`crate::store::Store::withhold`].
pub(super) async fn withhold(
    connection: &mut SqliteConnection,
    carrier: DeliveryId,
    notifications: &BTreeSet<NotificationId>,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery SET state = 'dead', finished_at = ?1, last_error = ?2 \
         WHERE carrier = ?3 AND finished_at IS NULL AND notification_id IN (SELECT value FROM json_each(?4))",
    )
    .bind(now.as_nanos())
    .bind(error)
    .bind(carrier.0)
    .bind(to_json(notifications)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets these deliveries, and what they carried themselves, fare as the carrier does. It counts as a repeat if one of them may.
pub(super) async fn carry(
    connection: &mut SqliteConnection,
    carrier: DeliveryId,
    members: &[DeliveryId],
) -> Result<(), StoreError> {
    let members = to_json(members)?;
    sqlx::query(
        "UPDATE delivery SET state = 'carried', carrier = ?1 WHERE finished_at IS NULL AND id <> ?1 \
         AND (id IN (SELECT value FROM json_each(?2)) OR carrier IN (SELECT value FROM json_each(?2)))",
    )
    .bind(carrier.0)
    .bind(&members)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE delivery SET possible_repeat = 1 WHERE id = ?1 AND alert_key IS NULL \
         AND EXISTS (SELECT 1 FROM delivery WHERE carrier = ?1 AND possible_repeat = 1)",
    )
    .bind(carrier.0)
    .execute(connection)
    .await?;
    Ok(())
}

fn read(found: &SqliteRow) -> Result<(DeliveryId, crate::notify::Notification), StoreError> {
    let mut notification = row::notification(found.try_get(1)?)?;
    notification.data.notification.possible_repeat = found.try_get::<i64, _>(2)? != 0;
    Ok((DeliveryId(found.try_get(0)?), notification))
}
