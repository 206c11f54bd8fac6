//! Controls that do not count for a tenant: covered otherwise, or not licensed. Written in the configuration, with an end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Labels, Selector, TenantId, Timestamp};

/// Some controls of a secure score that rules are not to count for some tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// The controls, by the names that Microsoft's records give them.
    pub controls: BTreeSet<String>,
    /// The tenants, by id; empty: those with the labels.
    pub tenants: BTreeSet<TenantId>,
    /// The labels that a tenant must have; empty: every tenant, or those named by id.
    pub labels: Selector,
    /// Why, in the author's words.
    pub reason: Arc<str>,
    /// When the controls count again: the midnight with which the day begins, in UTC.
    pub until: Timestamp,
}

impl Exclusion {
    /// Whether it is about that tenant.
    #[must_use]
    pub fn selects(&self, tenant: &TenantId, labels: &Labels) -> bool {
        (self.tenants.is_empty() || self.tenants.contains(tenant)) && self.labels.matches(labels)
    }

    /// The day from which the controls count again: `2027-03-01`.
    #[must_use]
    pub fn until_day(&self) -> String {
        self.until.to_chrono().format("%Y-%m-%d").to_string()
    }
}

/// The controls that do not count for a tenant now, by name, each with the exclusion that ends last.
#[must_use]
pub fn in_force<'a>(
    exclusions: &'a [Exclusion],
    tenant: &TenantId,
    labels: &Labels,
    now: Timestamp,
) -> BTreeMap<&'a str, &'a Exclusion> {
    let mut found: BTreeMap<&str, &Exclusion> = BTreeMap::new();
    for exclusion in exclusions.iter().filter(|one| now < one.until && one.selects(tenant, labels)) {
        for control in &exclusion.controls {
            let known = found.entry(control).or_insert(exclusion);
            if known.until < exclusion.until {
                *known = exclusion;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_is_for_its_tenants_until_its_day_begins() {
        let day = |text: &str| Timestamp::parse(text).unwrap();
        let id = |text: &str| TenantId::parse(text).unwrap();
        let gold = Labels::from([("tier".into(), "gold".into())]);
        let one = |tenants: &[&str], labels: &Labels, until: &str| Exclusion {
            controls: BTreeSet::from(["MFA".to_owned()]),
            tenants: tenants.iter().map(|text| id(text)).collect(),
            labels: Selector(labels.clone()),
            reason: until.into(),
            until: day(until),
        };
        let none = Labels::new();
        let (by_id, by_label) = (one(&["a"], &none, "2027-03-01T00:00:00Z"), one(&[], &gold, "2027-06-01T00:00:00Z"));
        let all = [by_id, by_label, one(&[], &none, "2027-01-01T00:00:00Z")];
        for (tenant, labels, now, until) in [
            ("a", &none, "2026-12-01T00:00:00Z", Some("2027-03-01")),
            ("a", &gold, "2026-12-01T00:00:00Z", Some("2027-06-01")),
            ("b", &gold, "2027-02-01T00:00:00Z", Some("2027-06-01")),
            ("b", &none, "2026-12-31T23:59:59Z", Some("2027-01-01")),
            ("b", &none, "2027-01-01T00:00:00Z", None),
            ("a", &none, "2027-02-28T23:59:59Z", Some("2027-03-01")),
            ("a", &none, "2027-03-01T00:00:00Z", None),
        ] {
            let found = in_force(&all, &id(tenant), labels, day(now));
            let found = found.get("MFA").map(|one| one.until_day());
            assert_eq!(found.as_deref(), until, "{tenant} {labels:?} {now}");
        }
    }
}
