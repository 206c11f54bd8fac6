//! Tokens that look like Entra's: `header.payload.signature`, with tenant, audience, roles and expiry inside.
//!
//! The signature is a keyed 64-bit hash: it distinguishes our own tokens from others, which is all that a simulation
//! needs, in well
//! below a microsecond. Nothing is kept per token, so a million tenants cost nothing.

use std::hash::{BuildHasher, RandomState};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// For whom: the scope without `/.default`.
    pub(super) aud: String,
    /// Seconds after the epoch.
    pub(super) exp: i64,
    /// Seconds after the epoch.
    pub(super) iat: i64,
    /// The client id of the app.
    pub(super) appid: Uuid,
    /// The tenant's id in Entra.
    pub(super) tid: Uuid,
    /// Granted app roles; Entra leaves the claim out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    /// Makes a token as long as a real one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    xms_ftd: String,
}

impl Claims {
    pub(super) fn new(aud: &str, tid: Uuid, appid: Uuid, roles: Vec<String>, iat: i64, exp: i64) -> Self {
        Self { aud: aud.to_owned(), exp, iat, appid, tid, roles, xms_ftd: String::new() }
    }
}

/// The token's header, encoded: `{"typ":"JWT","alg":"RS256"}`.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9";
/// Makes a long token some 1.4 KB, with a signature as long as RS256's.
const FILLER_LETTERS: usize = 480;
const LONG_SIGNATURE_LETTERS: usize = 342;

/// Makes tokens and knows its own.
#[derive(Debug)]
pub(super) struct Mint {
    key: RandomState,
    long: bool,
}

impl Mint {
    pub(super) fn new(long: bool) -> Self {
        Self { key: RandomState::new(), long }
    }

    /// A token with these claims.
    pub(super) fn issue(&self, mut claims: Claims) -> String {
        if self.long {
            claims.xms_ftd = "x".repeat(FILLER_LETTERS);
        }
        let payload = serde_json::to_vec(&claims).unwrap_or_default();
        let mut token = String::with_capacity(1600);
        token.push_str(HEADER);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.signature(&token);
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// What a token says; `None` when it is none of ours.
    pub(super) fn read(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        if signature != self.signature(signed) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(signed.strip_prefix(HEADER)?.strip_prefix('.')?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    fn signature(&self, signed: &str) -> String {
        let mut signature = URL_SAFE_NO_PAD.encode(self.key.hash_one(signed).to_be_bytes());
        if self.long {
            signature = signature.repeat(LONG_SIGNATURE_LETTERS.div_ceil(signature.len()));
            signature.truncate(LONG_SIGNATURE_LETTERS);
        }
        signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_an_altered_or_foreign_one_does_not() {
        for long in [false, true] {
            let mint = Mint::new(long);
            let claims = Claims::new("https://aud", Uuid::from_u128(1), Uuid::from_u128(2), vec!["A".to_owned()], 1, 2);
            let token = mint.issue(claims.clone());
            assert_eq!(token.split('.').count(), 3);
            assert_eq!(long, (1_000..1_600).contains(&token.len()), "{}", token.len());
            let read = mint.read(&token).unwrap();
            assert_eq!((read.tid, read.aud, read.roles), (claims.tid, claims.aud, claims.roles));
            let altered = token.replacen(&token[40..42], "zz", 1);
            assert_eq!(mint.read(&altered), None);
            assert_eq!(Mint::new(long).read(&token), None);
            assert_eq!(mint.read(""), None);
        }
    }
}
