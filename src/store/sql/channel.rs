//! How channels stand: their receivers, their breakers, whether they are parked, and when they were proven.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    audit,
    db::{Connection, List, Pool, Row, list_of, query, query_scalar},
    merge, row,
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        ChannelHealth, DeliveryId, DeliveryState, NotificationId,
        channel_health::FailedPeriod,
        destination::KnownDestination,
        drill,
        parking::{self, ChannelState, Parked, ParkedPeriod},
    },
    store::{ChannelRecord, NewEntry, ParkedChannel, StoreError},
};

/// The columns that [`state_of`] reads.
const STATE: &str = "failures, failing_since, failed_from, failed_until, cooldown_from, cooldown_until, proven_at, last_error, \
    parked_reason, parked_at, probed_at, was_parked_from, was_parked_until, rejected_delivery, delivered_at";

/// The columns that [`leads`] reads.
pub(super) const LEADS: &str = "destination, led_before, moved_at";

/// Where a channel leads; nothing is known of one without a row.
pub(super) fn leads(found: &Row) -> Result<KnownDestination, StoreError> {
    Ok(KnownDestination {
        destination: found.try_get("destination")?,
        before: found.try_get("led_before")?,
        moved_at: row::time(found.try_get("moved_at")?),
    })
}

/// What the queue knows of a channel.
pub(super) async fn state(connection: &mut Connection, name: &str) -> Result<ChannelState, StoreError> {
    let found =
        query(format!("SELECT {STATE} FROM channel WHERE name = $1")).bind(name).fetch_optional(connection).await?;
    found.as_ref().map_or_else(|| Ok(ChannelState::default()), state_of)
}

fn state_of(found: &Row) -> Result<ChannelState, StoreError> {
    let time = |column: &str| Ok::<_, StoreError>(row::time(found.try_get(column)?));
    let parked = match time("parked_at")? {
        Some(since) => Some(Parked {
            reason: found.try_get::<Option<String>, _>("parked_reason")?.unwrap_or_default(),
            since,
            probed_at: time("probed_at")?.unwrap_or(since),
        }),
        None => None,
    };
    let was_parked_until = time("was_parked_until")?;
    Ok(ChannelState {
        health: ChannelHealth {
            failures: row::count(found.try_get("failures")?)?,
            failing_since: time("failing_since")?,
            failed: time("failed_from")?.zip(time("failed_until")?).map(|(from, until)| FailedPeriod { from, until }),
            cooldown_from: Timestamp::from_nanos(found.try_get("cooldown_from")?),
            cooldown_until: Timestamp::from_nanos(found.try_get("cooldown_until")?),
            proven_at: time("proven_at")?,
        },
        last_error: found.try_get("last_error")?,
        parked,
        was_parked: time("was_parked_from")?.map(|from| ParkedPeriod { from, until: was_parked_until }),
        rejected: found.try_get::<Option<i64>, _>("rejected_delivery")?.map(DeliveryId),
        delivered_at: time("delivered_at")?,
    })
}

/// Writes what the queue knows of a channel.
pub(super) async fn write(connection: &mut Connection, name: &str, state: &ChannelState) -> Result<(), StoreError> {
    let ChannelState { health, last_error, parked, was_parked, rejected, delivered_at } = state;
    let ChannelHealth { failures, failing_since, failed, cooldown_from, cooldown_until, proven_at } = health;
    query(format!(
        "INSERT INTO channel (name, {STATE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (name) DO UPDATE SET ({STATE}) = (excluded.{})",
        STATE.replace(", ", ", excluded.")
    ))
    .bind(name)
    .bind(i64::from(*failures))
    .bind(failing_since.map(Timestamp::as_nanos))
    .bind(failed.map(|period| period.from.as_nanos()))
    .bind(failed.map(|period| period.until.as_nanos()))
    .bind(cooldown_from.as_nanos())
    .bind(cooldown_until.as_nanos())
    .bind(proven_at.map(Timestamp::as_nanos))
    .bind(last_error.as_deref())
    .bind(parked.as_ref().map(|parked| parked.reason.as_str()))
    .bind(parked.as_ref().map(|parked| parked.since.as_nanos()))
    .bind(parked.as_ref().map(|parked| parked.probed_at.as_nanos()))
    .bind(was_parked.map(|period| period.from.as_nanos()))
    .bind(was_parked.and_then(|period| period.until).map(Timestamp::as_nanos))
    .bind(rejected.map(|delivery| delivery.0))
    .bind(delivered_at.map(Timestamp::as_nanos))
    .execute(connection)
    .await?;
    Ok(())
}

