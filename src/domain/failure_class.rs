//! Why a score can't be read, as a class.

use std::fmt;

/// The class of a failure: stable, for machines, metrics and hints. The text form is kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// Our own reference to the secret can't be read.
    SecretUnreadable,
    /// Entra does not know the secret.
    SecretWrong,
    /// Every secret of the app is expired, or our certificate is.
    SecretExpired,
    /// Entra does not know the certificate.
    CertificateUnknown,
    /// The app trusts no issuer, subject and audience like those of the federated token.
    FederationUnmatched,
    /// What was signed is outside its time window.
    ClockWrong,
    /// The app is not in that tenant: never consented, or removed.
    ConsentMissing,
    /// The app is disabled in that tenant.
    AppDisabled,
    /// There is no such tenant, or it is in another cloud.
    TenantNotFound,
    /// The API's service principal is not in the tenant: Defender for Endpoint was never set up.
    NotOnboarded,
    /// The token does not hold the app role that the call needs.
    RoleMissing,
    /// The tenant has no license for the score, or the account is inactive.
    LicenceMissing,
    /// Conditional Access or another policy of the tenant blocks us.
    PolicyBlocked,
    /// A proxy on our side lets nobody sign in to other tenants.
    ProxyRestricts,
    /// Entra has blocked the whole tenant, or throttles it for a long time.
    TenantBlocked,
    /// Our request is malformed by configuration: scope, resource.
    ConfigurationWrong,
    /// Microsoft throttles our requests.
    Throttled,
    /// No connection could be made from here: the name can't be resolved, or nobody takes the call.
    Unreachable,
    /// Microsoft answers with an error of its own, or not in time.
    MicrosoftDown,
    /// The token was refused, renewed, and refused again.
    TokenRefused,
    /// An answer that can't be trusted.
    Garbage,
    /// An answer that exceeds a limit: bytes, pages, entries, or subjects of a score.
    AnswerTooLarge,
    /// The answer holds no value: missing is never zero.
    NoData,
    /// Entra refused with a code that we do not know.
    SignInRefused,
    /// The API refused with a code that we do not know.
    CallRefused,
    /// The whole check took too long and was given up.
    CheckTimeout,
    /// Scorewatch itself failed at this tenant.
    InternalError,
}

impl FailureClass {
    /// All classes of failure, in the order of the documentation.
    pub const ALL: [Self; 27] = [
        Self::SecretUnreadable,
        Self::SecretWrong,
        Self::SecretExpired,
        Self::CertificateUnknown,
        Self::FederationUnmatched,
        Self::ClockWrong,
        Self::ConsentMissing,
        Self::AppDisabled,
        Self::TenantNotFound,
        Self::NotOnboarded,
        Self::RoleMissing,
        Self::LicenceMissing,
        Self::PolicyBlocked,
        Self::ProxyRestricts,
        Self::TenantBlocked,
        Self::ConfigurationWrong,
        Self::Throttled,
        Self::Unreachable,
        Self::MicrosoftDown,
        Self::TokenRefused,
        Self::Garbage,
        Self::AnswerTooLarge,
        Self::NoData,
        Self::SignInRefused,
        Self::CallRefused,
        Self::CheckTimeout,
        Self::InternalError,
    ];

