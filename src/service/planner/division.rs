//! Follows which tenants are this replica's.

use std::collections::BTreeSet;

use tracing::error;

use super::Planner;
use crate::domain::TenantId;

impl Planner {
    /// Enters the tenants that have become this process's, and lets go of those that no longer are.
    pub(super) async fn follow_division(&mut self) {
        let Some(revision) = self.part.changed() else { return };
        let taken: BTreeSet<TenantId> = self.queue.taken().cloned().collect();
        // A visit under way goes on; then its tenant is let go of as well.
        let config = self.plan.config.clone();
        let before: BTreeSet<&TenantId> = config.tenants.keys().filter(|id| self.queue.contains(id)).collect();
        for (id, _) in config.tenants.iter().filter(|(id, tenant)| !self.part.has(tenant) && !taken.contains(*id)) {
            self.queue.remove(id);
        }
        if let Err(error) = self.enter_all().await {
            return error!(%error, "the tenants that are this replica's now could not be loaded; trying again");
        }
        // Whoever had them may have been asked to look at them and not have come to it.
        config.tenants.keys().filter(|id| !before.contains(id)).for_each(|id| self.queue.wake(id));
        self.part.follow(revision);
        self.orphans_at = Some(self.checker.clock.now());
    }
}
