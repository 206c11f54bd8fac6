//! Credentials that were rejected while an older one was accepted: the tenant is not blind, but the operator has to
//! know.

use std::{borrow::Cow, collections::BTreeSet, sync::PoisonError};

use uuid::Uuid;

use super::{AppCredential, CredentialKind, Failure, FailureClass, Tokens};
use crate::{microsoft::Microsoft, secret::SecretReference};

/// The newest credential of an app, which was rejected while an older one was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The app's client id.
    pub client_id: Uuid,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// Why it was rejected.
    pub class: FailureClass,
    /// Why it was rejected, in one clause.
    pub what: Cow<'static, str>,
    /// Distinguishes it from the credential that replaces it later; reveals nothing of its content.
    pub mark: u16,
}

impl PassedOver {
    /// Whether it is that app with credentials side by side: of one alone none is passed over.
    #[must_use]
    pub fn is_of(&self, app: &AppCredential) -> bool {
        app.client_id == self.client_id && app.materials.len() > 1
    }
}

/// A credential that was rejected the last time that it was tried: the app's client id, and where it is kept.
pub type Rejected = (Uuid, SecretReference);

/// One credential that was rejected.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) kind: CredentialKind,
    pub(super) mark: u16,
}

impl Refused {
    /// Whether another credential of the same app may be accepted.
    pub(super) const fn is_about_material(&self) -> bool {
        is_about_material(&self.failure)
    }
}

/// Whether the credential was rejected, and not the app or the tenant.
pub(super) const fn is_about_material(failure: &Failure) -> bool {
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
            tracing::warn!(app = %noted.client_id, class = %noted.class, "the newest credential was rejected; an \
                older one is used");
            all.push(noted);
        }
    }

    /// Notes that the credential at this place was accepted, and those before it were not.
    pub(super) fn note_accepted(&self, app: &AppCredential, place: usize) {
        let mut all = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        if place > 0 || !all.is_empty() {
            all.remove(&(app.client_id, app.materials[place].kept.clone()));
            all.extend(app.materials[..place].iter().map(|material| (app.client_id, material.kept.clone())));
        }
    }
}

impl Microsoft {
    /// Credentials that Entra rejected since this was last asked, while another one of the same app was accepted. Each once.
    #[must_use]
    pub fn passed_over(&self) -> Vec<PassedOver> {
        std::mem::take(&mut *self.inner.tokens.passed_over.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Credentials that Entra rejected the last time they were tried, while another one of the same app was accepted.
    #[must_use]
    pub fn rejected(&self) -> BTreeSet<Rejected> {
        self.inner.tokens.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
