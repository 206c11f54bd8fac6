//! Certificates with their keys, and tokens of an outside issuer, as an operator would have them.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use scorewatch::{domain::Timestamp, simulation::cloud::Trust};
use serde_json::json;

/// Whose tokens an app trusts in these tests.
const ISSUER: &str = "https://issuer.example/pool";
const SUBJECT: &str = "system:serviceaccount:scores:scorewatch";

/// A certificate and its key.
pub(crate) struct Pair {
    /// Both, as the file that `certificate:` refers to holds them.
    pub(crate) pem: String,
    /// The certificate in DER form.
    pub(crate) der: Vec<u8>,
    /// The private key as PKCS #8.
    pub(crate) key: Vec<u8>,
}

impl Pair {
    /// One that holds until the end of that day.
    pub(crate) fn until(year: i32, month: u8, day: u8) -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut params = CertificateParams::new(["scorewatch".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, month, day);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem() + &key.serialize_pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_der(),
        }
    }

    pub(crate) fn new() -> Self {
        Self::until(2099, 1, 1)
    }

    /// Trust in tokens that this key signs.
    pub(crate) fn trust(&self) -> Trust {
        Trust { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned(), certificate: self.der.clone() }
    }

    /// A token of the outside issuer.
    pub(crate) fn token(&self, expires: Timestamp) -> String {
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "exp": expires.as_seconds(),
        });
        let signed = format!("{}.{}", part(json!({ "alg": "RS256", "typ": "JWT", "kid": "1" })), part(claims));
        let key = RsaKeyPair::from_pkcs8(&self.key).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
