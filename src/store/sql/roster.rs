//! Which tenant is which row. A tenant is its Entra id: where its slug changes, what is keyed by the slug is renamed; where its
//! slug is given to another, the old tenant is kept under a name of its own.

mod plan;
mod rewrite;

use std::collections::HashSet;

use uuid::Uuid;

use self::plan::{Change, Known, Plan, Run, plan};
use super::{
    db::{Connection, Pool, Row, Value, list_of, pairs, query},
    row,
};
use crate::{
    domain::{EntraTenantId, Timestamp},
    store::{Configured, KnownTenant, Reconciled, StoreError},
};

pub(super) fn entra(text: Option<&str>) -> Result<Option<EntraTenantId>, StoreError> {
    let parse = |text: &str| Uuid::parse_str(text).map(EntraTenantId);
    text.map(parse).transpose().map_err(|_| StoreError::Undecodable("a tenant's Entra id".to_owned()))
}

/// The SQL behind [`crate::store::Roster::roster`].
pub(super) async fn list(pool: &Pool) -> Result<Vec<KnownTenant>, StoreError> {
    let rows = query("SELECT tenant, entra, name, gone_since FROM tenant ORDER BY tenant").fetch_all(pool).await?;
    let known = |found: &Row| {
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
    connection: &mut Connection,
    configured: &[Configured],
    by: &str,
    others: &HashSet<String>,
    now: Timestamp,
) -> Result<Reconciled, StoreError> {
    let rows = query("SELECT id, tenant, entra, name, gone_since, renamed FROM tenant ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    let known = |found: &Row| {
        Ok(Known {
            id: found.try_get(0)?,
            slug: found.try_get(1)?,
            entra: entra(found.try_get(2)?)?,
            name: found.try_get(3)?,
            gone_since: found.try_get(4)?,
            renamed: found.try_get::<Option<String>, _>(5)?.and_then(|text| serde_json::from_str(&text).ok()),
        })
    };
    let known = rows.iter().map(known).collect::<Result<Vec<_>, StoreError>>()?;
    let Plan { changes, held_back } = plan(known, configured, &Run { by, others }, now);
    let moved: Vec<&Change> = changes.iter().filter(|change| change.is_moved()).collect();
    if !moved.is_empty() {
        rename(connection, &moved).await?;
    }
    for change in &changes {
        // The time for which it was not configured is not a gap in its data.
        query(
            "UPDATE tenant SET entra = $1, name = $2, gone_since = $3, \
             watched_since = CASE WHEN gone_since IS NOT NULL AND $3 IS NULL THEN $5 ELSE watched_since END, renamed = $6 \
             WHERE id = $4",
        )
        .bind(change.entra.map(|entra| entra.to_string()))
        .bind(&change.name)
        .bind(change.gone_since)
        .bind(change.id)
        .bind(now.as_nanos())
        .bind(change.renamed.as_ref().and_then(|renamed| serde_json::to_string(renamed).ok()))
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
    let slugs = |(kept, wanted): &(String, String)| Ok::<_, StoreError>((row::tenant(kept)?, row::tenant(wanted)?));
    let held_back = held_back.iter().map(slugs).collect::<Result<_, _>>()?;
    let mut found = Reconciled { held_back, ..Reconciled::default() };
    for change in moved {
        let pair = (row::tenant(&change.from)?, row::tenant(&change.to)?);
        if change.gone_since.is_some() { found.replaced.push(pair) } else { found.renamed.push(pair) }
    }
    Ok(found)
}

/// Gives tenants their new names wherever they are keyed by the old ones, all in one step: names may be swapped.
async fn rename(connection: &mut Connection, moved: &[&Change]) -> Result<(), StoreError> {
    let ids = Value::from(list_of(moved.iter().map(|change| change.id)));
    let targets = Value::from(pairs(moved.iter().map(|change| (change.id, &change.to)))?);
    let by_name = Value::from(pairs(moved.iter().map(|change| (&change.from, &change.to)))?);
    // What is unique goes by a name that nothing else has, so that two may change places. A check under way judges again.
    for (sql, values) in [
        ("UPDATE tenant SET tenant = '~' || id, version = version + 1 WHERE id IN list($1)".to_owned(), &ids),
        (
            format!(
                "UPDATE alert SET key = {} WHERE tenant_id IN list($1) AND {}",
                key_of("'~' || tenant_id", "key"),
                is_key("key")
            ),
            &ids,
        ),
        (
            "UPDATE tenant SET tenant = v.value FROM pairs($1) AS v WHERE id = CAST(v.key AS BIGINT)".to_owned(),
            &targets,
        ),
        (
            format!(
                "UPDATE alert SET key = {} FROM pairs($1) AS v WHERE tenant_id = CAST(v.key AS BIGINT) AND {}",
                key_of("v.value", "alert.key"),
                is_key("alert.key")
            ),
            &targets,
        ),
        (keyed("delivery"), &by_name),
        (keyed("notification"), &by_name),
    ] {
        query(sql).bind(values.clone()).execute(&mut *connection).await?;
    }
    let moved = moved.iter().map(|change| change.named()).collect();
    rewrite::rename(connection, &moved).await
}

/// Renames what is keyed by a tenant and by one of its alerts.
fn keyed(table: &str) -> String {
    format!(
        "UPDATE {table} SET tenant = v.value, alert_key = CASE WHEN {} THEN {} ELSE alert_key END FROM pairs($1) AS v \
         WHERE {table}.tenant = v.key",
        is_key("alert_key"),
        key_of("v.value", "alert_key")
    )
}

/// Whether a column has the key of an alert: what is said of an outage has another one.
fn is_key(column: &str) -> String {
    format!("{column} LIKE '{{\"tenant\":\"%'")
}

/// The key of an alert with another tenant, which is its first part. No name of a tenant has a quotation mark.
fn key_of(tenant: &str, column: &str) -> String {
    format!("'{{\"tenant\":\"' || {tenant} || substr({column}, strpos({column}, '\",\"'))")
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::TenantId,
        rule::{AlertKey, RuleName},
    };

    #[test]
    fn the_tenant_is_the_first_part_of_a_key() {
        let (tenant, rule) = (TenantId::parse("a").unwrap(), RuleName::parse("b").unwrap());
        let key = serde_json::to_string(&AlertKey { tenant, rule, score: None, subject: None }).unwrap();
        assert!(key.starts_with(r#"{"tenant":"a","rule":"b""#), "{key}");
    }
}
