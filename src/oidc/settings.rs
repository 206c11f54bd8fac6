//! What an administrator sets: which provider, as which app, and who gets which role for whose tenants.

use std::collections::BTreeSet;

use url::{Host, Url};
use uuid::Uuid;

use super::{grant::Grant, keys::Algorithm};
use crate::{domain::EntraTenantId, egress::Private, secret::SecretReference};

/// The claim that has a person's groups, unless another is set.
pub const GROUPS_CLAIM: &str = "groups";
/// The path of the page to which the provider sends people back.
pub const CALLBACK_PATH: &str = "/sign-in/oidc/callback";

/// A provider, the app that people sign in to, and what that allows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The provider's identifier, to the letter as its tokens have it; its discovery document lies below it.
    pub issuer: String,
    /// The app's client ID.
    pub client_id: String,
    /// The app's client secret; `None`: the app is a public client, and PKCE alone protects the code.
    pub client_secret: Option<SecretReference>,
    /// Where the provider sends people back: [`CALLBACK_PATH`] below `public_url`.
    pub redirect_uri: String,
    /// What is asked for in addition to `openid`.
    pub scopes: Vec<String>,
    /// By which algorithms an ID token may be signed. There are none with a shared key.
    pub algorithms: BTreeSet<Algorithm>,
    /// The claim that has a person's groups.
    pub groups_claim: String,
    /// Who gets which role for whose tenants. Nobody without a match gets in.
    pub grants: Vec<Grant>,
    /// What holds for Microsoft Entra ID only; `None`: another provider.
    pub entra: Option<Entra>,
    /// Which addresses may be called in addition to public ones.
    pub private: Private,
}

/// The directory that people sign in to, and where the groups are found that a token has no room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entra {
    /// The directory (tenant) ID that each token must name.
    pub tenant: EntraTenantId,
    /// The base URL of Microsoft Graph, without a trailing slash.
    pub graph: String,
}

/// Why an issuer of Microsoft's can't be one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the issuer of a single Entra tenant")]
pub struct NotOneTenant;

impl Entra {
    /// The directory of an issuer as Entra has it, `https://login.microsoftonline.com/TENANT-ID/v2.0`; `None` for other providers.
    ///
    /// Graph's host is that of GCC High for both clouds of the US Government, which share their sign-in.
    ///
    /// # Errors
    /// [`NotOneTenant`] for the issuers that let every organization in, a domain instead of the ID, and version 1.
    pub fn of_issuer(issuer: &str) -> Result<Option<Self>, NotOneTenant> {
        let Ok(url) = Url::parse(issuer) else { return Ok(None) };
        let graph = match url.host() {
            Some(Host::Domain("login.microsoftonline.com" | "login.windows.net" | "sts.windows.net")) => {
                "https://graph.microsoft.com"
            }
            Some(Host::Domain("login.microsoftonline.us")) => "https://graph.microsoft.us",
            _ => return Ok(None),
        };
        let tenant = issuer
            .strip_prefix("https://login.microsoftonline.com/")
            .or_else(|| issuer.strip_prefix("https://login.microsoftonline.us/"))
            .and_then(|rest| rest.strip_suffix("/v2.0"))
            .and_then(|id| Uuid::try_parse(id).ok().filter(|uuid| uuid.hyphenated().to_string() == id));
        let tenant = EntraTenantId(tenant.ok_or(NotOneTenant)?);
        Ok(Some(Self { tenant, graph: graph.to_owned() }))
    }
}

impl Settings {
    /// The algorithms that are allowed unless others are set.
    #[must_use]
    pub fn usual_algorithms() -> BTreeSet<Algorithm> {
        Algorithm::ALL.into()
    }

    /// What is asked for in addition to `openid`, unless something else is set: who it is; and of Entra a token for Graph, with
    /// whatever the app registration was granted there, if groups decide.
    #[must_use]
    pub fn usual_scopes(entra: Option<&Entra>, grants: &[Grant]) -> Vec<String> {
        let mut scopes = vec!["profile".to_owned(), "email".to_owned()];
        if let Some(entra) = entra.filter(|_| grants.iter().any(|grant| grant.group().is_some())) {
            scopes.push(format!("{}/.default", entra.graph));
        }
        scopes
    }

    /// Where the discovery document is ("OpenID Connect Discovery 1.0", section 4).
    pub(super) fn document_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_issuer_of_one_entra_tenant_is_taken() {
        let id = "2f1c0a5e-0000-4000-8000-0000000000ab";
        let entra = Entra::of_issuer(&format!("https://login.microsoftonline.com/{id}/v2.0")).unwrap().unwrap();
        assert_eq!((entra.tenant.to_string().as_str(), entra.graph.as_str()), (id, "https://graph.microsoft.com"));
        let entra = Entra::of_issuer(&format!("https://login.microsoftonline.us/{id}/v2.0")).unwrap().unwrap();
        assert_eq!(entra.graph, "https://graph.microsoft.us");
        for refused in [
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/organizations/v2.0",
            "https://login.microsoftonline.com/consumers/v2.0",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://login.microsoftonline.com/contoso.com/v2.0",
            "https://login.microsoftonline.com/2f1c0a5e-0000-4000-8000-0000000000ab",
            "https://login.microsoftonline.com/2f1c0a5e-0000-4000-8000-0000000000ab/v2.0/",
            "https://login.microsoftonline.com/2F1C0A5E-0000-4000-8000-0000000000AB/v2.0",
            "https://sts.windows.net/2f1c0a5e-0000-4000-8000-0000000000ab/",
        ] {
            assert_eq!(Entra::of_issuer(refused), Err(NotOneTenant), "{refused}");
        }
        for other in ["https://accounts.google.com", "https://login.microsoftonline.com.evil.example/x/v2.0", "x"] {
            assert_eq!(Entra::of_issuer(other), Ok(None), "{other}");
        }
    }
}
