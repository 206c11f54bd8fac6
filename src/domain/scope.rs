//! Whose data a caller may see and change.

use std::collections::BTreeSet;

use super::TenantId;

/// The tenants that a caller may ask about and act on. A delivery that is about no single tenant (a digest, a report, a drill) is seen by
/// [`Scope::All`] alone; a silence, or the state of a channel, by a scope that includes every tenant that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every tenant, those to come, and what is about no tenant.
    All,
    /// These tenants and nothing else. An empty set sees nothing.
    Only(BTreeSet<TenantId>),
}

impl Scope {
    /// Whether the tenant is in it.
    #[must_use]
    pub fn includes(&self, tenant: &TenantId) -> bool {
        self.tenants().is_none_or(|tenants| tenants.contains(tenant))
    }

    /// Whether it includes whatever something is about: a tenant, or, with `None`, none or several.
    #[must_use]
    pub fn includes_subject(&self, tenant: Option<&TenantId>) -> bool {
        tenant.map_or_else(|| self.is_all(), |tenant| self.includes(tenant))
    }

    /// Whether nothing is beyond it.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The tenants to which it is limited; `None`: it is not limited.
    #[must_use]
    pub const fn tenants(&self) -> Option<&BTreeSet<TenantId>> {
        match self {
            Self::All => None,
            Self::Only(tenants) => Some(tenants),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn only(ids: &[&str]) -> Scope {
        Scope::Only(ids.iter().map(|id| tenant(id)).collect())
    }

    #[test]
    fn a_scope_includes_its_tenants_and_nothing_that_is_about_none_or_several() {
        for (scope, contoso, fabrikam, none) in [
            (Scope::All, true, true, true),
            (only(&["contoso"]), true, false, false),
            (only(&["contoso", "fabrikam"]), true, true, false),
            (only(&[]), false, false, false),
        ] {
            assert_eq!(scope.includes(&tenant("contoso")), contoso, "{scope:?}");
            assert_eq!(scope.includes_subject(Some(&tenant("fabrikam"))), fabrikam, "{scope:?}");
            assert_eq!(scope.includes_subject(None), none, "{scope:?}");
            assert_eq!(scope.is_all(), none, "{scope:?}");
        }
    }
}