/// Every channel that anything is known of.
pub(super) async fn records(pool: &Pool) -> Result<Vec<ChannelRecord>, StoreError> {
    let sql = format!("SELECT name, {STATE}, {LEADS}, access, seen_at, drilled_at FROM channel ORDER BY name");
    let rows = query(sql).fetch_all(pool).await?;
    let record = |found: &Row| -> Result<ChannelRecord, StoreError> {
        let channel = row::channel(found.try_get("name")?)?;
        let state = state_of(found)?;
        let is_over = |period: ParkedPeriod| Some(FailedPeriod { from: period.from, until: period.until? });
        Ok(ChannelRecord {
            parked: state.parked.map(|Parked { reason, since, .. }| ParkedChannel {
                channel: channel.clone(),
                reason,
                since,
            }),
            channel,
            was_parked: state.was_parked.and_then(is_over),
            health: state.health,
            last_error: state.last_error,
            leads: leads(found)?,
            access: found.try_get("access")?,
            seen_at: row::time(found.try_get("seen_at")?),
            drilled_at: row::time(found.try_get("drilled_at")?),
        })
    };
    rows.iter().map(record).collect()
}

/// As described at [`crate::store::Channels::unpark`].
pub(super) async fn unpark(
    connection: &mut Connection,
    name: &str,
    now: Timestamp,
) -> Result<Option<Parked>, StoreError> {
    let mut known = state(connection, name).await?;
    let before = known.parked.clone();
    if !known.unpark() {
        return Ok(None);
    }
    write(connection, name, &known).await?;
    continue_queue(connection, name, now).await?;
    Ok(before)
}

/// Lets what waits for the channel go on.
pub(super) async fn continue_queue(connection: &mut Connection, name: &str, now: Timestamp) -> Result<(), StoreError> {
    for state in DeliveryState::ALL.into_iter().filter(|state| !state.is_finished()) {
        query(
            "UPDATE delivery SET state = $4, next_attempt_at = $1, queued_at = $1, plain = 0 \
             WHERE channel = $2 AND finished_at IS NULL AND state = $3",
        )
        .bind(now.as_nanos())
        .bind(name)
        .bind(state.as_str())
        .bind(parking::continued(state).as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Notes when these channels were last drilled, and lets their drills that still wait go along with this one.
pub(super) async fn note_drill(
    connection: &mut Connection,
    drill: &str,
    channels: &List,
    now: Timestamp,
) -> Result<(), StoreError> {
    let unfinished = query(
        "SELECT d.id, e.id, e.state FROM delivery AS d JOIN delivery AS e ON e.channel = d.channel AND e.finished_at IS NULL \
         JOIN notification AS n ON n.id = e.notification_id WHERE d.notification_id = $1 AND n.type = 'drill' AND n.id <> $1",
    )
    .bind(drill)
    .fetch_all(&mut *connection)
    .await?;
    for found in unfinished {
        if drill::covers(row::state(found.try_get(2)?)?) {
            merge::merge_into(connection, DeliveryId(found.try_get(0)?), &[DeliveryId(found.try_get(1)?)]).await?;
        }
    }
    query(
        "INSERT INTO channel (name, drilled_at) SELECT v.value, $1 FROM list($2) AS v WHERE true \
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
    connection: &mut Connection,
    channels: &BTreeSet<ChannelName>,
    now: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO channel (name, drilled_at, seen_at) SELECT v.value, $1, $1 FROM list($2) AS v WHERE true \
         ON CONFLICT (name) DO UPDATE SET drilled_at = coalesce(channel.drilled_at, $1), seen_at = coalesce(channel.seen_at, $1) \
         WHERE channel.drilled_at IS NULL OR channel.seen_at IS NULL",
    )
    .bind(now.as_nanos())
    .bind(list_of(channels))
    .execute(connection)
    .await?;
    Ok(())
}

/// The SQL behind [`crate::store::Channels::drilled`].
pub(super) async fn drilled(pool: &Pool, drill: &NotificationId) -> Result<Vec<ChannelName>, StoreError> {
    let names: Vec<String> = query_scalar(
        "SELECT d.channel FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         WHERE n.id = $1 AND n.type = 'drill' ORDER BY d.channel",
    )
    .bind(drill.as_str())
    .fetch_all(pool)
    .await?;
    names.iter().map(|name| row::channel(name)).collect()
}

/// The SQL behind [`crate::store::Channels::confirm`].
pub(super) async fn confirm(
    connection: &mut Connection,
    notification: &NotificationId,
    entry: &NewEntry,
) -> Result<Vec<ChannelName>, StoreError> {
    let seen = query(
        "SELECT d.channel, d.finished_at, c.proven_at FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
         JOIN channel AS c ON c.name = d.channel WHERE n.id = $1 AND n.type = 'drill'",
    )
    .bind(notification.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let mut proven = Vec::with_capacity(seen.len());
    for found in &seen {
        let name = row::channel(found.try_get(0)?)?;
        let before = row::time(found.try_get(2)?);
        let proven_at = drill::confirmed(before, row::time(found.try_get(1)?), entry.at);
        query("UPDATE channel SET proven_at = $1 WHERE name = $2")
            .bind(proven_at.as_nanos())
            .bind(name.as_str())
            .execute(&mut *connection)
            .await?;
        let entry = entry.clone().of(format!("channel {name}")).before(json!({ "proven_at": before }));
        audit::note(connection, before != Some(proven_at), &entry).await?;
        proven.push(name);
    }
    Ok(proven)
}
