//! Heartbeats, and the removal of what is older than retention.

use std::time::Duration;

use super::{
    days::day_of,
    db::{Connection, Dialect, Pool, list_of, query, query_as, query_scalar},
    erase,
};
use crate::{
    domain::Timestamp,
    store::{Downtime, Heartbeat, StoreError},
};

/// Rows of one kind removed by one call; a transaction of this size keeps nobody waiting noticeably.
const SLICE: i64 = 2000;

/// Series removed by one call.
const SERIES: i64 = 200;

/// Notes a heartbeat.
const BEAT: &str =
    "INSERT INTO meta (key, value) VALUES ('beat', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// The same, and what the database's clock shows then, in microseconds. It belongs to this heartbeat only: older versions write none.
const BEAT_ON_CLOCK: &str = "INSERT INTO meta (key, value) VALUES ('beat', $1), \
    ('beat_clock', $1 || ' ' || (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// The heartbeat, what was noted of the database's clock, and what that shows now.
const LAST_BEAT: &str = "SELECT b.value, NULL, 0 FROM meta AS b WHERE b.key = 'beat'";
const LAST_BEAT_ON_CLOCK: &str = "SELECT b.value, c.value, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint \
    FROM meta AS b LEFT JOIN meta AS c ON c.key = 'beat_clock' WHERE b.key = 'beat'";

pub(super) async fn heartbeat(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let sql = if connection.dialect() == Dialect::Postgres { BEAT_ON_CLOCK } else { BEAT };
    query(sql).bind(now.as_nanos().to_string()).execute(connection).await?;
    Ok(())
}

pub(super) async fn last_heartbeat(pool: &Pool) -> Result<Option<Heartbeat>, StoreError> {
    let sql = if pool.dialect() == Dialect::Postgres { LAST_BEAT_ON_CLOCK } else { LAST_BEAT };
    let found: Option<(String, Option<String>, i64)> = query_as(sql).fetch_optional(pool).await?;
    let Some((beat, on_clock, now)) = found else { return Ok(None) };
    let undecodable = |error| StoreError::Undecodable(format!("heartbeat: {error}"));
    let at = beat.parse().map(Timestamp::from_nanos).map_err(undecodable)?;
    let noted = on_clock.as_deref().and_then(|noted| noted.split_once(' ')).filter(|(of, _)| *of == beat);
    let noted: Option<i64> = noted.map(|(_, micros)| micros.parse()).transpose().map_err(undecodable)?;
    // Another server's clock may be behind.
    let age = noted.map(|noted| Duration::from_micros(now.saturating_sub(noted).max(0).unsigned_abs()));
    Ok(Some(Heartbeat { at, age }))
}

