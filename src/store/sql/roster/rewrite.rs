//! Tenants named inside of documents: messages to several tenants' readers, fleet shifts, outages, silences.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::store::{
    StoreError,
    sql::{
        db::{Connection, Row, list_of, query, query_as},
        row,
    },
};

/// What a tenant that documents name is called from now on.
#[derive(Debug, Clone)]
pub(in crate::store::sql) struct Renamed {
    pub(super) to: String,
    pub(super) entra: Option<String>,
}

/// By the slug that documents name.
pub(super) type ByName = BTreeMap<String, Renamed>;

/// Messages that are still to be sent, or that the end of an alert will be composed from.
const STILL_USED: &str = "id IN (SELECT notification_id FROM delivery WHERE finished_at IS NULL \
    UNION SELECT last_notification FROM alert WHERE state <> 'resolved')";

/// Notes Entra ids in messages from before they were noted, as far as anything still comes of them.
pub(super) async fn learn(connection: &mut Connection, learned: &ByName) -> Result<(), StoreError> {
    let ids: Entras<'_> = learned
        .iter()
        .filter(|(_, renamed)| renamed.entra.is_some())
        .map(|(slug, renamed)| (slug.as_str(), renamed.entra.as_deref()))
        .collect();
    let rows = query(format!(
        "SELECT n.id, n.body, n.tenant FROM notification AS n WHERE n.tenant IN list($1) AND n.{STILL_USED}"
    ))
    .bind(list_of(ids.keys().copied()))
    .fetch_all(&mut *connection)
    .await?;
    of_one_tenant(connection, &rows, &ids, |facts, _, entra| {
        if facts.get("tenant_id").is_none_or(Value::is_null) {
            facts.insert("tenant_id".to_owned(), Value::from(entra));
        }
    })
    .await?;
    unsent(connection, learned).await
}

/// Renames tenants in all documents. Columns have their new names already.
pub(super) async fn rename(connection: &mut Connection, moved: &ByName) -> Result<(), StoreError> {
    let now: Entras<'_> = moved.values().map(|renamed| (renamed.to.as_str(), renamed.entra.as_deref())).collect();
    let rows = query("SELECT id, body, tenant FROM notification WHERE tenant IN list($1)")
        .bind(list_of(now.keys().copied()))
        .fetch_all(&mut *connection)
        .await?;
    of_one_tenant(connection, &rows, &now, |facts, slug, entra| {
        facts.insert("id".to_owned(), Value::from(slug));
        if let Some(entra) = entra {
            facts.insert("tenant_id".to_owned(), Value::from(entra));
        }
    })
    .await?;
    unsent(connection, moved).await?;
    for (select, update) in [
        ("SELECT id, body FROM fleet_shift", "UPDATE fleet_shift SET body = $2 WHERE id = $1"),
        ("SELECT id, matchers FROM silence", "UPDATE silence SET matchers = $2 WHERE id = $1"),
        (
            "SELECT cause || ' ' || since, tenants FROM outage",
            "UPDATE outage SET tenants = $2 WHERE cause || ' ' || since = $1",
        ),
    ] {
        documents(connection, select, update, moved).await?;
    }
    Ok(())
}

