//! Where a channel's messages arrive, so that two channels of one receiver are found whatever way their addresses are written.
//!
//! Addresses are secrets: what is kept of them are digests, made with a key that each process draws.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::LazyLock,
};

use lettre::message::Mailbox;
use secrecy::ExposeSecret;
use url::{Host, Url};

use super::{ChannelKind, ChannelSettings, WebhookUrl, origins};
use crate::secret::{SecretError, SecretReference, SecretString};

/// Drawn for each process, so that a digest says nothing about its address.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

/// One place at which messages arrive: equal for equal places, and no use for anything else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    place: u128,
    /// The query of a generic webhook, which may choose among receivers; `None`: it chooses nothing.
    query: Option<u128>,
}

impl Address {
    fn of(place: &str, query: Option<&str>) -> Self {
        let digest = |text: &str| (u128::from(KEYS[0].hash_one(text)) << 64) | u128::from(KEYS[1].hash_one(text));
        Self { place: digest(place), query: query.map(digest) }
    }

    /// The same for all addresses that may be one place, so that they can be looked up by it.
    #[must_use]
    pub const fn place(&self) -> u128 {
        self.place
    }

    /// Whether both are one place.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let is_one_query = self.query.is_none() || other.query.is_none() || self.query == other.query;
        self.place == other.place && is_one_query
    }

    /// Whether one of these is one of those.
    #[must_use]
    pub fn any_shared(own: &BTreeSet<Self>, others: &BTreeSet<Self>) -> bool {
        own.iter().any(|one| others.iter().any(|other| one.is_same_place(other)))
    }
}

/// How a secret is read.
pub type Read = dyn Fn(&SecretReference) -> Result<SecretString, SecretError>;

/// What says where a channel's messages arrive.
#[derive(Debug, Clone, Copy)]
pub enum Destination<'a> {
    /// The URL of a chat's webhook, whose path alone says who receives: its query may differ.
    Chat(&'a SecretReference),
    /// A URL of any other host.
    Url(&'a WebhookUrl),
    /// A key that decides who receives, wherever it is sent; and the URL to which it is sent, unless that is the service's own.
    Key(&'a SecretReference, Option<&'a WebhookUrl>),
    /// Each of these recipients.
    Mailboxes(&'a [Mailbox]),
}

impl<'a> Destination<'a> {
    /// Where it is kept, if it is a secret.
    pub(super) const fn secret(self) -> Option<&'a SecretReference> {
        match self {
            Self::Chat(reference) | Self::Key(reference, _) => Some(reference),
            Self::Url(url) => url.secret(),
            Self::Mailboxes(_) => None,
        }
    }

    /// The URL to which requests go, if the configuration gives one.
    pub(super) fn url(self) -> Option<WebhookUrl> {
        match self {
            Self::Chat(reference) => Some(WebhookUrl::Secret(reference.clone())),
            Self::Url(url) | Self::Key(_, Some(url)) => Some(url.clone()),
            Self::Key(_, None) | Self::Mailboxes(_) => None,
        }
    }

    /// The key of the configuration that says it.
    const fn key(self) -> &'static str {
        match self {
            Self::Chat(_) | Self::Url(_) => "url",
            Self::Key(..) => "routing_key",
            Self::Mailboxes(_) => "to",
        }
    }
}

/// A service that is known by the hosts of its addresses.
#[derive(Debug)]
pub struct Origin {
    /// What such an address is called: `a Slack webhook`.
    pub(super) title: &'static str,
    /// The hosts; a host below one of them is the service's, too.
    pub(super) hosts: &'static [&'static str],
    /// Whether all of these hosts are one, and the path alone says who receives.
    pub(super) paths: Paths,
}

/// How the addresses of a service say who receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paths {
    /// By path and query, so far as is known.
    WithQuery,
    /// By the path, at each of the hosts on its own.
    Alone,
    /// By the path, whichever of the hosts it is, or whatever is below it.
    OfAnyHost,
}

impl Origin {
    /// Whether a host, in lower case and without a final dot, is the service's.
    pub(super) fn has(&self, host: &str) -> bool {
        let is_of = |known: &&str| host == *known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
        self.hosts.iter().any(is_of)
    }
}

