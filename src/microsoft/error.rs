//! Why a score could not be fetched, and what the operator can do about it.

use std::time::Duration;

use crate::domain::TenantId;

/// The class of a failure: stable, for machines, metrics and hints. The text form is kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// Our own reference to the secret can't be read.
    SecretUnreadable,
    /// Entra does not know the secret.
    SecretWrong,
    /// Every secret of the app is expired.
    SecretExpired,
    /// The app is not in that tenant: never consented, or removed.
    ConsentMissing,
    /// The app is disabled in that tenant.
    AppDisabled,
    /// There is no such tenant, or it lives in another cloud.
    TenantNotFound,
    /// The API's service principal is not in the tenant: Defender for Endpoint was never set up.
    NotOnboarded,
    /// The token does not hold the app role that the call needs.
    RoleMissing,
    /// The tenant has no licence for the score, or the account is inactive.
    LicenceMissing,
    /// Conditional Access or another policy of the tenant blocks us.
    PolicyBlocked,
    /// Our request is malformed by configuration: scope, resource.
    ConfigurationWrong,
    /// Microsoft asks us to slow down.
    Throttled,
    /// Microsoft answers with an error of its own, or not at all.
    MicrosoftDown,
    /// The token was refused, renewed, and refused again.
    TokenRefused,
    /// An answer that can't be trusted.
    Garbage,
    /// The answer holds no value: missing is never zero.
    NoData,
    /// Entra refused with a code that we do not know.
    SignInRefused,
    /// The API refused with a code that we do not know.
    CallRefused,
}

/// Why a score could not be fetched. No secret, URL or raw upstream text is in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant `{tenant}`: {what}")]
pub struct FetchError {
    /// Whose score.
    pub tenant: TenantId,
    /// The class.
    pub class: FailureClass,
    /// One clause in our own words.
    pub what: String,
    /// The stable number of an Entra error, if there was one: 7000222 of `AADSTS7000222`.
    pub entra_code: Option<u32>,
    /// How long Microsoft asked us to wait, clamped.
    pub retry_after: Option<Duration>,
    /// The id that Microsoft's support asks for; for the log only.
    pub correlation: Option<String>,
}