/// The Entra ids of tenants, as far as they are known, by slug.
type Entras<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// Changes what messages about one tenant say of it: rows of message, body and slug.
async fn of_one_tenant(
    connection: &mut Connection,
    rows: &[Row],
    entras: &Entras<'_>,
    change: impl Fn(&mut Map<String, Value>, &str, Option<&str>),
) -> Result<(), StoreError> {
    for found in rows {
        // What can't be read is left as it is; whoever needs it gets an error.
        let Ok(mut body) = serde_json::from_str::<Value>(found.try_get(1)?) else { continue };
        let Some(Value::Object(facts)) = body.pointer_mut("/data/tenant") else { continue };
        let before = facts.clone();
        let slug: &str = found.try_get(2)?;
        change(facts, slug, entras.get(slug).copied().flatten());
        if *facts != before {
            query("UPDATE notification SET body = $2 WHERE id = $1")
                .bind(found.try_get::<&str, _>(0)?)
                .bind(body.to_string())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Gives tenants that are gone and have no name the one that the newest message about them says.
pub(super) async fn name_as_said(connection: &mut Connection) -> Result<(), StoreError> {
    let rows: Vec<(i64, String)> = query_as(
        "SELECT u.id, u.said FROM (SELECT t.id, (SELECT n.body FROM notification AS n WHERE n.tenant = t.tenant \
         ORDER BY n.at DESC LIMIT 1) AS said FROM tenant AS t WHERE t.gone_since IS NOT NULL AND t.name IS NULL) AS u \
         WHERE u.said IS NOT NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (tenant, body) in rows {
        let Some(facts) = row::notification(&body).ok().and_then(|said| said.data.facts.tenant) else { continue };
        query("UPDATE tenant SET name = $2 WHERE id = $1")
            .bind(tenant)
            .bind(facts.name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Messages about several tenants that are still to be sent.
async fn unsent(connection: &mut Connection, names: &ByName) -> Result<(), StoreError> {
    let select = "SELECT DISTINCT n.id, n.body FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
        WHERE d.finished_at IS NULL AND n.tenant IS NULL";
    documents(connection, select, "UPDATE notification SET body = $2 WHERE id = $1", names).await
}

async fn documents(
    connection: &mut Connection,
    select: &'static str,
    update: &'static str,
    names: &ByName,
) -> Result<(), StoreError> {
    let rows = query(select).fetch_all(&mut *connection).await?;
    for found in rows {
        // What can't be read is left as it is; whoever needs it gets an error.
        let Ok(mut document) = serde_json::from_str::<Value>(found.try_get(1)?) else { continue };
        if renamed(&mut document, names) {
            query(update).bind(found.value(0)?).bind(document.to_string()).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Renames tenants in a document: in the facts of a tenant, where something is keyed by tenant, and in lists of slugs. Whether
/// anything changed.
fn renamed(value: &mut Value, names: &ByName) -> bool {
    match value {
        Value::Array(items) => {
            items.iter_mut().fold(false, |changed, item| name(item, names) | renamed(item, names) | changed)
        }
        Value::Object(fields) => {
            let mut changed = false;
            for (key, field) in fields.iter_mut().filter(|(key, _)| *key != "labels") {
                if key == "tenant" {
                    changed |= match &mut *field {
                        Value::Object(facts) => self::facts(facts, names),
                        slug => name(slug, names),
                    };
                }
                changed |= renamed(field, names);
            }
            let keyed: Vec<String> =
                fields.keys().filter(|key| names.get(*key).is_some_and(|to| to.to != **key)).cloned().collect();
            let values: Vec<_> =
                keyed.iter().filter_map(|key| Some((names.get(key)?.to.clone(), fields.remove(key)?))).collect();
            changed |= !values.is_empty();
            fields.extend(values);
            changed
        }
        _ => false,
    }
}

/// Rewrites one slug in a document.
fn name(value: &mut Value, names: &ByName) -> bool {
    let Some(renamed) = value.as_str().and_then(|text| names.get(text)) else { return false };
    let changed = value.as_str() != Some(&renamed.to);
    *value = Value::from(renamed.to.as_str());
    changed
}

/// The facts of a tenant: of this one only if they don't say that they are another's.
fn facts(facts: &mut Map<String, Value>, names: &ByName) -> bool {
    let Some(renamed) = facts.get("id").and_then(Value::as_str).and_then(|id| names.get(id)) else { return false };
    let noted = facts.get("tenant_id").and_then(Value::as_str);
    if noted.is_some() && noted != renamed.entra.as_deref() {
        return false;
    }
    let before = facts.clone();
    facts.insert("id".to_owned(), Value::from(renamed.to.as_str()));
    if let Some(entra) = &renamed.entra {
        facts.insert("tenant_id".to_owned(), Value::from(entra.as_str()));
    }
    *facts != before
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tenant_is_renamed_wherever_a_document_names_it_and_nothing_else_is() {
        let to = |to: &str, entra: &str| Renamed { to: to.to_owned(), entra: Some(entra.to_owned()) };
        let names = ByName::from([("a".to_owned(), to("b", "1")), ("b".to_owned(), to("a", "2"))]);
        let mut document = json!({
            "tenants": ["a", "b", "c"], "by": [["a", 1.5], ["c", 2]], "moves": { "a": 1, "b": 2 }, "rule": { "name": "a" },
            "tenant": "a",
            "items": [
                { "tenant": { "id": "a", "name": "a", "labels": { "x": "a" } } },
                { "tenant": { "id": "a", "name": "A", "tenant_id": "3" } },
                { "tenant": { "id": "b", "name": "B", "tenant_id": "2" } },
            ],
        });
        assert!(renamed(&mut document, &names));
        let expected = json!({
            "tenants": ["b", "a", "c"], "by": [["b", 1.5], ["c", 2]], "moves": { "b": 1, "a": 2 }, "rule": { "name": "a" },
            "tenant": "b",
            "items": [
                { "tenant": { "id": "b", "name": "a", "labels": { "x": "a" }, "tenant_id": "1" } },
                { "tenant": { "id": "a", "name": "A", "tenant_id": "3" } },
                { "tenant": { "id": "a", "name": "B", "tenant_id": "2" } },
            ],
        });
        assert_eq!(document, expected);
        let mut other = json!({ "items": [{ "tenant": { "id": "c" } }], "name": "a" });
        assert!(!renamed(&mut other, &names));
    }
}
