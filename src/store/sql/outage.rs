//! Tenants that fail, and the outages that they fail together in.

use std::collections::BTreeSet;

use super::{
    alert_notes,
    db::{Connection, Pool, query, query_as},
    outbox::{self, Prepared},
    row,
    text::to_json,
};
use crate::{
    domain::{TenantId, Timestamp},
    rule::RuleName,
    store::{Blind, Failing, FailingTenant, Outage, StoreError},
};

/// The SQL behind [`crate::store::Outages::failing`].
pub(super) async fn failing(pool: &Pool, rule: &RuleName) -> Result<Vec<FailingTenant>, StoreError> {
    let rows = query(format!(
        "SELECT t.tenant, t.checked_at, t.failing_since, t.failing_class, t.failing_hint, a.id, {} \
         FROM tenant AS t LEFT JOIN alert AS a ON a.tenant_id = t.id AND a.rule = $1 AND a.state = 'firing' \
         WHERE t.failing_since IS NOT NULL ORDER BY t.id",
        alert_notes::COLUMNS
    ))
    .bind(rule.as_str())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let notes = found.try_get::<Option<i64>, _>(5)?.map(|_| alert_notes::notes(found)).transpose()?;
            Ok(FailingTenant {
                tenant: row::tenant(found.try_get(0)?)?,
                checked_at: row::time(found.try_get(1)?),
                failing: Failing {
                    since: Timestamp::from_nanos(found.try_get(2)?),
                    class: found.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
                    hint: found.try_get(4)?,
                },
                blind: notes.map(|notes| Blind { notified_channels: notes.current_channels().to_vec() }),
            })
        })
        .collect()
}

/// The SQL behind [`crate::store::Checks::checked`].
pub(super) async fn checked(pool: &Pool) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64)> =
        query_as("SELECT tenant, checked_at FROM tenant WHERE checked_at IS NOT NULL").fetch_all(pool).await?;
    rows.iter().map(|(tenant, at)| Ok((row::tenant(tenant)?, Timestamp::from_nanos(*at)))).collect()
}

/// The SQL behind [`crate::store::Outages::outages`].
pub(super) async fn outages(pool: &Pool, over_since: Timestamp) -> Result<Vec<Outage>, StoreError> {
    let rows = query(
        "SELECT cause, since, tenants, notified_at, notified_channels, over_at FROM outage \
         WHERE over_at IS NULL OR over_at >= $1 ORDER BY cause, since",
    )
    .bind(over_since.as_nanos())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|found| {
            let tenants: Vec<String> = serde_json::from_str(found.try_get(2)?)
                .map_err(|error| StoreError::Undecodable(format!("tenants of an outage: {error}")))?;
            Ok(Outage {
                cause: found.try_get(0)?,
                since: Timestamp::from_nanos(found.try_get(1)?),
                tenants: tenants.iter().map(|tenant| row::tenant(tenant)).collect::<Result<BTreeSet<_>, _>>()?,
                notified_at: row::time(found.try_get(3)?),
                notified_channels: row::channels(found.try_get(4)?)?,
                over_at: row::time(found.try_get(5)?),
            })
        })
        .collect()
}

/// An outage with its texts already written.
pub(super) struct PreparedOutage {
    outage: Outage,
    tenants: String,
    notified_channels: String,
    notifications: Vec<Prepared>,
}

impl PreparedOutage {
    pub(super) fn new(
        outage: Outage,
        notifications: &[crate::store::NewNotification],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let tenants = to_json(&outage.tenants.iter().map(TenantId::as_str).collect::<Vec<_>>())?;
        let notified_channels = to_json(&outage.notified_channels)?;
        let notifications = notifications.iter().map(|new| Prepared::new(new, now)).collect::<Result<_, _>>()?;
        Ok(Self { outage, tenants, notified_channels, notifications })
    }
}

/// See [`crate::store::Outages::record_outage`]. What is said of one outage stays in order on each channel, as with an alert.
pub(super) async fn record(connection: &mut Connection, new: PreparedOutage) -> Result<(), StoreError> {
    let outage = &new.outage;
    query(
        "INSERT INTO outage (cause, since, tenants, notified_at, notified_channels, over_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (cause, since) DO UPDATE SET tenants = excluded.tenants, notified_at = excluded.notified_at, \
         notified_channels = excluded.notified_channels, over_at = excluded.over_at",
    )
    .bind(&outage.cause)
    .bind(outage.since.as_nanos())
    .bind(&new.tenants)
    .bind(outage.notified_at.map(Timestamp::as_nanos))
    .bind(&new.notified_channels)
    .bind(outage.over_at.map(Timestamp::as_nanos))
    .execute(&mut *connection)
    .await?;
    for notification in &new.notifications {
        if outbox::announce(connection, notification).await? {
            query("UPDATE delivery SET alert_key = $1 WHERE notification_id = $2")
                .bind(format!("outage {} {}", outage.cause, outage.since))
                .bind(notification.id())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}
