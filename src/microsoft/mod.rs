//! Microsoft's side: tokens, hosts per cloud, and each score's call, with every documented failure classified.
//!
//! One fetch: [`token`] (cached; else [`proof`] is read, and a certificate signs an [`assertion`]) → [`wire`] sends →
//! [`defender`] reads the score, or [`refusal`] says why there is none.

mod assertion;
mod certificate;
pub mod cloud;
mod defender;
pub mod error;
mod granted;
mod proof;
mod refusal;
#[cfg(test)]
mod tests;
mod token;
mod wire;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;

pub use assertion::Statement;
pub use certificate::{Certificate, CertificateError};
pub use cloud::Hosts;
use error::Failure;
pub use error::{FailureClass, FetchError};
pub use granted::Granted;
pub use proof::{AppCredential, Proof, ProofKind};
pub use token::PassedOver;
use token::{ReadSecret, Token, Tokens, Wanted};
use wire::Wire;

use crate::{
    clock::Clock,
    domain::{EntraTenantId, Reading, ScoreKind, TenantId, Timestamp},
    egress::{Answer, Egress, Method, Request},
    secret::SecretReference,
    telemetry::Metrics,
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

/// The client of Microsoft's APIs. Cheap to clone; clones share tokens and connections.
#[derive(Debug, Clone)]
pub struct Microsoft {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    wire: Wire,
    tokens: Tokens,
}

impl Microsoft {
    /// A client that sends through `egress`; `timeout` bounds one call, body included.
    #[must_use]
    pub fn new(egress: Egress, clock: Clock, metrics: Metrics, timeout: Duration) -> Self {
        Self::with_secrets(egress, clock, metrics, timeout, SecretReference::resolve)
    }

    /// Credentials that Entra did not take since this was last asked, though one beside them was taken. Each once.
    #[must_use]
    pub fn passed_over(&self) -> Vec<PassedOver> {
        self.inner.tokens.passed_over()
    }

    fn with_secrets(
        egress: Egress,
        clock: Clock,
        metrics: Metrics,
        timeout: Duration,
        read_secret: ReadSecret,
    ) -> Self {
        let wire = Wire { egress, clock, timeout };
        Self { inner: Arc::new(Inner { wire, tokens: Tokens::new(metrics, read_secret) }) }
    }

    /// Fetches one score of one tenant. Each value that the source gave is one reading.
    ///
    /// `next_check_at` is when the same tenant is visited next: a token that will not be good by then is soon forgotten.
    ///
    /// # Errors
    /// [`FetchError`] with its class, and what the operator can do.
    pub async fn fetch(
        &self,
        account: &Account,
        score: ScoreKind,
        next_check_at: Timestamp,
    ) -> Result<Vec<Reading>, FetchError> {
        self.inner.fetch(account, score, next_check_at).await.map(|reading| vec![reading]).map_err(|failure| {
            // The caller says that it failed; support asks for these.
            tracing::debug!(
                tenant = %account.tenant,
                class = %failure.class,
                entra_code = failure.entra_code,
                correlation = failure.correlation.as_deref(),
                "Microsoft gave no score"
            );
            failure.of(&account.tenant)
        })
    }
}

impl Inner {
    async fn fetch(&self, account: &Account, score: ScoreKind, next_check_at: Timestamp) -> Result<Reading, Failure> {
        let Some(path) = defender::path(score) else {
            return Err(Failure::new(
                FailureClass::ConfigurationWrong,
                format!("the score `{score}` is not supported"),
            ));
        };
        let wanted = Wanted { account, scope: &account.hosts.defender_scope, next_check_at };
        let url = format!("{}{path}", account.hosts.defender);
        let mut is_renewed = false;
        loop {
            let token = self.tokens.get(&self.wire, wanted).await?;
            let answer = self.call(account, &url, &token).await?;
            if answer.status == 200 {
                return defender::read(score, &answer.body);
            }
            let now = self.wire.clock.now();
            let failure = refusal::of_call(&answer, now);
            match (failure.class, failure.retry_after) {
                (FailureClass::TokenRefused, _) if !is_renewed => {
                    self.tokens.forget(wanted, &token);
                    is_renewed = true;
                    continue;
                }
                // Roles are inside the token: consent given from now on shows only in a new one.
                (FailureClass::RoleMissing, _) => self.tokens.forget(wanted, &token),
                (FailureClass::Throttled, Some(wait)) => self.tokens.hold(wanted, &failure, now, wait),
                _ => {}
            }
            return Err(failure);
        }
    }

    async fn call(&self, account: &Account, url: &str, token: &Token) -> Result<Answer, Failure> {
        let outgoing = || Request {
            method: Method::Get,
            url: SecretString::from(url),
            headers: vec![
                ("authorization", token.bearer.clone()),
                ("accept", SecretString::from("application/json")),
                ("accept-encoding", SecretString::from("gzip")),
            ],
            body: Bytes::new(),
        };
        let answer = self.wire.send(account.hosts.loopback, defender::ANSWER_BYTES_MAX, outgoing).await;
        answer.map_err(|error| Failure::no_answer("the API", &error))
    }
}

/// Whether the body could be a JSON object. The decoder would take a list for one, field by field.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}
