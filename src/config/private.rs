//! Which private addresses may be called: written → meant.

use super::{
    field::Field,
    raw::AllowPrivate,
    scope::{Problems, Scope},
};
use crate::{diagnostic::Warning, domain::Complaint, egress::Private};

/// Networks that are nobody's on the internet ("Special-Purpose Address Registries", IANA).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn is_private(network: &ipnet::IpNet) -> bool {
    PRIVATE.iter().filter_map(|text| text.parse::<ipnet::IpNet>().ok()).any(|known| known.contains(network))
}

/// Which private addresses may be called.
pub(super) fn private(raw: Field<AllowPrivate>, at: &Scope<'_>, problems: &mut Problems) -> Private {
    match problems.take(raw, at) {
        None | Some(AllowPrivate::All(false)) => Private::Refused,
        Some(AllowPrivate::All(true)) => Private::Any,
        Some(AllowPrivate::Networks(networks)) => {
            let mut read = Vec::new();
            for (index, network) in problems.items(Field::Good(networks), at) {
                let here = at.item(index);
                let network = problems.parse(Field::Good(network), &here, |text| {
                    text.parse::<ipnet::IpNet>()
                        .map_err(|_| Complaint::new(format!("`{text}` is not a network"), "write it like `10.0.0.0/8`"))
                });
                if let Some(network) = network.as_ref().filter(|network| !is_private(network)) {
                    let what = format!("`{network}` holds public addresses, which need no permission");
                    let instead = "write networks of your own, like `10.0.0.0/8`";
                    problems.warning(Warning::AllowPrivateCoversPublic, &here, what, instead);
                }
                read.extend(network);
            }
            Private::Networks(read)
        }
    }
}
