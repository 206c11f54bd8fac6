//! Which row becomes which tenant's, decided on values alone.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

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
    pub(super) renamed: Option<Renames>,
}

/// How a tenant came by its slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Renames {
    /// The slugs that it had before, newest last.
    from: Vec<String>,
    /// The configuration that gave it the present one.
    by: String,
}

/// The most slugs that a tenant had before that are remembered.
const RENAMES_MAX: usize = 10;

impl Renames {
    fn is_from(&self, slug: &str) -> bool {
        self.from.iter().any(|before| before == slug)
    }

    /// What is remembered of a row that is renamed.
    fn of(row: &Known, to: &str, by: &str) -> Self {
        let before = row.renamed.iter().flat_map(|renamed| &renamed.from).chain([&row.slug]);
        let mut from: Vec<String> = before.filter(|slug| *slug != to).cloned().collect();
        from.drain(..from.len().saturating_sub(RENAMES_MAX));
        Self { from, by: by.to_owned() }
    }
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
    pub(super) renamed: Option<Renames>,
}

impl Change {
    /// A row that gets this slug and stays as it is otherwise.
    fn of(row: &Known, to: String, by: &str) -> Self {
        let is_moved = row.slug != to;
        Self {
            id: row.id,
            from: row.slug.clone(),
            renamed: if is_moved { Some(Renames::of(row, &to, by)) } else { row.renamed.clone() },
            to,
            entra: row.entra,
            is_learned: false,
            name: row.name.clone(),
            gone_since: row.gone_since,
        }
    }

    pub(super) fn is_moved(&self) -> bool {
        self.from != self.to
    }

    /// The name that documents have for it, and what it is called from now on.
    pub(super) fn named(&self) -> (String, Renamed) {
        (self.from.clone(), Renamed { to: self.to.clone(), entra: self.entra.map(|entra| entra.to_string()) })
    }
}

/// The configuration that is compared, and those of the other replicas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    /// Its fingerprint.
    pub(super) by: &'a str,
    /// The fingerprints of the others that living replicas run; none if all run this one.
    pub(super) others: &'a HashSet<String>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// The slugs that tenants keep, each with the one that the tenant has in this configuration.
    pub(super) held_back: Vec<(String, String)>,
}

/// Compares the rows with the configuration. Rows that stay as they are are left out.
///
/// A row without an Entra id is from before ids were noted. It learns the one that its slug has in the first configuration that
/// it meets, before anything else is done under that configuration. A row that this configuration does not have could belong to
/// anybody who gets the slug later, and so belongs to nobody.
///
/// While replicas run different configurations, this one may be the older. So what another replica's configuration has renamed is not
/// renamed back, nor is anything noted as missing that may only be missing here.
pub(super) fn plan(rows: Vec<Known>, configured: &[Configured], run: &Run<'_>, now: Timestamp) -> Plan {
    let by_entra: HashMap<EntraTenantId, &Configured> = configured.iter().map(|one| (one.entra, one)).collect();
    let held_back = held_back(&rows, &by_entra, run.others);
    let mut by_slug: HashMap<&str, &Configured> = configured.iter().map(|one| (one.tenant.as_str(), one)).collect();
    for wanted in held_back.values() {
        by_slug.remove(&**wanted);
    }
    let known: HashSet<EntraTenantId> = rows.iter().filter_map(|row| row.entra).collect();
    let mut taken: HashSet<String> = rows.iter().map(|row| row.slug.clone()).collect();
    taken.extend(by_slug.keys().map(|slug| (*slug).to_owned()));
    let mut plan = Plan::default();
    for row in rows {
        if let Some(wanted) = held_back.get(&row.id) {
            plan.held_back.push((row.slug.clone(), wanted.clone()));
            plan.note(&row, Change { gone_since: None, ..Change::of(&row, row.slug.clone(), run.by) });
            continue;
        }
        let found = match row.entra {
            Some(entra) => by_entra.get(&entra),
            None if row.gone_since.is_none() => {
                by_slug.get(row.slug.as_str()).filter(|one| !known.contains(&one.entra))
            }
            None => None,
        };
        let change = match found {
            Some(one) => Change {
                entra: Some(one.entra),
                is_learned: row.entra.is_none(),
                name: Some(one.name.clone()),
                gone_since: None,
                ..Change::of(&row, one.tenant.to_string(), run.by)
            },
            None if by_slug.contains_key(row.slug.as_str()) => Change {
                gone_since: row.gone_since.or(Some(now.as_nanos())),
                ..Change::of(&row, spare(&row, &mut taken), run.by)
            },
            None => {
                let missing_since = Some(now.as_nanos()).filter(|_| run.others.is_empty());
                let gone_since = row.gone_since.or(missing_since);
                Change { gone_since, ..Change::of(&row, row.slug.clone(), run.by) }
            }
        };
        plan.note(&row, change);
    }
    plan
}

impl Plan {
    /// Notes what changes of a row, if anything does.
    fn note(&mut self, row: &Known, change: Change) {
        let is_same = !change.is_moved()
            && (&change.entra, &change.name, change.gone_since) == (&row.entra, &row.name, row.gone_since);
        if !is_same {
            self.changes.push(change);
        }
    }
}

