//! Where a request may go, as far as the URL's text shows. Which addresses the name leads to is vetted when it is sent.

use url::{Host, Url};

use super::ComposeError;
use crate::{
    domain::Complaint,
    egress::{Egress, EgressError, Private},
    secret::SecretString,
};

/// What to do about a URL that is damaged.
const COPY: &str = "copy the URL again";
/// What to do about a URL without TLS.
const OWN_NETWORK: &str =
    "write `https://`; if the receiver is in your own network, set `allow_private` on the channel";
/// What to do about a URL of an address that is not public.
const ALLOW: &str =
    "if the receiver is in your own network, set `allow_private` on the channel, like `allow_private: [10.0.0.0/8]`";
/// What to do about an address in one's own network that the networks of `allow_private` lack.
const ADD: &str = "add its network to `allow_private`";
/// Quotation marks that were copied with a URL.
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '„', '‘', '’'];
/// What may come right before a URL that is a part of another.
const BEFORE_INNER: [char; 8] = ['=', '/', '?', '&', '#', ':', ',', ';'];
/// Paths of APIs that are added to a base URL. A proxy may have one of them at the beginning of a path, but not at its end.
const ADDED: [&str; 3] = ["/api/v2", "/api/v1", "/v2/enqueue"];
/// What a sentence or a list leaves at the end of a URL.
const AFTER: [char; 5] = ['.', ',', ';', ')', ']'];
/// Longest URL that Power Automate takes, in characters.
const URL_BYTES_MAX: usize = 16 * 1024;

/// Checks the URL of any other receiver.
///
/// # Errors
/// [`ComposeError::Url`] without the URL.
pub fn webhook(url: &str, private: &Private) -> Result<(), ComposeError> {
    parse(url, private).map(drop)
}

/// Checks a base URL, to which a path will be added.
///
/// # Errors
/// [`ComposeError::Url`] without the URL.
pub fn base(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return refuse("it is the base of an API, so that nothing may follow its path", COPY);
    }
    let path = parsed.path().trim_end_matches('/');
    let path = path.strip_suffix("/alerts").unwrap_or(path);
    if let Some(own) = ADDED.into_iter().find(|own| path.ends_with(own)) {
        return refuse(
            "it already has the path of the API, which is added to it for each message",
            &format!("end the URL before `{own}`"),
        );
    }
    Ok(())
}

/// That base URL with a path below it. The base is checked already.
pub(super) fn below(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// The channel's URL is refused.
pub(super) fn refuse<T>(what: &str, instead: &str) -> Result<T, ComposeError> {
    Err(ComposeError::Url(Complaint::new(what, instead)))
}

/// The URL, if its text is one that requests may be sent to.
pub(super) fn parse(url: &str, private: &Private) -> Result<Url, ComposeError> {
    if url.len() > URL_BYTES_MAX {
        return refuse("it is longer than 16 KiB", COPY);
    }
    if url.starts_with(QUOTES) {
        return refuse("it has quotation marks around it", "delete the quotation marks");
    }
    if url.starts_with('<') {
        return refuse("it has angle brackets around it", "delete the angle brackets");
    }
    if url.starts_with('[') {
        return refuse("it is a link in Markdown", "write only the URL, which is in its parentheses");
    }
    if url.contains('\\') {
        return refuse("it has a backslash in it, as shells write `\\&`", "delete the backslashes");
    }
    if has_second(url) {
        return refuse("a second URL follows right behind it", "delete one of the two");
    }
    let Ok(parsed) = Url::parse(url) else { return refuse("it is not a URL", COPY) };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refuse("it has a user name in it", COPY);
    }
    match parsed.scheme() {
        "https" => {}
        "http" if may_be_private(&parsed, private) => {}
        "http" if is_in_no_network(private) => return refuse("its address is in no network of `allow_private`", ADD),
        "http" => return refuse("it must begin with `https://`", OWN_NETWORK),
        _ => return refuse("it must begin with `https://`", COPY),
    }
    if parsed.port().is_some() && !may_be_private(&parsed, private) {
        if is_in_no_network(private) {
            return refuse("its address is in no network of `allow_private`", ADD);
        }
        return refuse("its port must be 443, or `allow_private` be set", ALLOW);
    }
    // The egress says the same when it is sent; here it is reported before anything is shown or queued.
    match Egress::vet(&SecretString::from(url), private) {
        Ok(()) => Ok(parsed),
        Err(EgressError::NotAllowed(_)) if is_in_no_network(private) => {
            refuse("its address is in no network of `allow_private`", ADD)
        }
        Err(EgressError::NotAllowed(_)) => refuse("it leads to an address that may not be called", ALLOW),
        Err(_) => refuse("it is too long, or its host is malformed", COPY),
    }
}

