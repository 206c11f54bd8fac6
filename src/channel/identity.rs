//! What identifies a channel in addition to its name and audience: where its messages go. Compared by fingerprints, so that no secret is kept.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{ChannelKind, ChannelSettings, address::Destination};
use crate::secret::{ExposeSecret, SecretError, SecretString};

/// Where a channel leads and how it gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// A fingerprint of where its messages go.
    pub destination: String,
    /// A fingerprint of that and of all its secrets.
    pub access: String,
}

impl ChannelSettings {
    /// The channel's identity, by a key of the store that keeps it.
    ///
    /// # Errors
    /// [`SecretError`] when one of its secrets can't be read: then nothing is known of it.
    pub fn identity(&self, key: &str) -> Result<Identity, SecretError> {
        let destination = destination(&self.kind)?;
        let mut access = destination.clone();
        for secret in self.kind.secrets() {
            access.push(secret.resolve()?);
        }
        Ok(Identity { destination: fingerprint(key, &destination), access: fingerprint(key, &access) })
    }
}

/// Everything that says where messages go, the kind first. The order is part of what is stored and must not change.
fn destination(kind: &ChannelKind) -> Result<Vec<SecretString>, SecretError> {
    let mut parts = vec![SecretString::from(kind.as_str())];
    match kind.settings().destination() {
        Destination::Chat(secret) | Destination::Key(secret, _) => parts.push(secret.resolve()?),
        Destination::Url(url) => parts.push(url.resolve()?),
        Destination::Mailboxes(to) => {
            let mut to: Vec<String> = to.iter().map(|mailbox| mailbox.email.to_string()).collect();
            to.sort_unstable();
            parts.extend(to.into_iter().map(SecretString::from));
        }
    }
    parts.extend(kind.settings().route()?);
    Ok(parts)
}

/// A keyed hash of these parts, each with its length, so that no two lists of them look alike.
fn fingerprint(key: &str, parts: &[SecretString]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    for part in parts {
        let part = part.expose_secret().as_bytes();
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(parts: &[&str]) -> Vec<SecretString> {
        parts.iter().map(|part| SecretString::from(*part)).collect()
    }

    #[test]
    fn a_fingerprint_is_equal_for_equal_parts_under_the_same_key_only_and_shows_nothing_of_them() {
        let url = "https://hooks.example/secret";
        let of = |key: &str, parts: &[&str]| fingerprint(key, &secrets(parts));
        assert_eq!(of("key", &["slack", url]), of("key", &["slack", url]));
        for other in [of("other", &["slack", url]), of("key", &["teams", url]), of("key", &["slackhttps", &url[5..]])] {
            assert_ne!(other, of("key", &["slack", url]));
        }
        assert_eq!(of("key", &["slack", url]).len(), 64);
        assert!(!of("key", &["slack", url]).contains("secret"));
    }
}
