//! URLs that can be shown without the secret that may be in them.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use url::Url;

/// Bytes of the fingerprint: enough to distinguish two URLs, far too few to find one.
const FINGERPRINT_BYTES: usize = 4;

/// Shows a URL as `scheme://host/…#fingerprint`: no user, path, query or fragment. What is not a URL shows as
/// `…#fingerprint`.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let digest = Sha256::digest(url.as_bytes());
    let fingerprint = digest.iter().take(FINGERPRINT_BYTES).fold(0_u32, |shown, byte| shown << 8 | u32::from(*byte));
    let origin = Url::parse(url).ok().and_then(|url| {
        let host = url.host_str()?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}/", url.scheme()))
    });
    format!("{}…#{fingerprint:08x}", origin.unwrap_or_default())
}

/// Most characters of a text of the user's that a message repeats.
const ECHO_CHARACTERS_MAX: usize = 64;
/// From how many characters on a text with letters and digits may be a token.
const TOKEN_CHARACTERS_MIN: usize = 20;
/// Longest part between separators of a text that is made of words and numbers, like `2h` or `eu01`.
const PART_CHARACTERS_MAX: usize = 5;

/// A text of the user's as messages may repeat it. What may be a secret in the wrong place, a web address with more than a
/// host or a long random text, is `…`; what is long is cut.
#[must_use]
pub fn echo(text: &str) -> Cow<'_, str> {
    if text.chars().count() > ECHO_CHARACTERS_MAX {
        let cut: String = text.chars().take(ECHO_CHARACTERS_MAX).collect();
        return if hides_a_secret(text) { "…".into() } else { format!("{cut}…").into() };
    }
    if hides_a_secret(text) { "…".into() } else { text.into() }
}

/// A sentence that repeats texts of the user's, each as [`echo`] has it.
#[must_use]
pub fn echoed(sentence: &str) -> String {
    let punctuation = |letter: char| "`'\",;:()".contains(letter);
    let word = |word: &str| {
        let core = word.trim_matches(|letter: char| letter.is_whitespace() || punctuation(letter));
        if core.is_empty() { word.to_owned() } else { word.replacen(core, &echo(core), 1) }
    };
    sentence.split_inclusive(char::is_whitespace).map(word).collect()
}

fn hides_a_secret(text: &str) -> bool {
    text.split(char::is_whitespace).any(|word| is_private_address(word) || is_random(word))
}

/// Whether more than scheme, host and port stands in a web address. A file's is none, and neither is that of a database without a
/// password.
fn is_private_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if scheme.ends_with("postgres") || scheme.ends_with("postgresql") {
        return !is_plain_database(rest);
    }
    let more = rest.split_once(['/', '?', '#']).is_some_and(|(_, more)| !more.is_empty());
    !scheme.ends_with("sqlite") && (more || rest.contains('@'))
}

/// Whether only role, host, port and name of a database stand in its address.
fn is_plain_database(rest: &str) -> bool {
    let is_name = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-%".contains(letter));
    let (role, rest) = rest.split_once('@').unwrap_or(("", rest));
    let (host, name) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    [role, host, name].into_iter().all(is_name) && port.chars().all(|digit| digit.is_ascii_digit())
}

/// Whether a long text is neither made of words nor of short numbers. Words are one capital at most, then small letters, or
/// capitals only.
fn is_random(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().any(|letter| kind(&letter));
    let is_long = text.chars().count() >= TOKEN_CHARACTERS_MIN;
    let is_word = |part: &str| {
        let tail = part.strip_prefix(char::is_uppercase).unwrap_or(part);
        let all = |kind: fn(char) -> bool| part.chars().all(kind);
        part.chars().count() <= PART_CHARACTERS_MAX
            || tail.chars().all(char::is_lowercase)
            || all(char::is_uppercase)
            || all(|letter| letter.is_ascii_digit())
    };
    is_long
        && !is_time(text)
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !text.split(['-', '_', '.', '/']).all(is_word)
}

/// Whether it is a point in time, as `2026-11-24T07:00:00Z`, or is written like one.
fn is_time(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_digit() || "-:.+TZ".contains(letter);
    text.contains(':') && text.matches(char::is_alphabetic).count() <= 2 && text.chars().all(is_letter)
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

    #[test]
    fn a_message_repeats_words_and_no_secrets() {
        for shown in [
            "5",
            "2026-11-24T07:00:00Z",
            "2026-11-24T07:00:00.25+01:00",
            "soc-temas",
            "device-score-drop-24h",
            "Europe/Berln",
            "https://soar.example",
            "secrets/contoso",
        ] {
            assert_eq!(echo(shown), shown);
        }
        for hidden in [
            "https://hooks.slack.example/services/T0/B0/hunter2",
            "https://user:hunter2@soar.example",
            "aB3dE6gH9jK2mN5pQ8sT1vW4",
            "abc8Q~aB3dE6gH9jK2mN5pQ8sT1vW4.x-y",
            "2f1c0a5e-0000-4000-8000-0000000000ab",
            "0123456789abcdef0123",
        ] {
            assert_eq!(echo(hidden), "…");
            assert_eq!(echoed(&format!("`{hidden}` is no score")), "`…` is no score");
        }
        assert_eq!(echo(&"x".repeat(65)), format!("{}…", "x".repeat(64)));
    }
}