/// Whether it was pasted twice, or another one behind it. A query may have another URL inside, with whatever stands before that.
fn has_second(url: &str) -> bool {
    let schemes = url.match_indices("https://").chain(url.match_indices("http://"));
    let mut inner = schemes.filter(|(at, _)| *at > 0).filter_map(|(at, _)| Some((url.get(..at)?, url.get(at..)?)));
    let host = |text: &str| Url::parse(text).ok()?.host_str().map(str::to_owned);
    inner.any(|(before, behind)| {
        let is_of_same_host = || host(url).is_some_and(|own| host(behind).as_ref() == Some(&own));
        !before.ends_with(BEFORE_INNER) && (!before.contains('?') || is_of_same_host())
    })
}

/// Whether `allow_private` names networks, of which an address that is refused is in none.
const fn is_in_no_network(private: &Private) -> bool {
    matches!(private, Private::Networks(_))
}

/// Whether the settings give the host leave to be any. A name may lead anywhere; the addresses are vetted when it is sent.
pub(super) fn may_be_private(url: &Url, private: &Private) -> bool {
    match private {
        Private::Refused => false,
        Private::Any => true,
        Private::Networks(networks) => match url.host() {
            Some(Host::Ipv4(address)) => {
                networks.iter().any(|network| network.contains(&std::net::IpAddr::V4(address)))
            }
            Some(Host::Ipv6(address)) => {
                networks.iter().any(|network| network.contains(&std::net::IpAddr::V6(address)))
            }
            Some(Host::Domain(_)) => true,
            None => false,
        },
        Private::Loopback => match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
            None => false,
        },
    }
}

/// An ampersand as HTML writes it: the URL was copied from a page's source, and the receiver sees other parameters.
const ESCAPED_AMPERSAND: &str = "&amp;";

/// Checks that the URL of a service was copied whole: a part of it looks just as good, and every message would be refused.
/// `has_path`: whether its path is one of a webhook. `required`: parameters without which the service refuses messages.
pub(super) fn whole(url: &Url, has_path: bool, required: &[&str], copy: &str) -> Result<(), ComposeError> {
    if url.query().is_some_and(|query| query.contains(ESCAPED_AMPERSAND)) {
        return refuse("it has `&amp;` where `&` belongs", copy);
    }
    if let Some(last) = url.as_str().chars().next_back().filter(|last| AFTER.contains(last)) {
        return refuse(&format!("it ends with `{last}`, which is not a part of it"), "delete that sign");
    }
    if !has_path {
        return refuse("its path is not that of a webhook, so it was cut off or damaged", copy);
    }
    let is_there = |wanted: &str| url.query_pairs().any(|(name, value)| name == wanted && !value.is_empty());
    match required.iter().find(|wanted| !is_there(wanted)) {
        Some(missing) => refuse(&format!("its `{missing}=` is missing, so it was cut off"), copy),
        None => Ok(()),
    }
}

/// The parts of the URL's path.
pub(super) fn path(url: &Url) -> Vec<&str> {
    url.path_segments().map(Iterator::collect).unwrap_or_default()
}

/// Whether a part of a path consists of letters and digits of ASCII, and these characters.
pub(super) fn is_made_of(part: &str, others: &[char]) -> bool {
    !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || others.contains(&letter))
}

