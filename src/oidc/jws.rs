//! A signed token in its compact form (RFC 7515): who signed it, before anything in it is believed.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Algorithm, Keys};

/// Longest token, in bytes. One of Entra's with 200 groups has some 12,000.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// What a token says, after its signature was verified.
pub(super) type Claims = Map<String, Value>;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// It is not a token in the compact form, or asks for an extension that is not known here.
    Malformed,
    /// It is signed by an algorithm that is not allowed, or not at all.
    Algorithm,
    /// It is signed by a key that the provider did not publish, as far as is known.
    UnknownKey,
    /// Its signature is not that of the key that it names.
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    #[serde(default)]
    crit: Option<Value>,
}

/// Verifies a token's signature, then reads its claims.
pub(super) fn open(token: &str, keys: &Keys, allowed: &BTreeSet<Algorithm>) -> Result<Claims, Unsigned> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Unsigned::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Unsigned::Malformed)?;
    let (header, claims) = signed.split_once('.').filter(|(_, rest)| !rest.contains('.')).ok_or(Unsigned::Malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Unsigned::Malformed);
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Unsigned::Malformed)?;
    if header.crit.is_some() {
        return Err(Unsigned::Malformed);
    }
    let algorithm = Algorithm::from_name(&header.alg).filter(|algorithm| allowed.contains(algorithm));
    let algorithm = algorithm.ok_or(Unsigned::Algorithm)?;
    let key = keys.find(header.kid.as_deref(), algorithm).ok_or(Unsigned::UnknownKey)?;
    if !key.verifies(algorithm, signed.as_bytes(), &decoded(signature)?) {
        return Err(Unsigned::Signature);
    }
    serde_json::from_slice(&decoded(claims)?).map_err(|_| Unsigned::Malformed)
}
