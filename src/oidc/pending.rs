//! A sign-in that is under way: what was sent along with the browser, to be found again when it comes back.
//!
//! It lives in a cookie of that browser and nowhere else. So it is bound to the browser by construction, survives a restart, and
//! nobody can fill this machine's memory by starting sign-ins. A person may read their own: `state`, `nonce` and the PKCE verifier
//! protect them from others, not from themselves.

use std::{fmt, time::Duration};

use aws_lc_rs::{constant_time::verify_slices_are_equal, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::error::{SignInError, SignInFailure};
use crate::domain::Timestamp;

/// How long a person may take at the provider: password, second factor, a forgotten phone.
pub const PENDING_WITHIN: Duration = Duration::from_mins(10);
/// Random bytes of each value; in base64url, 43 characters, the fewest that PKCE allows for its verifier (RFC 7636, section 4.1).
const RANDOM_BYTES: usize = 32;
/// How the cookie's value begins: its version.
const VERSION: &str = "1";
/// Longest path to come back to, in bytes.
const TARGET_BYTES_MAX: usize = 2000;
/// Longest cookie that is read, in bytes.
const COOKIE_BYTES_MAX: usize = 3600;

/// A sign-in that is under way.
#[derive(Clone)]
pub struct Pending {
    state: SecretString,
    nonce: SecretString,
    verifier: SecretString,
    began_at: Timestamp,
    target: String,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("began_at", &self.began_at).finish_non_exhaustive()
    }
}

impl Pending {
    /// A new one, to lead back to `target`; to `/` if that is not a path of this site.
    ///
    /// # Errors
    /// [`SignInError`] when the machine gives no random numbers.
    pub fn begin(target: &str, now: Timestamp) -> Result<Self, SignInError> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()?, began_at: now, target: local(target) })
    }

    /// The value of the cookie that keeps it: letters, digits, `-`, `_` and `.`. The cookie should be `HttpOnly`, `SameSite=Lax`,
    /// for [`PENDING_WITHIN`], and of [`super::settings::CALLBACK_PATH`] only.
    #[must_use]
    pub fn cookie(&self) -> SecretString {
        let secrets = [&self.state, &self.nonce, &self.verifier].map(|secret| secret.expose_secret());
        let [state, nonce, verifier] = secrets;
        let (seconds, target) = (self.began_at.as_seconds(), URL_SAFE_NO_PAD.encode(&self.target));
        format!("{VERSION}.{seconds}.{state}.{nonce}.{verifier}.{target}").into()
    }

    /// Reads it from a cookie. `None`: the cookie is not one of these.
    #[must_use]
    pub fn of_cookie(value: &str) -> Option<Self> {
        if value.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let parts: Vec<&str> = value.split('.').collect();
        let [VERSION, seconds, state, nonce, verifier, target] = parts.as_slice() else { return None };
        let secret = |text: &str| -> Option<SecretString> {
            (URL_SAFE_NO_PAD.decode(text).ok()?.len() == RANDOM_BYTES).then(|| text.into())
        };
        let target = String::from_utf8(URL_SAFE_NO_PAD.decode(target).ok()?).ok()?;
        Some(Self {
            state: secret(state)?,
            nonce: secret(nonce)?,
            verifier: secret(verifier)?,
            began_at: Timestamp::from_seconds(seconds.parse().ok()?),
            target: local(&target),
        })
    }

    /// The path of this site to which it leads: `/` or one that begins with a single slash.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    pub(super) fn state(&self) -> &str {
        self.state.expose_secret()
    }

    pub(super) fn nonce(&self) -> &str {
        self.nonce.expose_secret()
    }

    pub(super) fn verifier(&self) -> &str {
        self.verifier.expose_secret()
    }

    /// The challenge to that verifier (RFC 7636, section 4.2, `S256`).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier().as_bytes()))
    }

    /// Whether an answer with that `state` belongs to it, in time.
    pub(super) fn admit(&self, state: &str, now: Timestamp) -> Result<(), SignInError> {
        // A clock that was set back does not prolong it.
        let is_in_time = self.began_at <= now && now.since(self.began_at) < PENDING_WITHIN;
        if is_in_time && is_same(self.state(), state) { Ok(()) } else { Err(SignInError::not_begun()) }
    }
}

