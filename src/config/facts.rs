//! What messages say of a tenant.

use super::Tenant;
use crate::{
    domain::{Clause, ScoreKind},
    microsoft::FailureClass,
    notify::notification::TenantFacts,
};

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

    /// Its own page of Microsoft's portal for that score.
    #[must_use]
    pub fn score_page(&self, score: ScoreKind) -> String {
        self.account.hosts.score_page(self.account.entra, score)
    }

    /// The page on which a person can fix why it can't be read, by the name of the failure's class and what is advised; `None`: there
    /// is none.
    #[must_use]
    pub fn fix_page(&self, class: &str, hint: Option<&str>) -> Option<String> {
        let account = &self.account;
        let page = account.hosts.fix_page(FailureClass::from_name(class)?, account.entra, account.app.client_id)?;
        // Where the code has to be looked up, its page says what there is to fix.
        Some(hint.and_then(Clause::code_page).unwrap_or(page))
    }
}
