//! Where a request would go, judged by its parsed URL. Names are judged once more, by their addresses, in [`super::resolve`].

use std::net::IpAddr;

use url::{Host, Url};

use super::{EgressError, Private, is_public};

/// Longest URL that is examined, in bytes: eight times what the longest known webhook address has.
const URL_BYTES_MAX: usize = 4096;

/// Longest host name, and longest part of one between dots, in bytes (RFC 1035, 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// A URL whose scheme, port, and literal address are allowed.
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) reach: Reach,
}

/// Which addresses a name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// Public ones, and what the allowance covers.
    PublicToo,
    /// What the allowance covers only, as the request is plain `http` or goes to another port than 443.
    CoveredOnly,
}

impl Reach {
    /// Whether the address may be called.
    pub(super) fn allows(self, private: &Private, address: IpAddr) -> bool {
        private.covers(address) || (self == Self::PublicToo && is_public(address))
    }
}

/// Vets a URL before anything is looked up or sent.
///
/// # Errors
/// [`EgressError::Unusable`] for what is not a URL, [`EgressError::NotAllowed`] for an address that may not be called.
pub(super) fn vet(text: &str, private: &Private) -> Result<Target, EgressError> {
    if text.len() > URL_BYTES_MAX {
        return Err(EgressError::Unusable(format!("its URL has more than {URL_BYTES_MAX} bytes")));
    }
    // The parser's own message is ours to replace: it never quotes the URL today, and need not tomorrow.
    let mut url = Url::parse(text).map_err(|_| EgressError::Unusable("its URL is malformed".to_owned()))?;
    let refuse = |what: &str| Err(EgressError::NotAllowed(what.to_owned()));
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("neither https nor http");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it contains a user name or password");
    }
    strip_trailing_dot(&mut url)?;
    let is_plain = url.scheme() == "http" || url.port().is_some();
    let reach = if is_plain { Reach::CoveredOnly } else { Reach::PublicToo };
    let address = match url.host() {
        Some(Host::Domain(name)) => {
            return match private {
                Private::Refused if is_plain => refuse("only https on port 443 is allowed"),
                Private::Refused if is_localhost(name) => refuse("not a public address"),
                _ => Ok(Target { url, reach }),
            };
        }
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        None => return Err(EgressError::Unusable("its URL has no host".to_owned())),
    };
    if reach.allows(private, address) {
        Ok(Target { url, reach })
    } else if is_plain && is_public(address) {
        refuse("only https on port 443 is allowed")
    } else {
        refuse("not a public address")
    }
}

/// `example.com.` and `example.com` are one host; certificates know it without the dot. What is left must be a name as DNS and
/// certificates know them, and may turn out to be an address.
fn strip_trailing_dot(url: &mut Url) -> Result<(), EgressError> {
    let unusable = || EgressError::Unusable("its host is malformed".to_owned());
    let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
    let stripped = name.strip_suffix('.').unwrap_or(name);
    if stripped.len() > NAME_BYTES_MAX || !stripped.split('.').all(is_label) {
        return Err(unusable());
    }
    if stripped.len() == name.len() {
        return Ok(());
    }
    let stripped = stripped.to_owned();
    url.set_host(Some(&stripped)).map_err(|_| unusable())
}

/// Strictly, a host name has no underscores, but many do.
fn is_label(label: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(is_letter)
}

fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}
