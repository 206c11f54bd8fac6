//! Reads deliveries, channels and counts.

use super::{
    db::{Pool, Row, list_of, query, query_as, query_scalar},
    row,
};
use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{Delivery, DeliveryId, Notification, NotificationId, NotificationType},
    store::{Attempt, DeliveryDetail, DeliveryFilter, Downtime, StoreError, Totals},
};

/// Rows of a listing when its caller names no limit.
const LIMIT: u32 = 1000;

pub(super) async fn busy_channels(pool: &Pool) -> Result<Vec<ChannelName>, StoreError> {
    let names: Vec<String> = query_scalar(
        "SELECT DISTINCT channel FROM delivery WHERE finished_at IS NULL AND state <> 'held' ORDER BY channel",
    )
    .fetch_all(pool)
    .await?;
    names.iter().map(|name| row::channel(name)).collect()
}

/// What [`delivery_row`] reads, of `delivery AS d`.
const DELIVERY: &str = "d.id, d.notification_id, d.channel, d.tenant, d.state, d.attempts, d.queued_at, d.next_attempt_at, d.finished_at, \
    d.hold_why, d.hold_until, d.merged_into, d.last_error, d.possible_duplicate";

fn delivery_row(found: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId(found.try_get("id")?),
        notification: NotificationId::from_text(found.try_get("notification_id")?),
        channel: row::channel(found.try_get("channel")?)?,
        tenant: row::optional_tenant(found.try_get("tenant")?)?,
        state: row::state(found.try_get("state")?)?,
        attempts: row::count(found.try_get("attempts")?)?,
        queued_at: Timestamp::from_nanos(found.try_get("queued_at")?),
        next_attempt_at: Timestamp::from_nanos(found.try_get("next_attempt_at")?),
        finished_at: row::time(found.try_get("finished_at")?),
        hold: row::hold(found.try_get("hold_why")?, found.try_get("hold_until")?)?,
        merged_into: found.try_get::<Option<i64>, _>("merged_into")?.map(DeliveryId),
        last_error: found.try_get("last_error")?,
        possible_duplicate: found.try_get::<i64, _>("possible_duplicate")? != 0,
    })
}

pub(super) async fn deliveries(pool: &Pool, filter: &DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
    let rows = query(format!(
        "SELECT {DELIVERY} FROM delivery AS d WHERE ($1 IS NULL OR state IN list($1)) \
         AND ($2 IS NULL OR channel = $2) AND ($3 IS NULL OR tenant = $3) \
         AND ($5 IS NULL OR tenant IN list($5)) AND ($6 IS NULL OR id < $6) \
         AND ($7 IS NULL OR substr(notification_id, 1, length($7)) = $7) \
         ORDER BY id DESC LIMIT $4"
    ))
    .bind((!filter.states.is_empty()).then(|| list_of(filter.states.iter().map(|state| state.as_str()))))
    .bind(filter.channel.as_ref().map(ChannelName::as_str))
    .bind(filter.tenant.as_ref().map(TenantId::as_str))
    .bind(if filter.limit == 0 { LIMIT } else { filter.limit })
    .bind(filter.tenants.as_ref().map(list_of))
    .bind(filter.before.map(|before| before.0))
    .bind(filter.notification.as_deref())
    .fetch_all(pool)
    .await?;
    rows.iter().map(delivery_row).collect()
}

pub(super) async fn delivery(pool: &Pool, id: DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
    let found = query(format!(
        "SELECT {DELIVERY}, n.body FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id WHERE d.id = $1"
    ))
    .bind(id.0)
    .fetch_optional(pool)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let attempts = query(
        "SELECT number, started_at, finished_at, outcome, error FROM attempt WHERE delivery_id = $1 ORDER BY number",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await?;
    let attempt = |found: &Row| -> Result<Attempt, StoreError> {
        Ok(Attempt {
            number: row::count(found.try_get(0)?)?,
            started_at: Timestamp::from_nanos(found.try_get(1)?),
            finished_at: row::time(found.try_get(2)?),
            outcome: found.try_get(3)?,
            error: found.try_get(4)?,
        })
    };
    let covers = query(format!("SELECT {DELIVERY} FROM delivery AS d WHERE d.merged_into = $1 ORDER BY d.id"));
    let covers = covers.bind(id.0).fetch_all(pool).await?;
    Ok(Some(DeliveryDetail {
        covers: covers.iter().map(delivery_row).collect::<Result<_, _>>()?,
        delivery: delivery_row(&found)?,
        notification: row::notification(found.try_get("body")?)?,
        attempts: attempts.iter().map(attempt).collect::<Result<_, _>>()?,
    }))
}

pub(super) async fn recent(pool: &Pool, kind: NotificationType, at_most: u32) -> Result<Vec<Notification>, StoreError> {
    let bodies: Vec<String> =
        query_scalar("SELECT body FROM notification WHERE type = $1 ORDER BY at DESC, rowid DESC LIMIT $2")
            .bind(kind.as_str())
            .bind(i64::from(at_most))
            .fetch_all(pool)
            .await?;
    bodies.iter().map(|body| row::notification(body)).collect()
}

pub(super) async fn totals(pool: &Pool) -> Result<Totals, StoreError> {
    let counts = query(
        "SELECT (SELECT count(*) FROM tenant), (SELECT count(*) FROM tenant WHERE failing_since IS NOT NULL), \
         (SELECT count(*) FROM alert WHERE state <> 'resolved' AND state = 'pending'), \
         (SELECT count(*) FROM alert WHERE state <> 'resolved' AND state = 'firing')",
    )
    .fetch_one(pool)
    .await?;
    let by_class: Vec<(String, i64)> = query_as(
        "SELECT coalesce(failing_class, ''), count(*) FROM tenant WHERE failing_since IS NOT NULL GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(pool)
    .await?;
    let by_state = query(
        "SELECT channel, state, count(*) FROM delivery WHERE state <> 'delivered' GROUP BY channel, state ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await?;
    let oldest = query(
        "SELECT channel, min(queued_at) FROM delivery WHERE finished_at IS NULL AND state <> 'held' \
         GROUP BY channel ORDER BY channel",
    )
    .fetch_all(pool)
    .await?;
    let number = |index: usize| Ok::<u64, StoreError>(counts.try_get::<i64, _>(index)?.cast_unsigned());
    let state = |found: &Row| -> Result<_, StoreError> {
        let count = found.try_get::<i64, _>(2)?.cast_unsigned();
        Ok((row::channel(found.try_get(0)?)?, row::state(found.try_get(1)?)?, count))
    };
    let age = |found: &Row| -> Result<_, StoreError> {
        Ok((row::channel(found.try_get(0)?)?, Timestamp::from_nanos(found.try_get(1)?)))
    };
    Ok(Totals {
        tenants: number(0)?,
        failing: number(1)?,
        failing_by_class: by_class.into_iter().map(|(class, count)| (class, count.cast_unsigned())).collect(),
        pending: number(2)?,
        firing: number(3)?,
        deliveries: by_state.iter().map(state).collect::<Result<_, _>>()?,
        oldest_queued_at: oldest.iter().map(age).collect::<Result<_, _>>()?,
    })
}

pub(super) async fn downtimes(pool: &Pool) -> Result<Vec<Downtime>, StoreError> {
    let rows: Vec<(i64, i64)> =
        query_as("SELECT from_at, until_at FROM downtime ORDER BY from_at, until_at").fetch_all(pool).await?;
    let downtime = |(from, until)| Downtime { from: Timestamp::from_nanos(from), until: Timestamp::from_nanos(until) };
    Ok(rows.into_iter().map(downtime).collect())
}