impl ChannelKind {
    /// Where its messages arrive. A mail channel has an address for each recipient.
    ///
    /// # Errors
    /// [`SecretError`] while its address is a secret that can't be read.
    pub fn addresses(&self, read: &Read) -> Result<BTreeSet<Address>, SecretError> {
        let of_secret = |reference: &SecretReference, ignores_query| {
            read(reference).map(|text| of_url(text.expose_secret(), ignores_query))
        };
        let address = match self.settings().destination() {
            Destination::Chat(reference) => of_secret(reference, true)?,
            Destination::Url(WebhookUrl::Open(text)) => of_url(text, false),
            Destination::Url(WebhookUrl::Secret(reference)) => of_secret(reference, false)?,
            Destination::Key(reference, _) => {
                let key = read(reference)?.expose_secret().trim().to_lowercase();
                Address::of(&format!("{} {key}", self.as_str()), None)
            }
            Destination::Mailboxes(to) => return Ok(to.iter().map(|to| of_mailbox(to.email.as_ref())).collect()),
        };
        Ok(BTreeSet::from([address]))
    }

    /// Where its address is kept, if it is a secret: two channels with one reference have one address, readable or not.
    #[must_use]
    pub fn address_reference(&self) -> Option<&SecretReference> {
        self.settings().destination().secret()
    }

    /// The key of the configuration that says where messages arrive.
    #[must_use]
    pub fn address_key(&self) -> &'static str {
        self.settings().destination().key()
    }
}

/// Where the messages of many channels arrive, as far as that can be read.
#[derive(Debug, Default)]
pub struct Receivers<'a> {
    of_channel: HashMap<&'a str, BTreeSet<Address>>,
    by_place: HashMap<u128, Vec<&'a ChannelSettings>>,
    by_reference: HashMap<&'a SecretReference, Vec<&'a ChannelSettings>>,
}

impl<'a> Receivers<'a> {
    /// The receivers of these channels. A channel whose address can't be read shares it only with channels that refer to the same
    /// secret.
    pub fn of(channels: impl IntoIterator<Item = &'a ChannelSettings>, read: &Read) -> Self {
        let mut receivers = Self::default();
        for channel in channels {
            if let Some(reference) = channel.kind.address_reference() {
                receivers.by_reference.entry(reference).or_default().push(channel);
            }
            let Ok(addresses) = channel.kind.addresses(read) else { continue };
            for place in addresses.iter().map(Address::place).collect::<BTreeSet<_>>() {
                receivers.by_place.entry(place).or_default().push(channel);
            }
            receivers.of_channel.insert(channel.name.as_str(), addresses);
        }
        receivers
    }

    /// Whether whatever one of these channels sends arrives where the other's does.
    #[must_use]
    pub fn are_one(&self, one: &ChannelSettings, other: &ChannelSettings) -> bool {
        let reference = one.kind.address_reference();
        if one.name == other.name || (reference.is_some() && reference == other.kind.address_reference()) {
            return true;
        }
        let of = |channel: &ChannelSettings| self.of_channel.get(channel.name.as_str());
        of(one).zip(of(other)).is_some_and(|(own, theirs)| {
            // Of mails, each of the recipients must be the same.
            own == theirs || (own.len() == 1 && theirs.len() == 1 && Address::any_shared(own, theirs))
        })
    }

    /// The channels of another audience whose messages arrive at the same receiver. One may be named twice.
    pub fn of_other_audiences(&self, channel: &ChannelSettings) -> impl Iterator<Item = &'a ChannelSettings> {
        let differs = |other: &&&ChannelSettings| other.audience != channel.audience;
        let reference = channel.kind.address_reference();
        let of_reference = reference.and_then(|reference| self.by_reference.get(reference)).into_iter().flatten();
        let own = self.of_channel.get(channel.name.as_str());
        let near = own.into_iter().flatten().filter_map(|address| self.by_place.get(&address.place())).flatten();
        let is_shared = move |other: &&&ChannelSettings| {
            let theirs = self.of_channel.get(other.name.as_str());
            own.zip(theirs).is_some_and(|(own, theirs)| Address::any_shared(own, theirs))
        };
        of_reference.filter(differs).chain(near.filter(differs).filter(is_shared)).copied()
    }
}

