//! The controls without which a tenant's secure score is judged: read with the tenant, replaced with the outcome of its check.

use super::{
    db::{Connection, List, Pool, query},
    text::to_json,
};
use crate::{domain::Excluded, store::StoreError};

/// What a check made of it, already written; `None`: every control counts.
pub(super) struct Prepared(Option<String>);

impl Prepared {
    pub(super) fn new(excluded: &Excluded) -> Result<Self, StoreError> {
        Ok(Self((!excluded.is_empty()).then(|| to_json(excluded)).transpose()?))
    }
}

/// Replaces what is known, within the transaction that is open.
pub(super) async fn write(
    connection: &mut Connection,
    tenant: i64,
    Prepared(body): &Prepared,
) -> Result<(), StoreError> {
    let statement = match body {
        Some(body) => {
            query("INSERT INTO exclusion (tenant_id, body) VALUES ($1, $2) ON CONFLICT (tenant_id) DO UPDATE SET body = excluded.body")
                .bind(tenant)
                .bind(body)
        }
        None => query("DELETE FROM exclusion WHERE tenant_id = $1").bind(tenant),
    };
    statement.execute(connection).await?;
    Ok(())
}

/// Of those of these tenants, that exclude any control.
///
/// # Errors
/// [`StoreError::Undecodable`] for what can't be read: judged with every control, alerts would fire and end for no reason.
pub(super) async fn of(pool: &Pool, ids: &List) -> Result<Vec<(i64, Excluded)>, StoreError> {
    let rows =
        query("SELECT tenant_id, body FROM exclusion WHERE tenant_id IN list($1)").bind(ids).fetch_all(pool).await?;
    let read = |body: &str| {
        serde_json::from_str(body).map_err(|_| StoreError::Undecodable("the excluded controls of a tenant".to_owned()))
    };
    rows.iter().map(|row| Ok((row.try_get(0)?, read(row.try_get(1)?)?))).collect()
}
