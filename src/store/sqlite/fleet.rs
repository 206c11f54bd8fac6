//! Fleet shifts: noted when they are seen, told once by one notice for each channel.

use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{check::to_json, hold, outbox};
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, release::Fate},
    store::{KnownShift, StoreError},
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

/// One notice with the runs that go along with it.
pub(super) struct Prepared {
    pub(super) notice: outbox::Prepared,
    pub(super) runs: Vec<Vec<DeliveryId>>,
}

/// See [`crate::store::Store::tell_shift`].
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    shift: &str,
    notices: &[Prepared],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let told = sqlx::query("UPDATE fleet_shift SET told_at = ? WHERE id = ? AND told_at IS NULL")
        .bind(now.as_nanos())
        .bind(shift)
        .execute(&mut *connection)
        .await?;
    if told.rows_affected() == 0 {
        return Ok(false);
    }
    for Prepared { notice, runs } in notices {
        outbox::announce(connection, notice).await?;
        let carrier: i64 = sqlx::query_scalar("SELECT id FROM delivery WHERE notification_id = ?")
            .bind(notice.id())
            .fetch_one(&mut *connection)
            .await?;
        for run in runs {
            let fates: Vec<_> = run.iter().map(|id| (*id, Fate::Carried(DeliveryId(carrier)))).collect();
            // One that was added to meanwhile is looked at again, and then the shift explains it.
            if hold::is_unchanged(connection, &fates).await? {
                hold::settle(connection, &fates, now).await?;
                for id in run {
                    explain(connection, *id).await?;
                }
            }
        }
    }
    Ok(true)
}

/// Notes that all that was told of a delivery's alert is that a shift explains it.
pub(super) async fn explain(connection: &mut SqliteConnection, delivery: DeliveryId) -> Result<(), StoreError> {
    sqlx::query("UPDATE alert SET explained = 1 WHERE key = (SELECT alert_key FROM delivery WHERE id = ?)")
        .bind(delivery.0)
        .execute(connection)
        .await?;
    Ok(())
}
