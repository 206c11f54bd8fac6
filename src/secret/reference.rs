//! Where a secret is kept.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where a secret is kept: `{ env: NAME }`, `{ file: PATH }` or `{ credential: NAME }` (systemd's `$CREDENTIALS_DIRECTORY`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line break is cut.
    File(PathBuf),
    /// A systemd credential by name.
    Credential(String),
}

/// Why a secret can't be had. Says where it was looked for, never what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct SecretError {
    /// Where: `environment variable CONTOSO_SECRET`, `file secrets/contoso`.
    pub place: String,
    /// What is wrong: `is not set`, `is empty`, `can't be read: permission denied`.
    pub what: String,
}

impl SecretReference {
    /// Reads the secret anew, so that a changed file is used without a restart.
    ///
    /// # Errors
    /// [`SecretError`] when it is missing, unreadable, empty, not UTF-8 or larger than 64 KiB.
    pub fn resolve(&self) -> Result<SecretString, SecretError> {
        unimplemented!()
    }
}
