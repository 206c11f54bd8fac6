//! Which tenants there are, configured or not.

use async_trait::async_trait;

use crate::{
    domain::Timestamp,
    store::{Configured, KnownTenant, Reconciled, StoreError},
};

/// Which tenants there are, configured or not.
#[async_trait]
pub trait Roster: Send + Sync + 'static {
    /// Compares the tenants that are known with those of the configuration that takes effect. A tenant is its Entra id: under
    /// another slug it goes on as it was; one whose slug belongs to another by now is kept, with all that is known of it, under
    /// a name that no configuration has. Notes which tenants are missing from the configuration, since when. A row from before
    /// Entra ids were noted takes the one that its slug has in the first configuration that it is compared with.
    ///
    /// `by`: the configuration's fingerprint. While another replica that lives runs another one, nothing is noted as missing, and a slug
    /// that another one gave to a tenant is not taken back ([`Reconciled::held_back`]): once all run the same, it is compared again.
    async fn reconcile(&self, configured: Vec<Configured>, by: &str, now: Timestamp) -> Result<Reconciled, StoreError>;

    /// Every tenant that is known, by name, whether or not it is configured.
    async fn roster(&self) -> Result<Vec<KnownTenant>, StoreError>;
}
