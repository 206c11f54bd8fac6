//! One token request ("OAuth 2.0 client credentials flow on the Microsoft identity platform") and its answer.

use std::time::Duration;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::{
    super::{Failure, FailureClass, Statement, bounded::Scalar, credential::LoadedMaterial, is_object, refusal},
    TokenRequest, Wire,
};
use crate::{
    domain::Timestamp,
    egress::{Answer, Method, Request},
};

/// The most bytes of a token answer; tokens have some 2,000.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// No token lives longer than a day, whatever `expires_in` says ("Access tokens in the Microsoft identity platform").
const LIFE_SECONDS_MAX: u64 = 24 * 3600;
/// The type of a signed statement in place of a secret (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A token and how long it lives.
pub(super) struct Grant {
    pub(super) bearer: SecretString,
    pub(super) life: Duration,
}

/// Asks Entra for a token.
pub(super) async fn request(
    wire: &Wire,
    token_request: TokenRequest<'_>,
    loaded: &LoadedMaterial,
) -> Result<Grant, Failure> {
    let account = token_request.account;
    let url = format!("{}/{}/oauth2/v2.0/token", account.hosts.login, account.entra);
    let outgoing = || Request {
        method: Method::Post,
        url: SecretString::from(url.as_str()),
        headers: vec![
            ("accept", SecretString::from("application/json")),
            ("content-type", SecretString::from("application/x-www-form-urlencoded")),
        ],
        // Made again for a second try: an assertion is good for one request.
        body: form(token_request, loaded, &url, wire.clock.now()),
    };
    let answer = wire.send(account.hosts.loopback, ANSWER_BYTES_MAX, outgoing).await;
    let answer = answer.map_err(|error| Failure::no_answer("Entra", &error))?;
    if answer.status == 200 { read(&answer) } else { Err(refusal::of_sign_in(&answer, wire.clock.now())) }
}

fn form(token_request: TokenRequest<'_>, loaded: &LoadedMaterial, url: &str, now: Timestamp) -> Bytes {
    let client_id = token_request.account.app.client_id;
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", client_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
        .append_pair("scope", token_request.scope);
    match loaded {
        LoadedMaterial::Secret(secret) => {
            form.append_pair("client_secret", secret.expose_secret());
        }
        LoadedMaterial::Token(token) => assert(&mut form, token),
        LoadedMaterial::Certificate(certificate) => {
            let statement = Statement { audience: url, client_id, id: Uuid::new_v4(), at: now };
            // Without random numbers there is no signature, and Entra says that none came.
            if let Some(assertion) = certificate.sign(statement) {
                assert(&mut form, &assertion);
            }
        }
    }
    Bytes::from(form.append_pair("grant_type", "client_credentials").finish())
}

fn assert(form: &mut Serializer<'_, String>, assertion: &SecretString) {
    form.append_pair("client_assertion_type", ASSERTION_TYPE)
        .append_pair("client_assertion", assertion.expose_secret());
}

#[derive(Deserialize)]
struct RawGrant {
    access_token: SecretString,
    #[serde(default)]
    expires_in: Scalar,
}

/// Reads a grant. The token is opaque: nothing in it is examined.
pub(super) fn read(answer: &Answer) -> Result<Grant, Failure> {
    let garbage = |what: &'static str| Failure::new(FailureClass::Garbage, what);
    if !is_object(&answer.body) {
        return Err(garbage("Entra's answer is not a JSON object"));
    }
    let raw: RawGrant =
        serde_json::from_slice(&answer.body).map_err(|_| garbage("Entra's answer contains no readable token"))?;
    let token = raw.access_token.expose_secret();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(garbage("Entra's answer contains an invalid token"));
    }
    let seconds = match &raw.expires_in.0 {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let seconds = seconds.ok_or_else(|| garbage("Entra's answer does not say when its token expires"))?;
    let mut bearer = String::with_capacity("Bearer ".len() + token.len());
    bearer.push_str("Bearer ");
    bearer.push_str(token);
    Ok(Grant { bearer: bearer.into(), life: Duration::from_secs(seconds.clamp(1, LIFE_SECONDS_MAX)) })
}
