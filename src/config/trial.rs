//! Tries the secrets that a configuration refers to. Loading a configuration reads none of them: most commands need none, and
//! one that can't be read concerns its own tenant or channel only.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use futures_util::{StreamExt, stream};

use super::{Loaded, excerpt, receivers::problems_on_this_machine};
use crate::{
    clock::Clock,
    diagnostic::{Level, Place, Problem, Warning},
    domain::Timestamp,
    microsoft::{Certificate, CredentialKind, CredentialMaterial},
    secret::{ExposeSecret, SecretError, SecretReference, redact::echoed},
};

/// Secrets that are tried at one time.
const TRIED_MAX: usize = 64;
/// Bits of a file's mode that let others read or change it; a group of its own may read.
const OPEN_TO_OTHERS: u32 = 0o027;

/// What is said where the name of a place looks like what is kept there.
const ITSELF: &str = "nothing has this name, and it looks like a secret itself, not like where one is kept";
const KEEP_IT: &str = "write the secret into a file that only the service can read, and `{ file: PATH }` here; whoever read this \
                       configuration knows it, so make a new one";

/// A secret that a configuration refers to, and where it does.
#[derive(Debug, Clone)]
pub struct SecretUse {
    pub(super) place: Place,
    /// The path of its key.
    pub(super) key: String,
    /// Where it is kept, as a problem says it.
    pub(super) kept: String,
    pub(super) reference: SecretReference,
    /// Whether the name of the place looks like what should be kept there.
    pub(super) looks_like_a_secret: bool,
    pub(super) form: Form,
}

/// What a secret must look like.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Any text that is not empty.
    Text,
    /// A key of a certain form.
    Key {
        /// Whether it is one.
        check: fn(&SecretReference) -> Result<(), SecretError>,
        /// What to write instead.
        instead: &'static str,
    },
    /// A certificate with its private key.
    Certificate(Box<CredentialMaterial>),
}

impl Form {
    /// Whether any text will do.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }
}

impl SecretUse {
    /// What is wrong with it. What a store keeps is not asked for.
    async fn problems(&self) -> Vec<Problem> {
        if self.reference.is_stored() {
            return Vec::new();
        }
        // Sees that its disk answers, so that nothing below waits for it.
        self.reference.fetch().await;
        let tried = self.clone();
        tokio::task::spawn_blocking(move || tried.judge()).await.unwrap_or_default()
    }

    fn judge(&self) -> Vec<Problem> {
        match &self.form {
            Form::Text => self.unread(self.reference.resolve().map(drop)),
            Form::Key { check, instead } => self.unfit(check(&self.reference), instead),
            Form::Certificate(material) => self.certificate(material),
        }
    }

    fn unread(&self, read: Result<(), SecretError>) -> Vec<Problem> {
        let Err(error) = read else { return Vec::new() };
        // What is there and can't be read is a place.
        let is_there =
            error.what.contains("permission") || error.what == "is empty" || error.what.contains("regular file");
        if self.looks_like_a_secret && !is_there {
            return vec![self.error(ITSELF, KEEP_IT)];
        }
        vec![self.error(&format!("{} {}", self.kept, error.what), error.hint)]
    }

    /// The same of a secret that can be read and is not what it should be.
    fn unfit(&self, read: Result<(), SecretError>, instead: &str) -> Vec<Problem> {
        if read.is_ok() || self.reference.resolve().is_err() {
            return self.unread(self.reference.resolve().map(drop));
        }
        let what = read.err().map(|error| error.what).unwrap_or_default();
        vec![self.error(&format!("what it holds {what}"), instead)]
    }

