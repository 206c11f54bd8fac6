//! Base URLs of a private cloud or a test.

use url::{Host, Url};

use super::{
    field::Field,
    raw::RawEndpoints,
    scope::{Problems, Scope},
};
use crate::{
    domain::{Cloud, Region},
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

/// A base URL to which secrets may go.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "this is no URL; write it like `https://login.example`".to_owned())?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        _ if !plain => {
            Err("a base URL has no user, query or fragment; write it like `https://login.example`".to_owned())
        }
        "https" => Ok(text.trim_end_matches('/').to_owned()),
        "http" if is_loopback(&url) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("secrets would travel in the open; use `https:`, or `http:` with a loopback address".to_owned()),
    }
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