fn of_mailbox(address: &str) -> Address {
    Address::of(&format!("mail {}", address.trim_end_matches('.').to_lowercase()), None)
}

/// A URL without what makes no difference: scheme, case and final dot of the host, the port that goes without saying, slashes
/// that say nothing, escapes of letters that need none, fragment, order of the query.
fn of_url(text: &str, ignores_query: bool) -> Address {
    let text = text.trim();
    let Ok(url) = Url::parse(text) else { return Address::of(text, None) };
    let host = match url.host() {
        Some(Host::Domain(name)) => one_name(name.trim_end_matches('.')),
        Some(Host::Ipv4(address)) => one_address(address.into()),
        Some(Host::Ipv6(address)) => one_address(address.into()),
        None => String::new(),
    };
    let port = url.port().filter(|port| !matches!(port, 80 | 443)).map(|port| format!(":{port}")).unwrap_or_default();
    let parts: Vec<String> = url.path().split('/').filter(|part| !part.is_empty()).map(plain).collect();
    let mut pairs: Vec<String> = url.query().unwrap_or_default().split('&').map(plain).collect();
    pairs.retain(|pair| !pair.is_empty());
    pairs.sort_unstable();
    let query = pairs.join("&");
    let is_chat = ignores_query || is_chat_host(&host);
    Address::of(&format!("{host}{port}/{}", parts.join("/")), (!is_chat).then_some(&query))
}

/// This machine has many addresses: `localhost`, all of 127.0.0.0/8 and `::1`, in either form.
fn one_address(address: IpAddr) -> String {
    let address = address.to_canonical();
    if address.is_loopback() { "localhost".to_owned() } else { address.to_string() }
}

/// A host in lower case; of those that are one, the first.
fn one_name(host: &str) -> String {
    let host = host.to_lowercase();
    let one = origins().find(|(_, origin)| origin.paths == Paths::OfAnyHost && origin.has(&host));
    one.and_then(|(_, origin)| origin.hosts.first()).map_or(host, |first| (*first).to_owned())
}

/// Whether this is a host whose path alone says who receives.
fn is_chat_host(host: &str) -> bool {
    origins().any(|(_, origin)| origin.paths != Paths::WithQuery && origin.hosts.contains(&host))
}

