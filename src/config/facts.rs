//! What messages say of a tenant.

use super::Tenant;
use crate::notify::notification::TenantFacts;

impl Tenant {
    /// The tenant as notifications name it.
    #[must_use]
    pub fn facts(&self) -> TenantFacts {
        TenantFacts {
            id: self.id.to_string(),
            tenant_id: Some(self.account.entra.to_string()),
            name: self.name.to_string(),
            labels: self.labels.as_ref().clone(),
        }
    }

    /// Its own page of Microsoft's portal.
    #[must_use]
    pub fn score_page(&self) -> String {
        self.account.hosts.score_page(self.account.entra)
    }
}
