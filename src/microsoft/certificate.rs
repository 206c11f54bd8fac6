//! A certificate and its private key, as one PEM or PFX holds them. Pure: bytes in, certificate or complaint out.

mod pfx;

use std::fmt;

use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use rustls::pki_types::pem::{PemObject, SectionKind};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    public_key::PublicKey,
};

pub use pfx::PfxError;

use crate::domain::Timestamp;

/// Smallest key, in bits: what Entra and the signing library take.
const KEY_BITS_MIN: usize = 2048;
/// How an encrypted key begins; the PEM reader passes over it (RFC 7468, section 11).
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// What signs for an app. Prints as nothing; the key is wiped when it is dropped.
pub struct Certificate {
    pub(super) key: RsaKeyPair,
    /// SHA-256 over the DER of the first certificate.
    thumbprint: [u8; 32],
    not_before: Timestamp,
    not_after: Timestamp,
    misplaced: Option<usize>,
}

/// Why a file holds nothing that can sign. Says what the file does, never what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is a PFX, and that gives nothing.
    #[error("is a PFX{0}")]
    Pfx(PfxError),
    /// The PEM is damaged.
    #[error("is damaged: it is not valid PEM")]
    Damaged,
    /// There is no certificate.
    #[error("contains no certificate")]
    NoCertificate,
    /// A certificate can't be read.
    #[error("contains a certificate that can't be read (number {number})")]
    Unreadable {
        /// Which one, from 1.
        number: usize,
    },
    /// There is no key.
    #[error("contains no private key")]
    NoKey,
    /// There are several keys.
    #[error("contains several private keys")]
    SeveralKeys,
    /// The key is encrypted.
    #[error("contains an encrypted private key")]
    KeyEncrypted,
    /// The key is in a form other than PKCS#8.
    #[error("contains a private key that is not in PKCS#8 format")]
    KeyForm,
    /// The key is none of RSA, or damaged.
    #[error("contains a private key that is not a valid RSA key")]
    KeyUnsound,
    /// The certificate's key is none of RSA.
    #[error("contains a certificate whose key is not RSA")]
    NotRsa,
    /// The certificate's key is too small.
    #[error("contains a certificate whose key has {bits} bits; fewer than {KEY_BITS_MIN} are too weak")]
    TooSmall {
        /// How many it has.
        bits: usize,
    },
    /// The key belongs to a later certificate.
    #[error("does not begin with the key's certificate, which is number {number}")]
    Order {
        /// Which one, from 1.
        number: usize,
    },
    /// The key belongs to none of the certificates.
    #[error("contains a private key that does not belong to the certificate")]
    Strangers,
}

impl CertificateError {
    /// What to do, as one imperative sentence.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Pfx(error) => error.hint(),
            Self::Damaged | Self::NoCertificate | Self::Unreadable { .. } => {
                "put the certificate and its private key into one file as PEM, as `openssl` writes them, or a PFX"
            }
            Self::NoKey => "append the private key: `cat key.pem >> certificate.pem`",
            Self::SeveralKeys => "keep only the private key that belongs to the first certificate",
            Self::KeyEncrypted => "decrypt it: `openssl pkcs8 -topk8 -nocrypt -in key.pem`, and keep the file private",
            Self::KeyForm => "rewrite it: `openssl pkcs8 -topk8 -nocrypt -in key.pem`",
            Self::KeyUnsound | Self::NotRsa | Self::TooSmall { .. } => {
                "create a new pair: `openssl req -x509 -newkey rsa:3072 -noenc …`, as the documentation shows"
            }
            Self::Order { .. } => "put the app's own certificate first, then the one that issued it",
            Self::Strangers => "put a certificate and the key that belongs to it into the file",
        }
    }
}

/// What a certificate says of itself.
struct Leaf<'a> {
    parsed: X509Certificate<'a>,
    der: &'a [u8],
}

impl Leaf<'_> {
    fn has_key(&self, key: &RsaKeyPair) -> bool {
        *self.parsed.public_key().subject_public_key.data == *key.public_key().as_ref()
    }
}

fn read_chain(certificates: &[Vec<u8>]) -> Result<Vec<Leaf<'_>>, CertificateError> {
    let chain = certificates.iter().enumerate().map(|(index, der)| {
        let unreadable = CertificateError::Unreadable { number: index + 1 };
        X509Certificate::from_der(der).map(|(_, parsed)| Leaf { parsed, der }).map_err(|_| unreadable)
    });
    chain.collect()
}

