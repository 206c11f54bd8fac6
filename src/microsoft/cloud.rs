//! Hosts and scopes of each national cloud.

use super::FailureClass;
use crate::domain::{Cloud, EntraTenantId, Region, ScoreKind};

/// The scope of Defender tokens in the commercial cloud, whichever of its hosts is called ("Create an app to access Microsoft
/// Defender for Endpoint without a user").
const COMMERCIAL_DEFENDER_SCOPE: &str = "https://api.securitycenter.microsoft.com/.default";

/// Where a tenant's calls go, and the scopes that its tokens are asked for. Base URLs without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hosts {
    /// The sign-in service of Entra: `https://login.microsoftonline.com`.
    pub login: String,
    /// Defender for Endpoint: `https://api.security.microsoft.com`.
    pub defender: String,
    /// The scope of Defender tokens. Not derived from the host: in the commercial cloud they differ ("Create an app", Defender for Endpoint API).
    pub defender_scope: String,
    /// The API of Microsoft Graph: `https://graph.microsoft.com`.
    pub graph: String,
    /// The scope of Graph tokens.
    pub graph_scope: String,
    /// The security portal that people open: `https://security.microsoft.com`.
    pub portal: String,
    /// Whether these are overridden hosts on loopback, for a simulation.
    pub loopback: bool,
}

/// One of the APIs that scores come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// The API of Defender for Endpoint.
    Defender,
    /// The API of Microsoft Graph.
    Graph,
}

impl Api {
    /// The base URL of the API on these hosts.
    pub(super) fn base(self, hosts: &Hosts) -> &str {
        match self {
            Self::Defender => &hosts.defender,
            Self::Graph => &hosts.graph,
        }
    }

    /// What its tokens are asked for. One token is good for one API.
    pub(super) fn scope(self, hosts: &Hosts) -> &str {
        match self {
            Self::Defender => &hosts.defender_scope,
            Self::Graph => &hosts.graph_scope,
        }
    }
}

impl Hosts {
    /// The hosts of that cloud. A region is of the commercial cloud only; elsewhere it changes nothing.
    ///
    /// Sources: Defender hosts from "Supported Microsoft Defender APIs" and "Microsoft Defender for Endpoint for US Government
    /// customers"; nearer hosts from "Improve request performance"; Entra and Graph hosts from "Microsoft Graph national cloud
    /// deployments"; portals from the page for US Government customers. No page of Microsoft's names the Defender scopes of the
    /// US Government clouds: they are the API's base, as independent projects use it.
    #[must_use]
    pub fn of(cloud: Cloud, region: Option<Region>) -> Self {
        let [login, defender, graph, portal] = match cloud {
            Cloud::Commercial => [
                "https://login.microsoftonline.com",
                "https://api.security.microsoft.com",
                "https://graph.microsoft.com",
                "https://security.microsoft.com",
            ],
            // The odd one: Entra, Graph and portal are the worldwide ones, Defender is not.
            Cloud::Gcc => [
                "https://login.microsoftonline.com",
                "https://api-gcc.securitycenter.microsoft.us",
                "https://graph.microsoft.com",
                "https://security.microsoft.com",
            ],
            Cloud::GccHigh => [
                "https://login.microsoftonline.us",
                "https://api-gov.securitycenter.microsoft.us",
                "https://graph.microsoft.us",
                "https://security.microsoft.us",
            ],
            // Shares its Defender host with GCC High.
            Cloud::Dod => [
                "https://login.microsoftonline.us",
                "https://api-gov.securitycenter.microsoft.us",
                "https://dod-graph.microsoft.us",
                "https://security.apps.mil",
            ],
        };
        let (defender, defender_scope) = match (cloud, region) {
            (Cloud::Commercial, region) => {
                let nearer = region.map(|region| format!("https://{}.api.security.microsoft.com", region.as_str()));
                (nearer.unwrap_or_else(|| defender.to_owned()), COMMERCIAL_DEFENDER_SCOPE.to_owned())
            }
            _ => (defender.to_owned(), format!("{defender}/.default")),
        };
        Self {
            login: login.to_owned(),
            defender,
            defender_scope,
            graph: graph.to_owned(),
            graph_scope: format!("{graph}/.default"),
            portal: portal.to_owned(),
            loopback: false,
        }
    }

