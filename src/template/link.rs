//! Links from outside.

/// Longest link that is shown, in bytes (a Slack button's limit is 3,000 characters).
const LINK_BYTES_MAX: usize = 1500;

/// The link, if it is `https` and not too long, without any character that could end it in Slack's markup.
pub(super) fn safe_link(link: &str) -> Option<String> {
    let parsed = url::Url::parse(link).ok()?;
    let is_plain = parsed.scheme() == "https" && parsed.username().is_empty() && parsed.password().is_none();
    let mut safe = String::with_capacity(link.len());
    for letter in parsed.as_str().chars() {
        match letter {
            '|' => safe.push_str("%7C"),
            '<' => safe.push_str("%3C"),
            '>' => safe.push_str("%3E"),
            '{' => safe.push_str("%7B"),
            '}' => safe.push_str("%7D"),
            _ => safe.push(letter),
        }
    }
    (is_plain && safe.len() <= LINK_BYTES_MAX).then_some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_https_and_can_t_end_early() {
        assert_eq!(safe_link("https://a.example/x?a=b|c>d").as_deref(), Some("https://a.example/x?a=b%7Cc%3Ed"));
        for bad in ["http://a.example/", "javascript:alert(1)", "https://user@a.example/", "nothing"] {
            assert_eq!(safe_link(bad), None, "{bad}");
        }
    }
}
