//! Which row becomes which tenant's, decided on values alone.

use std::collections::{HashMap, HashSet};

use super::rewrite::Renamed;
use crate::{
    domain::{EntraTenantId, TenantId, Timestamp},
    store::Configured,
};

/// A tenant's row in the store.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) slug: String,
    pub(super) entra: Option<EntraTenantId>,
    pub(super) name: Option<String>,
    pub(super) gone_since: Option<i64>,
}

/// A row that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) id: i64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) entra: Option<EntraTenantId>,
    /// Whether the Entra id was not known before.
    pub(super) is_learned: bool,
    pub(super) name: Option<String>,
    pub(super) gone_since: Option<i64>,
}

impl Change {
    pub(super) fn is_moved(&self) -> bool {
        self.from != self.to
    }

    /// The name that documents have for it, and what it is called from now on.
    pub(super) fn named(&self) -> (String, Renamed) {
        (self.from.clone(), Renamed { to: self.to.clone(), entra: self.entra.map(|entra| entra.to_string()) })
    }
}

/// Compares the rows with the configuration. Rows that stay as they are are left out.
///
/// A row without an Entra id is from before ids were noted. It learns the one that its slug has in the first configuration that
/// it meets, before anything else is done under that configuration. A row that this configuration does not have could belong to
/// anybody who gets the slug later, and so belongs to nobody.
pub(super) fn plan(rows: Vec<Known>, configured: &[Configured], now: Timestamp) -> Vec<Change> {
    let by_slug: HashMap<&str, &Configured> = configured.iter().map(|one| (one.tenant.as_str(), one)).collect();
    let by_entra: HashMap<EntraTenantId, &Configured> = configured.iter().map(|one| (one.entra, one)).collect();
    let known: HashSet<EntraTenantId> = rows.iter().filter_map(|row| row.entra).collect();
    let mut taken: HashSet<String> = rows.iter().map(|row| row.slug.clone()).collect();
    taken.extend(by_slug.keys().map(|slug| (*slug).to_owned()));
    let mut changes = Vec::new();
    for row in rows {
        let found = match row.entra {
            Some(entra) => by_entra.get(&entra),
            None if row.gone_since.is_none() => {
                by_slug.get(row.slug.as_str()).filter(|one| !known.contains(&one.entra))
            }
            None => None,
        };
        let change = match found {
            Some(one) => Change {
                id: row.id,
                to: one.tenant.to_string(),
                entra: Some(one.entra),
                is_learned: row.entra.is_none(),
                name: Some(one.name.clone()),
                gone_since: None,
                from: row.slug.clone(),
            },
            None => Change {
                id: row.id,
                to: if by_slug.contains_key(row.slug.as_str()) { spare(&row, &mut taken) } else { row.slug.clone() },
                entra: row.entra,
                is_learned: false,
                name: row.name.clone(),
                gone_since: row.gone_since.or(Some(now.as_nanos())),
                from: row.slug.clone(),
            },
        };
        let is_same = !change.is_moved()
            && (&change.entra, &change.name, change.gone_since) == (&row.entra, &row.name, row.gone_since);
        if !is_same {
            changes.push(change);
        }
    }
    changes
}

/// A name that no other tenant has, from the slug and the Entra id: `contoso.2f1c0a5e`.
fn spare(row: &Known, taken: &mut HashSet<String>) -> String {
    let named = |number| TenantId::kept(&row.slug, row.entra, number);
    // One more than there are is free at the latest.
    let name = (1..=u32::try_from(taken.len()).unwrap_or(u32::MAX - 1) + 1)
        .map(named)
        .find(|name| !taken.contains(name))
        .unwrap_or_default();
    taken.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entra(number: u128) -> EntraTenantId {
        EntraTenantId(Uuid::from_u128(number << 96))
    }

    fn row(id: i64, slug: &str, number: Option<u128>) -> Known {
        Known { id, slug: slug.to_owned(), entra: number.map(entra), name: Some(slug.to_owned()), gone_since: None }
    }

    fn configured(slugs: &[(&str, u128)]) -> Vec<Configured> {
        let one = |(slug, number): &(&str, u128)| Configured {
            tenant: TenantId::parse(slug).unwrap(),
            entra: entra(*number),
            name: (*slug).to_owned(),
        };
        slugs.iter().map(one).collect()
    }

    /// `from → to`, with `gone` where it is missing from the configuration, and `learned` where its Entra id is new.
    fn described(rows: Vec<Known>, slugs: &[(&str, u128)]) -> Vec<String> {
        let line = |change: Change| {
            let gone = if change.gone_since.is_some() { " gone" } else { "" };
            let learned = if change.is_learned { " learned" } else { "" };
            format!("{} → {}{gone}{learned}", change.from, change.to)
        };
        plan(rows, &configured(slugs), Timestamp::from_seconds(1)).into_iter().map(line).collect()
    }

    #[test]
    fn a_tenant_is_its_entra_id() {
        assert_eq!(described(vec![row(1, "a", Some(1))], &[("a", 1)]), Vec::<String>::new());
        assert_eq!(described(vec![row(1, "a", Some(1))], &[("b", 1)]), ["a → b"]);
        assert_eq!(described(vec![row(1, "a", Some(1))], &[("a", 2)]), ["a → a.00000001 gone"]);
        assert_eq!(described(vec![row(1, "a", Some(1))], &[]), ["a → a gone"]);
        assert_eq!(
            described(vec![row(1, "a", Some(1)), row(2, "b", Some(2))], &[("a", 2), ("b", 1)]),
            ["a → b", "b → a"]
        );
        assert_eq!(
            described(vec![row(1, "a", Some(1)), row(2, "b", Some(2))], &[("b", 1), ("c", 3)]),
            ["a → b", "b → b.00000002 gone"]
        );
        assert_eq!(
            described(vec![row(1, "a", Some(1)), row(2, "a.00000001", Some(2))], &[("a", 3), ("a.00000001", 2)]),
            ["a → a.00000001-2 gone"]
        );
    }

    #[test]
    fn one_that_comes_back_is_itself_again_under_whatever_slug() {
        let kept = Known { gone_since: Some(5), ..row(1, "a.00000001", Some(1)) };
        assert_eq!(described(vec![kept.clone(), row(2, "a", Some(2))], &[("a", 2), ("c", 1)]), ["a.00000001 → c"]);
        assert_eq!(described(vec![kept, row(2, "a", Some(2))], &[("a", 1)]), ["a.00000001 → a", "a → a.00000002 gone"]);
    }

    #[test]
    fn an_older_row_learns_its_id_from_the_first_configuration_and_from_no_later_one() {
        assert_eq!(described(vec![row(1, "a", None)], &[("a", 1)]), ["a → a learned"]);
        assert_eq!(described(vec![row(1, "a", None)], &[("b", 1)]), ["a → a gone"]);
        let gone = Known { gone_since: Some(5), ..row(1, "a", None) };
        assert_eq!(described(vec![gone], &[("a", 1)]), ["a → a.removed gone"]);
        assert_eq!(
            described(vec![row(1, "a", None), row(2, "b", Some(1))], &[("a", 1)]),
            ["a → a.removed gone", "b → a"]
        );
    }
}
