//! Where a receiver is, as far as its URL says so: whether to ask for a private network at all, and what to propose.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use crate::{
    egress::is_public,
    secret::{ExposeSecret, SecretString},
};

/// Where a receiver is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// An address on the internet.
    Public,
    /// A private address, as the narrowest network that holds it.
    Private(String),
    /// A name, which may be resolved to either.
    Unknown,
}

impl Network {
    pub(super) fn of(url: Option<&SecretString>) -> Self {
        let host = url.and_then(|url| Some(Url::parse(url.expose_secret().trim()).ok()?.host_str()?.to_owned()));
        let host = host.unwrap_or_default();
        let address =
            if host == "localhost" { "127.0.0.1" } else { host.trim_start_matches('[').trim_end_matches(']') };
        match address.parse::<IpAddr>() {
            Ok(address) if is_public(address) => Self::Public,
            Ok(address) => Self::Private(IpNet::from(address).to_string()),
            Err(_) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_proposed_for_a_private_address_and_not_asked_for_with_a_public_one() {
        let private = |network: &str| Network::Private(network.to_owned());
        for (url, network) in [
            ("https://9.9.9.9/hook", Network::Public),
            ("http://127.0.0.1:9000/hook", private("127.0.0.1/32")),
            ("http://localhost:9000/hook", private("127.0.0.1/32")),
            ("https://10.1.2.3/hook", private("10.1.2.3/32")),
            ("https://[fd12::1]/hook", private("fd12::1/128")),
            ("https://soar.example/hook", Network::Unknown),
            ("not a URL", Network::Unknown),
        ] {
            assert_eq!(Network::of(Some(&SecretString::from(url))), network, "{url}");
        }
        assert_eq!(Network::of(None), Network::Unknown);
    }
}
