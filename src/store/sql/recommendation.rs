//! What is remembered of a tenant's recommendations: read when an alert fires, replaced with the outcome of its check.

use super::{
    db::{Connection, Pool, query},
    text::to_json,
};
use crate::{
    domain::{Impact, RecommendationSnapshot, TenantId, Timestamp},
    store::StoreError,
};

/// A snapshot with its rows already written.
pub(super) struct Prepared {
    impact: Impact,
    taken_at: Timestamp,
    is_complete: bool,
    rows: String,
}

impl Prepared {
    pub(super) fn new(snapshot: &RecommendationSnapshot) -> Result<Self, StoreError> {
        let RecommendationSnapshot { impact, taken_at, is_complete, rows } = snapshot;
        Ok(Self { impact: *impact, taken_at: *taken_at, is_complete: *is_complete, rows: to_json(rows)? })
    }
}

/// Replaces what is remembered, within the transaction that is open.
pub(super) async fn write(connection: &mut Connection, tenant: i64, snapshots: &[Prepared]) -> Result<(), StoreError> {
    for snapshot in snapshots {
        query(
            "INSERT INTO recommendation (tenant_id, impact, taken_at, is_complete, rows) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, impact) DO UPDATE SET \
             taken_at = excluded.taken_at, is_complete = excluded.is_complete, rows = excluded.rows",
        )
        .bind(tenant)
        .bind(snapshot.impact.as_str())
        .bind(snapshot.taken_at.as_nanos())
        .bind(snapshot.is_complete)
        .bind(snapshot.rows.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// See [`crate::store::Checks::recommendations`]. One that can't be read, or is of a score that this version does not know, is none.
pub(super) async fn of(pool: &Pool, tenant: &TenantId) -> Result<Vec<RecommendationSnapshot>, StoreError> {
    let found = query(
        "SELECT impact, taken_at, is_complete, rows FROM recommendation \
         WHERE tenant_id = (SELECT id FROM tenant WHERE tenant = $1) ORDER BY impact",
    )
    .bind(tenant.as_str())
    .fetch_all(pool)
    .await?;
    let mut snapshots = Vec::with_capacity(found.len());
    for row in &found {
        let name: &str = row.try_get(0)?;
        let impact = Impact::ALL.into_iter().find(|impact| impact.as_str() == name);
        if let (Some(impact), Ok(rows)) = (impact, serde_json::from_str(row.try_get(3)?)) {
            let taken_at = Timestamp::from_nanos(row.try_get(1)?);
            snapshots.push(RecommendationSnapshot { impact, taken_at, is_complete: row.try_get(2)?, rows });
        }
    }
    Ok(snapshots)
}
