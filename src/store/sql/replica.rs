//! The services that share a store.

use std::{collections::HashSet, time::Duration};

use super::{
    db::{Connection, Dialect, Pool, list_of, query, query_scalar},
    row,
};
use crate::{
    domain::{TenantId, Timestamp},
    store::{RejectedConfiguration, ReplicaRecord, Shard, StoreError},
};

/// Times are those of the database's clock, in microseconds.
const LIST: &str = "SELECT r.id, r.place, r.version, r.fingerprint, \
    (extract(epoch FROM r.started_at) * 1000000)::bigint, (extract(epoch FROM r.heard_at) * 1000000)::bigint, \
    (r.expires_at > clock_timestamp())::int::bigint, \
    CASE WHEN r.is_sole THEN (SELECT count(*) FROM shard) ELSE (SELECT count(*) FROM shard AS s WHERE s.owner = r.id) END, \
    (r.is_sole OR EXISTS (SELECT 1 FROM shard AS s WHERE s.owner = r.id AND s.shard = 0))::int::bigint, r.lateness_ms, \
    r.rejected FROM replica AS r ORDER BY r.started_at, r.id";
/// Nanoseconds in one of them.
const NANOS: i64 = 1_000;

/// The SQL behind [`crate::store::Upkeep::replicas`].
pub(super) async fn list(pool: &Pool) -> Result<Vec<ReplicaRecord>, StoreError> {
    if pool.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let at = |micros: i64| Timestamp::from_nanos(micros.saturating_mul(NANOS));
    let rows = query(LIST).fetch_all(pool).await?;
    rows.iter()
        .map(|found| {
            Ok(ReplicaRecord {
                id: found.try_get(0)?,
                place: found.try_get(1)?,
                version: found.try_get(2)?,
                fingerprint: found.try_get(3)?,
                started_at: at(found.try_get(4)?),
                heard_at: at(found.try_get(5)?),
                is_living: found.try_get::<i64, _>(6)? != 0,
                shards: row::count(found.try_get(7)?)?,
                leads: found.try_get::<i64, _>(8)? != 0,
                lateness: found.try_get::<Option<i64>, _>(9)?.map(|late| Duration::from_millis(late.unsigned_abs())),
                rejected: found.try_get::<Option<String>, _>(10)?.as_deref().map(rejected).transpose()?,
            })
        })
        .collect()
}

/// The configurations other than `by` that replicas other than `own` run; none if the store is not shared.
pub(super) async fn other_configurations(
    connection: &mut Connection,
    own: Option<&str>,
    by: &str,
) -> Result<HashSet<String>, StoreError> {
    let Some(own) = own else { return Ok(HashSet::new()) };
    let others: Vec<String> = query_scalar(
        "SELECT DISTINCT fingerprint FROM replica WHERE id <> $1 AND fingerprint <> $2 AND NOT is_leaving \
         AND expires_at > clock_timestamp()",
    )
    .bind(own)
    .bind(by)
    .fetch_all(connection)
    .await?;
    Ok(others.into_iter().collect())
}

fn rejected(text: &str) -> Result<RejectedConfiguration, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Undecodable("what a replica rejects".to_owned()))
}

/// The SQL behind [`crate::store::Upkeep::wake_tenants`].
pub(super) async fn wake(
    connection: &mut Connection,
    tenants: Vec<TenantId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE tenant SET recheck_requested_at = $2 WHERE tenant IN list($1)")
        .bind(list_of(&tenants))
        .bind(now.as_nanos())
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts what is `sending` on the channels of these shards back to `queued`, as [`crate::store::Outbox::recover`] does for all. Returns how
/// many. Only for shards that the caller has just taken: whoever sent it owns them no more.
pub(in crate::store) async fn recover(
    connection: &mut Connection,
    is_taken: impl Fn(Shard) -> bool,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let sending: Vec<String> = query_scalar("SELECT DISTINCT channel FROM delivery WHERE state = 'sending'")
        .fetch_all(&mut *connection)
        .await?;
    let mut left = Vec::new();
    for name in sending {
        let channel = row::channel(&name)?;
        if is_taken(Shard::of_channel(&channel)) {
            left.push(channel);
        }
    }
    if left.is_empty() {
        return Ok(0);
    }
    let recovered = query(
        "UPDATE delivery SET state = 'queued', possible_duplicate = 1, next_attempt_at = $1 \
         WHERE state = 'sending' AND channel IN list($2)",
    )
    .bind(now.as_nanos())
    .bind(list_of(&left))
    .execute(connection)
    .await?;
    Ok(recovered.rows_affected())
}
