//! Which tenant is which row. A tenant is its Entra id: where its slug changes, what is keyed by the slug is renamed; where its
//! slug is given to another, the old tenant is kept under a name of its own.

mod plan;
mod rewrite;

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use self::plan::{Change, Known, plan};
use super::{row, text::to_json};
use crate::{
    domain::{EntraTenantId, Timestamp},
    store::{Configured, KnownTenant, Reconciled, StoreError},
};

pub(super) fn entra(text: Option<&str>) -> Result<Option<EntraTenantId>, StoreError> {
    let parse = |text: &str| Uuid::parse_str(text).map(EntraTenantId);
    text.map(parse).transpose().map_err(|_| StoreError::Undecodable("a tenant's Entra id".to_owned()))
}

/// The SQL behind [`crate::store::Roster::roster`].
pub(super) async fn list(pool: &SqlitePool) -> Result<Vec<KnownTenant>, StoreError> {
    let rows =
        sqlx::query("SELECT tenant, entra, name, gone_since FROM tenant ORDER BY tenant").fetch_all(pool).await?;
    let known = |found: &SqliteRow| {
        Ok(KnownTenant {
            id: row::tenant(found.try_get(0)?)?,
            tenant_id: entra(found.try_get(1)?)?,
            name: found.try_get(2)?,
            gone_since: row::time(found.try_get(3)?),
        })
    };
    rows.iter().map(known).collect()
}

/// The SQL behind [`crate::store::Roster::reconcile`].
pub(super) async fn reconcile(
    connection: &mut SqliteConnection,
    configured: &[Configured],
    now: Timestamp,
) -> Result<Reconciled, StoreError> {
    let rows = sqlx::query("SELECT id, tenant, entra, name, gone_since FROM tenant ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    let known = |found: &SqliteRow| {
        Ok(Known {
            id: found.try_get(0)?,
            slug: found.try_get(1)?,
            entra: entra(found.try_get(2)?)?,
            name: found.try_get(3)?,
            gone_since: found.try_get(4)?,
        })
    };
    let known = rows.iter().map(known).collect::<Result<Vec<_>, StoreError>>()?;
    let changes = plan(known, configured, now);
    let moved: Vec<&Change> = changes.iter().filter(|change| change.is_moved()).collect();
    if !moved.is_empty() {
        rename(connection, &moved).await?;
    }
    for change in &changes {
        // The time for which it was not configured is not a gap in its data.
        sqlx::query(
            "UPDATE tenant SET entra = ?1, name = ?2, gone_since = ?3, \
             watched_since = iif(gone_since IS NOT NULL AND ?3 IS NULL, ?5, watched_since) WHERE id = ?4",
        )
        .bind(change.entra.map(|entra| entra.to_string()))
        .bind(&change.name)
        .bind(change.gone_since)
        .bind(change.id)
        .bind(now.as_nanos())
        .execute(&mut *connection)
        .await?;
    }
    if changes.iter().any(|change| change.gone_since.is_some() && change.name.is_none()) {
        // It was gone before a second configuration could say what it is called.
        rewrite::name_as_said(connection).await?;
    }
    let learned: rewrite::ByName = changes.iter().filter(|change| change.is_learned).map(Change::named).collect();
    if !learned.is_empty() {
        rewrite::learn(connection, &learned).await?;
    }
    let mut found = Reconciled::default();
    for change in moved {
        let pair = (row::tenant(&change.from)?, row::tenant(&change.to)?);
        if change.gone_since.is_some() { found.replaced.push(pair) } else { found.renamed.push(pair) }
    }
    Ok(found)
}

/// Gives tenants their new names wherever they are keyed by the old ones, all in one step: names may be swapped.
async fn rename(connection: &mut SqliteConnection, moved: &[&Change]) -> Result<(), StoreError> {
    let ids = to_json(&moved.iter().map(|change| change.id).collect::<Vec<_>>())?;
    let targets: BTreeMap<i64, &str> = moved.iter().map(|change| (change.id, change.to.as_str())).collect();
    let targets = to_json(&targets)?;
    let names: BTreeMap<&str, &str> = moved.iter().map(|change| (change.from.as_str(), change.to.as_str())).collect();
    let by_name = to_json(&names)?;
    // What is unique goes by a name that nothing else has, so that two may change places. A check under way judges again.
    for (sql, values) in [
        (
            "UPDATE tenant SET tenant = '~' || id, version = version + 1 WHERE id IN (SELECT value FROM json_each(?))",
            &ids,
        ),
        (
            "UPDATE alert SET key = json_set(key, '$.tenant', '~' || tenant_id) \
             WHERE tenant_id IN (SELECT value FROM json_each(?))",
            &ids,
        ),
        (
            "UPDATE tenant SET tenant = v.value FROM json_each(?) AS v WHERE tenant.id = CAST(v.key AS INTEGER)",
            &targets,
        ),
        (
            "UPDATE alert SET key = json_set(alert.key, '$.tenant', v.value) FROM json_each(?) AS v \
             WHERE alert.tenant_id = CAST(v.key AS INTEGER)",
            &targets,
        ),
        (
            "UPDATE delivery SET tenant = v.value, alert_key = iif(json_valid(alert_key), \
             json_set(alert_key, '$.tenant', v.value), alert_key) FROM json_each(?) AS v WHERE delivery.tenant = v.key",
            &by_name,
        ),
        (
            "UPDATE notification SET tenant = v.value, alert_key = iif(json_valid(alert_key), \
             json_set(alert_key, '$.tenant', v.value), alert_key) FROM json_each(?) AS v WHERE notification.tenant = v.key",
            &by_name,
        ),
    ] {
        sqlx::query(sql).bind(values).execute(&mut *connection).await?;
    }
    let moved = moved.iter().map(|change| change.named()).collect();
    rewrite::rename(connection, &moved).await
}