pub(super) async fn record_downtime(connection: &mut Connection, downtime: Downtime) -> Result<(), StoreError> {
    query("INSERT INTO downtime (from_at, until_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(downtime.from.as_nanos())
        .bind(downtime.until.as_nanos())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removals in this order, so that nothing refers to what is gone. Each takes the cutoff and a limit.
const REMOVALS: [&str; 9] = [
    "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE finished_at IS NOT NULL AND finished_at < $1 LIMIT $2)",
    "DELETE FROM notification WHERE id IN (SELECT n.id FROM notification AS n WHERE n.at < $1 \
     AND NOT EXISTS (SELECT 1 FROM delivery WHERE notification_id = n.id) \
     AND NOT EXISTS (SELECT 1 FROM alert WHERE last_notification = n.id) LIMIT $2)",
    "DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE ends_at < $1 LIMIT $2)",
    "DELETE FROM fleet_shift WHERE id IN (SELECT id FROM fleet_shift WHERE seen_at < $1 LIMIT $2)",
    "DELETE FROM movement WHERE id IN (SELECT id FROM movement WHERE at < $1 LIMIT $2)",
    "DELETE FROM downtime WHERE (from_at, until_at) IN (SELECT from_at, until_at FROM downtime WHERE until_at < $1 LIMIT $2)",
    "DELETE FROM outage WHERE (cause, since) IN (SELECT cause, since FROM outage WHERE over_at < $1 LIMIT $2)",
    "DELETE FROM recommendation WHERE (tenant_id, impact) IN \
     (SELECT tenant_id, impact FROM recommendation WHERE taken_at < $1 LIMIT $2)",
    // Of subjects that are gone, when their last day is.
    "DELETE FROM series WHERE id IN (SELECT s.id FROM series AS s WHERE s.keep = 0 AND s.last_data_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM sample_day WHERE series_id = s.id) LIMIT $2)",
];

/// Whole days only: a day goes when all of it is older than retention. A row has all of a day's samples of a series, so there are few, and
/// those who write beside notice nothing of it. Partitions would be dropped faster, but the history of a series would be read more slowly
/// from them, and a table of a million rows could not be used for most of a minute while it is converted; docs/guides/postgresql.md has
/// the figures. What keeps the table small is that PostgreSQL vacuums it as soon as 2% of it are gone (schema 23).
const REMOVE_DAYS: &str = "DELETE FROM sample_day WHERE (day, series_id) IN \
    (SELECT day, series_id FROM sample_day WHERE day < $1 ORDER BY day, series_id LIMIT $2)";

/// A tenant that has been missing from the configuration for so long that nothing of it is to be kept.
const GONE: &str = "SELECT id, tenant, entra, name FROM tenant WHERE gone_since < $1 ORDER BY gone_since LIMIT 1";

/// Removes a slice of such a tenant. `true`: there is more, or there may be another one.
async fn forget_gone(connection: &mut Connection, cutoff: Timestamp) -> Result<bool, StoreError> {
    let found = query(GONE).bind(cutoff.as_nanos()).fetch_optional(&mut *connection).await?;
    let Some(found) = found else { return Ok(false) };
    let slug: String = found.try_get(1)?;
    let target = erase::target(connection, &slug, found.try_get(2)?, found.try_get(3)?).await?;
    let mut removed = erase::Counts::default();
    if !erase::slice(connection, &slug, found.try_get(0)?, SLICE, &mut removed).await? {
        // What is finished is older than retention, as it was written before the tenant was gone, and goes with all that is.
        erase::take_out_of_unsent(connection, &target).await?;
        tracing::info!(tenant = %slug, "a tenant that was gone for longer than retention is forgotten");
    }
    Ok(true)
}

/// Series of tenants that are read well, which got nothing for longer than retention: groups and categories that are gone, and
/// scores that are no longer polled. One that an open alert is about stays.
const ENDED: &str = "SELECT s.id FROM series AS s JOIN tenant AS t ON t.id = s.tenant_id \
    WHERE s.last_data_at < $1 AND t.failing_since IS NULL AND t.checked_at >= $1 AND NOT EXISTS (\
    SELECT 1 FROM alert AS a WHERE a.tenant_id = s.tenant_id AND a.score = s.score AND a.state <> 'resolved' \
    AND (a.subject IS NULL OR '=' || a.subject = s.subject)) LIMIT $2";

/// Removes a slice of them. `true`: there is more.
async fn forget_ended(connection: &mut Connection, cutoff: Timestamp) -> Result<bool, StoreError> {
    let ids: Vec<i64> = query_scalar(ENDED).bind(cutoff.as_nanos()).bind(SERIES).fetch_all(&mut *connection).await?;
    if ids.is_empty() {
        return Ok(false);
    }
    let ended = list_of(&ids);
    let days = query(
        "DELETE FROM sample_day WHERE (day, series_id) IN (SELECT day, series_id FROM sample_day \
         WHERE series_id IN list($1) LIMIT $2)",
    )
    .bind(&ended)
    .bind(SLICE)
    .execute(&mut *connection)
    .await?;
    if days.rows_affected() >= SLICE.unsigned_abs() {
        return Ok(true);
    }
    for sql in [
        "DELETE FROM alert WHERE id IN (SELECT a.id FROM series AS s JOIN alert AS a ON a.tenant_id = s.tenant_id \
         AND a.score = s.score AND '=' || a.subject = s.subject WHERE s.id IN list($1))",
        "DELETE FROM series WHERE id IN list($1)",
    ] {
        query(sql).bind(&ended).execute(&mut *connection).await?;
    }
    Ok(ids.len() as u64 >= SERIES.unsigned_abs())
}

/// The SQL behind [`crate::store::Upkeep::prune`]. `forgets_tenants`: whether tenants that are gone are removed, too.
pub(super) async fn prune(
    connection: &mut Connection,
    now: Timestamp,
    retention: Duration,
    forgets_tenants: bool,
) -> Result<bool, StoreError> {
    let cutoff = now.minus(retention);
    let mut more = forgets_tenants && forget_gone(connection, cutoff).await?;
    more |= forget_ended(connection, cutoff).await?;
    let removals = REMOVALS.map(|sql| (sql, cutoff.as_nanos()));
    for (sql, before) in removals.into_iter().chain([(REMOVE_DAYS, day_of(cutoff))]) {
        let removed = query(sql).bind(before).bind(SLICE).execute(&mut *connection).await?;
        more |= removed.rows_affected() >= SLICE.unsigned_abs();
    }
    Ok(more)
}
