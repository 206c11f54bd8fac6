//! HashiCorp Vault, and what speaks its API: secrets of its key/value engine, version 2 ("KV secrets engine (API)").

use std::{fmt, time::Duration};

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    ANSWER_BYTES_MAX, Found, Refusal, TIMEOUT,
    answer::{Value, any_text_contains, value_at},
};
use crate::{
    clock::Clock,
    domain::Timestamp,
    egress::{Answer, Egress, Method, Policy, Private, Request, retry_after},
    secret::{Item, SecretReference},
};

/// No token of AppRole is used for longer, whatever its lease says.
const SESSION_MAX: Duration = Duration::from_hours(24);
/// Longest wait that is believed.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// Where a Vault is, and how it knows us.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// Its base URL, without a trailing slash.
    pub address: String,
    /// Where the engine is mounted: `secret`.
    pub mount: String,
    /// The namespace of Vault Enterprise.
    pub namespace: Option<String>,
    /// How we sign in.
    pub sign_in: SignIn,
    /// Which addresses are allowed in addition to public ones.
    pub private: Private,
}

/// How a Vault knows us.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// By a token that somebody else renews.
    Token(SecretReference),
    /// By AppRole, which gives a token for a while ("AppRole auth method (API)").
    AppRole {
        /// The role's id, which is not a secret.
        role_id: String,
        /// The secret that goes with it.
        secret_id: SecretReference,
    },
}

