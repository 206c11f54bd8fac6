//! What Microsoft says of other tenants beside a tenant's secure score: replaced with the outcome of its check.

use sqlx::{Row, SqliteConnection, SqlitePool};

use super::{
    bulk::{Bound, Bulk},
    row,
    text::to_json,
};
use crate::{
    domain::{Averages, TenantId},
    store::StoreError,
};

/// Most checks read the record that is known: nothing is written then.
const UPSERT: Bulk = Bulk {
    head: "INSERT INTO average (tenant_id, body) VALUES ",
    row: "(?,?)",
    tail: " ON CONFLICT (tenant_id) DO UPDATE SET body = excluded.body WHERE average.body <> excluded.body",
};

/// Replaces what is known of these tenants, by their numbers, within the transaction that is open.
pub(super) async fn write(connection: &mut SqliteConnection, rows: &[(i64, &str)]) -> Result<(), StoreError> {
    UPSERT.execute(connection, rows, |query: Bound, (tenant, body): &(i64, &str)| query.bind(*tenant).bind(*body)).await
}

/// See [`crate::store::Overview::averages`]. What can't be read is unknown.
pub(super) async fn of(pool: &SqlitePool, tenants: &[TenantId]) -> Result<Vec<(TenantId, Averages)>, StoreError> {
    let rows = sqlx::query(
        "SELECT t.tenant, a.body FROM average AS a JOIN tenant AS t ON t.id = a.tenant_id \
         WHERE t.tenant IN (SELECT value FROM json_each(?))",
    )
    .bind(to_json(&tenants)?)
    .fetch_all(pool)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for known in &rows {
        if let Ok(averages) = serde_json::from_str(known.try_get(1)?) {
            found.push((row::tenant(known.try_get(0)?)?, averages));
        }
    }
    Ok(found)
}