    /// Opens a certificate, so that what is wrong is known before Entra is asked. One that has expired is a warning.
    fn certificate(&self, material: &CredentialMaterial) -> Vec<Problem> {
        let mut problems = Vec::new();
        let kept = match material.kept.resolve_bytes() {
            Ok(kept) => kept,
            Err(error) => return self.unread(Err(error)),
        };
        if let SecretReference::File(path) = &material.kept {
            let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
            if mode & OPEN_TO_OTHERS != 0 {
                let what =
                    format!("others may read or change the file with the private key (mode {:03o})", mode & 0o777);
                problems.push(self.warning(Warning::SecretOpenToOthers, &what, "let nobody else in: `chmod 600`"));
            }
        }
        let password = material.password.as_ref().filter(|password| !password.is_stored());
        let has_stored_password = material.password.is_some() && password.is_none();
        // The password is a use of its own, with its own problem.
        let Ok(password) = password.map(SecretReference::resolve).transpose() else { return problems };
        match Certificate::open(kept.expose_secret(), password.as_ref().map(ExposeSecret::expose_secret)) {
            Err(_) if has_stored_password => {}
            Err(error) => {
                let what = format!("{} {error}", self.kept);
                problems.push(self.error(&what, error.hint()));
            }
            Ok(certificate) => self.warn_of(&certificate, Clock::System.now(), &mut problems),
        }
        problems
    }

    fn warn_of(&self, certificate: &Certificate, now: Timestamp, problems: &mut Vec<Problem>) {
        let day = |instant: Timestamp| instant.to_chrono().date_naive();
        let mut warn = |warning: Warning, what: String, instead: &str| {
            problems.push(self.warning(warning, &what, instead));
        };
        if certificate.not_after() <= now {
            let what = format!("the certificate expired on {}", day(certificate.not_after()));
            warn(Warning::CertificateExpired, what, "make a new one and upload it to the app registration");
        }
        if now < certificate.not_before() {
            let what = format!("the certificate holds from {} on only", day(certificate.not_before()));
            warn(Warning::CertificateNotYetValid, what, "wait until then, or check this machine's clock");
        }
        if let Some(number) = certificate.misplaced() {
            let what = format!("certificate {number} of the file did not issue the one before it");
            let instead = "order the chain: the app's own certificate, then the one that issued it, and so on";
            warn(Warning::CertificateChainOutOfOrder, what, instead);
        }
    }

    fn warning(&self, warning: Warning, what: &str, instead: &str) -> Problem {
        Problem::warning(warning, self.place.clone(), self.key.clone(), echoed(what), instead)
    }

    fn error(&self, what: &str, instead: impl Into<String>) -> Problem {
        Problem::error(self.place.clone(), self.key.clone(), echoed(what), instead)
    }
}

impl CredentialMaterial {
    /// What a certificate has to be tried as; `None`: it is a text.
    pub(super) fn form(&self) -> Option<Form> {
        (self.kind == CredentialKind::Certificate).then(|| Form::Certificate(Box::new(self.clone())))
    }
}

/// Tries these secrets, many at a time, and says what is wrong with each, in file order.
pub async fn try_secrets(uses: &[SecretUse]) -> Vec<Problem> {
    let tried = stream::iter(uses.iter().map(SecretUse::problems)).buffer_unordered(TRIED_MAX);
    let mut problems: Vec<Problem> = tried.concat().await;
    problems.sort();
    problems.dedup();
    problems
}

impl Loaded {
    /// Tries the secrets too: one that can't be read is an error, as it is for `scorewatch check`, and so are two channels of
    /// different audiences whose addresses turn out to be one. The configuration is kept.
    pub async fn with_secrets_tried(mut self) -> Self {
        let mut found = try_secrets(&self.secrets).await;
        found.extend(problems_on_this_machine(Arc::clone(&self.channels), &self.problems).await);
        if !found.is_empty() {
            self.problems.extend(found);
            self.problems.sort();
            self.problems.dedup();
            self.excerpts = excerpt::of(&self.problems);
        }
        self
    }

    /// Whether a problem is an error.
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.problems.iter().any(|problem| problem.level == Level::Error)
    }
}

/// What is shared by a configuration and what loading it gave.
pub(super) type SecretUses = Arc<[SecretUse]>;
