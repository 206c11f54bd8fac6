//! The provider's discovery document (OpenID Connect Discovery 1.0, section 3): where people sign in, where codes are redeemed,
//! where the keys are.

use serde::Deserialize;
use url::Url;

use super::{error::SignInError, settings::Settings};
use crate::{domain::characters::shown, egress::Egress};

/// Longest text of the provider's that an error shows, in characters.
const SHOWN_CHARACTERS_MAX: usize = 100;

/// What is used of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Where the browser is sent.
    pub(super) authorize: Url,
    pub(super) token: String,
    pub(super) keys: String,
    /// Whether the client secret goes into the form; else into the header.
    pub(super) takes_secret_in_form: bool,
    /// Whether each answer names its issuer (RFC 9207).
    pub(super) names_issuer: bool,
}

#[derive(Deserialize)]
struct RawDocument {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Document {
    pub(super) fn read(body: &[u8], settings: &Settings) -> Result<Self, SignInError> {
        let raw: RawDocument = serde_json::from_slice(body).map_err(|_| {
            SignInError::garbage(
                "the provider's discovery document can't be read: a required part is missing or malformed",
            )
        })?;
        if raw.issuer != settings.issuer {
            let issuer: String = raw.issuer.chars().take(SHOWN_CHARACTERS_MAX).collect();
            return Err(SignInError {
                hint: "write `access.oidc.issuer` to the letter as the provider's discovery document has it".into(),
                ..SignInError::garbage(format!("the provider calls itself `{}`", shown(&issuer)))
            });
        }
        let is_plain = settings.issuer.starts_with("http:");
        Ok(Self {
            authorize: authorize(&raw.authorization_endpoint, is_plain)?,
            token: called("token_endpoint", raw.token_endpoint, settings, is_plain)?,
            keys: called("jwks_uri", raw.jwks_uri, settings, is_plain)?,
            takes_secret_in_form: raw
                .token_endpoint_auth_methods_supported
                .is_some_and(|methods| methods.iter().any(|method| method == "client_secret_post")),
            names_issuer: raw.authorization_response_iss_parameter_supported,
        })
    }
}

/// Without TLS only where the administrator wrote an issuer without it.
fn is_usable(url: &Url, is_plain: bool) -> bool {
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    is_bare && url.has_host() && (url.scheme() == "https" || (is_plain && url.scheme() == "http"))
}

fn authorize(text: &str, is_plain: bool) -> Result<Url, SignInError> {
    let url = Url::parse(text).ok().filter(|url| is_usable(url, is_plain));
    url.ok_or_else(|| unusable("authorization_endpoint", "it is not an `https:` address"))
}

fn called(name: &str, text: String, settings: &Settings, is_plain: bool) -> Result<String, SignInError> {
    if !Url::parse(&text).is_ok_and(|url| is_usable(&url, is_plain)) {
        return Err(unusable(name, "it is not an `https:` address"));
    }
    match Egress::vet(&text.as_str().into(), &settings.private) {
        Ok(()) => Ok(text),
        Err(error) => Err(unusable(name, &error.to_string())),
    }
}

fn unusable(name: &str, why: &str) -> SignInError {
    SignInError {
        hint: "correct the provider's discovery document; a provider inside your network needs `access.oidc.allow_private`"
            .into(),
        ..SignInError::garbage(format!("the `{name}` of the provider's discovery document can't be used: {why}"))
    }
}
