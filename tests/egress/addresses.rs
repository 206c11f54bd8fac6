//! Every row of the special-purpose registries that must not be called, at its first, middle and last address, in every
//! spelling, as a literal and as what a name leads to (IANA, "IPv4 Special-Purpose Address Registry" and its IPv6 twin).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    process::Command,
};

use ipnet::IpNet;
use scorewatch::egress::{Egress, Private};

use super::{Names, networks, refuses, send, trap::Trap};

/// Whose word opens a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// `allow_private: true`, or a network that holds it.
    ByTrue,
    /// Only a network that holds it.
    ByName,
    /// An address that must never be called.
    Never,
}
use Opened::{ByName, ByTrue, Never};

const ROWS: [(&str, Opened); 37] = [
    // This host, private, shared, loopback
    ("0.0.0.0/8", Never),
    ("10.0.0.0/8", ByTrue),
    ("172.16.0.0/12", ByTrue),
    ("192.168.0.0/16", ByTrue),
    ("127.0.0.0/8", ByTrue),
    ("100.64.0.0/10", ByTrue),
    // Link-local; platform and metadata services
    ("169.254.0.0/16", Never),
    ("168.63.129.16/32", Never),
    ("100.100.100.200/32", Never),
    ("192.0.0.192/32", Never),
    // Protocol assignments, documentation, relays, benchmarks
    ("192.0.0.0/24", ByName),
    ("192.0.2.0/24", ByName),
    ("192.88.99.0/24", ByName),
    ("198.18.0.0/15", ByName),
    ("198.51.100.0/24", ByName),
    ("203.0.113.0/24", ByName),
    // Multicast, reserved, broadcast
    ("224.0.0.0/4", Never),
    ("240.0.0.0/4", Never),
    ("255.255.255.255/32", Never),
    // Unspecified, loopback, forms that carry an IPv4 address
    ("::/128", Never),
    ("::1/128", ByTrue),
    ("::ffff:127.0.0.0/104", ByTrue),
    ("::/96", Never),
    ("64:ff9b::/96", Never),
    ("64:ff9b:1::/48", Never),
    ("2002::/16", Never),
    ("2001::/32", Never),
    // Discard, documentation, protocol assignments, segment routing, what is handed out to nobody
    ("100::/64", ByName),
    ("2001:2::/48", ByName),
    ("2001:db8::/32", ByName),
    ("3fff::/20", ByName),
    ("5f00::/16", ByName),
    ("4000::/2", ByName),
    // Unique local, link-local, site-local, multicast
    ("fc00::/7", ByTrue),
    ("fe80::/10", Never),
    ("fec0::/10", Never),
    ("ff00::/8", Never),
];

/// First, middle and last address; one for a network of one.
fn samples(network: &str) -> Vec<IpAddr> {
    let network: IpNet = network.parse().unwrap();
    let middle = match (network.addr(), network.broadcast()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Ipv4Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2).into()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Ipv6Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2).into()
        }
        _ => unreachable!("both ends are of one kind"),
    };
    let mut samples = vec![network.addr(), middle, network.broadcast()];
    samples.dedup();
    samples
}

/// Hosts of URLs that mean that address or carry it.
fn spellings(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => v4_spellings(address),
        IpAddr::V6(address) => v6_spellings(address),
    }
}

fn v4_spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let (bits, low, lowest) = (address.to_bits(), address.to_bits() & 0xff_ffff, address.to_bits() & 0xffff);
    let (high_half, low_half) = (bits >> 16, lowest);
    let wide = |zero: u32| -> String {
        let digit = |letter: char| letter.to_digit(10).and_then(|digit| char::from_u32(zero + digit)).unwrap_or(letter);
        address.to_string().chars().map(digit).collect()
    };
    vec![
        format!("{address}"),
        format!("{address}."),
        format!("{bits}"),
        format!("0{bits:o}"),
        format!("0x{bits:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("{a}.0x{b:x}.0{c:o}.{d}"),
        format!("{a}.{low}"),
        format!("{a}.{b}.{lowest}"),
        wide(0xff10),
        wide(0x1d7ce),
        address.to_string().replace('.', "\u{3002}"),
        address.to_string().replace('.', "\u{ff0e}"),
        address.to_string().replace('.', "%2e"),
        format!("[::ffff:{address}]"),
        format!("[0:0:0:0:0:FFFF:{high_half:x}:{low_half:x}]"),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{high_half:x}:{low_half:x}::]"),
        format!("[2001:0:{high_half:x}:{low_half:x}::]"),
        format!("[2001:0:4136:e378:8000:63bf:{:x}:{:x}]", !high_half & 0xffff, !low_half & 0xffff),
        format!("[fe80::5efe:{address}]"),
    ]
}

fn v6_spellings(address: Ipv6Addr) -> Vec<String> {
    let full: Vec<String> = address.segments().iter().map(|segment| format!("{segment:04x}")).collect();
    let [.., high, low] = address.segments();
    let front: Vec<String> = address.segments()[..6].iter().map(|segment| format!("{segment:x}")).collect();
    vec![
        format!("[{address}]"),
        format!("[{}]", full.join(":")),
        format!("[{}]", full.join(":").to_uppercase()),
        format!("[{}:{}.{}.{}.{}]", front.join(":"), high >> 8, high & 0xff, low >> 8, low & 0xff),
        format!("[{address}%25lo]"),
        format!("[{address}%lo]"),
    ]
}

