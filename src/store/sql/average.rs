//! What Microsoft says of other tenants beside a tenant's secure score: replaced with the outcome of its check.

use super::{
    bulk::Bulk,
    db::{Connection, Pool, Query, list_of, query},
    row,
};
use crate::{
    domain::{Averages, TenantId},
    store::StoreError,
};

/// Most checks read the record that is known: nothing is written then.
static UPSERT: Bulk = Bulk::new(
    "INSERT INTO average (tenant_id, body) VALUES ",
    2,
    " ON CONFLICT (tenant_id) DO UPDATE SET body = excluded.body WHERE average.body <> excluded.body",
);

/// Replaces what is known of these tenants, by their numbers, within the transaction that is open.
pub(super) async fn write(connection: &mut Connection, rows: &[(i64, &str)]) -> Result<(), StoreError> {
    UPSERT.execute(connection, rows, bind).await
}

fn bind<'q>(query: Query<'q>, (tenant, body): &'q (i64, &str)) -> Query<'q> {
    query.bind(tenant).bind(*body)
}

/// See [`crate::store::Overview::averages`]. What can't be read is unknown.
pub(super) async fn of(pool: &Pool, tenants: &[TenantId]) -> Result<Vec<(TenantId, Averages)>, StoreError> {
    let rows = query(
        "SELECT t.tenant, a.body FROM average AS a JOIN tenant AS t ON t.id = a.tenant_id \
         WHERE t.tenant IN list($1)",
    )
    .bind(list_of(tenants))
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
