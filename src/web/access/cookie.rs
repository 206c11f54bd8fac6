//! The cookie that a session is known by.

use axum::http::{HeaderMap, HeaderValue, header};

use super::is_secure;
use crate::config::Config;

/// With this prefix, browsers accept it from this host over TLS only ("Cookies: HTTP State Management Mechanism", section 4.1.3.2).
const SECURE: &str = "__Host-scorewatch";
/// On loopback without TLS.
const PLAIN: &str = "scorewatch";

/// What the browser holds, if it holds anything.
pub(super) fn read(headers: &HeaderMap, config: &Config) -> Option<String> {
    let name = name(headers, config);
    let lines = headers.get_all(header::COOKIE);
    let cookies = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut values = cookies.filter_map(|cookie| cookie.trim().split_once('=')).filter(|(key, _)| *key == name);
    values.next().map(|(_, value)| value.to_owned())
}

/// Sets it; without a value, removes it.
pub(super) fn set(headers: &HeaderMap, config: &Config, value: Option<&str>) -> Option<HeaderValue> {
    let secure = if is_secure(headers, config) { "; Secure" } else { "" };
    let age = if value.is_none() { "; Max-Age=0" } else { "" };
    let (name, value) = (name(headers, config), value.unwrap_or_default());
    let mut value =
        HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn name(headers: &HeaderMap, config: &Config) -> &'static str {
    if is_secure(headers, config) { SECURE } else { PLAIN }
}
