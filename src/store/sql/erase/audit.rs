//! A tenant's names in the audit log. An entry keeps its place in the chain and loses the names, and the salt with which they could be
//! guessed.

use serde_json::Value;

use super::{
    super::db::{Connection, list_of, query},
    mentions::Target,
};
use crate::store::StoreError;

/// The parts of an entry's body that may name a tenant.
const PARTS: [&str; 5] = ["/who", "/target", "/before", "/after", "/origin/sudo_user"];
/// What stands in place of a body that can't be read.
const UNREADABLE: &str = r#"{"who":"erased","origin":{"via":"service"}}"#;

/// The entries that name the tenant. With `is_erasing`, they don't any more.
pub(super) async fn take_out(db: &mut Connection, target: &Target, is_erasing: bool) -> Result<Vec<u64>, StoreError> {
    let rows = query(
        "SELECT seq, body FROM audit WHERE EXISTS (SELECT 1 FROM list($1) AS h WHERE strpos(body, h.value) > 0) ORDER BY seq",
    )
    .bind(list_of(target.hints()))
    .fetch_all(&mut *db)
    .await?;
    let mut found = Vec::new();
    for row in rows {
        let seq: i64 = row.try_get(0)?;
        let Some(body) = without(target, row.try_get(1)?) else { continue };
        found.push(seq.unsigned_abs());
        if is_erasing {
            let update = "UPDATE audit SET body = $2, salt = NULL WHERE seq = $1";
            query(update).bind(seq).bind(body).execute(&mut *db).await?;
        }
    }
    Ok(found)
}

/// A body without the tenant; `None`: it does not name it.
fn without(target: &Target, body: &str) -> Option<String> {
    let Ok(read) = serde_json::from_str::<Value>(body) else { return Some(UNREADABLE.to_owned()) };
    let mut document = read.clone();
    for part in PARTS {
        if let Some(part) = document.pointer_mut(part)
            && !target.take_out(part)
        {
            *part = Value::from("erased");
        }
    }
    (document != read).then(|| document.to_string())
}
