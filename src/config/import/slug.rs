//! A tenant's slug, made from its name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use uuid::Uuid;

use super::{
    super::{Config, plain_name::stem},
    column::Column,
    row::{self, Offer},
};
use crate::domain::{EntraTenantId, TenantId};

/// What is there before an import.
pub(super) struct There<'a> {
    pub(super) config: &'a Config,
    /// Where the files of tenants are.
    pub(super) folder: &'a Path,
    /// The tenants that the store has kept.
    pub(super) kept: &'a BTreeMap<TenantId, Option<EntraTenantId>>,
}

/// The slug of a new tenant: the one that is given, or one that is made.
pub(super) fn slug_of(
    offer: &Offer,
    found_at: &str,
    there: &There<'_>,
    taken: &BTreeSet<String>,
    given: &mut HashMap<TenantId, String>,
    faults: &mut Vec<row::Fault>,
) -> Option<TenantId> {
    let There { config, folder, kept } = there;
    let Some(id) = &offer.id else {
        // One that comes back gets the slug that it had.
        let is_free = |id: &&TenantId| !config.tenants.contains_key(*id) && !folder.join(format!("{id}.yaml")).exists();
        let mut own = kept.iter().filter(|(id, entra)| **entra == Some(offer.entra) && id.former().is_none());
        if let Some(id) = own.next().map(|(id, _)| id).filter(is_free) {
            return Some(id.clone());
        }
        let name = if offer.is_named { &offer.name } else { "" };
        return slug(name, &offer.domain, offer.entra.0, taken);
    };
    if let Some(first) = given.insert(id.clone(), found_at.to_owned()) {
        faults.push((Column::Id, format!("this `id` is also in {first}"), "give each tenant an `id` of its own"));
    } else if let Some(other) = config.tenants.get(id) {
        let what = format!("tenant `{id}` is there, with the directory id {}", other.account.entra);
        faults.push((Column::Id, what, "give this one another `id`, or correct the `tenant_id`"));
    } else if folder.join(format!("{id}.yaml")).exists() {
        let what = format!("there is a file `{id}.yaml`, and another tenant in it");
        faults.push((Column::Id, what, "give this one another `id`, or rename that file"));
    }
    Some(id.clone())
}

/// `Contoso Ltd` → `contoso-ltd`. A name without a letter that a slug may have gives way to the domain's first part, and that to the
/// directory's id. One that is taken gets the beginning of the directory's id, or all of it.
pub(in crate::config) fn slug(name: &str, domain: &str, directory: Uuid, taken: &BTreeSet<String>) -> Option<TenantId> {
    let first = domain.split('.').next().unwrap_or_default();
    let stem = [stem(name), stem(first)].into_iter().find(|stem| !stem.is_empty());
    let stem = stem.unwrap_or_else(|| "tenant".to_owned());
    let (whole, start) = (directory.hyphenated().to_string(), directory.simple().to_string());
    let start = start.get(..8).unwrap_or_default();
    let candidates = [stem.clone(), format!("{stem}-{start}"), format!("{stem}-{whole}")];
    let free = candidates.into_iter().find(|slug| !taken.contains(slug))?;
    TenantId::parse(&free).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::plain_name::STEM_BYTES_MAX;

    #[test]
    fn a_slug_comes_from_the_name_then_the_domain_then_the_directory() {
        let directory = Uuid::from_u128(0x2f1c_0a5e_0000_4000_8000_0000_0000_0001);
        let taken: BTreeSet<String> = ["taken".to_owned(), "twice".to_owned(), "twice-2f1c0a5e".to_owned()].into();
        let long = "x".repeat(300);
        for (name, domain, expected) in [
            ("Contoso Ltd", "contoso.com", "contoso-ltd"),
            ("  Müller & Söhne GmbH. ", "", "mueller-and-soehne-gmbh"),
            ("O'Brien's", "", "obriens"),
            ("株式会社", "kaisha.onmicrosoft.com", "kaisha"),
            ("株式会社", "", "tenant"),
            ("=cmd|'/c calc'!A1", "", "cmd-c-calc-a1"),
            ("../../etc/passwd", "", "etc-passwd"),
            ("Taken", "", "taken-2f1c0a5e"),
            ("Twice", "", "twice-2f1c0a5e-0000-4000-8000-000000000001"),
            ("İstanbul", "", "istanbul"),
            (&long, "", &long[..STEM_BYTES_MAX]),
        ] {
            let made = slug(name, domain, directory, &taken).unwrap();
            assert_eq!(made.as_str(), expected, "{name}");
        }
    }
}
