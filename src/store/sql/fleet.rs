//! Fleet shifts: noted when they are found, sent as one notice for each channel.

use super::{
    alert_notes,
    db::{Connection, Pool, list_of, query, query_scalar},
    hold, movement, outbox,
    text::to_json,
};
use crate::{
    domain::Timestamp,
    notify::{
        DeliveryId, NotificationId,
        fleet::{Tracked, notice},
        release::Decision,
    },
    store::{KnownShift, NewNotification, ShiftMember, ShiftNotice, StoreError},
};

/// The SQL behind [`crate::store::Fleet::shifts`].
pub(super) async fn list(pool: &Pool, seen_after: Timestamp) -> Result<Vec<KnownShift>, StoreError> {
    let rows = query("SELECT id, body, seen_at, notified_at FROM fleet_shift WHERE seen_at > $1 ORDER BY seen_at, id")
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
                notified_at: found.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_nanos),
            })
        })
        .collect()
}

/// The SQL behind [`crate::store::Fleet::awaits_fleet`].
pub(super) async fn awaits(pool: &Pool) -> Result<bool, StoreError> {
    let awaits: i64 = query_scalar(
        "SELECT EXISTS (SELECT 1 FROM movement WHERE is_decided = 0) OR EXISTS (SELECT 1 FROM delivery \
         WHERE state = 'held' AND hold_why = 'fleet')",
    )
    .fetch_one(pool)
    .await?;
    Ok(awaits != 0)
}

/// The SQL behind [`crate::store::Fleet::note_shifts`].
pub(super) async fn note(
    connection: &mut Connection,
    shifts: &[KnownShift],
    decided: &[Tracked],
) -> Result<(), StoreError> {
    for new in shifts {
        query(
            "INSERT INTO fleet_shift (id, body, seen_at, notify_at) VALUES ($1, $2, $3, $3) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&new.id)
        .bind(to_json(&new.shift)?)
        .bind(new.seen_at.as_nanos())
        .execute(&mut *connection)
        .await?;
    }
    movement::note(connection, decided).await
}

/// The SQL behind [`crate::store::Fleet::notify_shift`].
pub(super) async fn notify(
    connection: &mut Connection,
    shift: &KnownShift,
    notices: &[ShiftNotice],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_noted: i64 = query_scalar("SELECT EXISTS (SELECT 1 FROM fleet_shift WHERE id = $1)")
        .bind(&shift.id)
        .fetch_one(&mut *connection)
        .await?;
    if is_noted == 0 {
        return Ok(false);
    }
    let mut has_notified = false;
    for notice in notices {
        has_notified |= notify_channel(connection, shift, notice, now).await?;
    }
    if has_notified && notices.iter().any(|notice| notice.occasion.is_of_movements()) {
        query("UPDATE fleet_shift SET notified_at = $1 WHERE id = $2")
            .bind(now.as_nanos())
            .bind(&shift.id)
            .execute(connection)
            .await?;
    }
    Ok(has_notified)
}

/// Queues a channel's notice, and lets what it covers go along with it.
async fn notify_channel(
    connection: &mut Connection,
    shift: &KnownShift,
    ShiftNotice { channel, occasion, members, others, notified_before }: &ShiftNotice,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (mut unchanged, mut covered) = (Vec::new(), Vec::new());
    for member in members {
        let ids: Vec<_> = member.earlier.iter().map(|(id, _)| *id).chain(member.run.iter().copied()).collect();
        // One that was added to meanwhile may be about something else by now: it is reviewed again.
        if hold::is_unchanged(connection, &ids).await? {
            let mut line = member.covered.clone();
            line.notification.data.notification.covers =
                said_before(connection, &member.run, &line.notification.data.notification.id).await?;
            unchanged.push(member);
            covered.push(line);
        }
    }
    if covered.is_empty() {
        return Ok(false);
    }
    let notification = notice::for_channel(shift, *occasion, channel, covered, others, now);
    let new = NewNotification { notification, alert: None, tenant: None, channels: vec![channel.clone()], hold: None };
    let prepared = outbox::Prepared::new(&new, now)?;
    if !outbox::announce(connection, &prepared).await? {
        return Ok(false);
    }
    let target: i64 = query_scalar("SELECT id FROM delivery WHERE notification_id = $1")
        .bind(prepared.id())
        .fetch_one(&mut *connection)
        .await?;
    for ShiftMember { earlier, run, covered } in unchanged {
        let along = run.iter().map(|id| (*id, Decision::Merged(DeliveryId(target))));
        let fates: Vec<_> = earlier.iter().copied().chain(along).collect();
        hold::settle(connection, &fates, now).await?;
        if let Some(newest) = run.last().filter(|_| occasion.is_of_movements()) {
            let key: Option<String> = query_scalar("SELECT alert_key FROM delivery WHERE id = $1")
                .bind(newest.0)
                .fetch_one(&mut *connection)
                .await?;
            if let Some(key) = key {
                alert_notes::change(connection, &key, |notes| notes.covered(&shift.id, covered.is_accepted)).await?;
            }
        }
    }
    for alert in notified_before {
        alert_notes::change(connection, &to_json(alert)?, |notes| notes.notified_before(&shift.id)).await?;
    }
    Ok(true)
}

/// The notifications of a run, and what went along with them, that its line covers.
async fn said_before(
    connection: &mut Connection,
    run: &[DeliveryId],
    line: &NotificationId,
) -> Result<Vec<NotificationId>, StoreError> {
    let ids: Vec<String> = query_scalar(
        "SELECT notification_id FROM delivery WHERE notification_id <> $2 \
         AND (id IN list($1) OR merged_into IN list($1)) ORDER BY id",
    )
    .bind(list_of(run))
    .bind(line.as_str())
    .fetch_all(connection)
    .await?;
    Ok(ids.iter().map(|id| NotificationId::from_text(id)).collect())
}
