//! Whose data a caller may see and change.

use std::collections::BTreeSet;

use super::{ChannelName, TenantId};

/// What somebody who is limited to some tenants sees of our own in addition to the facts about these tenants; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// The labels of tenants.
    pub labels: bool,
    /// What the author of a rule wrote (`about`, `runbook`), and why controls are excluded.
    pub about: bool,
    /// Messages to the operator.
    pub operator: bool,
    /// The channels whose names are seen, and what was sent to them.
    pub channels: SeenChannels,
}

/// The channels that somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenChannels {
    /// Every channel of the configuration.
    All,
    /// These channels and no other.
    These(BTreeSet<ChannelName>),
}

impl Default for SeenChannels {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// The tenants that a caller may ask about and act on. A delivery that is about no single tenant (a digest, a report, a drill) is seen by
/// [`Scope::All`] alone; a silence, or the state of a channel, by a scope that includes every tenant that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every tenant, those to come, and what is about no tenant.
    All,
    /// These tenants and nothing else, and what else is seen of them. An empty set sees nothing.
    Only(BTreeSet<TenantId>, Extras),
}

impl Scope {
    /// These tenants, and only the facts about them.
    #[must_use]
    pub fn only(tenants: BTreeSet<TenantId>) -> Self {
        Self::Only(tenants, Extras::default())
    }

    /// The same tenants, and what else is seen of them.
    #[must_use]
    pub fn with(self, extras: impl FnOnce(&BTreeSet<TenantId>) -> Extras) -> Self {
        match self {
            Self::All => Self::All,
            Self::Only(tenants, _) => {
                let extras = extras(&tenants);
                Self::Only(tenants, extras)
            }
        }
    }

    const fn extras(&self) -> Option<&Extras> {
        match self {
            Self::All => None,
            Self::Only(_, extras) => Some(extras),
        }
    }

    /// Whether the labels of its tenants are seen.
    #[must_use]
    pub fn sees_labels(&self) -> bool {
        self.extras().is_none_or(|extras| extras.labels)
    }

    /// Whether what the author of a rule wrote is seen, and why controls are excluded.
    #[must_use]
    pub fn sees_about(&self) -> bool {
        self.extras().is_none_or(|extras| extras.about)
    }

    /// Whether messages to the operator are seen.
    #[must_use]
    pub fn sees_operator(&self) -> bool {
        self.extras().is_none_or(|extras| extras.operator)
    }

    /// Whether a channel's name is seen, and what was sent to it.
    #[must_use]
    pub fn sees_channel(&self, channel: &ChannelName) -> bool {
        match self.extras().map(|extras| &extras.channels) {
            None | Some(SeenChannels::All) => true,
            Some(SeenChannels::These(seen)) => seen.contains(channel),
        }
    }

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
            Self::Only(tenants, _) => Some(tenants),
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
        Scope::only(ids.iter().map(|id| tenant(id)).collect())
    }

    #[test]
    fn a_limited_scope_sees_only_what_it_is_given() {
        let desk = ChannelName::parse("desk").unwrap();
        let seen =
            |scope: &Scope| [scope.sees_labels(), scope.sees_about(), scope.sees_operator(), scope.sees_channel(&desk)];
        assert_eq!(seen(&Scope::All), [true; 4]);
        assert_eq!(seen(&only(&["contoso"])), [false; 4]);
        let all = Extras { labels: true, about: true, operator: true, channels: SeenChannels::All };
        assert_eq!(seen(&only(&["contoso"]).with(|_| all.clone())), [true; 4]);
        let own = SeenChannels::These([desk.clone()].into());
        let own = only(&["contoso"]).with(|_| Extras { channels: own, ..Extras::default() });
        assert_eq!(seen(&own), [false, false, false, true]);
        assert_eq!(Scope::All.with(|_| Extras::default()), Scope::All);
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
