//! Why a score could not be fetched, and what the operator can do about it.

use std::{borrow::Cow, time::Duration};

pub use crate::domain::FailureClass;
use crate::{domain::TenantId, egress::EgressError};

/// Why a score could not be fetched. No secret, URL or raw upstream text is in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant `{tenant}`: {what}")]
pub struct FetchError {
    /// The tenant that the score belongs to.
    pub tenant: TenantId,
    /// The class of the failure, which says who can fix it.
    pub class: FailureClass,
    /// One clause in our own words.
    pub what: String,
    /// The stable number of an Entra error, if there was one: 7000222 of `AADSTS7000222`.
    pub entra_code: Option<u32>,
    /// How long Microsoft asked us to wait, clamped.
    pub retry_after: Option<Duration>,
    /// The id that Microsoft's support asks for; for the log only.
    pub correlation: Option<String>,
    /// What the operator can do, as one imperative sentence; `None`: nothing, a later check tries again.
    pub hint: Option<Cow<'static, str>>,
}

impl FetchError {
    /// What the operator can do, as one imperative sentence; `None`: nothing, a later check tries again.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// A failure before it is said whose: what is kept for the next caller with the same credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: FailureClass,
    /// What happened, in Scorewatch's own words.
    pub(super) what: Cow<'static, str>,
    /// What the operator can do, where that is more than what the class says.
    pub(super) hint: Option<Cow<'static, str>>,
    pub(super) entra_code: Option<u32>,
    pub(super) retry_after: Option<Duration>,
    pub(super) correlation: Option<String>,
}

impl Failure {
    pub(super) fn new(class: FailureClass, what: impl Into<Cow<'static, str>>) -> Self {
        Self { class, what: what.into(), hint: None, entra_code: None, retry_after: None, correlation: None }
    }

    /// No whole answer from `whom`.
    pub(super) fn no_answer(whom: &str, error: &EgressError) -> Self {
        let class = match error {
            EgressError::NotAllowed(_) | EgressError::Unusable(_) => FailureClass::ConfigurationWrong,
            EgressError::TooLarge(_) => FailureClass::AnswerTooLarge,
            EgressError::Resolve | EgressError::Connect(_) => FailureClass::Unreachable,
            EgressError::Timeout(_) | EgressError::Broken(_) | EgressError::NotOffered(_) => {
                FailureClass::MicrosoftDown
            }
        };
        let what = format!("no answer from {whom}: {error}");
        let hint = (class == FailureClass::AnswerTooLarge)
            .then(|| format!("{error}; the documentation lists the limits").into());
        Self { hint, ..Self::new(class, what) }
    }

    /// Of a tenant, where it is about no score.
    pub(super) fn of_document(self, tenant: &TenantId) -> FetchError {
        FetchError {
            tenant: tenant.clone(),
            hint: self.hint.or_else(|| self.class.hint().map(Cow::Borrowed)),
            class: self.class,
            what: self.what.into_owned(),
            entra_code: self.entra_code,
            retry_after: self.retry_after,
            correlation: self.correlation,
        }
    }
}

/// An answer that is not what was asked for.
pub(super) fn garbage(what: &'static str) -> Failure {
    Failure::new(FailureClass::Garbage, what)
}