impl Certificate {
    /// Reads what is kept: a PEM text, or a PFX as it is or in base64. The content shows which of the two it is. The
    /// password is the PFX's;
    /// without one, the empty one is tried.
    ///
    /// Takes a second or two with a PFX that makes guessing expensive; not for the runtime's own threads.
    ///
    /// # Errors
    /// [`CertificateError`] when it holds nothing that can sign.
    pub fn open(kept: &[u8], password: Option<&str>) -> Result<Self, CertificateError> {
        let Some(found) = pfx::find(kept) else {
            return Self::parse(str::from_utf8(kept).map_err(|_| CertificateError::NoCertificate)?);
        };
        let pfx::Contents { certificates, key } = pfx::open(&found, password).map_err(CertificateError::Pfx)?;
        let mut chain = read_chain(&certificates)?;
        // The certificates of a PFX are in no order.
        let of_key = RsaKeyPair::from_pkcs8(&key).ok();
        let own = of_key.and_then(|key| chain.iter().position(|link| link.has_key(&key)));
        if let Some(own) = own {
            chain.swap(0, own);
        }
        chain.truncate(1);
        Self::of(&chain, &key)
    }

    /// Reads a file's text: certificates, the app's own first, and one unencrypted PKCS#8 RSA key, in any place.
    ///
    /// # Errors
    /// [`CertificateError`] when it holds nothing that can sign.
    pub fn parse(pem: &str) -> Result<Self, CertificateError> {
        let (certificates, key) = sections(pem)?;
        let chain = read_chain(&certificates)?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        Self::of(&chain, &key?)
    }

    fn of(chain: &[Leaf<'_>], key: &[u8]) -> Result<Self, CertificateError> {
        let leaf = chain.first().ok_or(CertificateError::NoCertificate)?;
        check_strength(&leaf.parsed)?;
        let key = RsaKeyPair::from_pkcs8(key).map_err(|_| CertificateError::KeyUnsound)?;
        match chain.iter().position(|link| link.has_key(&key)) {
            Some(0) => {}
            Some(index) => return Err(CertificateError::Order { number: index + 1 }),
            None => return Err(CertificateError::Strangers),
        }
        let validity = leaf.parsed.validity();
        let misplaced =
            chain.windows(2).position(|pair| pair[0].parsed.issuer().as_raw() != pair[1].parsed.subject().as_raw());
        Ok(Self {
            thumbprint: Sha256::digest(leaf.der).into(),
            not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
            misplaced: misplaced.map(|index| index + 2),
            key,
        })
    }

    /// SHA-256 over its DER: by this Entra finds it among the app's certificates. No secret.
    #[must_use]
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// When it begins to hold.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// When the certificate expires, by its `notAfter`.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The first certificate of the file, from 2, that did not issue the one before it.
    #[must_use]
    pub const fn misplaced(&self) -> Option<usize> {
        self.misplaced
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

type Key = Result<Zeroizing<Vec<u8>>, CertificateError>;

/// The certificates, and the key or what is wrong with it: a file without a certificate is reported first.
fn sections(pem: &str) -> Result<(Vec<Vec<u8>>, Key), CertificateError> {
    let mut certificates = Vec::new();
    let mut key: Key =
        Err(if pem.contains(ENCRYPTED) { CertificateError::KeyEncrypted } else { CertificateError::NoKey });
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let (kind, der) = section.map_err(|_| CertificateError::Damaged)?;
        let der = Zeroizing::new(der);
        let found = match kind {
            SectionKind::Certificate => {
                certificates.push(der.to_vec());
                continue;
            }
            SectionKind::PrivateKey => Ok(der),
            SectionKind::RsaPrivateKey => Err(CertificateError::KeyForm),
            SectionKind::EcPrivateKey => Err(CertificateError::KeyUnsound),
            _ => continue,
        };
        key = if matches!(key, Err(CertificateError::NoKey)) { found } else { Err(CertificateError::SeveralKeys) };
    }
    Ok((certificates, key))
}

fn check_strength(leaf: &X509Certificate<'_>) -> Result<(), CertificateError> {
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < KEY_BITS_MIN => {
            Err(CertificateError::TooSmall { bits: key.key_size() })
        }
        Ok(PublicKey::RSA(_)) => Ok(()),
        _ => Err(CertificateError::NotRsa),
    }
}

#[cfg(test)]
mod tests;
