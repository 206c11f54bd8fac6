//! The provider's public keys (RFC 7517), and the algorithms by which they verify.
//!
//! Only asymmetric algorithms exist here, and each names the kind of key that it takes: a token can't have a public key used as the
//! shared key of an HMAC, and "none" can't be written.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::error::SignInError;

/// Most keys that a provider has; Entra has about ten.
const KEYS_MAX: usize = 100;
/// Bytes of each coordinate of a point of P-256.
const COORDINATE_BYTES: usize = 32;

/// How an ID token is signed (RFC 7518, section 3.1). `RS256` is the one that every provider has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSA with PKCS #1 padding and SHA-256.
    Rs256,
    /// RSA with PSS padding and SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// Every algorithm, the usual one first.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Ps256, Self::Es256];

    /// As headers have it: `RS256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of that name, to the letter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The keys of a provider that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if the provider says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { point: Vec<u8> },
}

#[derive(Deserialize)]
struct RawKeys {
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    used_for: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

impl Keys {
    /// Reads a key set. Keys of kinds that are not known here, and keys that encrypt, are left out, as the standard asks.
    pub(super) fn read(body: &[u8]) -> Result<Self, SignInError> {
        let raw: RawKeys = serde_json::from_slice(body)
            .map_err(|_| SignInError::garbage("the provider's key set can't be read as JSON Web Keys"))?;
        if raw.keys.len() > KEYS_MAX {
            return Err(SignInError::garbage(format!("the provider's key set has more than {KEYS_MAX} keys")));
        }
        Ok(Self(raw.keys.into_iter().filter_map(Key::of).collect()))
    }

    /// The key that a header means: by its id, or, without one, the only one that fits.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.fits(algorithm));
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Key {
    fn of(raw: RawKey) -> Option<Self> {
        if raw.used_for.is_some_and(|used_for| used_for != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let material = match (raw.kty.as_str(), raw.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { modulus: number(&bytes(raw.n)?), exponent: number(&bytes(raw.e)?) },
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(raw.x)?, bytes(raw.y)?);
                if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
                    return None;
                }
                // Uncompressed, as SEC 1 has it.
                Material::P256 { point: [&[4_u8][..], &x, &y].concat() }
            }
            _ => return None,
        };
        Some(Self { id: raw.kid, algorithm: raw.alg, material })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_for_it = self.algorithm.as_deref().is_none_or(|own| own == algorithm.as_str());
        let is_of_its_kind = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(self.material, Material::Rsa { .. }),
            Algorithm::Es256 => matches!(self.material, Material::P256 { .. }),
        };
        is_for_it && is_of_its_kind
    }

    /// Whether this key made that signature. RSA keys below 2,048 bits made none.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let rsa = |padding: &RsaParameters| match &self.material {
            Material::Rsa { modulus, exponent } => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(padding, message, signature).is_ok()
            }
            Material::P256 { .. } => false,
        };
        match algorithm {
            Algorithm::Rs256 => rsa(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Ps256 => rsa(&RSA_PSS_2048_8192_SHA256),
            Algorithm::Es256 => match &self.material {
                Material::P256 { point } => {
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
                }
                Material::Rsa { .. } => false,
            },
        }
    }
}

/// A number without the zeros before it, which some providers write.
fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &str) -> Keys {
        Keys::read(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_id_and_only_for_what_it_is_for() {
        let rsa = |more: &str| format!(r#"{{"kty":"RSA","n":"AQAB","e":"AQAB"{more}}}"#);
        let keys = set(&[
            rsa(r#","kid":"any""#),
            rsa(r#","kid":"ps","alg":"PS256""#),
            rsa(r#","kid":"enc","use":"enc""#),
            r#"{"kty":"oct","kid":"shared","k":"AQAB"}"#.to_owned(),
            r#"{"kty":"EC","crv":"P-521","kid":"521","x":"AQAB","y":"AQAB"}"#.to_owned(),
            r#"{"kty":"EC","crv":"P-256","kid":"short","x":"AQAB","y":"AQAB"}"#.to_owned(),
            rsa(r#","kid":"bad","n2":1"#).replace("\"n\":\"AQAB\"", "\"n\":\"A=\""),
        ]
        .join(","));
        for (id, algorithm, is_found) in [
            (Some("any"), Algorithm::Rs256, true),
            (Some("any"), Algorithm::Ps256, true),
            (Some("any"), Algorithm::Es256, false),
            (Some("ps"), Algorithm::Ps256, true),
            (Some("ps"), Algorithm::Rs256, false),
            (Some("enc"), Algorithm::Rs256, false),
            (Some("shared"), Algorithm::Rs256, false),
            (Some("521"), Algorithm::Es256, false),
            (Some("short"), Algorithm::Es256, false),
            (Some("bad"), Algorithm::Rs256, false),
            (Some("other"), Algorithm::Rs256, false),
            // Two fit PS256, one fits RS256.
            (None, Algorithm::Ps256, false),
            (None, Algorithm::Rs256, true),
        ] {
            assert_eq!(keys.find(id, algorithm).is_some(), is_found, "{id:?} {algorithm}");
        }
    }

    #[test]
    fn only_asymmetric_algorithms_have_a_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.as_str()), Some(algorithm));
        }
        for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS1", "EdDSA"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_key_set_is_bounded() {
        let keys = vec![r#"{"kty":"RSA"}"#; KEYS_MAX + 1].join(",");
        assert!(Keys::read(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).is_err());
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[{"kty":"RSA","n":1}]}"#] {
            assert!(Keys::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