    /// The name in JSON, metrics and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretUnreadable => "secret-unreadable",
            Self::SecretWrong => "secret-wrong",
            Self::SecretExpired => "secret-expired",
            Self::CertificateUnknown => "certificate-unknown",
            Self::FederationUnmatched => "federation-unmatched",
            Self::ClockWrong => "clock-wrong",
            Self::ConsentMissing => "consent-missing",
            Self::AppDisabled => "app-disabled",
            Self::TenantNotFound => "tenant-not-found",
            Self::NotOnboarded => "not-onboarded",
            Self::RoleMissing => "role-missing",
            Self::LicenceMissing => "licence-missing",
            Self::PolicyBlocked => "policy-blocked",
            Self::ProxyRestricts => "proxy-restricts",
            Self::TenantBlocked => "tenant-blocked",
            Self::ConfigurationWrong => "configuration-wrong",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::MicrosoftDown => "microsoft-down",
            Self::TokenRefused => "token-refused",
            Self::Garbage => "garbage",
            Self::AnswerTooLarge => "answer-too-large",
            Self::NoData => "no-data",
            Self::SignInRefused => "sign-in-refused",
            Self::CallRefused => "call-refused",
            Self::CheckTimeout => "check-timeout",
            Self::InternalError => "internal-error",
        }
    }

    /// The same in words, as a clause that goes on after "the tenant can't be read: ".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SecretUnreadable => "the app's credential can't be read on this machine",
            Self::SecretWrong => "Entra does not know the client secret",
            Self::SecretExpired => "the app's credential has expired",
            Self::CertificateUnknown => "Entra does not know the certificate",
            Self::FederationUnmatched => "the app does not trust the federated token",
            Self::ClockWrong => "by Entra's clock, what was signed here is not valid now",
            Self::ConsentMissing => "the tenant has not consented to the app, or has withdrawn its consent",
            Self::AppDisabled => "the tenant has disabled the app",
            Self::TenantNotFound => "there is no such tenant in this cloud",
            Self::NotOnboarded => "the tenant does not have the API that gives the score",
            Self::RoleMissing => "the app lacks the role that the score needs",
            Self::LicenceMissing => "the tenant has no active license for the score",
            Self::PolicyBlocked => "a policy of the tenant blocks the sign-in",
            Self::ProxyRestricts => "a proxy on our side blocks the sign-in",
            Self::TenantBlocked => "Entra blocks the tenant, or throttles it for a long time",
            Self::ConfigurationWrong => "the configuration asks for something that Microsoft does not accept",
            Self::Throttled => "Microsoft throttles our requests",
            Self::Unreachable => "Microsoft can't be reached from this machine",
            Self::MicrosoftDown => "Microsoft's service fails, or does not answer in time",
            Self::TokenRefused => "the API rejects a fresh token",
            Self::Garbage => "Microsoft's answers can't be read",
            Self::AnswerTooLarge => "Microsoft's answers exceed a limit",
            Self::NoData => "the source's answer contains no value",
            Self::SignInRefused => "Entra rejects the sign-in for an unknown reason",
            Self::CallRefused => "the API rejects the call for an unknown reason",
            Self::CheckTimeout => "the check took too long and was abandoned",
            Self::InternalError => "Scorewatch itself failed while it checked the tenant",
        }
    }

    /// Whether nothing but a person fixes it, on Microsoft's side or the customer's, so that asking at every tick is pointless.
    #[must_use]
    pub const fn waits_for_people(self) -> bool {
        matches!(
            self,
            Self::ConsentMissing
                | Self::AppDisabled
                | Self::TenantNotFound
                | Self::NotOnboarded
                | Self::RoleMissing
                | Self::LicenceMissing
                | Self::PolicyBlocked
                | Self::TenantBlocked
        )
    }

    /// Whether an administrator's consent helps.
    #[must_use]
    pub const fn needs_consent(self) -> bool {
        matches!(self, Self::ConsentMissing | Self::RoleMissing)
    }

    /// Finds the class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    /// The class of that name in words, with the name for whoever looks it up: `the app's credential has expired (secret-expired)`. A name
    /// that only another version knows stays alone.
    #[must_use]
    pub fn described(name: &str) -> String {
        Self::from_name(name).map_or_else(|| name.to_owned(), |class| format!("{} ({name})", class.words()))
    }

    /// What the operator can do, whichever score it is about. A failure's own hint may say it of the score at hand.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SecretUnreadable => {
                Some("put the secret in the place that the tenant's `credential:` names, readable by the service")
            }
            Self::SecretWrong => {
                Some("store the client secret's value, not its ID, or create a new secret in the app registration")
            }
            Self::SecretExpired => Some(
                "create a new client secret in the app registration and store its value, or upload a new certificate \
                 there",
            ),
            Self::CertificateUnknown => {
                Some("upload the certificate to the app registration, and check `client_id` and `cloud`")
            }
            Self::FederationUnmatched => Some(
                "compare issuer, subject and audience of the app's federated credential with the token's, letter by letter",
            ),
            Self::ClockWrong => {
                Some("synchronize this machine's clock with NTP; a federated token must be renewed before it expires")
            }
            Self::ConsentMissing => {
                Some("have an administrator of the tenant consent to the app, and check `client_id` and `tenant_id`")
            }
            Self::AppDisabled => {
                Some("ask the tenant to enable the enterprise application again, or remove the tenant if it has left")
            }
            Self::TenantNotFound => Some("check `tenant_id` and `cloud`"),
            Self::NotOnboarded => Some("set up Microsoft Defender for Endpoint in the tenant, or check `cloud`"),
            Self::RoleMissing => {
                Some("grant the app role that the score needs and have an administrator consent to it")
            }
            Self::LicenceMissing => {
                Some("check that the tenant has an active license with Defender Vulnerability Management")
            }
            Self::PolicyBlocked => Some(
                "ask the tenant to allow this service's egress addresses in its Conditional Access policies, or use \
                 a multi-tenant app, which they do not affect",
            ),
            Self::ProxyRestricts => {
                Some("let the proxy between this machine and Entra allow sign-ins to your customers' tenants")
            }
            Self::TenantBlocked => Some(
                "wait; if it lasts for a day, have the tenant's administrator open a case with Microsoft's support",
            ),
            Self::ConfigurationWrong => Some("check the tenant's `client_id`, `credential`, `cloud` and `endpoints`"),
            Self::TokenRefused => Some("check the tenant's `cloud` and `endpoints`, and the clock of this machine"),
            Self::SignInRefused => {
                Some("open the tenant's sign-in logs in Entra, which say why; `scorewatch tenants show ID` shows more")
            }
            Self::Unreachable => Some("check the DNS and the firewall of this machine, and `endpoints` if it is set"),
            Self::CallRefused => {
                Some("report it to Microsoft's support; `scorewatch tenants show ID` shows the correlation id")
            }
            Self::AnswerTooLarge => {
                Some("see which limit is exceeded (`scorewatch tenants show ID`); the documentation lists the limits")
            }
            Self::InternalError => Some("report this bug in Scorewatch, with the log lines around it"),
            Self::Throttled | Self::MicrosoftDown | Self::Garbage | Self::NoData | Self::CheckTimeout => None,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_kebab_case_name() {
        for class in FailureClass::ALL {
            assert_eq!(FailureClass::from_name(class.as_str()), Some(class));
            assert!(class.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{class}");
        }
    }

    #[test]
    fn people_read_a_class_in_words_and_can_look_it_up() {
        assert_eq!(FailureClass::described("throttled"), "Microsoft throttles our requests (throttled)");
        assert_eq!(FailureClass::described("of-a-later-version"), "of-a-later-version");
    }

    #[test]
    fn what_an_operator_can_fix_comes_with_a_hint() {
        for class in FailureClass::ALL {
            let passes_by_itself = matches!(
                class,
                FailureClass::Throttled
                    | FailureClass::MicrosoftDown
                    | FailureClass::Garbage
                    | FailureClass::NoData
                    | FailureClass::CheckTimeout
            );
            assert_eq!(class.hint().is_none(), passes_by_itself, "{class}");
        }
    }
}
