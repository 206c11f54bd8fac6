//! Which addresses may be called: public ones, those that a policy also allows, and those that nothing allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Private;

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first[0], first[1], first[2], 0, 0, 0, 0, 0), prefix)
}

/// Not public, but somebody's own network: a policy may allow it.
const PRIVATE_V4: [Ipv4Net; 5] =
    [v4(10, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16), v4(127, 0, 0, 0, 8), v4(100, 64, 0, 0, 10)];

/// Neither public nor anybody's network: special-purpose, documentation, benchmark (IANA, "IPv4 Special-Purpose Address Registry").
const SPECIAL_V4: [Ipv4Net; 6] = [
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
];

/// What no policy allows: this host by another name, link-local, cloud metadata and platform services, multicast, reserved.
/// Azure's platform address and some metadata services look public or private; they are named one by one.
const NEVER_V4: [Ipv4Net; 7] = [
    v4(0, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(168, 63, 129, 16, 32),
    v4(100, 100, 100, 200, 32),
    v4(192, 0, 0, 192, 32),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The IPv6 counterpart: link-local, site-local, multicast, and every form that smuggles an IPv4 address: NAT64, 6to4, Teredo,
/// and the translated addresses of stateless translators (RFC 2765).
const NEVER_V6: [Ipv6Net; 8] = [
    v6([0xfe80, 0, 0], 10),
    v6([0xfec0, 0, 0], 10),
    v6([0xff00, 0, 0], 8),
    v6([0x64, 0xff9b, 0], 96),
    v6([0x64, 0xff9b, 1], 48),
    v6([0x2002, 0, 0], 16),
    v6([0x2001, 0, 0], 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),
];

/// Metadata services inside the unique-local range: of AWS and of Google Cloud.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Inside `2000::/3`, yet not public: IETF protocol assignments, documentation (IANA, "IPv6 Special-Purpose Address Registry").
const SPECIAL_V6: [Ipv6Net; 3] = [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x3fff, 0, 0], 20)];

/// All that is handed out to the internet so far.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
const UNIQUE_LOCAL_V6: Ipv6Net = v6([0xfc00, 0, 0], 7);
/// IPv4-compatible addresses, `::127.0.0.1`. Holds `::` and `::1` too.
const COMPATIBLE_V6: Ipv6Net = v6([0, 0, 0], 96);

/// Whether an address is one that anybody on the internet may have.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        address if is_never_allowed(address) => false,
        IpAddr::V4(address) => !PRIVATE_V4.iter().chain(&SPECIAL_V4).any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

/// Link-local, metadata, multicast and the like: refused whatever a policy says. Expects a canonical address.
fn is_never_allowed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => NEVER_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => false,
        IpAddr::V6(address) => {
            COMPATIBLE_V6.contains(&address)
                || METADATA_V6.contains(&address)
                || NEVER_V6.iter().any(|network| network.contains(&address))
        }
    }
}

impl Private {
    /// Whether the allowance covers the address, so that `http` and any port will do.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if is_never_allowed(address) {
            return false;
        }
        match self {
            Self::Refused => false,
            Self::Loopback => address.is_loopback(),
            Self::Networks(networks) => networks.iter().any(|network| covers(network, address)),
            Self::Any => match address {
                IpAddr::V4(address) => PRIVATE_V4.iter().any(|network| network.contains(&address)),
                IpAddr::V6(address) => address.is_loopback() || UNIQUE_LOCAL_V6.contains(&address),
            },
        }
    }
}

/// A network written in IPv4-mapped form means the IPv4 addresses in it.
fn covers(network: &IpNet, address: IpAddr) -> bool {
    match (network, address) {
        (IpNet::V6(mapped), IpAddr::V4(address)) => mapped.contains(&address.to_ipv6_mapped()),
        _ => network.contains(&address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_anybody_on_the_internet_may_have_is_public() {
        for public in
            ["1.1.1.1", "52.96.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a01:111::1", "::ffff:1.1.1.1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for not in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(not.parse().unwrap()), "{not}");
        }
    }

    #[test]
    fn link_local_and_metadata_are_refused_whatever_is_allowed() {
        let everything = Private::Networks(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        for never in [
            "0.0.0.0",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:0:1::",
            "::ffff:0:10.0.0.1",
            "fe80::1",
            "fec0::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
        ] {
            for allowance in [&everything, &Private::Any, &Private::Loopback, &Private::Refused] {
                assert!(!allowance.covers(never.parse().unwrap()), "{never} by {allowance:?}");
            }
        }
        assert!(everything.covers("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn an_allowance_covers_what_it_names_and_nothing_else() {
        let ten = Private::Networks(vec!["10.1.0.0/16".parse().unwrap()]);
        for (allowance, address, covered) in [
            (&ten, "10.1.2.3", true),
            (&ten, "::ffff:10.1.2.3", true),
            (&ten, "10.2.0.1", false),
            (&ten, "127.0.0.1", false),
            (&Private::Loopback, "127.8.9.1", true),
            (&Private::Loopback, "::1", true),
            (&Private::Loopback, "10.0.0.1", false),
            (&Private::Any, "192.168.0.1", true),
            (&Private::Any, "fc00::1", true),
            (&Private::Any, "1.1.1.1", false),
            (&Private::Refused, "127.0.0.1", false),
        ] {
            assert_eq!(allowance.covers(address.parse().unwrap()), covered, "{address} by {allowance:?}");
        }
    }
}
