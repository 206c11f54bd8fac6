//! The store: whether it is there, whole, and of this version's schema.

use super::Finding;
use crate::{
    config::{Config, StoreLocation},
    query::database,
    store::{Inspection, StoreError, postgres, sqlite::SqliteStore},
};

const START: &str = "start the service once";

/// What to say of the store, and what was seen of it.
pub(super) async fn findings(config: &Config) -> (Vec<Finding>, Option<Inspection>) {
    let inspected = inspect(config).await;
    let found = vec![judge(&inspected)];
    (found, inspected.ok().flatten())
}

async fn inspect(config: &Config) -> Result<Option<Inspection>, StoreError> {
    match &config.store {
        StoreLocation::Sqlite(path) => SqliteStore::inspect(path).await,
        StoreLocation::Postgres(location) => postgres::inspect(&database::settings(location)).await,
    }
}

fn judge(inspected: &Result<Option<Inspection>, StoreError>) -> Finding {
    match inspected {
        Err(error) => {
            let instead = "fix what it says; to restore a backup, see docs/guides/backup-and-restore.md";
            Finding::error("store", error.to_string(), instead)
        }
        Ok(None) => Finding::warning("store", "there is no store yet", START),
        Ok(Some(Inspection { faults, .. })) if !faults.is_empty() => {
            let what = format!("the store is damaged: {}", faults.join(", "));
            Finding::error("store", what, "stop the service and restore the newest backup; check the disk")
        }
        Ok(Some(Inspection { schema, newest, .. })) if schema < newest => {
            let what = format!("its schema {schema} is older than this version's {newest}");
            Finding::warning("store", what, format!("back it up, then {START}: that brings it up to date"))
        }
        Ok(Some(Inspection { schema, newest, .. })) if schema > newest => {
            let what =
                format!("it is whole, with schema {schema}, which is newer than this version's {newest} and suits it");
            Finding::ok("store", what)
        }
        Ok(Some(Inspection { schema, .. })) => Finding::ok("store", format!("it is whole, with schema {schema}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn a_store_is_judged_by_what_was_seen_of_it() {
        let seen = |schema, faults: &[&str]| {
            let faults = faults.iter().map(ToString::to_string).collect();
            Ok(Some(Inspection { schema, newest: 21, faults, process: None }))
        };
        for (inspected, verdict, said) in [
            (Ok(None), Verdict::Warning, "no store yet"),
            (seen(21, &[]), Verdict::Ok, "schema 21"),
            (seen(22, &[]), Verdict::Ok, "schema 22, which is newer than this version's 21"),
            (seen(7, &[]), Verdict::Warning, "its schema 7 is older"),
            (seen(21, &["row 3 missing from index x"]), Verdict::Error, "row 3 missing"),
            (Err(StoreError::Full), Verdict::Error, "disk is full"),
        ] {
            let found = judge(&inspected);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.what.contains(said), "{found:?}");
        }
    }
}
