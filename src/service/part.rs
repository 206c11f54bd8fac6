//! Which tenants this process plans: all of them, or those of the shards that it owns.

use std::time::Duration;

use crate::{
    config::{Config, Tenant},
    domain::Timestamp,
    store::{Division, Shard, Tenure},
};

/// Where several replicas visit tenants, what has no place in the configuration is looked for again after this time: a visit of an earlier
/// configuration may have ended elsewhere.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// This process's part of the tenants.
pub(super) struct Part {
    division: Division,
    /// The state of the division that was followed.
    followed: u64,
}

impl Part {
    pub(super) fn new(division: Division) -> Self {
        let followed = division.revision();
        Self { division, followed }
    }

    /// Whether the tenant is this process's.
    pub(super) fn has(&self, tenant: &Tenant) -> bool {
        self.division.owns(Shard::of_tenant(tenant.account.entra))
    }

    /// Which shards this process owns.
    pub(super) fn division(&self) -> Division {
        self.division.clone()
    }

    /// Begins what is done once for the whole fleet. `None`: another replica does it, or the lease has run out.
    pub(super) fn lead(&self) -> Option<Tenure> {
        self.division.begin(Shard::LEAD)
    }

    /// The state of the division, if it has changed since it was followed.
    pub(super) fn changed(&self) -> Option<u64> {
        Some(self.division.revision()).filter(|revision| *revision != self.followed)
    }

    /// Notes that this state was followed.
    pub(super) const fn follow(&mut self, revision: u64) {
        self.followed = revision;
    }

    pub(super) fn leads(&self) -> bool {
        self.division.leads()
    }

    pub(super) fn agrees(&self) -> bool {
        self.division.agrees()
    }

    /// When what has no place in the configuration must be looked for again though nothing changed here; `None`: never.
    pub(super) fn looks_again_at(&self, now: Timestamp) -> Option<Timestamp> {
        (self.division.living() > 1 && self.leads()).then(|| now.plus(AGAIN_AFTER))
    }
}

/// Whether what was opened at the start is still what the configuration asks for.
pub(super) fn same_foundations(before: &Config, after: &Config) -> bool {
    before.store == after.store && before.listen == after.listen && before.timeout == after.timeout
}