/// Compares secrets in a time that does not depend on where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

fn random() -> Result<SecretString, SignInError> {
    let mut bytes = [0; RANDOM_BYTES];
    rand::fill(&mut bytes).map_err(|_| {
        SignInError::new(
            SignInFailure::Garbage,
            "this machine gives no random numbers",
            "check the system's random number generator",
        )
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

/// A path of this site, in characters that need no escape; anything else is `/`. Browsers read `//host` and `/\host` as another site.
fn local(target: &str) -> String {
    let is_local = target.starts_with('/') && !target.starts_with("//") && target.len() <= TARGET_BYTES_MAX;
    let is_plain = target.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    if is_local && is_plain { target.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[test]
    fn a_cookie_brings_back_what_was_begun() {
        let pending = Pending::begin("/alerts?severity=critical", NOW).unwrap();
        let cookie = pending.cookie();
        let cookie = cookie.expose_secret();
        assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{cookie}");
        let found = Pending::of_cookie(cookie).unwrap();
        assert_eq!(found.target(), "/alerts?severity=critical");
        assert_eq!((found.nonce(), found.verifier()), (pending.nonce(), pending.verifier()));
        assert!(found.admit(pending.state(), NOW).is_ok());
        assert_ne!(pending.state(), Pending::begin("/", NOW).unwrap().state());
        assert!(!format!("{pending:?}").contains(pending.state()));
    }

    #[test]
    fn an_answer_is_admitted_by_its_state_and_for_ten_minutes() {
        let pending = Pending::begin("/", NOW).unwrap();
        let state = pending.state().to_owned();
        let shorter = &state[1..];
        for (state, at, is_admitted) in [
            (state.as_str(), NOW, true),
            (&state, NOW.plus(Duration::from_secs(599)), true),
            (&state, NOW.plus(PENDING_WITHIN), false),
            (&state, NOW.minus(Duration::from_secs(1)), false),
            (shorter, NOW, false),
            ("", NOW, false),
            (pending.nonce(), NOW, false),
        ] {
            assert_eq!(pending.admit(state, at).is_ok(), is_admitted, "{state} {at}");
        }
    }

    #[test]
    fn what_is_not_such_a_cookie_is_none() {
        let good = Pending::begin("/x", NOW).unwrap().cookie();
        let good = good.expose_secret();
        let parts: Vec<&str> = good.split('.').collect();
        let with = |index: usize, part: &str| {
            let mut parts = parts.clone();
            parts[index] = part;
            parts.join(".")
        };
        assert!(Pending::of_cookie(good).is_some());
        for bad in [
            String::new(),
            "1".to_owned(),
            with(0, "2"),
            with(1, "soon"),
            with(2, ""),
            with(2, "AAAA"),
            with(3, "=="),
            with(5, "_w"),
            format!("{good}."),
            "é".repeat(4000),
            format!("{good}{}", "A".repeat(4000)),
        ] {
            assert!(Pending::of_cookie(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn it_leads_to_this_site_only() {
        for (target, found) in [
            ("/tenants/contoso", "/tenants/contoso"),
            ("/", "/"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("/a b", "/"),
            ("/é", "/"),
        ] {
            let pending = Pending::begin(target, NOW).unwrap();
            assert_eq!(pending.target(), found, "{target}");
            assert_eq!(Pending::of_cookie(pending.cookie().expose_secret()).unwrap().target(), found, "{target}");
        }
        let hostile = URL_SAFE_NO_PAD.encode("//evil.example");
        let cookie = Pending::begin("/x", NOW).unwrap().cookie();
        let (head, _) = cookie.expose_secret().rsplit_once('.').unwrap();
        assert_eq!(Pending::of_cookie(&format!("{head}.{hostile}")).unwrap().target(), "/");
    }
}
