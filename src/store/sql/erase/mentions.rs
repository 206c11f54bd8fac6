//! Where the rows of others mention a tenant: found in every table, also in those that are yet to come, and taken out.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{Erased, Remain};
use crate::store::{
    StoreError,
    sql::{
        catalog::{self, Table},
        db::{Connection, Dialect, Row, Value, list_of, query},
    },
};

/// What stands where a tenant was named.
const ERASED: &str = "erased";
/// Lists without which their document says nothing: a digest's lines, a report's tenants, the tenants of a silence.
const ESSENTIAL: [&str; 2] = ["items", "tenants"];

/// All that a tenant is called.
#[derive(Debug, Clone)]
pub(in crate::store) struct Target {
    pub(super) slug: String,
    pub(super) entra: Option<String>,
    pub(super) names: BTreeSet<String>,
    /// Channels that are configured.
    pub(super) configured: BTreeSet<String>,
}

/// What becomes of a value.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It does not mention the tenant.
    Stays,
    /// The document stays, with this text.
    Becomes(String),
    /// Its row is removed.
    Goes,
}

impl Target {
    /// The texts that must not be in the files any more.
    pub(in crate::store) fn needles(&self) -> Vec<Vec<u8>> {
        let names = self.names.iter().flat_map(|name| {
            let escaped = Json::from(name.as_str()).to_string();
            [name.clone(), escaped.trim_matches('"').to_owned()]
        });
        let slugs = [format!("\"{}\"", self.slug)];
        let all: BTreeSet<String> = names.chain(self.entra.clone()).chain(slugs).collect();
        all.into_iter().map(String::into_bytes).collect()
    }

    /// Texts of which one at least is in every value that mentions the tenant.
    pub(super) fn hints(&self) -> Vec<String> {
        let escaped = self.names.iter().map(|name| Json::from(name.as_str()).to_string().trim_matches('"').to_owned());
        let plain = self.names.iter().cloned().chain(self.entra.clone());
        plain.chain(escaped).chain([self.slug.clone()]).collect()
    }

    fn fate(&self, table: &str, column: &str, text: &str) -> Fate {
        // A channel may be called as a tenant is.
        if (column == "channel" || (table, column) == ("channel", "name")) && self.configured.contains(text) {
            return Fate::Stays;
        }
        if text == self.slug || self.entra.as_deref() == Some(text) || self.names.contains(text) {
            return Fate::Goes;
        }
        if text.starts_with(['{', '['])
            && let Ok(mut document) = serde_json::from_str::<Json>(text)
        {
            let before = document.clone();
            if !self.take_out(&mut document) {
                return Fate::Goes;
            }
            return if document == before { Fate::Stays } else { Fate::Becomes(document.to_string()) };
        }
        let without = self.without(text);
        if without == text { Fate::Stays } else { Fate::Becomes(without) }
    }

    /// Takes the tenant out of a document. `false`: the document, or this part of it, is about that tenant.
    pub(super) fn take_out(&self, value: &mut Json) -> bool {
        match value {
            Json::String(text) => {
                let is_it = *text == self.slug || self.entra.as_ref() == Some(text) || self.names.contains(text);
                if !is_it {
                    *text = self.without(text);
                }
                !is_it
            }
            Json::Array(items) => {
                if items.first().is_some_and(Json::is_string) && items.iter().skip(1).any(|item| !item.is_string()) {
                    // A pair, whose first is what the rest is about.
                    return items.iter_mut().all(|item| self.take_out(item));
                }
                let was_full = !items.is_empty();
                items.retain_mut(|item| self.take_out(item));
                !was_full || !items.is_empty()
            }
            Json::Object(fields) => self.take_out_of(fields),
            _ => true,
        }
    }

    fn take_out_of(&self, fields: &mut Map<String, Json>) -> bool {
        let is_about = match fields.get("tenant") {
            Some(Json::Object(facts)) => self.is_about(facts) == Some(true),
            Some(Json::String(slug)) => *slug == self.slug,
            _ => false,
        };
        if is_about {
            return false;
        }
        fields.retain(|key, _| *key != self.slug);
        for (key, field) in fields.iter_mut() {
            if let Json::Object(facts) = field
                && self.is_about(facts) == Some(false)
            {
                continue;
            }
            let was_list = field.is_array();
            if !self.take_out(field) {
                match field {
                    Json::String(text) => ERASED.clone_into(text),
                    Json::Array(items) if was_list && !ESSENTIAL.contains(&key.as_str()) => items.clear(),
                    _ => return false,
                }
            }
        }
        true
    }

    /// Whether the facts of a tenant are this one's; `None`: they are another's, who shares nothing with it, or no tenant's.
    fn is_about(&self, facts: &Map<String, Json>) -> Option<bool> {
        let text = |key: &str| facts.get(key).and_then(Json::as_str);
        let (id, entra) = (text("id")?, text("tenant_id"));
        match (entra, &self.entra) {
            (Some(noted), Some(known)) if noted == known => Some(true),
            (Some(_), Some(_)) => (id == self.slug).then_some(false),
            _ => (id == self.slug && facts.contains_key("name")).then_some(true),
        }
    }