/// The rows whose slug stays as it is although this configuration has another one for their tenant, each with that one: another replica's
/// configuration has renamed the tenant from it, or a row that stays has it.
fn held_back(
    rows: &[Known],
    by_entra: &HashMap<EntraTenantId, &Configured>,
    others: &HashSet<String>,
) -> HashMap<i64, String> {
    let mut held = HashMap::new();
    let mut kept: HashSet<&str> = HashSet::new();
    loop {
        let before = held.len();
        for row in rows.iter().filter(|_| !others.is_empty()) {
            let Some(one) = row.entra.and_then(|entra| by_entra.get(&entra)) else { continue };
            let wanted = one.tenant.as_str();
            let was_renamed = row.renamed.as_ref().is_some_and(|by| by.is_from(wanted) && others.contains(&by.by));
            if wanted != row.slug && (was_renamed || kept.contains(wanted)) {
                held.insert(row.id, wanted.to_owned());
                kept.insert(&row.slug);
            }
        }
        if held.len() == before {
            return held;
        }
    }
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
        let (slug, entra, name) = (slug.to_owned(), number.map(entra), Some(slug.to_owned()));
        Known { id, slug, entra, name, gone_since: None, renamed: None }
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
        let run = Run { by: "new", others: &HashSet::new() };
        plan(rows, &configured(slugs), &run, Timestamp::from_seconds(1)).changes.iter().map(line).collect()
    }

    fn line(change: &Change) -> String {
        let gone = if change.gone_since.is_some() { " gone" } else { "" };
        let learned = if change.is_learned { " learned" } else { "" };
        format!("{} → {}{gone}{learned}", change.from, change.to)
    }

    /// The rows as a plan leaves them.
    fn after(mut rows: Vec<Known>, plan: &Plan) -> Vec<Known> {
        for change in &plan.changes {
            let row = rows.iter_mut().find(|row| row.id == change.id).unwrap();
            (row.slug, row.renamed) = (change.to.clone(), change.renamed.clone());
            (row.entra, row.name, row.gone_since) = (change.entra, change.name.clone(), change.gone_since);
        }
        rows
    }

    #[test]
    fn an_older_configuration_takes_nothing_back_while_another_replica_runs_the_newer_one() {
        let (none, new_lives): (_, HashSet<String>) = (HashSet::new(), ["new".to_owned()].into());
        let compare = |rows: &[Known], slugs: &[(&str, u128)], by: &str, others: &HashSet<String>| {
            plan(rows.to_vec(), &configured(slugs), &Run { by, others }, Timestamp::from_seconds(1))
        };
        for (old, new, kept) in [
            // Another slug.
            (&[("a", 1)][..], &[("b", 1)][..], &["b"][..]),
            // Slugs that change places, or move on.
            (&[("a", 1), ("b", 2)], &[("a", 2), ("b", 1)], &["b", "a"]),
            (&[("a", 1), ("b", 2)], &[("b", 1), ("c", 2)], &["b", "c"]),
            // A slug that belongs to another by now, and tenants that are new.
            (&[("a", 1)], &[("a", 2)], &["a.00000001", "a"]),
            (&[("a", 1)], &[("a", 1), ("b", 2)], &["a", "b"]),
        ] {
            let names = |rows: &[Known]| rows.iter().map(|row| row.slug.clone()).collect::<Vec<_>>();
            let mut rows: Vec<Known> =
                old.iter().map(|(slug, number)| row(i64::try_from(*number).unwrap(), slug, Some(*number))).collect();
            rows = after(rows.clone(), &compare(&rows, new, "new", &["old".to_owned()].into()));
            // What is new gets its row from its first check.
            for (slug, number) in new.iter().filter(|(_, number)| !old.iter().any(|(_, other)| other == number)) {
                rows.push(row(i64::try_from(*number).unwrap(), slug, Some(*number)));
            }
            assert_eq!(names(&rows), kept, "{new:?}");
            let gone = |rows: &[Known]| rows.iter().filter(|row| row.gone_since.is_some()).count();
            let gone_before = gone(&rows);
            let again = compare(&rows, old, "old", &new_lives);
            let rows_again = after(rows.clone(), &again);
            assert_eq!((names(&rows_again), gone(&rows_again) <= gone_before), (names(&rows), true), "{old:?}");
            // Once nobody runs the newer one, this one is the one to follow.
            let alone = after(rows_again.clone(), &compare(&rows_again, old, "old", &none));
            for (slug, number) in old {
                assert!(alone.iter().any(|row| row.slug == *slug && row.entra == Some(entra(*number))), "{alone:?}");
            }
        }
    }

    #[test]
    fn a_slug_that_is_held_back_is_not_given_to_another_tenant() {
        let renamed = Renames { from: vec!["a".to_owned()], by: "new".to_owned() };
        let rows = vec![Known { renamed: Some(renamed), ..row(1, "b", Some(1)) }, row(3, "d", Some(3))];
        let others = ["new".to_owned()].into();
        let run = Run { by: "old", others: &others };
        let held = plan(rows, &configured(&[("a", 1), ("b", 3)]), &run, Timestamp::from_seconds(1));
        let mut slugs = held.held_back;
        slugs.sort_unstable();
        assert_eq!(slugs, [("b".to_owned(), "a".to_owned()), ("d".to_owned(), "b".to_owned())]);
        assert!(held.changes.iter().all(|change| !change.is_moved()));
    }

    #[test]
    fn a_slug_that_goes_back_and_forth_is_remembered_for_a_while_and_no_longer() {
        let mut tenant = row(1, "a", Some(1));
        for number in 0..30 {
            let to = format!("s{number}");
            (tenant.renamed, tenant.slug) = (Some(Renames::of(&tenant, &to, "x")), to);
        }
        let renamed = tenant.renamed.unwrap();
        assert_eq!((renamed.from.len(), renamed.is_from("s28"), renamed.is_from("s29")), (RENAMES_MAX, true, false));
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
