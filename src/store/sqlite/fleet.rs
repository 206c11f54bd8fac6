//! Fleet shifts: noted when they are seen, told once by one notice for each channel.

use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{check::to_json, hold, outbox};
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, NotificationId, fleet::notice, release::Fate},
    store::{KnownShift, NewNotification, ShiftMember, ShiftNotice, StoreError},
};

/// See [`crate::store::Store::shifts`].
pub(super) async fn list(pool: &SqlitePool, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, body, seen_at, tell_at, told_at FROM fleet_shift WHERE seen_at > ? ORDER BY seen_at, id",
    )
    .bind(seen_after.as_nanos())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let shift = serde_json::from_str(found.try_get(1)?)
                .map_err(|_| StoreError::Undecodable("a fleet shift".to_owned()))?;
            Ok(KnownShift {
                id: found.try_get(0)?,
                shift,
                seen_at: Timestamp::from_nanos(found.try_get(2)?),
                tell_at: Timestamp::from_nanos(found.try_get(3)?),
                told_at: found.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_nanos),
            })
        })
        .collect()
}

/// See [`crate::store::Store::note_shift`].
pub(super) async fn note(connection: &mut SqliteConnection, new: &KnownShift) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO fleet_shift (id, body, seen_at, tell_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")
        .bind(&new.id)
        .bind(to_json(&new.shift)?)
        .bind(new.seen_at.as_nanos())
        .bind(new.tell_at.as_nanos())
        .execute(connection)
        .await?;
    Ok(())
}

/// See [`crate::store::Store::tell_shift`].
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    shift: &KnownShift,
    notices: &[ShiftNotice],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_noted: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM fleet_shift WHERE id = ?)")
        .bind(&shift.id)
        .fetch_one(&mut *connection)
        .await?;
    if is_noted == 0 {
        return Ok(false);
    }
    let told = sqlx::query("UPDATE fleet_shift SET told_at = ? WHERE id = ? AND told_at IS NULL")
        .bind(now.as_nanos())
        .bind(&shift.id)
        .execute(&mut *connection)
        .await?;
    let mut has_told = told.rows_affected() > 0;
    for notice in notices {
        has_told |= tell_channel(connection, shift, notice, now).await?;
    }
    Ok(has_told)
}

/// Queues what a channel hears of the shift, unless it has heard of it.
async fn tell_channel(
    connection: &mut SqliteConnection,
    shift: &KnownShift,
    ShiftNotice { channel, members, others }: &ShiftNotice,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (mut unchanged, mut items) = (Vec::new(), Vec::new());
    for member in members {
        let ids: Vec<_> = member.earlier.iter().map(|(id, _)| *id).chain(member.run.iter().copied()).collect();
        // One that was added to meanwhile may tell of something else by now: it is looked at again.
        if hold::is_unchanged(connection, &ids).await? {
            let mut item = member.item.clone();
            item.notification.stands_for = said_before(connection, &member.run).await?;
            unchanged.push(member);
            items.push(item);
        }
    }
    if items.is_empty() {
        return Ok(false);
    }
    let notification = notice::for_channel(shift, channel, items, others, now);
    let new = NewNotification { notification, alert: None, tenant: None, channels: vec![channel.clone()], hold: None };
    let prepared = outbox::Prepared::new(&new, now)?;
    if !outbox::announce(connection, &prepared).await? {
        return Ok(false);
    }
    let carrier: i64 = sqlx::query_scalar("SELECT id FROM delivery WHERE notification_id = ?")
        .bind(prepared.id())
        .fetch_one(&mut *connection)
        .await?;
    for ShiftMember { earlier, run, .. } in unchanged {
        let along = run.iter().map(|id| (*id, Fate::Carried(DeliveryId(carrier))));
        let fates: Vec<_> = earlier.iter().copied().chain(along).collect();
        hold::settle(connection, &fates, now).await?;
        for id in run {
            explain(connection, *id).await?;
        }
    }
    Ok(true)
}

/// The notifications of a run, and what went along with them, that its newest speaks for.
async fn said_before(connection: &mut SqliteConnection, run: &[DeliveryId]) -> Result<Vec<NotificationId>, StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT notification_id FROM delivery WHERE id <> ?2 \
         AND (id IN (SELECT value FROM json_each(?1)) OR carrier IN (SELECT value FROM json_each(?1))) ORDER BY id",
    )
    .bind(to_json(&run)?)
    .bind(run.last().map(|newest| newest.0))
    .fetch_all(connection)
    .await?;
    Ok(ids.iter().map(|id| NotificationId::from_text(id)).collect())
}

/// Notes that all that was told of a delivery's alert is that a shift explains it.
pub(super) async fn explain(connection: &mut SqliteConnection, delivery: DeliveryId) -> Result<(), StoreError> {
    sqlx::query("UPDATE alert SET explained = 1 WHERE key = (SELECT alert_key FROM delivery WHERE id = ?)")
        .bind(delivery.0)
        .execute(connection)
        .await?;
    Ok(())
}
