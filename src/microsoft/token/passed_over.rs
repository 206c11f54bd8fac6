//! Credentials that were not taken while one beside them was: nobody is blind, and yet somebody has to know.

use std::{borrow::Cow, sync::PoisonError};

use uuid::Uuid;

use super::{AppCredential, Failure, FailureClass, ProofKind, Tokens};

/// The newest credential of an app, which was not taken though an older one was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Whose.
    pub client_id: Uuid,
    /// What it is.
    pub kind: ProofKind,
    /// Why it was not taken.
    pub class: FailureClass,
    /// The same in one clause.
    pub what: Cow<'static, str>,
    /// Tells it from the one that is put in its place later; says nothing of what it holds.
    pub mark: u16,
}

/// One credential that was not taken.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) kind: ProofKind,
    pub(super) mark: u16,
}

impl Refused {
    /// Whether another credential of the same app may be taken.
    pub(super) const fn is_about_the_proof(&self) -> bool {
        is_about_the_proof(&self.failure)
    }
}

/// Whether it is the credential that was not taken, and not the app or the tenant.
pub(super) const fn is_about_the_proof(failure: &Failure) -> bool {
    matches!(
        failure.class,
        FailureClass::SecretUnreadable
            | FailureClass::SecretWrong
            | FailureClass::SecretExpired
            | FailureClass::CertificateUnknown
            | FailureClass::FederationUnmatched
            | FailureClass::ClockWrong
    )
}

impl Tokens {
    /// Notes the newest credential, if it was not the one that was taken.
    pub(super) fn note_passed_over(&self, app: &AppCredential, newest: Option<Refused>) {
        let Some(Refused { failure, kind, mark }) = newest else { return };
        let noted = PassedOver { client_id: app.client_id, kind, class: failure.class, what: failure.what, mark };
        let mut all = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&noted) {
            tracing::warn!(app = %noted.client_id, class = %noted.class, "the newest credential is not taken; an older one is");
            all.push(noted);
        }
    }

    /// Hands out what was noted.
    pub(crate) fn passed_over(&self) -> Vec<PassedOver> {
        std::mem::take(&mut *self.passed_over.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
