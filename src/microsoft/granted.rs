//! What an app may do in a tenant, according to its access token: for people who look for what is missing, never for a
//! decision.
//!
//! A missing permission does not fail at the token endpoint: Entra issues a token without it, and the API refuses the call. So
//! whoever sets up a tenant wants to know what the token holds. A client must not rely on parsing it ("Access tokens in the
//! Microsoft identity platform"), and nothing here verifies it: what can't be read is unknown, which is not a failure.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    Account, FetchError, Microsoft,
    bounded::{Few, Scalar},
    source,
    token::TokenRequest,
};
use crate::domain::{ScoreKind, Timestamp};

/// The longest role that is believed to be one, in bytes.
const ROLE_BYTES_MAX: usize = 80;
/// At most this many roles are shown.
const ROLES_MAX: usize = 64;
/// The most entries of the claim that are read: an app has a few dozen roles.
const ROLES_READ_MAX: usize = 1000;

/// The app roles that a token holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    /// `None`: the token can't be looked into.
    pub roles: Option<BTreeSet<String>>,
}

impl Granted {
    /// Whether the role is known to be missing. One that may write may read, too.
    #[must_use]
    pub fn lacks(&self, role: &str) -> bool {
        let writing = role.replace(".Read.", ".ReadWrite.");
        self.roles.as_ref().is_some_and(|roles| !roles.contains(role) && !roles.contains(&writing))
    }
}

impl Microsoft {
    /// Signs in to the API that gives this score, as [`Microsoft::fetch`] does, which then finds the token.
    ///
    /// # Errors
    /// [`FetchError`] with its class, and what the operator can do.
    pub async fn granted(&self, account: &Account, score: ScoreKind, now: Timestamp) -> Result<Granted, FetchError> {
        let source = source::of(score);
        let token_request = TokenRequest { account, scope: source.api().scope(&account.hosts), next_check_at: now };
        let token = self.inner.tokens.get(&self.inner.wire, token_request).await;
        let token = token.map_err(|failure| failure.of(&account.tenant, source))?;
        Ok(Granted { roles: roles(token.bearer.expose_secret()) })
    }
}

/// Reads the claim `roles` of a JWT. Hostile until parsed: what does not look like a role is dropped, as it may be anything.
fn roles(bearer: &str) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: Few<Scalar, ROLES_READ_MAX>,
    }
    let mut parts = bearer.strip_prefix("Bearer ")?.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    if !super::is_object(&payload) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    // Entra leaves the claim out when there are none.
    let known = claims.roles.0.iter().filter_map(Scalar::text).filter(|role| is_role(role));
    Some(known.take(ROLES_MAX).map(ToOwned::to_owned).collect())
}

/// Whether the text looks like a Microsoft app role, as `Score.Read.All` does.
fn is_role(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    text.len() <= ROLE_BYTES_MAX && text.contains('.') && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &[u8]) -> String {
        format!("Bearer eyJ0eXAiOiJKV1QifQ.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn only_roles_are_read_from_a_token() {
        for (payload, expected) in [
            (r#"{"roles":["Score.Read.All","Machine.Read.All"]}"#, Some(&["Machine.Read.All", "Score.Read.All"][..])),
            (r#"{"tid":"x"}"#, Some(&[])),
            (r#"{"roles":null}"#, Some(&[])),
            (
                r#"{"roles":[1,null,{},"", "Score", "Score..All", "Score.Read.All\u001b[2J", "a.b c", "A.B"]}"#,
                Some(&["A.B"]),
            ),
            (r#"{"roles":"Score.Read.All"}"#, None),
            (r#"[["Score.Read.All"]]"#, None),
            ("null", None),
            ("", None),
            ("{", None),
        ] {
            let expected = expected.map(|roles| roles.iter().map(ToString::to_string).collect());
            assert_eq!(roles(&token(payload.as_bytes())), expected, "{payload}");
        }
        let long = format!(r#"{{"roles":["A.{}"]}}"#, "b".repeat(ROLE_BYTES_MAX));
        assert_eq!(roles(&token(long.as_bytes())), Some(BTreeSet::new()));
        for bearer in ["", "Bearer ", "Bearer a.b", "Bearer a.b.c.d", "Bearer a.!!.c", "Bearer opaque", "a.e30.c"] {
            assert_eq!(roles(bearer), None, "{bearer}");
        }
        let deep = [br#"{"roles":"#.as_slice(), &b"[".repeat(100_000)].concat();
        assert_eq!(roles(&token(&deep)), None);
        assert_eq!(roles(&token(b"{\"roles\":[\"\xff\"]}")), None);
    }

    #[test]
    fn a_role_that_writes_reads_and_what_is_unknown_lacks_nothing() {
        let of = |roles: &[&str]| Granted { roles: Some(roles.iter().map(ToString::to_string).collect()) };
        assert!(!of(&["Score.Read.All"]).lacks("Score.Read.All"));
        assert!(!of(&["SecurityEvents.ReadWrite.All"]).lacks("SecurityEvents.Read.All"));
        assert!(of(&["Machine.Read.All"]).lacks("Score.Read.All"));
        assert!(of(&[]).lacks("Score.Read.All"));
        assert!(!Granted { roles: None }.lacks("Score.Read.All"));
    }
}
