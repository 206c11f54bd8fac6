//! Redeems a code for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5).

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{
    callback::entra_code,
    document::Document,
    error::{SignInError, SignInFailure},
    pending::Pending,
    settings::Settings,
    wire::{Ask, Wire},
};
use crate::egress::Answer;

/// The most bytes of a token answer: two tokens, of which Entra's with many groups have some 12,000.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What a code was redeemed for. Neither is believed yet.
pub(super) struct Tokens {
    pub(super) id_token: SecretString,
    /// `Bearer …`, for Graph; `None`: there is no usable one.
    pub(super) bearer: Option<SecretString>,
}

pub(super) async fn redeem(
    wire: &Wire,
    settings: &Settings,
    document: &Document,
    pending: &Pending,
    code: &SecretString,
) -> Result<Tokens, SignInError> {
    let secret = match &settings.client_secret {
        Some(reference) => Some(reference.obtain().await.map_err(|error| {
            let what = format!("the client secret of `access.oidc` can't be read: {error}");
            SignInError::new(SignInFailure::SecretUnreadable, what, error.hint)
        })?),
        None => None,
    };
    // A client secret neither begins nor ends with a blank: what a copied line brings along goes.
    let secret = secret.as_ref().map(|secret| secret.expose_secret().trim());
    let in_form = secret.filter(|_| document.takes_secret_in_form);
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded".into())];
    if let Some(secret) = secret.filter(|_| !document.takes_secret_in_form) {
        headers.push(("authorization", basic(&settings.client_id, secret)));
    }
    let ask = Ask {
        what: "the provider's answer to the code",
        url: &document.token,
        headers,
        body: Some(form(settings, pending, code, in_form).into()),
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answer = wire.send(ask).await?;
    if answer.status == 200 { read(&answer) } else { Err(refused(&answer)) }
}

fn form(settings: &Settings, pending: &Pending, code: &SecretString, secret: Option<&str>) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose_secret())
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("client_id", &settings.client_id)
        .append_pair("code_verifier", pending.verifier());
    if let Some(secret) = secret {
        form.append_pair("client_secret", secret);
    }
    form.finish()
}

/// Both parts are escaped as in a form before they are joined (RFC 6749, section 2.3.1).
fn basic(client_id: &str, secret: &str) -> SecretString {
    let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", escaped(client_id), escaped(secret)))).into()
}

#[derive(Deserialize)]
struct RawTokens {
    id_token: SecretString,
    #[serde(default)]
    access_token: Option<SecretString>,
    #[serde(default)]
    token_type: Option<String>,
}

fn read(answer: &Answer) -> Result<Tokens, SignInError> {
    let raw: RawTokens = serde_json::from_slice(&answer.body).map_err(|_| SignInError {
        hint: "check that the provider knows the app as an OpenID Connect client, with the scope `openid`".into(),
        ..SignInError::garbage("the provider's answer to the code contains no ID token")
    })?;
    let is_bearer = raw.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    let token = raw.access_token.filter(|token| {
        let token = token.expose_secret();
        is_bearer && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let bearer = token.map(|token| format!("Bearer {}", token.expose_secret()).into());
    Ok(Tokens { id_token: raw.id_token, bearer })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

fn refused(answer: &Answer) -> SignInError {
    let said: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = entra_code(&said.error_description);
    let rejected = SignInFailure::AppRejected;
    let (failure, what, hint) = match (said.error.as_str(), code) {
        (_, Some(7_000_222)) => {
            (rejected, "the app's client secrets have expired", "create a new client secret in Entra and store it")
        }
        (_, Some(7_000_215)) => (
            rejected,
            "Entra does not know the client secret",
            "store the secret's value (not its ID) where `access.oidc.client_secret` refers to",
        ),
        (_, Some(700_025)) => (
            rejected,
            "the app is registered as a public client, which has no secret",
            "in the app registration, add the redirect URI under the platform Web, or remove `client_secret`",
        ),
        (_, Some(7_000_218)) => (
            rejected,
            "the provider wants a client secret, and none is set",
            "create one in the app registration and set `access.oidc.client_secret`",
        ),
        (_, Some(50_011)) => (
            rejected,
            "the redirect URI is not one of the app's",
            "add `public_url` with `/sign-in/oidc/callback` as a redirect URI of the platform Web",
        ),
        ("invalid_client" | "unauthorized_client", _) => (
            rejected,
            "the provider rejects the app or its client secret",
            "check `access.oidc.client_id` and what `client_secret` refers to",
        ),
        ("invalid_grant", _) => (
            SignInFailure::Declined,
            "the provider no longer takes the code: it was used before, or is too old",
            "start again; if this happens each time, check the redirect URI and this machine's clock",
        ),
        ("invalid_scope", _) => {
            (rejected, "the provider does not know a scope that was asked for", "check `access.oidc.scopes`")
        }
        _ if matches!(answer.status, 300..=399) => (
            SignInFailure::Garbage,
            "the provider answers the code with a redirect, which is not followed",
            "correct the `token_endpoint` of the provider's discovery document",
        ),
        _ if matches!(answer.status, 429 | 500..=599) => {
            (SignInFailure::Unreachable, "the provider is not available", "try again later")
        }
        _ => (rejected, "the provider rejects the code", "the provider's logs say why"),
    };
    let code = code.map(|code| format!(" (AADSTS{code})")).unwrap_or_default();
    SignInError::new(failure, format!("{what}{code}, HTTP {}", answer.status), hint)
}