    /// A text in which nothing names the tenant.
    fn without(&self, text: &str) -> String {
        let mut text = without_word(text, &self.slug);
        for name in self.entra.iter().chain(&self.names) {
            text = text.replace(name.as_str(), ERASED);
        }
        text
    }
}

/// A text without a slug that stands in it as a word: no part of a longer name.
fn without_word(text: &str, slug: &str) -> String {
    let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let (mut without, mut rest) = (String::with_capacity(text.len()), 0);
    for (start, _) in text.match_indices(slug) {
        if start < rest {
            continue;
        }
        let (before, after) = (&text[..start], &text[start + slug.len()..]);
        let joins_before = before.chars().next_back().is_some_and(|letter| is_letter(letter) || letter == '.');
        let mut following = after.chars();
        let joins_after = following
            .next()
            .is_some_and(|letter| is_letter(letter) || (letter == '.' && following.next().is_some_and(is_letter)));
        if !joins_before && !joins_after {
            without.push_str(&text[rest..start]);
            without.push_str(ERASED);
            rest = start + slug.len();
        }
    }
    without.push_str(&text[rest..]);
    without
}

/// Looks through every column of every table except the audit log. With `erase`, what mentions the tenant is taken out, and counted there; without,
/// it is only reported.
pub(super) async fn scan(
    db: &mut Connection,
    target: &Target,
    mut erase: Option<&mut Erased>,
) -> Result<Vec<Remain>, StoreError> {
    let mut remains = Vec::new();
    // The audit log has a way of its own, and who writes (in PostgreSQL) names machines, not tenants.
    for table in catalog::tables(db).await?.iter().filter(|table| !matches!(table.name.as_str(), "audit" | "writer")) {
        for column in &table.texts {
            let count = of_column(db, target, table, column, erase.as_deref_mut()).await?;
            if count > 0 {
                remains.push(Remain { place: format!("{}.{column}", table.name), count });
            }
        }
    }
    Ok(remains)
}

/// Takes a tenant out of what is still to be sent about several, and removes silences of nobody else.
pub(in crate::store::sql) async fn take_out_of_unsent(db: &mut Connection, target: &Target) -> Result<(), StoreError> {
    let unsent = "SELECT DISTINCT n.body, n.id FROM delivery AS d JOIN notification AS n ON n.id = d.notification_id \
        WHERE d.finished_at IS NULL AND n.tenant IS NULL";
    let silences = "SELECT matchers, id FROM silence";
    let mut erased = Erased::default();
    let keys = ["id".to_owned()];
    for (table, column, select) in [("notification", "body", unsent), ("silence", "matchers", silences)] {
        let rows = query(select).fetch_all(&mut *db).await?;
        let place = Place { table, column, keys: &keys };
        settle(db, target, place, &rows, Some(&mut erased)).await?;
    }
    Ok(())
}

async fn of_column(
    db: &mut Connection,
    target: &Target,
    table: &Table,
    column: &str,
    erase: Option<&mut Erased>,
) -> Result<u64, StoreError> {
    let Table { name, keys, .. } = table;
    let list = keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT \"{column}\", {list} FROM \"{name}\" \
         WHERE EXISTS (SELECT 1 FROM list($1) AS h WHERE strpos(\"{column}\", h.value) > 0)"
    );
    let rows = query(sql).bind(list_of(target.hints())).fetch_all(&mut *db).await?;
    settle(db, target, Place { table: name, column, keys }, &rows, erase).await
}

/// A column, and the columns by which its rows are found.
#[derive(Clone, Copy)]
struct Place<'a> {
    table: &'a str,
    column: &'a str,
    keys: &'a [String],
}

/// Lets each value of a column have its fate, and counts those that mention the tenant. A row is the value, then its keys.
async fn settle(
    db: &mut Connection,
    target: &Target,
    place: Place<'_>,
    rows: &[Row],
    mut erase: Option<&mut Erased>,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for row in rows {
        let fate = target.fate(place.table, place.column, row.try_get(0)?);
        if fate == Fate::Stays {
            continue;
        }
        count += 1;
        let Some(erased) = erase.as_deref_mut() else { continue };
        let keys = (1..=place.keys.len()).map(|index| row.value(index)).collect::<Result<Vec<_>, _>>()?;
        let done = if let Fate::Becomes(text) = &fate {
            place.replace(db, text, &keys).await?
        } else {
            if place.table == "notification" {
                of_notification(db, &keys, erased).await?;
            }
            place.remove(db, &keys).await?
        };
        let counts = if matches!(fate, Fate::Becomes(_)) { &mut erased.edited } else { &mut erased.removed };
        *counts.entry(place.table.to_owned()).or_default() += done;
    }
    Ok(count)
}