#[tokio::test]
async fn no_spelling_of_any_inside_address_is_called() {
    let (door, trap) = (Egress::new(), Trap::set());
    let mut tried = 0;
    for (network, opened) in ROWS {
        let mut closed = vec![Private::Refused];
        if opened != ByTrue {
            closed.push(Private::Any);
        }
        if opened == Never {
            closed.extend([Private::Loopback, networks(&["0.0.0.0/0", "::/0"]), networks(&[network])]);
        }
        for host in samples(network).into_iter().flat_map(spellings) {
            for private in &closed {
                refuses(&door, &format!("https://{host}/"), private).await;
                refuses(&door, &format!("http://{host}:{}/", trap.port), private).await;
                tried += 2;
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn no_name_that_leads_to_an_inside_address_is_called() {
    let trap = Trap::set();
    let plain = format!("http://name.example:{}/", trap.port);
    for (network, opened) in ROWS {
        for address in samples(network) {
            let inside = address.to_string();
            let mapped = match address {
                IpAddr::V4(address) => format!("::ffff:{address}"),
                IpAddr::V6(address) => address.to_string(),
            };
            for answer in [
                &[inside.as_str()][..],
                &[&mapped],
                &["1.1.1.1", &inside],
                &[&inside, "1.1.1.1"],
                &["1.1.1.1", "2606:4700::1111", &mapped, "1.0.0.1"],
            ] {
                let names = Names::all(&[answer]);
                let door = names.door();
                refuses(&door, "https://name.example/", &Private::Refused).await;
                if opened == Never {
                    for private in [Private::Any, networks(&["0.0.0.0/0", "::/0"])] {
                        refuses(&door, "https://name.example/", &private).await;
                        refuses(&door, &plain, &private).await;
                    }
                }
                assert_eq!(names.asked(), if opened == Never { 5 } else { 1 }, "once for each send");
            }
        }
    }
    assert_eq!(trap.connections(), 0);
}

/// Makes every address there is this machine's own, so that the trap stands on all of them, and runs the named tests there.
const ON_EVERY_ADDRESS: &str = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && \
                                ip -6 route add local ::/0 dev lo && exec \"$0\" --include-ignored \"$@\"";

#[test]
#[ignore = "needs unshare and ip, for a network of its own"]
fn the_trap_listens_on_every_address_in_its_own_network() {
    let run = |program: &str, script: &[&str]| {
        Command::new("unshare").args(["--net", "--map-root-user", "sh", "-c", program]).args(script).output().unwrap()
    };
    let tests = std::env::current_exe().unwrap();
    let script =
        [tests.to_str().unwrap(), "egress::addresses::no_", "egress::addresses::control_", "egress::vectors::"];
    let output = run(ON_EVERY_ADDRESS, &script);
    let reported = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && reported.contains("control_every_sample_leads_to_the_trap ... ok"),
        "{reported}"
    );
}

#[tokio::test]
#[ignore = "only where every address is this machine's own; the test before it makes such a place"]
async fn control_every_sample_leads_to_the_trap() {
    let (door, trap) = (Egress::new(), Trap::set());
    let mut reached = 0;
    for (network, opened) in ROWS {
        for address in samples(network) {
            let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            let allowed = networks(&[network]);
            if opened == Never || !allowed.covers(address) {
                continue;
            }
            let url = format!("http://{host}:{}/", trap.port);
            let answer = send(&door, &url, &allowed).await;
            reached += usize::from(answer.is_ok());
            // A network's broadcast address can be nobody's.
            assert!(answer.is_ok() || host.contains("127.255.255.255"), "control: {url}: {answer:?}");
        }
    }
    assert_eq!(trap.connections(), reached);
    assert!(reached > 40, "{reached}");
}

#[test]
fn what_opens_a_network_opens_all_of_it_and_its_neighbours_stay_public() {
    let metadata = ["100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"];
    for (network, opened) in ROWS {
        for address in samples(network) {
            if metadata.contains(&address.to_string().as_str()) {
                continue;
            }
            let covered = |private: &Private| private.covers(address);
            // Multicast and the like lie inside some rows' neighbours, never inside the rows.
            assert_eq!(covered(&Private::Any), opened == ByTrue, "{address} of {network}");
            assert_eq!(covered(&networks(&[network])), opened != Never, "{address} of {network}");
            assert!(!covered(&Private::Refused) && !scorewatch::egress::is_public(address), "{address} of {network}");
        }
    }
    for public in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "192.0.1.0",
        "192.0.3.0",
        "198.17.255.255",
        "198.20.0.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700::1111",
        "2a00::1",
        "3ffe:ffff::1",
        "3fff:1000::1",
    ] {
        assert!(scorewatch::egress::is_public(public.parse().unwrap()), "{public}");
    }
}
