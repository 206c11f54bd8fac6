//! Microsoft's side: tokens, hosts per cloud, and each score's call, with every documented failure classified.

pub mod cloud;
pub mod error;

use std::sync::Arc;

pub use cloud::Hosts;
pub use error::{FailureClass, FetchError};

use crate::{
    clock::Clock,
    domain::{EntraTenantId, Reading, ScoreKind, TenantId},
    egress::Egress,
    secret::SecretReference,
};

/// How to reach one tenant's APIs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Our slug, for errors and logs.
    pub tenant: TenantId,
    /// The directory to sign in to.
    pub entra: EntraTenantId,
    /// The hosts and scopes of the tenant's cloud; shared between tenants.
    pub hosts: Arc<Hosts>,
    /// Our app in that directory; shared between tenants of one multi-tenant app.
    pub app: Arc<AppCredential>,
}

/// An app registration and how it proves itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppCredential {
    /// The application (client) id.
    pub client_id: uuid::Uuid,
    /// What it proves itself with.
    pub proof: Proof,
}

/// What an app proves itself with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A client secret.
    Secret(SecretReference),
}

/// The client of Microsoft's APIs. Cheap to clone; clones share tokens and connections.
#[derive(Debug, Clone)]
pub struct Microsoft {
    _inner: Arc<()>,
}

impl Microsoft {
    /// A client that sends through `egress`; `timeout` bounds one call, body included.
    #[must_use]
    pub fn new(
        _egress: Egress,
        _clock: Clock,
        _metrics: crate::telemetry::Metrics,
        _timeout: std::time::Duration,
    ) -> Self {
        unimplemented!()
    }

    /// Fetches one score of one tenant. Each value that the source gave is one reading.
    ///
    /// # Errors
    /// [`FetchError`] with its class, and what the operator can do.
    pub async fn fetch(&self, _account: &Account, _score: ScoreKind) -> Result<Vec<Reading>, FetchError> {
        unimplemented!()
    }
}
