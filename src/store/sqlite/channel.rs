//! How channels stand: their receivers, their breakers, whether they are parked, and when they were proven.

use std::collections::BTreeSet;

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{check::to_json, merge, row};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{ChannelHealth, DeliveryId, NotificationId, channel_health::FailedPeriod, drill},
    store::{ChannelRecord, ParkedChannel, StoreError},
};

const HEALTH: &str = "failures, failing_since, failed_from, failed_until, cooldown_from, cooldown_until, proven_at";

/// How the channel stands, and if it is parked, when it was last tried.
pub(super) async fn health(
    connection: &mut SqliteConnection,
    name: &ChannelName,
) -> Result<(ChannelHealth, Option<Timestamp>), StoreError> {
    let found = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {HEALTH}, iif(parked_at IS NULL, NULL, coalesce(probed_at, parked_at)) AS probed FROM channel WHERE name = ?"
    )))
    .bind(name.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(found) = found else { return Ok((ChannelHealth::default(), None)) };
    Ok((health_of(&found)?, row::time(found.try_get("probed")?)))
}

fn health_of(found: &SqliteRow) -> Result<ChannelHealth, StoreError> {
    let time = |column: &str| Ok::<_, StoreError>(row::time(found.try_get(column)?));
    let failed = time("failed_from")?.zip(time("failed_until")?);
    Ok(ChannelHealth {
        failures: row::count(found.try_get("failures")?)?,
        failing_since: time("failing_since")?,
        failed: failed.map(|(from, until)| FailedPeriod { from, until }),
        cooldown_from: Timestamp::from_nanos(found.try_get("cooldown_from")?),
        cooldown_until: Timestamp::from_nanos(found.try_get("cooldown_until")?),
        proven_at: time("proven_at")?,
    })
}

/// Every channel that anything is known of.
pub(super) async fn records(pool: &SqlitePool) -> Result<Vec<ChannelRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM channel ORDER BY name").fetch_all(pool).await?;
    let record = |found: &SqliteRow| -> Result<ChannelRecord, StoreError> {
        let channel = row::channel(found.try_get("name")?)?;
        let parked_at = row::time(found.try_get("parked_at")?);
        let reason: Option<String> = found.try_get("parked_reason")?;
        Ok(ChannelRecord {
            parked: parked_at.map(|since| ParkedChannel {
                channel: channel.clone(),
                reason: reason.unwrap_or_default(),
                since,
            }),
            channel,
            was_parked: row::time(found.try_get("was_parked_from")?)
                .zip(row::time(found.try_get("was_parked_until")?))
                .map(|(from, until)| FailedPeriod { from, until }),
            health: health_of(found)?,
            last_error: found.try_get("last_error")?,
            destination: found.try_get("destination")?,
            access: found.try_get("access")?,
            seen_at: row::time(found.try_get("seen_at")?),
            drilled_at: row::time(found.try_get("drilled_at")?),
        })
    };
    rows.iter().map(record).collect()
}

