//! What a certificate signs in place of a secret ("Microsoft identity platform application authentication certificate
//! credentials"): a JWT by PS256, found by `x5t#S256`, for one tenant's token endpoint and a few minutes.

use std::time::Duration;

use aws_lc_rs::{rand::SystemRandom, signature::RSA_PSS_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use super::Certificate;
use crate::domain::Timestamp;

/// How far before now it begins to hold: clocks differ.
const HELD_BEFORE: Duration = Duration::from_mins(2);
/// How long it holds from now. With what lies before, ten minutes, the most that the page advises.
const HELD_AFTER: Duration = Duration::from_mins(8);

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: Uuid,
    sub: Uuid,
    jti: Uuid,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// For whom an assertion speaks, to whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// The tenant's token endpoint, as it is asked.
    pub audience: &'a str,
    /// The application (client) id.
    pub client_id: Uuid,
    /// Never used before: an assertion is good for one request.
    pub id: Uuid,
    /// The time at which the assertion is made.
    pub at: Timestamp,
}

impl Certificate {
    /// Signs that. `None` when the machine gives no random numbers.
    #[must_use]
    pub fn sign(&self, statement: Statement<'_>) -> Option<SecretString> {
        let Statement { audience, client_id, id, at } = statement;
        let header = Header { alg: "PS256", typ: "JWT", thumbprint: URL_SAFE_NO_PAD.encode(self.thumbprint()) };
        let claims = Claims {
            aud: audience,
            iss: client_id,
            sub: client_id,
            jti: id,
            nbf: at.minus(HELD_BEFORE).as_seconds(),
            iat: at.as_seconds(),
            exp: at.plus(HELD_AFTER).as_seconds(),
        };
        let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims).ok()?, &mut token);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token.into())
    }
}
