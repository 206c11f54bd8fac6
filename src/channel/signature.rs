//! Signing keys of Standard Webhooks 1.0.0: symmetric (`whsec_`, HMAC-SHA256, `v1`) and asymmetric (`whsk_`, ed25519, `v1a`).

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::{ExposeSecret, SecretError, SecretReference, SecretString};

/// What a symmetric secret begins with.
const SYMMETRIC: &str = "whsec_";
/// What an asymmetric secret begins with.
const ASYMMETRIC: &str = "whsk_";
/// What a public key begins with.
const PUBLIC: &str = "whpk_";
/// Length of a symmetric key, in bytes ("Standard Webhooks", signature scheme).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Length of an ed25519 seed, in bytes (RFC 8032). The standard says no more than "key pair"; other tools write the seed alone,
/// or seed and public key one after the other.
const SEED_BYTES: usize = 32;

/// A key that signs. It can't be printed.
pub struct SigningKey(Scheme);

enum Scheme {
    Symmetric(SecretString),
    Asymmetric(Box<Ed25519KeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Scheme::Symmetric(_) => "SigningKey(symmetric)",
            Scheme::Asymmetric(_) => "SigningKey(ed25519)",
        })
    }
}

impl SigningKey {
    /// Reads a key where it is kept.
    ///
    /// # Errors
    /// [`SecretError`] when it can't be read or is not a key.
    pub fn resolve(reference: &SecretReference) -> Result<Self, SecretError> {
        Self::parse(reference.resolve()?.expose_secret()).map_err(|what| reference.unfit(what))
    }

    fn parse(secret: &str) -> Result<Self, &'static str> {
        if let Some(encoded) = secret.strip_prefix(ASYMMETRIC) {
            let key = STANDARD.decode(encoded).map_err(|_| "is not base64 after `whsk_`")?;
            return pair(&key).map(|pair| Self(Scheme::Asymmetric(Box::new(pair))));
        }
        let encoded = secret
            .strip_prefix(SYMMETRIC)
            .ok_or("is not a signing secret: it begins with neither `whsec_` nor `whsk_`")?;
        let key = STANDARD.decode(encoded).map_err(|_| "is not base64 after `whsec_`")?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self(Scheme::Symmetric(encoded.into())))
        } else {
            Err("is not a key of 24 to 64 bytes after `whsec_`")
        }
    }

    /// One signature over id, timestamp and body: `v1,` or `v1a,` and base64.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
        let head = format!("{id}.{timestamp}.");
        match &self.0 {
            Scheme::Symmetric(encoded) => {
                let key = STANDARD.decode(encoded.expose_secret()).ok()?;
                let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
                mac.update(head.as_bytes());
                mac.update(body);
                Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
            }
            Scheme::Asymmetric(pair) => {
                let signature = pair.try_sign(&[head.as_bytes(), body].concat()).ok()?;
                Some(format!("v1a,{}", STANDARD.encode(signature)))
            }
        }
    }

    /// What the receiver verifies by, as `whpk_` and base64; `None` for a symmetric key, which the receiver must have itself.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        match &self.0 {
            Scheme::Symmetric(_) => None,
            Scheme::Asymmetric(pair) => Some(format!("{PUBLIC}{}", STANDARD.encode(pair.public_key()))),
        }
    }
}

fn pair(key: &[u8]) -> Result<Ed25519KeyPair, &'static str> {
    let read = match key.split_at_checked(SEED_BYTES) {
        Some((seed, [])) => Ed25519KeyPair::from_seed_unchecked(seed),
        Some((seed, public)) if public.len() == SEED_BYTES => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        _ => return Err("is not an ed25519 key of 32 bytes, or of 64 with its public key, after `whsk_`"),
    };
    read.map_err(|_| "is not an ed25519 key: its second half is not the public key of its first")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    const SEED: &str = "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=";
    const PUBLIC_KEY: &str = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

    fn sign(secret: &str) -> Option<String> {
        let body = br#"{"test": 2432232314}"#;
        SigningKey::parse(secret).unwrap().sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    }

    #[test]
    fn a_signature_is_that_of_the_standards_own_example() {
        let signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn an_ed25519_key_is_a_seed_with_or_without_its_public_key() {
        let halves = [SEED, PUBLIC_KEY].map(|half| STANDARD.decode(half).unwrap());
        let (short, long) = (format!("whsk_{SEED}"), format!("whsk_{}", STANDARD.encode(halves.concat())));
        assert_eq!(SigningKey::parse(&short).unwrap().public_key().unwrap(), format!("whpk_{PUBLIC_KEY}"));
        assert_eq!(SigningKey::parse(&long).unwrap().public_key().unwrap(), format!("whpk_{PUBLIC_KEY}"));
        assert!(sign(&short).unwrap().starts_with("v1a,"));
        assert_eq!(sign(&short), sign(&long));
        assert_eq!(SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap().public_key(), None);
    }

    #[test]
    fn keys_are_checked_and_never_shown() {
        let twice = STANDARD.encode([STANDARD.decode(SEED).unwrap(), STANDARD.decode(SEED).unwrap()].concat());
        for (secret, complaint) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), "begins with neither"),
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), "begins with neither"),
            ("whsec_not base64".to_owned(), "not base64"),
            ("whsec_AAAA".to_owned(), "24 to 64 bytes"),
            (format!("whsec_{}", STANDARD.encode([7; 65])), "24 to 64 bytes"),
            ("whsk_not base64".to_owned(), "not base64"),
            (format!("whsk_{}", STANDARD.encode([7; 31])), "32 bytes"),
            (format!("whsk_{}", STANDARD.encode([7; 33])), "32 bytes"),
            (format!("whsk_{twice}"), "second half"),
        ] {
            let what = SigningKey::parse(&secret).unwrap_err();
            assert!(what.contains(complaint), "{secret}: {what}");
        }
        assert_eq!(format!("{:?}", SigningKey::parse(&format!("whsk_{SEED}")).unwrap()), "SigningKey(ed25519)");
        assert!(SigningKey::parse(&format!("whsec_{}", STANDARD.encode([7; 64]))).is_ok());
    }
}