/// Records how the channel stands after an attempt; `error` is why it failed.
pub(super) async fn health_after(
    connection: &mut SqliteConnection,
    name: &str,
    health: &ChannelHealth,
    error: Option<&str>,
) -> Result<(), StoreError> {
    let ChannelHealth { failures, failing_since, failed, cooldown_from, cooldown_until, proven_at } = health;
    sqlx::query(
        "INSERT INTO channel (name, failures, failing_since, failed_from, failed_until, cooldown_from, cooldown_until, proven_at, last_error) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, \
         failing_since = excluded.failing_since, failed_from = excluded.failed_from, failed_until = excluded.failed_until, \
         cooldown_from = excluded.cooldown_from, cooldown_until = excluded.cooldown_until, proven_at = coalesce(excluded.proven_at, proven_at), \
         last_error = coalesce(excluded.last_error, last_error)",
    )
    .bind(name)
    .bind(i64::from(*failures))
    .bind(failing_since.map(Timestamp::as_nanos))
    .bind(failed.map(|period| period.from.as_nanos()))
    .bind(failed.map(|period| period.until.as_nanos()))
    .bind(cooldown_from.as_nanos())
    .bind(cooldown_until.as_nanos())
    .bind(proven_at.map(Timestamp::as_nanos))
    .bind(error)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the receiver has accepted a message: what it rejected before was at fault itself.
pub(super) async fn note_delivered(
    connection: &mut SqliteConnection,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channel (name, delivered_at) VALUES (?1, ?2) ON CONFLICT (name) \
         DO UPDATE SET delivered_at = excluded.delivered_at, rejected_delivery = NULL, \
         was_parked_until = iif(was_parked_from IS NULL, NULL, coalesce(was_parked_until, excluded.delivered_at))",
    )
    .bind(name)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the channel's queue until it works again.
pub(super) async fn park(
    connection: &mut SqliteConnection,
    name: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channel (name, parked_reason, parked_at, probed_at) VALUES (?1, ?2, ?3, ?3) ON CONFLICT (name) \
         DO UPDATE SET parked_reason = excluded.parked_reason, parked_at = coalesce(parked_at, excluded.parked_at), \
         probed_at = excluded.probed_at",
    )
    .bind(name)
    .bind(reason)
    .bind(now.as_nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// The SQL behind [`crate::store::Channels::unpark`].
pub(super) async fn unpark(connection: &mut SqliteConnection, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let unparked = sqlx::query(
        // Whether it works is known only once it has delivered something.
        "UPDATE channel SET was_parked_from = iif(was_parked_until IS NULL, coalesce(was_parked_from, parked_at), parked_at), \
         was_parked_until = NULL, parked_at = NULL, parked_reason = NULL, failures = 0, failing_since = NULL, \
         rejected_delivery = NULL WHERE name = ? AND parked_at IS NOT NULL",
    )
    .bind(name)
    .execute(&mut *connection)
    .await?;
    if unparked.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        // Giving up counts from here: the time in which nothing could be sent must not kill what was kept.
        // The receiver may have rejected the rich form for another reason than how it was written.
        "UPDATE delivery SET state = iif(state = 'parked', 'queued', state), next_attempt_at = ?1, queued_at = ?1, plain = 0 \
         WHERE channel = ?2 AND finished_at IS NULL",
    )
    .bind(now.as_nanos())
    .bind(name)
    .execute(connection)
    .await?;
    Ok(true)
}

/// Notes when these channels, as a JSON list, were last drilled, and lets their drills that still wait go along with this one.
pub(super) async fn note_drill(
    connection: &mut SqliteConnection,
    drill: &str,
    channels: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let waiting = sqlx::query(
        "SELECT d.id, e.id FROM delivery AS d JOIN delivery AS e ON e.channel = d.channel AND e.finished_at IS NULL \
         AND e.state IN ('queued', 'parked') JOIN notification AS n ON n.id = e.notification_id \
         WHERE d.notification_id = ?1 AND n.type = 'drill' AND n.id <> ?1",
    )
    .bind(drill)
    .fetch_all(&mut *connection)
    .await?;
    for pair in waiting {
        merge::merge_into(connection, DeliveryId(pair.try_get(0)?), &[DeliveryId(pair.try_get(1)?)]).await?;
    }
    sqlx::query(
        "INSERT INTO channel (name, drilled_at) SELECT value, ?1 FROM json_each(?2) WHERE true \
         ON CONFLICT (name) DO UPDATE SET drilled_at = excluded.drilled_at",
    )
    .bind(now.as_nanos())
    .bind(channels)
    .execute(connection)
    .await?;
    Ok(())
}

/// The SQL behind [`crate::store::Channels::onboard_channels`].
pub(super) async fn onboard(
    connection: &mut SqliteConnection,
    channels: &BTreeSet<ChannelName>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channel (name, drilled_at, seen_at) SELECT value, ?1, ?1 FROM json_each(?2) WHERE true \
         ON CONFLICT (name) DO UPDATE SET drilled_at = coalesce(drilled_at, ?1), seen_at = coalesce(seen_at, ?1) \
         WHERE drilled_at IS NULL OR seen_at IS NULL",
    )
    .bind(now.as_nanos())
    .bind(to_json(channels)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// The SQL behind [`crate::store::Channels::drilled`].
pub(super) async fn drilled(pool: &SqlitePool, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT d.channel FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE n.id = ? AND n.type = 'drill' ORDER BY d.channel",
    )
    .bind(drill.as_str())
    .fetch_all(pool)
    .await?;
    names.iter().map(|name| row::channel(name)).collect()
}

/// The SQL behind [`crate::store::Channels::confirm`].
pub(super) async fn confirm(
    connection: &mut SqliteConnection,
    notification: &NotificationId,
    now: Timestamp,
) -> Result<Vec<ChannelName>, StoreError> {
    let proven: Vec<String> = sqlx::query_scalar(
        // Whoever presses the button late says no more than that the drill arrived when it was delivered.
        // A proof from further ahead was noted by a clock that has been set back since.
        "UPDATE channel SET proven_at = iif(proven_at <= ?3, max(proven_at, seen.at), seen.at) FROM (\
         SELECT d.channel AS name, min(coalesce(d.finished_at, ?1), ?1) AS at \
         FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE n.id = ?2 AND n.type = 'drill') AS seen WHERE channel.name = seen.name RETURNING channel.name",
    )
    .bind(now.as_nanos())
    .bind(notification.as_str())
    .bind(now.plus(drill::SPREAD).as_nanos())
    .fetch_all(connection)
    .await?;
    proven.iter().map(|name| row::channel(name)).collect()
}
