//! Which tenant is which.

use serde::Serialize;

use crate::domain::{EntraTenantId, TenantId, Timestamp};

/// Who a tenant is, whatever its slug.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantIdentity {
    /// Its Entra id; `None`: the row is from a time when the store did not note it.
    pub entra: Option<EntraTenantId>,
    /// What the ids of its alerts and notifications are made of: the same for as long as the store knows the tenant, and never
    /// used again after that. Empty in what is written of a new tenant: its slug.
    pub key: String,
}

impl TenantIdentity {
    /// Of a tenant that the store meets for the first time.
    #[must_use]
    pub fn new(entra: EntraTenantId, now: Timestamp) -> Self {
        Self { entra: Some(entra), key: format!("{entra} {}", now.as_nanos()) }
    }

    /// Whether the tenant with that Entra id may go on from here.
    #[must_use]
    pub fn is(&self, entra: EntraTenantId) -> bool {
        self.entra.is_none_or(|known| known == entra)
    }
}

/// A tenant of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// The tenant's slug in the configuration.
    pub tenant: TenantId,
    /// The tenant's id in Entra, which never changes.
    pub entra: EntraTenantId,
    /// The tenant's name as messages show it.
    pub name: String,
}

/// What was found when the store's tenants were compared with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Slugs that belong to another tenant by now, each with the name under which the store keeps what is left of the old one.
    pub replaced: Vec<(TenantId, TenantId)>,
    /// Tenants with another slug than before: the old one and the new one.
    pub renamed: Vec<(TenantId, TenantId)>,
    /// Tenants that keep the slug which another replica's configuration gave them: that slug, and the one that they have in this
    /// configuration.
    pub held_back: Vec<(TenantId, TenantId)>,
}

/// A tenant that the store knows, configured or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct KnownTenant {
    /// The name under which it is kept: its slug, unless that belongs to another tenant by now.
    pub id: TenantId,
    /// The tenant's id in Entra.
    pub tenant_id: Option<EntraTenantId>,
    /// The display name that the configuration last gave it.
    pub name: Option<String>,
    /// Since when it has been missing from the configuration; `None`: it is there.
    pub gone_since: Option<Timestamp>,
}
