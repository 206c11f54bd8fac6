//! Certificates as PFX ("PKCS #12: Personal Information Exchange Syntax v1.1", RFC 7292): what one looks like, and what may be
//! wrong with it. What reads one is left out of a build without the feature `pfx`.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::zeroize::Zeroizing;

#[cfg(feature = "pfx")]
mod archive;
#[cfg(feature = "pfx")]
mod der;
#[cfg(feature = "pfx")]
mod protection;

/// How it begins after its outer header: the INTEGER 3, its version.
const VERSION: [u8; 3] = [0x02, 0x01, 0x03];
/// Most rounds of a hash that the password of one file may cost, over all of its parts: about two seconds. Exports have 2,000 to
/// some 100,000 for each of three parts.
pub(super) const ROUNDS_MAX: u32 = 2_000_000;

/// Why a PFX gives no certificate with its key. Continues "is a PFX".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PfxError {
    /// This binary was built without the feature.
    #[error(", which this build can't read")]
    LeftOut,
    /// The password is another.
    #[error(" that does not open with the given password")]
    Password,
    /// No password was given, and there is one.
    #[error(" that does not open without a password")]
    NoPassword,
    /// Its structure is broken.
    #[error(" that is damaged, or not in DER")]
    Damaged,
    /// It is encrypted or sealed by something else than what is read.
    #[error(" protected in a way that is not supported")]
    Protection,
    /// Its password takes too long to try.
    #[error(" whose password takes more than {ROUNDS_MAX} rounds to check")]
    Rounds,
    /// There is no key in it.
    #[error(" without a private key")]
    NoKey,
    /// There are several keys in it.
    #[error(" with several private keys")]
    SeveralKeys,
    /// There is no certificate in it.
    #[error(" without a certificate")]
    NoCertificate,
}

impl PfxError {
    /// What to do, as one imperative sentence.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::LeftOut => {
                "convert it: `openssl pkcs12 -in x.pfx -nodes -out x.pem`, name that file, and keep it private; or \
                 build without `--no-default-features`"
            }
            Self::Password => "store its export password where `certificate_password:` refers to",
            Self::NoPassword => "write `certificate_password: { file: PATH }`",
            Self::Damaged | Self::Protection => {
                "export it again with AES-256 or TripleDES, or convert it: `openssl pkcs12 -in x.pfx -nodes -out x.pem`"
            }
            Self::Rounds => "export it again with fewer rounds: `openssl pkcs12 -export -iter 2048 …`",
            Self::NoKey | Self::NoCertificate => "export the certificate together with its private key",
            Self::SeveralKeys => "export the one certificate that the app signs in with, and its key",
        }
    }
}

/// The certificates and the private key of a PFX file.
pub(super) struct Contents {
    /// All certificates of the file, in no order.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The private key as PKCS #8.
    pub(super) key: Zeroizing<Vec<u8>>,
}

/// The bytes of a PFX if it is one: as they are in files, or in base64, as text keeps them ("Get Secret" of Key Vault, content type
/// `application/x-pkcs12`).
pub(super) fn find(kept: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if is_pfx(kept) {
        return Some(Zeroizing::new(kept.to_vec()));
    }
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(kept.iter().copied().filter(|letter| !letter.is_ascii_whitespace()).collect());
    let bytes = Zeroizing::new(STANDARD.decode(&*text).ok()?);
    is_pfx(&bytes).then_some(bytes)
}

/// A SEQUENCE that begins with the version.
fn is_pfx(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else { return false };
    let more = if *length > 0x80 { usize::from(length - 0x80) } else { 0 };
    rest.get(more..).is_some_and(|rest| rest.starts_with(&VERSION))
}

/// Opens it. Without a password, the empty one is tried.
#[cfg(feature = "pfx")]
pub(super) fn open(pfx: &[u8], password: Option<&str>) -> Result<Contents, PfxError> {
    archive::open(pfx, password.unwrap_or_default()).map_err(|error| match error {
        PfxError::Password if password.is_none() => PfxError::NoPassword,
        error => error,
    })
}

/// Says that it can't be opened.
#[cfg(not(feature = "pfx"))]
pub(super) fn open(_: &[u8], _: Option<&str>) -> Result<Contents, PfxError> {
    Err(PfxError::LeftOut)
}