/// A part of a URL with every escape undone that stands for a letter, digit, `-`, `.`, `_` or `~`, and the others in capitals.
fn plain(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut plain = String::with_capacity(part.len());
    let mut rest = 0;
    for (index, _) in part.match_indices('%') {
        let escape = bytes.get(index + 1..index + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let Some(code) = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| index >= rest) else {
            continue;
        };
        plain.push_str(&part[rest..index]);
        if code.is_ascii_alphanumeric() || b"-._~".contains(&code) {
            plain.push(char::from(code));
        } else {
            // Writing to a `String` can't fail.
            let _ = write!(plain, "%{code:02X}");
        }
        rest = index + 3;
    }
    plain.push_str(&part[rest..]);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Discord, Pagerduty, PagerdutyRegion, Slack, Teams, Webhook};

    fn webhook(url: &str) -> ChannelKind {
        ChannelKind::Webhook(Webhook { url: WebhookUrl::Open(url.to_owned()), signing_secrets: Vec::new() })
    }

    fn addresses(kind: &ChannelKind) -> BTreeSet<Address> {
        // The name of a variable stands for what it holds.
        let read: &Read = &|reference| match reference {
            SecretReference::Env(value) => Ok(value.as_str().into()),
            other => Err(other.unfit("is not read here")),
        };
        kind.addresses(read).unwrap()
    }

    fn shared(one: &ChannelKind, other: &ChannelKind) -> bool {
        let found = Address::any_shared(&addresses(one), &addresses(other));
        assert_eq!(found, Address::any_shared(&addresses(other), &addresses(one)));
        found
    }

    #[test]
    fn one_receiver_is_found_however_its_url_is_written() {
        let url = "https://soar.example/hook/a?b=1&c=2";
        for same in [
            "https://soar.example/hook/a?b=1&c=2",
            "HTTPS://SOAR.Example/hook/a?b=1&c=2",
            "https://soar.example:443/hook/a?b=1&c=2",
            "https://soar.example./hook/a?b=1&c=2",
            "https://soar.example/hook/a/?c=2&b=1",
            "https://soar.example//hook/./a?b=1&c=2#x",
            "https://soar.example/x/../hook/%61?b=1&c=2",
            " https://soar.example/hook/a?b=1&c=2\n",
            "http://soar.example/hook/a?b=1&c=2",
            "http://soar.example:80/hook/a?b=1&&c=2",
        ] {
            assert!(shared(&webhook(url), &webhook(same)), "{same}");
        }
        for other in [
            "https://soar.example/hook/b?b=1&c=2",
            "https://soar.example/hook/A?b=1&c=2",
            "https://soar.example:8443/hook/a?b=1&c=2",
            "https://soar2.example/hook/a?b=1&c=2",
            "https://soar.example/hook/a?b=1&c=3",
            "https://soar.example/hook%2Fa?b=1&c=2",
        ] {
            assert!(!shared(&webhook(url), &webhook(other)), "{other}");
        }
        assert!(shared(&webhook("http://127.0.0.1:4000/x"), &webhook("http://0x7f.1:4000/x/")));
        assert!(shared(&webhook("http://127.0.0.1:4000/x"), &webhook("http://[::ffff:127.0.0.1]:4000/x")));
        for same in
            ["http://localhost:4000/x", "http://LOCALHOST.:4000/x", "http://127.9.9.9:4000/x", "http://[::1]:4000/x"]
        {
            assert!(shared(&webhook("http://127.0.0.1:4000/x"), &webhook(same)), "{same}");
        }
        assert!(!shared(&webhook("http://127.0.0.1:4000/x"), &webhook("http://localhost:4001/x")));
    }

    #[test]
    fn a_chat_webhook_is_one_whatever_its_query_or_type_says() {
        let secret = |url: &str| SecretReference::Env(url.to_owned());
        let slack = |url: &str| ChannelKind::Slack(Slack { url: secret(url) });
        let discord = |url: &str| ChannelKind::Discord(Discord { url: secret(url) });
        assert!(shared(
            &slack("https://hooks.slack.com/services/T/B/x"),
            &webhook("https://hooks.slack.com/services/T/B/x?y")
        ));
        assert!(shared(
            &discord("https://discord.com/api/webhooks/1/x?thread_id=5"),
            &discord("https://canary.discordapp.com/api/webhooks/1/x?wait=true")
        ));
        assert!(shared(
            &ChannelKind::Teams(Teams { url: secret("https://x.logic.azure.com/workflows/1?sig=a") }),
            &webhook("https://x.logic.azure.com/workflows/1?sig=b")
        ));
        assert!(!shared(
            &slack("https://hooks.slack.com/services/T/B/x"),
            &slack("https://hooks.slack.com/services/T/B/y")
        ));
    }

    #[test]
    fn a_page_arrives_where_its_key_says() {
        let pagerduty = |key: &str, region, url: Option<&str>| {
            ChannelKind::Pagerduty(Pagerduty {
                routing_key: SecretReference::Env(key.to_owned()),
                region,
                url: url.map(|url| WebhookUrl::Open(url.to_owned())),
            })
        };
        let (us, eu) = (PagerdutyRegion::Us, PagerdutyRegion::Eu);
        assert!(shared(&pagerduty("0123ab", us, None), &pagerduty("0123AB\n", eu, Some("https://10.0.0.1"))));
        assert!(!shared(&pagerduty("0123ab", us, None), &pagerduty("0123ac", us, None)));
    }

    #[test]
    fn mail_arrives_at_each_recipient() {
        let one = BTreeSet::from([of_mailbox("soc@mssp.example"), of_mailbox("it@Contoso.example")]);
        let other = BTreeSet::from([of_mailbox("IT@contoso.example."), of_mailbox("it@fabrikam.example")]);
        assert!(Address::any_shared(&one, &other));
        assert!(!Address::any_shared(&one, &BTreeSet::from([of_mailbox("it@fabrikam.example")])));
    }

    #[test]
    fn nothing_of_an_address_can_be_printed() {
        let printed = format!("{:?}", addresses(&webhook("https://soar.example/s3cr3t")));
        assert!(!printed.contains("s3cr3t") && !printed.contains("soar"), "{printed}");
    }
}