    /// The page of the portal that shows that score of that tenant, whichever tenant the reader is signed in to. Exposure and the score of
    /// devices are shown on the dashboard of Vulnerability Management ("Microsoft Secure Score for Devices").
    #[must_use]
    pub fn score_page(&self, tenant: EntraTenantId, score: ScoreKind) -> String {
        let page = match score {
            ScoreKind::DeviceSecureScore | ScoreKind::ExposureScore | ScoreKind::ExposureScoreByGroup => {
                "tvm_dashboard"
            }
            ScoreKind::SecureScore | ScoreKind::SecureScoreCategory => "securescore",
        };
        format!("{}/{page}?tid={tenant}", self.portal)
    }

    /// The Entra admin center; `None`: there is none for these hosts.
    fn entra(&self) -> Option<&'static str> {
        match self.login.as_str() {
            "https://login.microsoftonline.com" => Some("https://entra.microsoft.com"),
            "https://login.microsoftonline.us" => Some("https://entra.microsoft.us"),
            _ => None,
        }
    }

    /// The page of an app registration's secrets and certificates; `None`: there is no portal for these hosts.
    #[must_use]
    pub fn app_registration(&self, client_id: uuid::Uuid) -> Option<String> {
        let app = client_id.hyphenated();
        let page = "Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId";
        Some(format!("{}/#view/{page}/{app}", self.entra()?))
    }

    /// A page of the Entra admin center, in that tenant, whichever the reader is signed in to.
    fn entra_page(&self, tenant: EntraTenantId, page: &str) -> Option<String> {
        Some(format!("{}/{tenant}/#view/{page}", self.entra()?))
    }

    /// The page on which a person can fix why that tenant can't be read by that app; `None`: there is none, or it is not known.
    #[must_use]
    pub fn fix_page(&self, class: FailureClass, tenant: EntraTenantId, client_id: uuid::Uuid) -> Option<String> {
        match class {
            FailureClass::SecretWrong
            | FailureClass::SecretExpired
            | FailureClass::CertificateUnknown
            | FailureClass::FederationUnmatched => self.app_registration(client_id),
            FailureClass::ConsentMissing | FailureClass::RoleMissing => Some(self.consent_link(tenant, client_id)),
            FailureClass::AppDisabled => {
                self.entra_page(tenant, "Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview")
            }
            FailureClass::PolicyBlocked => {
                self.entra_page(tenant, "Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies")
            }
            FailureClass::SignInRefused => self.entra_page(tenant, "Microsoft_AAD_IAM/SignInEventsV3Blade"),
            FailureClass::NotOnboarded => {
                // Who has other hosts has no portal either.
                self.entra()?;
                Some(format!("{}/securitysettings/endpoints/onboarding?tid={tenant}", self.portal))
            }
            // Fixed on this machine, in the configuration, by Microsoft's support, or by nobody; there is one page for licenses in each
            // kind of contract.
            FailureClass::SecretUnreadable
            | FailureClass::ClockWrong
            | FailureClass::TenantNotFound
            | FailureClass::LicenceMissing
            | FailureClass::ProxyRestricts
            | FailureClass::TenantBlocked
            | FailureClass::ConfigurationWrong
            | FailureClass::Throttled
            | FailureClass::Unreachable
            | FailureClass::MicrosoftDown
            | FailureClass::TokenRefused
            | FailureClass::Garbage
            | FailureClass::AnswerTooLarge
            | FailureClass::NoData
            | FailureClass::CallRefused
            | FailureClass::CheckTimeout
            | FailureClass::InternalError => None,
        }
    }

    /// Where an administrator of that tenant grants an app what its registration asks for ("Admin consent on the Microsoft
    /// identity platform").
    #[must_use]
    pub fn consent_link(&self, tenant: EntraTenantId, client_id: uuid::Uuid) -> String {
        format!("{}/{tenant}/adminconsent?client_id={}", self.login, client_id.hyphenated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_hosts_and_scopes() {
        for (cloud, region, login, defender, scope, graph_scope, portal) in [
            (
                Cloud::Commercial,
                None,
                "https://login.microsoftonline.com",
                "https://api.security.microsoft.com",
                "https://api.securitycenter.microsoft.com/.default",
                "https://graph.microsoft.com/.default",
                "https://security.microsoft.com",
            ),
            (
                Cloud::Commercial,
                Some(Region::Eu),
                "https://login.microsoftonline.com",
                "https://eu.api.security.microsoft.com",
                "https://api.securitycenter.microsoft.com/.default",
                "https://graph.microsoft.com/.default",
                "https://security.microsoft.com",
            ),
            (
                Cloud::Gcc,
                None,
                "https://login.microsoftonline.com",
                "https://api-gcc.securitycenter.microsoft.us",
                "https://api-gcc.securitycenter.microsoft.us/.default",
                "https://graph.microsoft.com/.default",
                "https://security.microsoft.com",
            ),
            (
                Cloud::GccHigh,
                Some(Region::Eu),
                "https://login.microsoftonline.us",
                "https://api-gov.securitycenter.microsoft.us",
                "https://api-gov.securitycenter.microsoft.us/.default",
                "https://graph.microsoft.us/.default",
                "https://security.microsoft.us",
            ),
            (
                Cloud::Dod,
                None,
                "https://login.microsoftonline.us",
                "https://api-gov.securitycenter.microsoft.us",
                "https://api-gov.securitycenter.microsoft.us/.default",
                "https://dod-graph.microsoft.us/.default",
                "https://security.apps.mil",
            ),
        ] {
            let hosts = Hosts::of(cloud, region);
            assert_eq!(
                [&hosts.login, &hosts.defender, &hosts.defender_scope, &hosts.graph_scope, &hosts.portal],
                [login, defender, scope, graph_scope, portal],
                "{cloud}"
            );
            assert!(!hosts.loopback);
        }
    }

    #[test]
    fn a_failure_that_people_fix_on_a_page_has_that_page_in_each_cloud() {
        const REGISTRATION: &str =
            "{entra}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/{app}";
        const CONSENT: &str = "{login}/{tenant}/adminconsent?client_id={app}";
        const APPS: &str = "{entra}/{tenant}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview";
        const POLICIES: &str =
            "{entra}/{tenant}/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies";
        const SIGN_INS: &str = "{entra}/{tenant}/#view/Microsoft_AAD_IAM/SignInEventsV3Blade";
        const ONBOARDING: &str = "{portal}/securitysettings/endpoints/onboarding?tid={tenant}";
        let expected = |class| match class {
            FailureClass::SecretWrong
            | FailureClass::SecretExpired
            | FailureClass::CertificateUnknown
            | FailureClass::FederationUnmatched => Some(REGISTRATION),
            FailureClass::ConsentMissing | FailureClass::RoleMissing => Some(CONSENT),
            FailureClass::AppDisabled => Some(APPS),
            FailureClass::PolicyBlocked => Some(POLICIES),
            FailureClass::SignInRefused => Some(SIGN_INS),
            FailureClass::NotOnboarded => Some(ONBOARDING),
            _ => None,
        };
        let (tenant, app) = ("2f1c0a5e-0000-4000-8000-000000000001", "6d2a0000-0000-4000-8000-000000000002");
        for (cloud, entra, login, portal) in [
            (
                Cloud::Commercial,
                "https://entra.microsoft.com",
                "https://login.microsoftonline.com",
                "https://security.microsoft.com",
            ),
            (
                Cloud::Gcc,
                "https://entra.microsoft.com",
                "https://login.microsoftonline.com",
                "https://security.microsoft.com",
            ),
            (
                Cloud::GccHigh,
                "https://entra.microsoft.us",
                "https://login.microsoftonline.us",
                "https://security.microsoft.us",
            ),
            (Cloud::Dod, "https://entra.microsoft.us", "https://login.microsoftonline.us", "https://security.apps.mil"),
        ] {
            for class in FailureClass::ALL {
                let page = Hosts::of(cloud, None).fix_page(
                    class,
                    EntraTenantId(tenant.parse().unwrap()),
                    app.parse().unwrap(),
                );
                let full = |page: &str| {
                    let hosts = [("{entra}", entra), ("{login}", login), ("{portal}", portal)];
                    let values = hosts.into_iter().chain([("{tenant}", tenant), ("{app}", app)]);
                    values.fold(page.to_owned(), |page, (name, value)| page.replace(name, value))
                };
                assert_eq!(page, expected(class).map(full), "{cloud} {class}");
            }
        }
    }
}
