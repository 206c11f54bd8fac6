//! Who gets which role for whose tenants. Pure: what is known of a person and the table in, the role and the tenants out.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::{Labels, Role, Scope, Selector, TenantId};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which people or groups are granted something.
    pub who: Who,
    /// What they may do.
    pub role: Role,
    /// For which tenants the role is granted.
    pub reach: Reach,
}

/// Whom a grant covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever the provider signs in to the app.
    Anyone,
    /// Members of the group that tokens name so, as [`group_name`] has it: with Entra, its object ID.
    Group(String),
    /// Whoever is assigned the app role of that value, in the claim `roles`.
    AppRole(String),
}

/// For which tenants a grant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// For all, those to come too.
    All,
    /// For those with one of these ids, and those that one of these selectors matches.
    Some {
        /// The tenants by id.
        tenants: BTreeSet<TenantId>,
        /// The tenants by their labels, whichever those are when somebody looks.
        labels: Vec<Selector>,
    },
}

/// What a person's grants come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The strongest role among them.
    pub role: Role,
    /// The tenants of all of them.
    pub reach: Reach,
}

/// Of a person's groups and app roles those that grants name. A session keeps it, so that a reload that takes a grant away, or adds
/// tenants to it, concerns who is signed in already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// The groups, as [`group_name`] has them.
    pub groups: BTreeSet<String>,
    /// The values of app roles.
    pub app_roles: BTreeSet<String>,
}

/// A group's name for comparison: an object ID in lower case, any other text as it is.
#[must_use]
pub fn group_name(text: &str) -> String {
    Uuid::try_parse(text).map_or_else(|_| text.to_owned(), |id| id.hyphenated().to_string())
}

impl Grant {
    /// The group that it names.
    pub(super) fn group(&self) -> Option<&str> {
        if let Who::Group(group) = &self.who { Some(group) } else { None }
    }

    /// The app role that it names.
    pub(super) fn app_role(&self) -> Option<&str> {
        if let Who::AppRole(role) = &self.who { Some(role) } else { None }
    }

    fn covers(&self, person: &Membership) -> bool {
        match &self.who {
            Who::Anyone => true,
            Who::Group(group) => person.groups.contains(group),
            Who::AppRole(role) => person.app_roles.contains(role),
        }
    }
}

/// The strongest role of all grants that cover a person, for the tenants of all of them. `None`: no grant does.
#[must_use]
pub fn decide(grants: &[Grant], person: &Membership) -> Option<Granted> {
    let mut covering = grants.iter().filter(|grant| grant.covers(person));
    let first = covering.next()?;
    let first = Granted { role: first.role, reach: first.reach.clone() };
    Some(covering.fold(first, |granted, grant| Granted {
        role: granted.role.max(grant.role),
        reach: granted.reach.and(&grant.reach),
    }))
}

impl Reach {
    fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Some { mut tenants, mut labels }, Self::Some { tenants: more, labels: further }) => {
                tenants.extend(more.iter().cloned());
                labels.extend(further.iter().cloned());
                Self::Some { tenants, labels }
            }
            _ => Self::All,
        }
    }

    /// The tenants that it covers, of those that there are now.
    #[must_use]
    pub fn scope<'a>(&self, tenants: impl IntoIterator<Item = (&'a TenantId, &'a Labels)>) -> Scope {
        let Self::Some { tenants: named, labels: selectors } = self else { return Scope::All };
        let is_covered = |id: &TenantId, labels: &Labels| {
            named.contains(id) || selectors.iter().any(|selector| selector.matches(labels))
        };
        let covered = tenants.into_iter().filter(|(id, labels)| is_covered(id, labels));
        Scope::only(covered.map(|(id, _)| id.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOC: &str = "2f1c0a5e-0000-4000-8000-0000000000ab";

    fn reach(text: &str) -> Reach {
        match text.split_once('=') {
            _ if text == "all" => Reach::All,
            Some((key, value)) => {
                let selector = Selector([(key.into(), value.into())].into());
                Reach::Some { tenants: BTreeSet::new(), labels: vec![selector] }
            }
            None => Reach::Some { tenants: [TenantId::parse(text).unwrap()].into(), labels: Vec::new() },
        }
    }

    fn grants() -> Vec<Grant> {
        [
            (Who::Group(SOC.to_owned()), Role::Analyst, "all"),
            (Who::Group("Contoso IT".to_owned()), Role::Viewer, "contoso"),
            (Who::AppRole("gold-desk".to_owned()), Role::Analyst, "tier=gold"),
            (Who::AppRole("lead".to_owned()), Role::Admin, "fabrikam"),
        ]
        .map(|(who, role, text)| Grant { who, role, reach: reach(text) })
        .into()
    }

    fn scope(granted: &Granted) -> String {
        let tenants = [("contoso", "silver"), ("fabrikam", "gold"), ("woodgrove", "gold")]
            .map(|(id, tier)| (TenantId::parse(id).unwrap(), Labels::from([("tier".into(), tier.into())])));
        match granted.reach.scope(tenants.iter().map(|(id, labels)| (id, labels))) {
            Scope::All => "all".to_owned(),
            Scope::Only(ids, _) => ids.iter().map(TenantId::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn a_person_gets_the_strongest_role_for_the_tenants_of_all_their_grants_and_nobody_else_gets_in() {
        for (groups, app_roles, expected) in [
            (&[SOC][..], &[][..], Some("analyst all")),
            (&["2F1C0A5E-0000-4000-8000-0000000000AB"], &[], Some("analyst all")),
            (&["Contoso IT"], &[], Some("viewer contoso")),
            (&["Contoso IT"], &["gold-desk"], Some("analyst contoso fabrikam woodgrove")),
            (&["Contoso IT"], &["lead"], Some("admin contoso fabrikam")),
            (&[SOC, "Contoso IT"], &[], Some("analyst all")),
            (&[], &["gold-desk"], Some("analyst fabrikam woodgrove")),
            (&["contoso it"], &[], None),
            // A group never counts as an app role, nor the other way round.
            (&["gold-desk"], &["Contoso IT"], None),
            (&[], &[], None),
        ] {
            let person = Membership {
                groups: groups.iter().map(|group| group_name(group)).collect(),
                app_roles: app_roles.iter().map(|role| (*role).to_owned()).collect(),
            };
            let granted = decide(&grants(), &person);
            let granted = granted.map(|granted| format!("{} {}", granted.role, scope(&granted)));
            assert_eq!(granted.as_deref(), expected, "{groups:?} {app_roles:?}");
        }
    }

    #[test]
    fn anyone_is_whoever_the_provider_lets_in() {
        let anyone = Grant { who: Who::Anyone, role: Role::Viewer, reach: reach("contoso") };
        let granted = decide(&[anyone], &Membership::default()).unwrap();
        assert_eq!((granted.role, scope(&granted)), (Role::Viewer, "contoso".to_owned()));
        assert_eq!(decide(&[], &Membership::default()), None);
    }
}
