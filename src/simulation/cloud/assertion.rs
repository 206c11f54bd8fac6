//! What replaces a secret: statements signed by an app's certificate, and tokens of an issuer that the app trusts
//! ("Microsoft identity platform application authentication certificate credentials"; "Workload identity federation").

use std::collections::HashSet;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::EntraRefusal;
use crate::domain::Timestamp;

/// The one audience of outside tokens.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// An outside issuer that an app trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The issuer, from its `iss` claim.
    pub issuer: String,
    /// The only `sub` that is taken.
    pub subject: String,
    /// A certificate, in DER, with the key that signs its tokens.
    pub certificate: Vec<u8>,
}

/// By what an app's assertions are known.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The app's registered certificates, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) trust: Option<Trust>,
    /// Ids of statements that were taken.
    used: HashSet<String>,
}

/// To whom an assertion has to speak, for whom, and when.
pub(super) struct Expected<'a> {
    pub(super) token_url: &'a str,
    pub(super) client_id: Uuid,
    pub(super) now: i64,
}

impl Expected<'_> {
    pub(super) fn new(token_url: &str, client_id: Uuid, now: Timestamp) -> Expected<'_> {
        Expected { token_url, client_id, now: now.as_seconds() }
    }
}

impl Keys {
    /// Whether the assertion proves the app.
    pub(super) fn verify(&mut self, assertion: &str, expected: &Expected<'_>) -> Result<(), EntraRefusal> {
        let token = Jwt::read(assertion).ok_or(EntraRefusal::AssertionMalformed)?;
        if let Some(thumbprint) = token.header["x5t#S256"].as_str() {
            return self.verify_statement(&token, thumbprint, expected);
        }
        let trust = self.trust.as_ref().ok_or(EntraRefusal::FederationUnmatched)?;
        let matches = |claim: &str, value: &str| token.claims[claim] == value;
        if !(matches("iss", &trust.issuer) && matches("sub", &trust.subject) && matches("aud", EXCHANGE)) {
            return Err(EntraRefusal::FederationUnmatched);
        }
        if token.header["alg"] != "RS256" || !token.is_signed_by(&trust.certificate, &RSA_PKCS1_2048_8192_SHA256) {
            return Err(EntraRefusal::AssertionUnsigned);
        }
        token.check_window(expected.now)
    }

    fn verify_statement(
        &mut self,
        token: &Jwt<'_>,
        thumbprint: &str,
        expected: &Expected<'_>,
    ) -> Result<(), EntraRefusal> {
        let is_it = |der: &&Vec<u8>| URL_SAFE_NO_PAD.encode(Sha256::digest(der)) == thumbprint;
        let certificate = self.certificates.iter().find(is_it).ok_or(EntraRefusal::AssertionKeyUnknown)?;
        if token.header["alg"] != "PS256" || token.header["typ"] != "JWT" {
            return Err(EntraRefusal::AssertionMalformed);
        }
        if !token.is_signed_by(certificate, &RSA_PSS_2048_8192_SHA256) {
            return Err(EntraRefusal::AssertionUnsigned);
        }
        if token.claims["aud"] != expected.token_url {
            return Err(EntraRefusal::AssertionAudience);
        }
        let app = expected.client_id.to_string();
        if token.claims["iss"] != *app || token.claims["sub"] != *app {
            return Err(EntraRefusal::AssertionApp);
        }
        token.check_window(expected.now)?;
        let id = token.claims["jti"].as_str().ok_or(EntraRefusal::AssertionMalformed)?;
        if self.used.insert(id.to_owned()) { Ok(()) } else { Err(EntraRefusal::AssertionReplayed) }
    }
}

/// A token taken apart.
struct Jwt<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn is_signed_by(&self, certificate: &[u8], algorithm: &'static dyn VerificationAlgorithm) -> bool {
        X509Certificate::from_der(certificate).is_ok_and(|(_, certificate)| {
            let key = UnparsedPublicKey::new(algorithm, &*certificate.public_key().subject_public_key.data);
            key.verify(self.signed.as_bytes(), &self.signature).is_ok()
        })
    }

    fn check_window(&self, now: i64) -> Result<(), EntraRefusal> {
        let from = self.claims["nbf"].as_i64().unwrap_or(i64::MIN);
        let until = self.claims["exp"].as_i64().ok_or(EntraRefusal::AssertionMalformed)?;
        if (from..until).contains(&now) { Ok(()) } else { Err(EntraRefusal::AssertionOutOfTime) }
    }
}
