//! URLs that can be shown without the secret that may be in them.

use sha2::{Digest, Sha256};
use url::Url;

/// Bytes of the fingerprint: enough to tell two URLs apart, far too few to find one.
const FINGERPRINT_BYTES: usize = 4;

/// Shows a URL as `scheme://host/…#fingerprint`: no user, path, query or fragment. What is no URL shows as `…#fingerprint`.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let fingerprint: String =
        Sha256::digest(url.as_bytes()).iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let origin = Url::parse(url).ok().and_then(|url| {
        let host = url.host_str()?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}/", url.scheme()))
    });
    format!("{}…#{fingerprint}", origin.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_of_a_url_show() {
        for (url, shown) in [
            ("https://hooks.slack.example/services/T0/B0/hunter2", "https://hooks.slack.example/…#"),
            ("https://user:hunter2@soar.example:8443/?sig=hunter2#hunter2", "https://soar.example:8443/…#"),
            ("http://[::1]:9/hunter2", "http://[::1]:9/…#"),
            ("hunter2", "…#"),
        ] {
            let redacted = redact_url(url);
            assert!(redacted.starts_with(shown) && !redacted.contains("hunter2"), "{redacted}");
            assert_eq!(redacted.len(), shown.len() + 2 * FINGERPRINT_BYTES);
        }
        assert_ne!(redact_url("https://a.example/1"), redact_url("https://a.example/2"));
    }
}