/// A client of one Vault.
pub struct Vault {
    settings: VaultSettings,
    egress: Egress,
    clock: Clock,
    /// What AppRole gave, and until when it is used.
    session: Mutex<Option<(SecretString, Timestamp)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Vault {
    pub(super) fn new(settings: VaultSettings, clock: Clock) -> Self {
        Self { settings, egress: Egress::new(), clock, session: Mutex::default() }
    }

    /// Reads a field of the newest version of a secret.
    pub(super) async fn read(&self, item: &Item) -> Result<Found, Refusal> {
        let Item::Field { path, field } = item else {
            return Err(Refusal::final_word("is stored in a Vault and needs a `path`"));
        };
        let url = format!("{}/v1/{}/data/{path}", self.settings.address, self.settings.mount);
        let (token, is_new) = self.token().await?;
        let mut answer = self.send(Method::Get, &url, Some(&token), Bytes::new()).await?;
        if answer.status == 403 && !is_new && matches!(self.settings.sign_in, SignIn::AppRole { .. }) {
            // The token may have been revoked before its time.
            *self.session.lock().await = None;
            let (token, _) = self.token().await?;
            answer = self.send(Method::Get, &url, Some(&token), Bytes::new()).await?;
        }
        match answer.status {
            200 => read(&answer.body, field),
            status => Err(self.refusal(status, &answer)),
        }
    }

    /// A token, and whether it is as new as can be.
    async fn token(&self) -> Result<(SecretString, bool), Refusal> {
        let resolved = async |reference: &SecretReference| {
            let read = reference.obtain().await;
            read.map_err(|error| Refusal::down(format!("can't be read: its store's {error}")))
        };
        let (role_id, secret_id) = match &self.settings.sign_in {
            SignIn::Token(token) => return Ok((resolved(token).await?, true)),
            SignIn::AppRole { role_id, secret_id } => (role_id, secret_id),
        };
        let mut session = self.session.lock().await;
        let now = self.clock.now();
        if let Some((token, until)) = session.as_ref().filter(|(_, until)| now < *until) {
            let _ = until;
            return Ok((token.clone(), false));
        }
        let secret_id = resolved(secret_id).await?;
        let body = json!({ "role_id": role_id, "secret_id": secret_id.expose_secret() }).to_string();
        let url = format!("{}/v1/auth/approle/login", self.settings.address);
        let answer = self.send(Method::Post, &url, None, body.into()).await?;
        if matches!(answer.status, 400 | 403) {
            return Err(Refusal::down("can't be read: Vault rejects `role_id` or `secret_id`"));
        }
        if answer.status != 200 {
            return Err(self.refusal(answer.status, &answer));
        }
        let granted: Login = serde_json::from_slice(&answer.body).map_err(|_| garbage())?;
        let life = Duration::from_secs(granted.auth.lease_duration).min(SESSION_MAX);
        // Without an end it is used for an hour, so that one that was revoked is not used for ever.
        let used_for = if life.is_zero() { Duration::from_hours(1) } else { life * 4 / 5 };
        *session = Some((granted.auth.client_token.clone(), now.plus(used_for)));
        Ok((granted.auth.client_token, true))
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        token: Option<&SecretString>,
        body: Bytes,
    ) -> Result<Answer, Refusal> {
        let mut headers =
            vec![("x-vault-request", SecretString::from("true")), ("accept", SecretString::from("application/json"))];
        headers.extend(token.map(|token| ("x-vault-token", token.clone())));
        headers.extend(self.settings.namespace.iter().map(|name| ("x-vault-namespace", name.as_str().into())));
        if !body.is_empty() {
            headers.push(("content-type", "application/json".into()));
        }
        let request = Request { method, url: url.into(), headers, body };
        let private = self.settings.private.clone();
        let policy = Policy { private, deadline: TIMEOUT, answer_bytes_max: ANSWER_BYTES_MAX, fail_above_max: true };
        let answer = self.egress.send(request, &policy).await;
        answer.map_err(|error| Refusal::down(format!("can't be read: no answer from Vault: {error}")))
    }

    /// What a status other than 200 means ("HTTP status codes", Vault's HTTP API).
    fn refusal(&self, status: u16, answer: &Answer) -> Refusal {
        match status {
            404 => Refusal::final_word(match deleted(&answer.body) {
                Some(true) => "was destroyed: its newest version is gone permanently",
                Some(false) => "was deleted: undelete its newest version, or write a new one",
                None => "does not exist: Vault has nothing at this path; check `path` and `mount`",
            }),
            403 => Refusal::final_word("may not be read: Vault rejects the token, or its policy does not allow `read`"),
            400 => Refusal::final_word("can't be read: Vault answered 400; check `namespace`, `mount` and `path`"),
            429 => {
                let wait = answer.retry_after.as_deref();
                let wait = wait.and_then(|wait| retry_after::parse(wait, self.clock.now(), WAIT_MAX));
                Refusal::wait("can't be read: Vault throttles requests (429)", wait)
            }
            503 if any_text_contains(&answer.body, "errors", "sealed") => {
                Refusal::down("can't be read: Vault is sealed")
            }
            300..=399 => Refusal::down("can't be read: Vault answered with a redirect; name its active node"),
            status => Refusal::down(format!("can't be read: Vault answered {status}")),
        }
    }
}

#[derive(Deserialize)]
struct Login {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretString,
    /// Seconds; 0: without an end.
    lease_duration: u64,
}

fn garbage() -> Refusal {
    Refusal::down("can't be read: Vault's answer is not one of its key/value engine, version 2")
}

fn read(body: &[u8], field: &str) -> Result<Found, Refusal> {
    // Null of a deleted version.
    if !matches!(value_at(body, &["data", "data"]), Ok(Value::Other)) {
        return Err(garbage());
    }
    match value_at(body, &["data", "data", field]) {
        Ok(Value::Text(value)) => Ok(Found { value, expires_at: None }),
        Ok(Value::Nothing) => Err(Refusal::final_word("does not exist: the secret has no such field")),
        Ok(_) => Err(Refusal::final_word("is not text")),
        Err(_) => Err(garbage()),
    }
}

/// Whether the body describes a version that was deleted, and whether permanently.
fn deleted(body: &[u8]) -> Option<bool> {
    let of_version = |key| value_at(body, &["data", "metadata", key]).ok();
    let is_destroyed = matches!(of_version("destroyed"), Some(Value::Truth(true)));
    let is_deleted = matches!(of_version("deletion_time"), Some(Value::Text(time)) if !time.expose_secret().is_empty());
    (is_destroyed || is_deleted).then_some(is_destroyed)
}
