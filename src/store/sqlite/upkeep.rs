//! Signs of life, and the removal of what is older than retention.

use std::time::Duration;

use sqlx::SqliteConnection;

use super::days::day_of;
use crate::{
    domain::Timestamp,
    store::{Away, StoreError},
};

/// Rows of one kind removed by one call; a transaction of this size keeps nobody waiting noticeably.
const SLICE: i64 = 2000;

pub(super) async fn beat(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO meta VALUES ('beat', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .bind(now.as_nanos().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn record_away(connection: &mut SqliteConnection, away: Away) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO away VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(away.from.as_nanos())
        .bind(away.until.as_nanos())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removals in this order, so that nothing refers to what is gone. Each takes the cutoff and a limit.
const REMOVALS: [&str; 8] = [
    "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE finished_at IS NOT NULL AND finished_at < ?1 LIMIT ?2)",
    "DELETE FROM notification WHERE id IN (SELECT n.id FROM notification AS n WHERE n.at < ?1 \
     AND NOT EXISTS (SELECT 1 FROM delivery WHERE notification_id = n.id) \
     AND NOT EXISTS (SELECT 1 FROM alert WHERE last_notification = n.id) LIMIT ?2)",
    "DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE ends_at < ?1 LIMIT ?2)",
    "DELETE FROM fleet_shift WHERE id IN (SELECT id FROM fleet_shift WHERE seen_at < ?1 LIMIT ?2)",
    "DELETE FROM away WHERE (from_at, until_at) IN (SELECT from_at, until_at FROM away WHERE until_at < ?1 LIMIT ?2)",
    "DELETE FROM outage WHERE (cause, since) IN (SELECT cause, since FROM outage WHERE over_at < ?1 LIMIT ?2)",
    "DELETE FROM recommendation WHERE (tenant_id, impact) IN \
     (SELECT tenant_id, impact FROM recommendation WHERE taken_at < ?1 LIMIT ?2)",
    // Of subjects that are gone, when their last day is.
    "DELETE FROM series WHERE id IN (SELECT s.id FROM series AS s WHERE s.keep = 0 AND s.last_data_at < ?1 \
     AND NOT EXISTS (SELECT 1 FROM sample_day WHERE series_id = s.id) LIMIT ?2)",
];

/// Whole days only: a day goes when all of it is older than retention.
const REMOVE_DAYS: &str = "DELETE FROM sample_day WHERE (day, series_id) IN \
    (SELECT day, series_id FROM sample_day WHERE day < ?1 ORDER BY day, series_id LIMIT ?2)";

/// See [`crate::store::Store::prune`].
pub(super) async fn prune(
    connection: &mut SqliteConnection,
    now: Timestamp,
    retention: Duration,
) -> Result<bool, StoreError> {
    let cutoff = now.minus(retention);
    let removals = REMOVALS.map(|sql| (sql, cutoff.as_nanos()));
    let mut more = false;
    for (sql, before) in removals.into_iter().chain([(REMOVE_DAYS, day_of(cutoff))]) {
        let removed = sqlx::query(sql).bind(before).bind(SLICE).execute(&mut *connection).await?;
        more |= removed.rows_affected() >= SLICE.unsigned_abs();
    }
    Ok(more)
}
