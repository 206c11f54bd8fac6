//! What the browser brings back from the provider (RFC 6749, section 4.1.2; RFC 9207): a code, or why there is none.

use secrecy::SecretString;
use url::form_urlencoded;

use super::error::{SignInError, SignInFailure};

/// Longest value that is read, in bytes. Entra's codes have some 1,500.
const VALUE_BYTES_MAX: usize = 8192;

/// An answer of the provider, by way of the browser.
pub(super) struct Callback {
    pub(super) state: String,
    /// Which provider answers, if it says so.
    pub(super) issuer: Option<String>,
    pub(super) outcome: Result<SecretString, SignInError>,
}

impl Callback {
    /// Reads the query of the request. Each parameter may be there once.
    pub(super) fn read(query: &str) -> Result<Self, SignInError> {
        let [mut state, mut issuer, mut code, mut error, mut description] = [const { None::<String> }; 5];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "iss" => &mut issuer,
                "code" => &mut code,
                "error" => &mut error,
                "error_description" => &mut description,
                _ => continue,
            };
            if place.is_some() || value.len() > VALUE_BYTES_MAX {
                return Err(malformed());
            }
            *place = Some(value.into_owned());
        }
        let outcome = match (code, error) {
            (Some(code), None) if !code.is_empty() => Ok(code.into()),
            (None, Some(error)) => Err(declined(&error, description.as_deref())),
            _ => return Err(malformed()),
        };
        Ok(Self { state: state.ok_or_else(malformed)?, issuer, outcome })
    }
}

fn malformed() -> SignInError {
    SignInError::new(
        SignInFailure::Garbage,
        "the browser came back from the provider without a usable answer",
        "start again; if this happens each time, check the app's redirect URI at the provider",
    )
}

/// The number of an Entra error, which is all that is shown of its text: `AADSTS50105`.
pub(super) fn entra_code(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

fn declined(error: &str, description: Option<&str>) -> SignInError {
    let code = description.and_then(entra_code);
    let (what, hint) = match (error, code) {
        (_, Some(50_105)) => (
            "nobody has assigned this account to the app",
            "assign the person or one of their groups to the enterprise application in Entra",
        ),
        (_, Some(65_004)) => ("the person declined to give the app access", "start again and accept"),
        (_, Some(53_000..=53_004)) => (
            "a Conditional Access policy blocks this sign-in",
            "the sign-in logs in Entra name the policy and the reason",
        ),
        ("consent_required" | "interaction_required", _) | (_, Some(65_001 | 90_094)) => (
            "nobody has consented to what the app asks for",
            "have an administrator grant consent under API permissions of the app registration",
        ),
        ("access_denied", _) => ("the provider let nobody in", "start again; the provider's logs say why"),
        ("invalid_scope", _) => ("the provider does not know a scope that was asked for", "check `access.oidc.scopes`"),
        ("server_error" | "temporarily_unavailable", _) => ("the provider is not available", "try again later"),
        ("unauthorized_client" | "unsupported_response_type" | "invalid_request", _) => (
            "the provider rejects the app's request",
            "check the app at the provider: authorization code with PKCE, and the redirect URI",
        ),
        _ => ("the provider reports an error", "the provider's logs say more"),
    };
    match code {
        Some(code) => SignInError::new(SignInFailure::Declined, format!("{what} (AADSTS{code})"), hint),
        None => SignInError::new(SignInFailure::Declined, what, hint),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_code_or_an_error_is_read_and_nothing_of_the_provider_s_text_is_repeated() {
        let read = Callback::read("code=a%2Bb&state=s&iss=https%3A%2F%2Fp.example&session_state=x").unwrap();
        assert_eq!(read.outcome.unwrap().expose_secret(), "a+b");
        assert_eq!((read.state.as_str(), read.issuer.as_deref()), ("s", Some("https://p.example")));
        for (query, what) in [
            ("error=access_denied&state=s", "the provider let nobody in"),
            ("error=x%0a%1b&error_description=hunter2&state=s", "the provider reports an error"),
            (
                "error=invalid_grant&error_description=AADSTS50105%3A+hunter2&state=s",
                "nobody has assigned this account to the app (AADSTS50105)",
            ),
        ] {
            let error = Callback::read(query).unwrap().outcome.unwrap_err();
            assert_eq!((error.failure, &*error.what), (SignInFailure::Declined, what), "{query}");
            assert!(!error.hint.contains("hunter2"));
        }
    }

    #[test]
    fn half_an_answer_or_two_are_refused() {
        for query in [
            "",
            "state=s",
            "code=c",
            "code=&state=s",
            "code=c&code=d&state=s",
            "code=c&state=s&state=t",
            "code=c&error=access_denied&state=s",
            "code=c&state=s&iss=a&iss=b",
            &format!("state=s&code={}", "c".repeat(VALUE_BYTES_MAX + 1)),
        ] {
            assert!(Callback::read(query).is_err(), "{query}");
        }
    }
}