/// The host, if it is a name, without the final dot.
pub(super) fn name_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Whether a host is below another by a whole label.
pub(super) fn is_below(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leave_for_private_receivers_frees_the_host_as_far_as_it_goes() {
        let url = "http://127.0.0.1:4000/services/x";
        assert!(crate::channel::slack::vet_url(url, &Private::Any).is_ok());
        assert!(crate::channel::slack::vet_url(url, &Private::Loopback).is_ok());
        assert!(crate::channel::slack::vet_url(url, &Private::Networks(vec!["127.0.0.0/8".parse().unwrap()])).is_ok());
        assert!(crate::channel::slack::vet_url(url, &Private::Networks(vec!["10.0.0.0/8".parse().unwrap()])).is_err());
        assert!(crate::channel::slack::vet_url("https://10.0.0.1/x", &Private::Loopback).is_err());
        assert!(webhook("http://soar.example/x", &Private::Refused).is_err());
        assert!(webhook("https://soar.example/x", &Private::Refused).is_ok());
    }

    #[test]
    fn what_to_do_fits_what_is_wrong() {
        let twice = "https://soar.example/x?sig=AAAhttps://soar.example/x?sig=AAA";
        for (url, what, instead) in [
            ("https://10.1.2.3/hook", "may not be called", "allow_private: [10.0.0.0/8]"),
            ("https://localhost/hook", "may not be called", "allow_private: [10.0.0.0/8]"),
            ("http://localhost/hook", "must begin with `https://`", "set `allow_private`"),
            ("\"https://soar.example/hook\"", "quotation marks", "delete the quotation marks"),
            ("‘https://soar.example/hook’", "quotation marks", "delete the quotation marks"),
            ("<https://soar.example/hook>", "angle brackets", "delete the angle brackets"),
            ("[hook](https://soar.example/hook)", "a link in Markdown", "only the URL"),
            ("https://soar.example/x?a=1\\&b=2", "a backslash", "delete the backslashes"),
            (twice, "a second URL follows", "delete one of the two"),
            ("https://soar.example/xhttps://other.example/", "a second URL follows", "delete one of the two"),
        ] {
            let Err(ComposeError::Url(said)) = webhook(url, &Private::Refused) else { panic!("{url}") };
            assert!(said.what.contains(what) && said.instead.contains(instead), "{url}: {said:?}");
        }
        let networks = Private::Networks(vec!["10.0.0.0/24".parse().unwrap()]);
        let Err(ComposeError::Url(said)) = webhook("https://10.1.2.3/hook", &networks) else {
            panic!("another network")
        };
        assert!(said.what.contains("in no network") && said.instead.contains("add its network"), "{said:?}");
        for url in [
            "https://relay.example/?to=https://a.example/x",
            "https://relay.example/https://a.example/x",
            "https://relay.example/notify?urls=json+https://a.example/x",
            "https://relay.example/notify?to=%20https://a.example/x",
            "https://relay.example/rows?$filter=name%20eq%20'soc'",
        ] {
            assert!(webhook(url, &Private::Refused).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_base_has_room_for_a_path() {
        for url in ["https://a.example/?x=1", "https://a.example/#x", "http://a.example", "https://u:p@a.example"] {
            assert!(base(url, &Private::Refused).is_err(), "{url}");
        }
        for (url, own) in [
            ("https://a.example/api/v2/alerts", "/api/v2"),
            ("https://a.example/below/api/v1/", "/api/v1"),
            ("https://a.example/v2/enqueue", "/v2/enqueue"),
        ] {
            let Err(ComposeError::Url(said)) = base(url, &Private::Refused) else { panic!("{url}") };
            assert_eq!(said.instead, format!("end the URL before `{own}`"), "{url}");
        }
        for (url, whole) in [
            (
                "https://a.example/api/v1/namespaces/x/services/alertmanager/proxy",
                "https://a.example/api/v1/namespaces/x/services/alertmanager/proxy/api",
            ),
            ("https://a.example", "https://a.example/api"),
            ("https://a.example/", "https://a.example/api"),
            ("https://a.example/below/this/", "https://a.example/below/this/api"),
        ] {
            assert!(base(url, &Private::Refused).is_ok(), "{url}");
            assert_eq!(below(url, "/api"), whole);
        }
    }
}
