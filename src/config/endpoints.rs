//! Base URLs of a private cloud or a test.

use url::{Host, Url};

use super::{
    field::Field,
    raw::RawEndpoints,
    scope::{Problems, Scope},
};
use crate::{
    domain::{Cloud, Complaint, Region},
    microsoft::Hosts,
};

/// Base URLs that override a cloud's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Endpoints {
    login: Option<String>,
    defender: Option<String>,
    graph: Option<String>,
}

/// Base URLs that override a cloud's own.
pub(super) fn endpoints(raw: Field<RawEndpoints>, at: &Scope<'_>, problems: &mut Problems) -> Endpoints {
    let Some(raw) = problems.take(raw, at) else { return Endpoints::default() };
    at.only(RawEndpoints::KEYS, problems);
    Endpoints {
        login: problems.parse(raw.login, &at.key("login"), base_url),
        defender: problems.parse(raw.defender, &at.key("defender"), base_url),
        graph: problems.parse(raw.graph, &at.key("graph"), base_url),
    }
}

impl Endpoints {
    /// The base URL of Graph, where another than the cloud's is set.
    pub(super) fn graph(&self) -> Option<&str> {
        self.graph.as_deref()
    }

    /// The keys under which these name another address than the inherited ones do.
    pub(super) fn differing(&self, inherited: &Self) -> impl Iterator<Item = &'static str> {
        [
            ("login", &self.login, &inherited.login),
            ("defender", &self.defender, &inherited.defender),
            ("graph", &self.graph, &inherited.graph),
        ]
        .into_iter()
        .filter_map(|(key, own, inherited)| (own.is_some() && own != inherited).then_some(key))
    }
}

/// A base URL to which secrets may go.
pub(super) fn base_url(text: &str) -> Result<String, Complaint> {
    let url =
        Url::parse(text).map_err(|_| Complaint::new("this is not a URL", "write it like `https://login.example`"))?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        _ if !plain => {
            Err(Complaint::new("a base URL has no user, query or fragment", "write it like `https://login.example`"))
        }
        "https" => Ok(text.trim_end_matches('/').to_owned()),
        "http" if is_loopback(&url) => Ok(text.trim_end_matches('/').to_owned()),
        _ => {
            Err(Complaint::new("secrets would travel in the open", "use `https:`, or `http:` with a loopback address"))
        }
    }
}

/// Whether a URL is plain `http:`, by which secrets travel in the open.
pub(super) fn is_plain(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "http")
}

/// Whether a URL leads to this machine: 127.0.0.0/8 and `::1`, in every spelling that the URL standard reads as such, and the name
/// `localhost`, of which the egress calls no other address.
pub(super) fn leads_to_loopback(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The hosts of a tenant: its own, else the inherited, else its cloud's.
pub(super) fn hosts(cloud: Cloud, region: Option<Region>, own: &Endpoints, inherited: &Endpoints) -> Hosts {
    let mut hosts = Hosts::of(cloud, region);
    for (host, own, inherited) in [
        (&mut hosts.login, &own.login, &inherited.login),
        (&mut hosts.defender, &own.defender, &inherited.defender),
        (&mut hosts.graph, &own.graph, &inherited.graph),
    ] {
        if let Some(url) = own.as_ref().or(inherited.as_ref()) {
            hosts.loopback |= Url::parse(url).is_ok_and(|url| is_loopback(&url));
            host.clone_from(url);
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_accepted_for_this_machine_only() {
        for good in [
            "https://login.example",
            "http://127.0.0.1:4000",
            "http://127.9.8.7",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://2130706433",
            "http://[::1]:4000",
            "http://[0:0:0:0:0:0:0:1]",
            "http://localhost:4000",
            "HTTP://LOCALHOST",
        ] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1",
            "http://192.168.0.1",
            "http://167772161",
            "http://0xa000001",
            "http://012.0.0.1",
            "http://169.254.169.254",
            "http://0.0.0.0",
            "http://0",
            "http://128.0.0.1",
            "http://[::]",
            "http://[::2]",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:10.0.0.1]",
            "http://[fd00::1]",
            "http://localhost.evil.example",
            "http://localhost.localdomain",
            "http://evil.localhost",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
            "http://login.example",
            "HTTP://login.example",
            "ftp://127.0.0.1",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }
}
