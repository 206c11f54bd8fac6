//! A cloud of one tenant, and a client of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;

use crate::{
    egress::loopback::{Reply, Seen, Server, reply},
    microsoft::*,
    secret::{SecretError, SecretReference},
};

pub(super) const CANARY: &str = "canary+secret/7Q4M2K&~%";
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
pub(super) const SCORE: &str =
    r#"{"@odata.context":"https://elsewhere.example/api","time":"2026-01-02T03:04:05.1234567Z","score":340}"#;

/// A server, a client of it, and a clock that stands still.
pub(in crate::microsoft) struct World {
    pub(in crate::microsoft) server: Server,
    pub(in crate::microsoft) clock: Clock,
    pub(in crate::microsoft) microsoft: Microsoft,
    pub(in crate::microsoft) account: Account,
}

impl World {
    /// `answer` plays Defender, and Entra too if it wants to: else every token is granted for an hour.
    pub(in crate::microsoft) async fn new(answer: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::with_timeout(TIMEOUT, answer).await
    }

    pub(super) async fn with_timeout(
        timeout: Duration,
        answer: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let granted = AtomicUsize::new(0);
        let server = Server::start(move |seen| match answer(seen) {
            Some(answer) => answer,
            None if seen.is("POST ") => token(granted.fetch_add(1, Ordering::SeqCst) + 1, "3600"),
            None => reply(200, "", SCORE),
        })
        .await;
        let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
        let microsoft = Microsoft::with_secrets(Egress::new(), clock.clone(), Metrics::default(), timeout, read_file);
        let hosts = Hosts {
            login: server.url(""),
            defender: server.url(""),
            defender_scope: "https://defender.example/.default".to_owned(),
            graph: server.url(""),
            graph_scope: "https://graph.example/.default".to_owned(),
            portal: server.url(""),
            loopback: true,
        };
        let reference = SecretReference::Env(CANARY.to_owned());
        let account = Account {
            tenant: TenantId::parse("contoso").unwrap(),
            entra: EntraTenantId(uuid::Uuid::from_u128(1)),
            hosts: Arc::new(hosts),
            app: Arc::new(AppCredential::with_secret(uuid::Uuid::from_u128(2), reference)),
        };
        Self { server, clock, microsoft, account }
    }

    /// Fetches the device score; the next check is in 15 minutes. Waits are over as soon as they begin.
    pub(in crate::microsoft) async fn fetch(&self) -> Result<f64, FetchError> {
        self.fetch_until(Duration::from_mins(15)).await
    }

    pub(super) async fn fetch_until(&self, next_check_in: Duration) -> Result<f64, FetchError> {
        let next = self.clock.now().plus(next_check_in);
        let fetched = self.microsoft.fetch(&self.account, ScoreKind::DeviceSecureScore, next);
        Ok(fetched.await?[0].sample.value)
    }

    /// The same, with a clock that runs while something waits for it.
    pub(super) async fn fetch_in_flowing_time(&self) -> Result<f64, FetchError> {
        let flow = async {
            loop {
                self.clock.advance(Duration::from_millis(50));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { fetched = self.fetch() => fetched, () = flow => unreachable!() }
    }

    pub(super) fn token_requests(&self) -> usize {
        self.server.count("POST /00000000-0000-0000-0000-000000000001/oauth2/v2.0/token ")
    }

    pub(in crate::microsoft) fn calls(&self) -> usize {
        self.server.count("GET /api/configurationScore ")
    }
}

/// A secret that stands in its own reference, so that no test touches the environment; a file is read.
pub(super) fn read_file(reference: &SecretReference) -> BoxFuture<'_, Result<SecretString, SecretError>> {
    Box::pin(std::future::ready(content(reference)))
}

fn content(reference: &SecretReference) -> Result<SecretString, SecretError> {
    let failed =
        |what: &str| SecretError { place: "file secret".to_owned(), what: what.to_owned(), hint: String::new() };
    match reference {
        SecretReference::Env(secret) => Ok(secret.as_str().into()),
        SecretReference::File(path) => std::fs::read_to_string(path).map(Into::into).map_err(|_| failed("is missing")),
        SecretReference::Credential(_) | SecretReference::Stored(_) => Err(failed("is missing")),
    }
}

pub(super) fn token(number: usize, expires_in: &str) -> Reply {
    reply(
        200,
        "",
        format!(
            r#"{{"token_type":"Bearer","expires_in":{expires_in},"ext_expires_in":0,"access_token":"token-{number}"}}"#
        ),
    )
}

pub(super) fn entra_refusal(status: u16, code: u32) -> Reply {
    let body =
        format!(r#"{{"error":"x","error_description":"{CANARY}","error_codes":[{code}],"correlation_id":"c-1"}}"#);
    reply(status, "", body)
}

pub(super) fn is_token_request(seen: &Seen) -> bool {
    seen.is("POST ")
}
