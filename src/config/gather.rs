//! The files that the main file names: tenants and rules.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use serde_yaml::Value;

use super::{
    audiences::Rules,
    draft::Draft,
    examples::Misfit,
    field::{Field, Word},
    files::{self, Source},
    raw::{RawRule, RawRules, RawTenantEntry},
    rules::rule,
    scope::Scope,
    tenants::{Inherited, Tenants},
    words::Names,
};
use crate::{diagnostic::Place, rule::FlapLimit};

/// Reads every tenant, written here or in files; each file is let go before the next.
pub(super) fn read_tenants(
    raw: Field<Vec<Field<RawTenantEntry>>>,
    at: &Scope<'_>,
    inherited: &Inherited,
    channels: &Names,
    tenants: &mut Tenants,
    draft: &mut Draft,
) {
    let entries = draft.items(raw, at);
    let mut files = FilesOnce::of(entries.len());
    for (index, entry) in entries {
        let here = at.item(index);
        match entry {
            RawTenantEntry::Inline(tenant) => tenants.take(*tenant, &here, inherited, channels, draft),
            RawTenantEntry::File(pattern) => {
                for path in files.find(&pattern, &here, draft) {
                    read_tenant_file(&path, inherited, channels, tenants, draft);
                }
            }
        }
    }
}

/// The files of several patterns, each once: two patterns may match the same file, and a list may name it twice.
struct FilesOnce {
    /// `None`: a single pattern matches no file twice, and is spared the look at each.
    seen: Option<HashSet<PathBuf>>,
}

impl FilesOnce {
    fn of(patterns: usize) -> Self {
        Self { seen: (patterns > 1).then(HashSet::new) }
    }

    fn find(&mut self, pattern: &str, at: &Scope<'_>, draft: &mut Draft) -> Vec<PathBuf> {
        let mut found = files::find(pattern, at, draft);
        if let Some(seen) = &mut self.seen {
            // A file that is not there yet has no other name.
            found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
        }
        found
    }
}

fn read_tenant_file(path: &Path, inherited: &Inherited, channels: &Names, tenants: &mut Tenants, draft: &mut Draft) {
    let Some(Source { path, node, value }) = files::read(path, draft) else {
        tenants.nameless = true;
        return;
    };
    let top = Scope::root(&path, Some(&node));
    let mut take = |value: Value, here: &Scope<'_>| {
        let entry = Field::deserialize(value).unwrap_or_default();
        match draft.take(entry, here) {
            Some(tenant) => tenants.take(tenant, here, inherited, channels, draft),
            None => tenants.nameless = true,
        }
    };
    match value {
        Value::Sequence(entries) => {
            entries.into_iter().enumerate().for_each(|(index, entry)| take(entry, &top.item(index)));
        }
        value => take(value, &top),
    }
}

/// The list under `rules:` of a rule file; the main file has paths under the same key.
fn rule_list(raw: Field<Vec<Field<RawRule>>>, at: &Scope<'_>, draft: &mut Draft) -> Option<Vec<Field<RawRule>>> {
    match raw {
        Field::Absent => None,
        Field::Good(list) => Some(list),
        Field::Bad(Misfit { what, .. }) => {
            draft.error(at, what, "write a list of rules, each like `- { name: device-score-low, score: …, when: … }`");
            None
        }
    }
}

/// Whether both paths lead to one file.
fn is_one_file(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Reads every rule file.
pub(super) fn read_rules(
    raw: Field<Vec<Field<Word>>>,
    at: &Scope<'_>,
    channels: &Names,
    limit: FlapLimit,
    draft: &mut Draft,
) -> Rules {
    let mut rules = Rules::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    let patterns = draft.items(raw, at);
    let mut files = FilesOnce::of(patterns.len());
    for (index, Word(pattern)) in patterns {
        for path in files.find(&pattern, &at.item(index), draft) {
            // Of rules that are named on the command line, the file is its own top.
            if !at.path().is_empty() && is_one_file(&path, &at.place().file) {
                let instead = "name files of rules, like `rules.yaml`";
                draft.error(&at.item(index), "this is the main file, which has no rules in it", instead);
                continue;
            }
            let Some(source) = files::read(&path, draft) else { continue };
            let top = source.scope();
            let Ok(raw) = RawRules::deserialize(&source.value) else {
                draft.error(&top, "expected a mapping", "write `rules:` at the top, and the rules below it");
                continue;
            };
            top.only(RawRules::KEYS, draft);
            let list = top.key("rules");
            let Some(written) = rule_list(raw.rules, &list, draft) else { continue };
            for (index, raw) in draft.items(Field::Good(written), &list) {
                let here = list.item(index);
                let errors = draft.errors();
                let Some(rule) = rule(raw, &here, channels, limit, draft) else { continue };
                if draft.is_lenient && draft.errors() > errors {
                    continue;
                }
                let place = here.key("name").place();
                if let Some(first) = places.insert(rule.name.as_str().to_owned(), place.clone()) {
                    let what = format!("rule `{}` is defined a second time", rule.name);
                    let instead = format!("give each rule a name of its own; the other is at {first}");
                    draft.error(&here.key("name"), what, instead);
                }
                rules.push((Arc::new(rule), place));
            }
        }
    }
    rules
}
