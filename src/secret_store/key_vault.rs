//! Azure Key Vault: secrets by name, under a token of Entra's ("Get Secret", Key Vault REST API 7.4).

use std::{fmt, sync::OnceLock};

use secrecy::ExposeSecret;

use super::{
    ANSWER_BYTES_MAX, Found, Refusal, TIMEOUT,
    answer::{Value, value_at},
};
use crate::{
    clock::Clock,
    domain::{Cloud, Timestamp},
    egress::{Answer, Egress, Private, retry_after},
    microsoft::{Account, FailureClass, FetchError, Microsoft},
    secret::Item,
    telemetry::Metrics,
};

/// The version of the API that is asked for.
const API_VERSION: &str = "7.4";
/// Longest wait that is believed.
const WAIT_MAX: std::time::Duration = std::time::Duration::from_mins(5);
/// Where vaults are, cloud by cloud, and what their tokens are asked for ("Authentication, requests and responses", Key Vault).
const CLOUDS: [(&str, Cloud, &str); 2] = [
    (".vault.azure.net", Cloud::Commercial, "https://vault.azure.net/.default"),
    (".vault.usgovcloudapi.net", Cloud::GccHigh, "https://vault.usgovcloudapi.net/.default"),
];

/// The cloud in which a vault's host lies, and the scope of its tokens. `None`: it is not a Key Vault, and gets no
/// token.
#[must_use]
pub fn cloud_of(host: &str) -> Option<(Cloud, &'static str)> {
    let found = CLOUDS.iter().find(|(suffix, ..)| {
        host.strip_suffix(suffix).is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
        })
    });
    found.map(|(_, cloud, scope)| (*cloud, *scope))
}

/// Where a Key Vault is, and how it knows us.
#[derive(Debug, Clone)]
pub struct KeyVaultSettings {
    /// Its base URL, without a trailing slash.
    pub address: String,
    /// The directory and app that sign in, and where.
    pub account: Account,
    /// The scope of its tokens.
    pub scope: &'static str,
    /// Which addresses are allowed in addition to public ones, for a private endpoint.
    pub private: Private,
}

/// A client of one Key Vault.
pub struct KeyVault {
    settings: KeyVaultSettings,
    /// Made when it is first needed: by then it is known who counts.
    microsoft: OnceLock<Microsoft>,
    metrics: OnceLock<Metrics>,
    clock: Clock,
}

impl fmt::Debug for KeyVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVault").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl KeyVault {
    pub(super) fn new(settings: KeyVaultSettings, clock: Clock) -> Self {
        Self { settings, microsoft: OnceLock::new(), metrics: OnceLock::new(), clock }
    }

    /// From now on its token requests are counted there. Too late once it was asked.
    pub(super) fn count_in(&self, metrics: &Metrics) {
        self.metrics.get_or_init(|| metrics.clone());
    }

    fn microsoft(&self) -> &Microsoft {
        self.microsoft.get_or_init(|| {
            let metrics = self.metrics.get().cloned().unwrap_or_default();
            Microsoft::new(Egress::new(), self.clock.clone(), metrics, TIMEOUT)
        })
    }

    #[cfg(test)]
    pub(super) fn settings(&self) -> &KeyVaultSettings {
        &self.settings
    }

    /// Reads a secret from Azure Key Vault.
    pub(super) async fn read(&self, item: &Item) -> Result<Found, Refusal> {
        let Item::Named { name, version } = item else {
            return Err(Refusal::final_word("is stored in a Key Vault and needs a `name`"));
        };
        let KeyVaultSettings { address, account, scope, private } = &self.settings;
        let version = version.as_ref().map(|version| format!("/{version}")).unwrap_or_default();
        let url = format!("{address}/secrets/{name}{version}?api-version={API_VERSION}");
        let answer = self.microsoft().document(account, scope, &url, private, ANSWER_BYTES_MAX).await;
        let answer = answer.map_err(|error| no_answer(&error))?;
        match answer.status {
            200 => read(&answer.body),
            status => Err(self.refusal(status, &answer)),
        }
    }

    /// What a status other than 200 means ("REST API error codes", Key Vault).
    fn refusal(&self, status: u16, answer: &Answer) -> Refusal {
        let detail = inner_code(&answer.body);
        match (status, detail.as_deref()) {
            (401, _) => Refusal::down("can't be read: the Key Vault rejects the token; check the store's `tenant_id`"),
            (403, Some("SecretDisabled")) => Refusal::final_word("is disabled in the Key Vault"),
            (403, Some("ForbiddenByFirewall")) => {
                Refusal::down("can't be read: the Key Vault's firewall blocks this machine")
            }
            (403, _) => Refusal::final_word(
                "may not be read: give the store's app the role *Key Vault Secrets User*, or the permission *Get*",
            ),
            (404, _) => Refusal::final_word("does not exist: the Key Vault has no secret of this name, or version"),
            (429, _) => {
                let wait = answer.retry_after.as_deref();
                let wait = wait.and_then(|wait| retry_after::parse(wait, self.clock.now(), WAIT_MAX));
                Refusal::wait("can't be read: the Key Vault throttles requests (429)", wait)
            }
            (status, _) => Refusal::down(format!("can't be read: the Key Vault answered {status}")),
        }
    }
}

/// There is no token, or no answer.
fn no_answer(error: &FetchError) -> Refusal {
    let what = format!("can't be read: {}", error.what);
    if error.class == FailureClass::Throttled { Refusal::wait(what, error.retry_after) } else { Refusal::down(what) }
}

fn read(body: &[u8]) -> Result<Found, Refusal> {
    let Ok(Value::Text(value)) = value_at(body, &["value"]) else {
        return Err(Refusal::down("can't be read: the Key Vault's answer contains no secret"));
    };
    let expires_at = match value_at(body, &["attributes", "exp"]) {
        Ok(Value::Number(seconds)) => Some(Timestamp::from_seconds(seconds)),
        _ => None,
    };
    Ok(Found { value, expires_at })
}

/// What the error says beyond its status: `error.innererror.code`, if it is one word.
fn inner_code(body: &[u8]) -> Option<String> {
    let Ok(Value::Text(code)) = value_at(body, &["error", "innererror", "code"]) else { return None };
    let code = code.expose_secret();
    code.bytes().all(|letter| letter.is_ascii_alphabetic()).then(|| code.to_owned())
}
