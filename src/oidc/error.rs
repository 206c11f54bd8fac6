//! Why somebody could not be signed in: what happened, and what the administrator does about it. Neither holds a secret, a code or a
//! token, and what a provider says is shown only where it is one of a few known words or a number.

use std::{borrow::Cow, fmt};

/// Where a sign-in failed. The words are stable: logs and the audit name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInFailure {
    /// It was not begun in this browser, is too old, or was used before.
    NotBegun,
    /// The person, or a rule of the provider, ended it.
    Declined,
    /// There is no complete answer of the provider.
    Unreachable,
    /// The provider's answer can't be trusted.
    Garbage,
    /// The provider rejects the app.
    AppRejected,
    /// This side's secret can't be read.
    SecretUnreadable,
    /// The ID token is not one that may be believed.
    TokenInvalid,
    /// The groups of the person can't be found out.
    GroupsUnknown,
    /// No grant covers the person.
    NotGranted,
}

impl SignInFailure {
    /// As logs and the audit have it: `token-invalid`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotBegun => "not-begun",
            Self::Declined => "declined",
            Self::Unreachable => "unreachable",
            Self::Garbage => "garbage",
            Self::AppRejected => "app-rejected",
            Self::SecretUnreadable => "secret-unreadable",
            Self::TokenInvalid => "token-invalid",
            Self::GroupsUnknown => "groups-unknown",
            Self::NotGranted => "not-granted",
        }
    }
}

impl fmt::Display for SignInFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A sign-in that failed. `Display` gives what happened, as a clause without a capital or a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct SignInError {
    /// In which part of the sign-in it failed.
    pub failure: SignInFailure,
    /// What happened, for the log; it contains no token.
    pub what: Cow<'static, str>,
    /// What to do about it, in the imperative.
    pub hint: Cow<'static, str>,
}

impl SignInError {
    pub(super) fn new(
        failure: SignInFailure,
        what: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { failure, what: what.into(), hint: hint.into() }
    }

    /// The browser brings nothing that was begun here.
    #[must_use]
    pub fn not_begun() -> Self {
        Self::new(
            SignInFailure::NotBegun,
            "this sign-in was not started in this browser, or more than ten minutes ago",
            "start again; if this happens each time, allow cookies for this site, and open it by the address in `public_url`",
        )
    }

    pub(super) fn garbage(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            SignInFailure::Garbage,
            what,
            "check that `access.oidc.issuer` is the address of an OpenID Connect provider",
        )
    }
}