impl Place<'_> {
    /// Which row it is, with parameters from that number on.
    fn which(&self, first: usize) -> String {
        let equals = (first..).zip(self.keys).map(|(number, key)| format!("\"{key}\" = ${number}"));
        equals.collect::<Vec<_>>().join(" AND ")
    }

    /// Writes another text. If that leaves two rows the same which must not be, one is left.
    async fn replace(&self, db: &mut Connection, text: &str, keys: &[Value<'static>]) -> Result<u64, StoreError> {
        let Self { table, column, .. } = self;
        let or_replace = if db.dialect() == Dialect::Sqlite { "OR REPLACE" } else { "" };
        let sql = format!("UPDATE {or_replace} \"{table}\" SET \"{column}\" = $1 WHERE {}", self.which(2));
        let update = keys.iter().fold(query(sql).bind(text), |query, key| query.bind(key.clone()));
        if db.dialect() == Dialect::Sqlite {
            return Ok(update.execute(db).await?.rows_affected());
        }
        query("SAVEPOINT replacing").execute(&mut *db).await?;
        if let Some(done) = update.execute_unless_taken(&mut *db).await? {
            query("RELEASE SAVEPOINT replacing").execute(db).await?;
            return Ok(done.rows_affected());
        }
        query("ROLLBACK TO SAVEPOINT replacing").execute(&mut *db).await?;
        self.remove(db, keys).await
    }

    async fn remove(&self, db: &mut Connection, keys: &[Value<'static>]) -> Result<u64, StoreError> {
        let sql = format!("DELETE FROM \"{}\" WHERE {}", self.table, self.which(1));
        let delete = keys.iter().fold(query(sql), |query, key| query.bind(key.clone()));
        Ok(delete.execute(db).await?.rows_affected())
    }
}

/// Removes the deliveries of a notification that goes.
async fn of_notification(db: &mut Connection, keys: &[Value<'static>], erased: &mut Erased) -> Result<(), StoreError> {
    let [id] = keys else { return Ok(()) };
    let done = query("DELETE FROM delivery WHERE notification_id = $1").bind(id.clone()).execute(db).await?;
    *erased.removed.entry("delivery".to_owned()).or_default() += done.rows_affected();
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target() -> Target {
        Target {
            slug: "contoso".to_owned(),
            entra: Some("2f1c0a5e".to_owned()),
            names: BTreeSet::from(["Contoso Ltd".to_owned()]),
            configured: BTreeSet::from(["contoso".to_owned()]),
        }
    }

    fn fate(text: &str) -> Fate {
        target().fate("notification", "body", text)
    }

    #[test]
    fn a_text_loses_the_tenants_names_and_nothing_that_only_looks_like_them() {
        assert_eq!(without_word("contoso, contoso. (contoso)", "contoso"), "erased, erased. (erased)");
        for other in
            ["contoso-slack", "my-contoso", "contoso.2f1c0a5e", "a.contoso", "contosos", "Contoso", "x_contoso"]
        {
            assert_eq!(without_word(other, "contoso"), other);
        }
        assert_eq!(fate("for Contoso Ltd (2f1c0a5e)"), Fate::Becomes("for erased (erased)".to_owned()));
        assert_eq!(fate("contoso"), Fate::Goes);
        assert_eq!(fate("{ not json contoso"), Fate::Becomes("{ not json erased".to_owned()));
        assert_eq!(target().fate("channel", "name", "contoso"), Fate::Stays, "a channel that is configured");
    }

    #[test]
    fn a_document_about_the_tenant_goes_and_one_about_several_loses_it() {
        let about = |id: &str, entra: &str| json!({ "tenant": { "id": id, "tenant_id": entra, "name": "N" } });
        assert_eq!(fate(&json!({ "data": about("contoso", "2f1c0a5e") }).to_string()), Fate::Goes);
        assert_eq!(fate(&json!({ "data": about("renamed", "2f1c0a5e") }).to_string()), Fate::Goes);
        assert_eq!(fate(&json!({ "data": about("contoso", "another") }).to_string()), Fate::Stays);
        assert_eq!(fate(&json!({ "items": [about("contoso", "2f1c0a5e")] }).to_string()), Fate::Goes);
        assert_eq!(fate(&json!({ "tenants": ["contoso"], "rules": ["x"] }).to_string()), Fate::Goes);
        assert_eq!(fate(&json!(["contoso"]).to_string()), Fate::Goes);
        let several = json!({
            "items": [about("contoso", "2f1c0a5e"), about("fabrikam", "3")], "apart": ["contoso"], "tenants": ["fabrikam", "contoso"],
            "moves": [["contoso", 1.5], ["fabrikam", 2.5]], "by": { "contoso": 1, "fabrikam": 2 },
            "summary": "contoso and fabrikam", "channel": "contoso",
        });
        let rest = json!({
            "items": [about("fabrikam", "3")], "apart": [], "tenants": ["fabrikam"], "moves": [["fabrikam", 2.5]],
            "by": { "fabrikam": 2 }, "summary": "erased and fabrikam", "channel": "erased",
        });
        let Fate::Becomes(text) = fate(&several.to_string()) else { panic!("it stays or goes") };
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), rest);
        assert_eq!(fate(&rest.to_string()), Fate::Stays, "nothing is left to take out");
    }
}
