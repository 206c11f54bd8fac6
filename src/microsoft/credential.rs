//! What an app proves itself with, where it is kept, and what is read from there each time it is used.

use std::fmt;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

use super::{Certificate, Failure, FailureClass};
use crate::{
    domain::Timestamp,
    secret::{SecretError, SecretReference},
};

/// An app registration and how it proves itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AppCredential {
    /// The application (client) id.
    pub client_id: uuid::Uuid,
    /// What it proves itself with, the newest first: when Entra does not take one, the next is tried.
    pub materials: Vec<CredentialMaterial>,
}

/// How a reference becomes its secret: [`SecretReference::obtain`].
pub(super) type ReadSecret = for<'a> fn(&'a SecretReference) -> BoxFuture<'a, Result<SecretString, SecretError>>;

/// One secret, certificate or token of an app.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialMaterial {
    /// The kind of credential.
    pub kind: CredentialKind,
    /// The reference to the secret, certificate or token.
    pub kept: SecretReference,
    /// Where the password of a certificate is kept that is a PFX; `None`: it is empty.
    pub password: Option<SecretReference>,
    /// When it expires, if the operator noted it.
    pub expires: Option<Timestamp>,
}

/// What an app may prove itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A client secret of the app.
    Secret,
    /// A certificate with its private key, which signs an assertion for each request.
    Certificate,
    /// A token of another issuer that the app trusts; somebody else renews its file.
    FederatedToken,
}

impl CredentialKind {
    /// The words for it in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Secret => "client secret",
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated token",
        }
    }
}

impl AppCredential {
    /// Whether both are the same app, or one of their secrets is kept in the same place.
    #[must_use]
    pub fn shares_with(&self, other: &Self) -> bool {
        let is_kept_there =
            |material: &CredentialMaterial| other.materials.iter().any(|theirs| theirs.kept == material.kept);
        self.client_id == other.client_id || self.materials.iter().any(is_kept_there)
    }

    /// An app with one client secret.
    #[must_use]
    pub fn with_secret(client_id: uuid::Uuid, secret: SecretReference) -> Self {
        Self { client_id, materials: vec![CredentialMaterial::new(CredentialKind::Secret, secret)] }
    }
}

impl CredentialMaterial {
    /// What is kept there, without a password; when it expires is not noted.
    #[must_use]
    pub const fn new(kind: CredentialKind, kept: SecretReference) -> Self {
        Self { kind, kept, password: None, expires: None }
    }

    /// Everything that has to be read for it.
    pub fn references(&self) -> impl Iterator<Item = &SecretReference> {
        [&self.kept].into_iter().chain(&self.password)
    }

    /// When it expires: as the operator noted, as its store says, or as the certificate says that is there now, whichever comes
    /// first.
    ///
    /// Reads files and opens a certificate; not for the runtime's own threads.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let noted = [self.expires, self.kept.expires_at()].into_iter().flatten().min();
        if self.kind != CredentialKind::Certificate {
            return noted;
        }
        let password = self.password.as_ref().map(SecretReference::resolve);
        let certificate = self.open(self.kept.resolve_bytes(), password).ok();
        [noted, certificate.map(|certificate| certificate.not_after())].into_iter().flatten().min()
    }

    /// Reads it again, so that a changed file is used immediately. Waits for disks without a thread.
    pub(super) async fn read(&self, read_secret: ReadSecret) -> Result<LoadedMaterial, Failure> {
        match self.kind {
            // Neither can begin or end with a blank: Entra would refuse what a copied line brings along.
            CredentialKind::Secret => {
                self.text(read_secret).await.map(|text| LoadedMaterial::Secret(text.expose_secret().trim().into()))
            }
            CredentialKind::FederatedToken => {
                self.text(read_secret).await.map(|text| LoadedMaterial::Token(text.expose_secret().trim().into()))
            }
            CredentialKind::Certificate => {
                self.certificate().await.map(|certificate| LoadedMaterial::Certificate(Box::new(certificate)))
            }
        }
    }

    async fn text(&self, read_secret: ReadSecret) -> Result<SecretString, Failure> {
        read_secret(&self.kept).await.map_err(|error| self.unread(format_args!("can't be read: {error}"), &error))
    }

    async fn certificate(&self) -> Result<Certificate, Failure> {
        let kept = self.kept.obtain_bytes().await;
        let password = match &self.password {
            Some(password) => Some(password.obtain().await),
            None => None,
        };
        let material = self.clone();
        // A PFX may take a second to open.
        tokio::task::spawn_blocking(move || material.open(kept, password))
            .await
            .unwrap_or_else(|_| Err(self.unreadable(format_args!("can't be opened"))))
    }

    fn open(
        &self,
        kept: Result<SecretSlice<u8>, SecretError>,
        password: Option<Result<SecretString, SecretError>>,
    ) -> Result<Certificate, Failure> {
        let kept = kept.map_err(|error| self.unread(format_args!("can't be read: {error}"), &error))?;
        let password = password
            .transpose()
            .map_err(|error| self.unread(format_args!("has a password that can't be read: {error}"), &error))?;
        Certificate::open(kept.expose_secret(), password.as_ref().map(ExposeSecret::expose_secret))
            .map_err(|error| self.unreadable(format_args!("can't be used: it {error}")))
    }

    /// Names the secret's place and what to do there. Nothing of the secret is in either.
    fn unread(&self, what: fmt::Arguments<'_>, error: &SecretError) -> Failure {
        let hint = format!("{}: {}", error.place, if error.hint.is_empty() { &error.what } else { &error.hint });
        Failure { hint: Some(hint.into()), ..self.unreadable(what) }
    }

    fn unreadable(&self, what: fmt::Arguments<'_>) -> Failure {
        Failure::new(FailureClass::SecretUnreadable, format!("the {} {what}", self.kind.words()))
    }
}

/// What was read, for one request.
pub(super) enum LoadedMaterial {
    Secret(SecretString),
    Certificate(Box<Certificate>),
    Token(SecretString),
}

impl LoadedMaterial {
    /// What distinguishes one secret from another; for keyed hashes only.
    pub(super) fn identity(&self) -> &[u8] {
        match self {
            Self::Secret(text) | Self::Token(text) => text.expose_secret().as_bytes(),
            Self::Certificate(certificate) => certificate.thumbprint(),
        }
    }

    /// Enough to distinguish one secret from the next across restarts, far too little to find one. Tokens change all
    /// the time.
    pub(super) fn mark(&self) -> u16 {
        match self {
            Self::Token(_) => 0,
            Self::Secret(_) | Self::Certificate(_) => {
                let digest = Sha256::digest(self.identity());
                u16::from_be_bytes([digest[0], digest[1]])
            }
        }
    }

    /// Whether asking is pointless, as the certificate says itself.
    pub(super) fn refusal(&self, now: Timestamp) -> Option<Failure> {
        let Self::Certificate(certificate) = self else { return None };
        (certificate.not_after() <= now).then(|| {
            let day = certificate.not_after().to_chrono().date_naive();
            Failure::new(FailureClass::SecretExpired, format!("the certificate expired on {day}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_secret_loses_the_blanks_around_it() {
        let material = CredentialMaterial::new(CredentialKind::Secret, SecretReference::Env("X".to_owned()));
        let read = material.read(|_| Box::pin(async { Ok("\u{a0}s3cr3t \t".into()) })).await.ok();
        assert_eq!(read.as_ref().map(LoadedMaterial::identity), Some(&b"s3cr3t"[..]));
    }
}
