//! Who has to sign in, under which names we are asked, and which proxies are believed.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;

use super::{
    Config,
    draft::Draft,
    field::Field,
    oidc::{Around, oidc},
    raw::RawAccess,
    scope::Scope,
    seen::Seen,
    words::one_of,
};
use crate::{diagnostic::Warning, domain::Complaint, oidc::Settings};

/// When people have to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignIn {
    /// Unless only this machine can reach us: `listen` is a loopback address, neither `public_url` nor `hosts` names another, and
    /// nobody said how people sign in with OpenID Connect.
    #[default]
    Auto,
    /// Always, also over loopback.
    Always,
    /// Never; only possible if `listen` is a loopback address.
    Never,
}

/// Who has to sign in, under which names we are asked, and which proxies are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessSettings {
    /// When people have to sign in.
    pub sign_in: SignIn,
    /// Further names under which we are asked, in lower case and without a port.
    pub hosts: BTreeSet<String>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How people sign in with OpenID Connect; `None`: they don't.
    pub oidc: Option<Arc<Settings>>,
    /// What whoever is limited to some tenants sees in addition to the facts about these.
    pub show: Seen,
}

impl Config {
    /// Whether nobody sees or does anything without a token or a session.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        match self.access.sign_in {
            SignIn::Always => true,
            SignIn::Never => !self.listen.ip().is_loopback(),
            SignIn::Auto => {
                !self.listen.ip().is_loopback()
                    || self.access.oidc.is_some()
                    || self.public_host().is_some_and(|host| !is_loopback_name(&host))
                    || self.access.hosts.iter().any(|host| !is_loopback_name(host))
            }
        }
    }

    /// Whether we are called by that name: a page of another name that leads here can't speak for a person's browser (DNS rebinding).
    /// An address can't be rebound.
    #[must_use]
    pub fn is_called(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        is_loopback_name(&host)
            || address(&host).is_some()
            || self.access.hosts.contains(&host)
            || self.public_host().is_some_and(|public| public == host)
    }

    /// Whether people reach us by TLS, as far as the configuration says.
    #[must_use]
    pub fn is_reached_by_tls(&self) -> bool {
        self.shown_url().is_some()
    }

    /// The host of `public_url`.
    fn public_host(&self) -> Option<String> {
        host_of(self.public_url.as_deref()?)
    }

    /// Where a request came from: the peer or, if that is a trusted proxy, whom the proxies say they forwarded it for.
    #[must_use]
    pub fn client(&self, peer: IpAddr, forwarded_for: &[&str]) -> IpAddr {
        let is_trusted = |address: &IpAddr| {
            self.access.trusted_proxies.iter().any(|network| network.contains(&address.to_canonical()))
        };
        let mut client = peer.to_canonical();
        let named = forwarded_for.iter().flat_map(|line| line.split(',')).rev();
        for text in named {
            if !is_trusted(&client) {
                break;
            }
            let text = text.trim();
            let read = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
            let Ok(address) = read else { break };
            client = address.to_canonical();
        }
        client
    }
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_ascii_lowercase)
}

/// The name in a `Host` header or an authority, without the port.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.find(']').map_or(authority, |end| &authority[..=end]);
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// Whether a name means this machine to whoever uses it.
#[must_use]
pub fn is_loopback_name(host: &str) -> bool {
    host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Who has to sign in, under which names we are asked, and which proxies are believed.
pub(super) fn access(
    raw: Field<RawAccess>,
    at: &Scope<'_>,
    listen: SocketAddr,
    around: &Around<'_>,
    draft: &mut Draft,
) -> AccessSettings {
    let Some(raw) = draft.take(raw, at) else { return AccessSettings::default() };
    at.only(RawAccess::KEYS, draft);
    let words = [("auto", SignIn::Auto), ("always", SignIn::Always), ("never", SignIn::Never)];
    let here = at.key("sign_in");
    let sign_in = one_of(raw.sign_in, &here, &words, draft).unwrap_or_default();
    if sign_in == SignIn::Never && !listen.ip().is_loopback() {
        let what = format!("other machines can reach `{listen}`, so people have to sign in");
        draft.error(&here, what, "write `auto`, or `127.0.0.1` under `listen:`");
    }
    let list = at.key("hosts");
    let mut hosts = BTreeSet::new();
    for (index, word) in draft.items(raw.hosts, &list) {
        hosts.extend(draft.parse(Field::Good(word), &list.item(index), host));
    }
    let list = at.key("trusted_proxies");
    let mut trusted_proxies = Vec::new();
    for (index, word) in draft.items(raw.trusted_proxies, &list) {
        trusted_proxies.extend(draft.parse(Field::Good(word), &list.item(index), network));
    }
    let public = around.public_url.and_then(host_of);
    if sign_in == SignIn::Never
        && let Some(other) = hosts.iter().chain(&public).find(|host| !is_loopback_name(host))
    {
        let what = format!("nobody has to sign in, although others reach the service as `{other}`");
        let instead = "write `auto`, unless the proxy in front asks everybody to sign in";
        draft.warning(Warning::SignInLeftToProxy, &here, what, instead);
    }
    let (list, known) = (at.key("show"), Seen::WORDS.map(|word| (word, word)));
    let shown = draft.items(raw.show, &list);
    let shown =
        shown.into_iter().filter_map(|(index, word)| one_of(Field::Good(word), &list.item(index), &known, draft));
    let show = Seen::of(&shown.collect::<Vec<_>>());
    AccessSettings { sign_in, hosts, trusted_proxies, oidc: oidc(raw.oidc, &at.key("oidc"), around, draft), show }
}

fn host(text: &str) -> Result<String, Complaint> {
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !text.is_empty() && is_plain(text) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Complaint::new(
        format!("`{text}` is not a host's name"),
        "write it without scheme and port: `scores.mssp.example`",
    ))
}

fn network(text: &str) -> Result<IpNet, Complaint> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| Complaint::new(format!("`{text}` is not a network"), "write it like `10.0.0.0/8` or `10.1.2.3`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_without_its_port() {
        for (authority, name) in [
            ("localhost:8080", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("10.1.2.3:80", "10.1.2.3"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority), name);
        }
        for (name, is_loopback) in
            [("localhost", true), ("127.8.0.1", true), ("[::1]", true), ("10.1.2.3", false), ("localhost.evil", false)]
        {
            assert_eq!(is_loopback_name(name), is_loopback, "{name}");
        }
    }

    #[test]
    fn a_sign_in_that_is_left_to_a_proxy_is_warned_of() {
        for (yaml, is_warned) in [
            ("public_url: https://scores.example\naccess: { sign_in: never }\n", true),
            ("access: { sign_in: never, hosts: [scores.internal] }\n", true),
            ("public_url: https://localhost\naccess: { sign_in: never }\n", false),
            ("access: { sign_in: never }\n", false),
            ("public_url: https://scores.example\naccess: { sign_in: auto }\n", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("scorewatch.yaml");
            std::fs::write(&file, yaml).unwrap();
            let problems = crate::config::load(&file).problems;
            let has = problems.iter().any(|problem| problem.warning == Some(Warning::SignInLeftToProxy));
            assert_eq!(has, is_warned, "{yaml}");
        }
    }
}
