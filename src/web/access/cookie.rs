//! The cookie that a session is known by.

use axum::http::{HeaderMap, HeaderValue, header};

use super::is_secure;
use crate::{config::Config, oidc::PENDING_WITHIN};

/// With this prefix, browsers accept it from this host over TLS only ("Cookies: HTTP State Management Mechanism", section 4.1.3.2).
const SECURE: &str = "__Host-scorewatch";
/// On loopback without TLS.
const PLAIN: &str = "scorewatch";

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The session of somebody who has signed in.
    Session,
    /// A sign-in with OpenID Connect that is under way.
    Pending,
}

impl Purpose {
    /// What its name ends with.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Session => "",
            Self::Pending => "-oidc",
        }
    }

    /// For how long a browser keeps it, in seconds; `None`: until it is closed.
    const fn seconds(self) -> Option<u64> {
        match self {
            Self::Session => None,
            Self::Pending => Some(PENDING_WITHIN.as_secs()),
        }
    }
}

/// What the browser holds, if it holds anything.
pub(super) fn read(headers: &HeaderMap, config: &Config) -> Option<String> {
    read_for(Purpose::Session, headers, config)
}

/// The same of a cookie for that purpose.
pub(super) fn read_for(purpose: Purpose, headers: &HeaderMap, config: &Config) -> Option<String> {
    let name = name(purpose, headers, config);
    let lines = headers.get_all(header::COOKIE);
    let cookies = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split([';']));
    let mut values = cookies.filter_map(|cookie| cookie.trim().split_once('=')).filter(|(key, _)| *key == name);
    values.next().map(|(_, value)| value.to_owned())
}

/// Sets it; without a value, removes it.
pub(super) fn set(headers: &HeaderMap, config: &Config, value: Option<&str>) -> Option<HeaderValue> {
    set_for(Purpose::Session, headers, config, value)
}

/// The same of a cookie for that purpose.
pub(super) fn set_for(
    purpose: Purpose,
    headers: &HeaderMap,
    config: &Config,
    value: Option<&str>,
) -> Option<HeaderValue> {
    let secure = if is_secure(headers, config) { "; Secure" } else { "" };
    let seconds = if value.is_none() { Some(0) } else { purpose.seconds() };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let (name, value) = (name(purpose, headers, config), value.unwrap_or_default());
    let mut value =
        HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn name(purpose: Purpose, headers: &HeaderMap, config: &Config) -> String {
    let base = if is_secure(headers, config) { SECURE } else { PLAIN };
    format!("{base}{}", purpose.suffix())
}
