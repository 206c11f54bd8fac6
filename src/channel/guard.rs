//! Where a request may go, as far as the URL's text tells. Which addresses the name leads to is vetted when it is sent.

use url::{Host, Url};

use super::ComposeError;
use crate::{
    egress::{Egress, EgressError, Private},
    secret::SecretString,
};

/// Hosts of Teams Workflows webhooks, by cloud, and the older ones of Logic Apps. Whole labels must match.
const TEAMS_SUFFIXES: [&str; 8] = [
    "environment.api.powerplatform.com",
    "environment.api.gov.powerplatform.microsoft.us",
    "environment.api.high.powerplatform.microsoft.us",
    "environment.api.appsplatform.us",
    "environment.api.powerplatform.partner.microsoftonline.cn",
    "logic.azure.com",
    "logic.azure.us",
    "logic.azure.cn",
];
/// Hosts of Office 365 connectors, which Microsoft has retired ("Retirement of Office 365 connectors within Microsoft Teams").
const CONNECTOR_SUFFIXES: [&str; 2] = ["webhook.office.com", "outlook.office.com"];
/// What the query of a Workflows webhook must have: without the signature, the flow answers 401 to every message.
const TEAMS_SIGNATURE: &str = "sig";
/// An ampersand as HTML writes it: the URL was copied from a page's source, and the receiver sees other parameters.
const ESCAPED_AMPERSAND: &str = "&amp;";
/// Hosts of Slack incoming webhooks.
const SLACK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
/// Hosts of Discord webhooks, and whatever is below them (`canary.discord.com`).
const DISCORD_HOSTS: [&str; 2] = ["discord.com", "discordapp.com"];
/// Hosts of Google Chat webhooks.
const GOOGLE_CHAT_HOSTS: [&str; 1] = ["chat.googleapis.com"];
/// Longest URL that Power Automate takes, in characters.
const URL_BYTES_MAX: usize = 16 * 1024;

/// Checks the URL of a Teams Workflows webhook.
///
/// # Errors
/// One sentence, without the URL.
pub fn teams(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    let host = name_of(&parsed);
    let is_one_of = |suffixes: &[&str]| {
        host.as_deref().is_some_and(|host| suffixes.iter().any(|suffix| host == *suffix || is_below(host, suffix)))
    };
    if host.as_deref().is_some_and(|host| TEAMS_SUFFIXES.iter().any(|suffix| is_below(host, suffix))) {
        return signed(&parsed);
    }
    if may_be_private(&parsed, private) {
        return Ok(());
    }
    if is_one_of(&CONNECTOR_SUFFIXES) {
        return refuse(
            "it is an Office 365 connector, which Microsoft has retired; create a webhook in the app Workflows",
        );
    }
    refuse("its host is not that of a Teams Workflows webhook; create a webhook in the app Workflows")
}

/// Checks that the URL of a flow was copied whole: a part of it looks just as good, and every message would be refused.
fn signed(url: &Url) -> Result<(), ComposeError> {
    if url.query().is_some_and(|query| query.contains(ESCAPED_AMPERSAND)) {
        return refuse("it has `&amp;` where `&` belongs; copy it again from the flow's trigger");
    }
    if url.query_pairs().any(|(name, value)| name == TEAMS_SIGNATURE && !value.is_empty()) {
        return Ok(());
    }
    refuse(
        "its `sig=` is missing, so it was cut off; copy the whole URL from the flow's trigger, and quote it in the shell",
    )
}

/// Checks the URL of a Slack incoming webhook.
///
/// # Errors
/// One sentence, without the URL.
pub fn slack(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    let flow = parsed
        .path_segments()
        .and_then(|mut segments| segments.next())
        .is_some_and(|first| matches!(first, "workflows" | "triggers"));
    if flow {
        return refuse("it starts a Slack workflow, which takes no blocks; create an incoming webhook");
    }
    if may_be_private(&parsed, private) || name_of(&parsed).is_some_and(|host| is_slack(&host)) {
        Ok(())
    } else {
        refuse("its host is not `hooks.slack.com`; create an incoming webhook")
    }
}

/// Whether the host is Slack's own, and not one of a receiver that is compatible with it.
#[must_use]
pub fn is_slack(host: &str) -> bool {
    SLACK_HOSTS.contains(&host.trim_end_matches('.').to_ascii_lowercase().as_str())
}

/// Whether the host is Discord's own.
#[must_use]
pub fn is_discord(host: &str) -> bool {
    DISCORD_HOSTS.iter().any(|known| host == *known || is_below(host, known))
}

/// Whether the host is Google Chat's own.
#[must_use]
pub fn is_google_chat(host: &str) -> bool {
    GOOGLE_CHAT_HOSTS.contains(&host)
}

/// Checks the URL of a Discord webhook.
///
/// # Errors
/// One sentence, without the URL.
pub fn discord(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    let foreign = |last: &str| matches!(last, "slack" | "github");
    if parsed.path_segments().and_then(|mut segments| segments.next_back()).is_some_and(foreign) {
        return refuse("it takes the messages of another application; delete the last part of its path");
    }
    if may_be_private(&parsed, private) || name_of(&parsed).is_some_and(|host| is_discord(&host)) {
        Ok(())
    } else {
        refuse("its host is not `discord.com`; create a webhook in the channel's settings under Integrations")
    }
}

/// Checks the URL of a Google Chat webhook.
///
/// # Errors
/// One sentence, without the URL.
pub fn google_chat(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    if may_be_private(&parsed, private) || name_of(&parsed).is_some_and(|host| is_google_chat(&host)) {
        Ok(())
    } else {
        refuse("its host is not `chat.googleapis.com`; create a webhook under Apps & integrations of the space")
    }
}

/// Checks the URL of any other receiver.
///
/// # Errors
/// One sentence, without the URL.
pub fn webhook(url: &str, private: &Private) -> Result<(), ComposeError> {
    parse(url, private).map(drop)
}

/// Checks a base URL, to which a path will be added.
///
/// # Errors
/// One sentence, without the URL.
pub fn base(url: &str, private: &Private) -> Result<(), ComposeError> {
    let parsed = parse(url, private)?;
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return refuse("it is the base of an API, so that nothing may follow its path");
    }
    Ok(())
}

/// That base URL with a path below it. The base is checked already.
pub(super) fn below(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

fn refuse<T>(what: &str) -> Result<T, ComposeError> {
    Err(ComposeError::Url(what.to_owned()))
}

fn parse(url: &str, private: &Private) -> Result<Url, ComposeError> {
    if url.len() > URL_BYTES_MAX {
        return refuse("it is longer than 16 KiB");
    }
    let Ok(parsed) = Url::parse(url) else { return refuse("it is no URL") };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refuse("it has a user name in it");
    }
    match parsed.scheme() {
        "https" => {}
        "http" if may_be_private(&parsed, private) => {}
        _ => return refuse("it must begin with `https://`"),
    }
    if parsed.port().is_some() && !may_be_private(&parsed, private) {
        return refuse("its port must be 443, or `allow_private` be set");
    }
    // The door says the same when it is sent; here it is told before anything is shown or queued.
    match Egress::vet(&SecretString::from(url), private) {
        Ok(()) => Ok(parsed),
        Err(EgressError::NotAllowed(_)) => refuse("it leads to an address that may not be called"),
        Err(_) => refuse("it is too long, or its host is malformed"),
    }
}

/// Whether the settings give the host leave to be any. A name may lead anywhere; the addresses are vetted when it is sent.
fn may_be_private(url: &Url, private: &Private) -> bool {
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

/// The host, if it is a name, without the final dot.
fn name_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn is_below(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/powerautomate/automations/direct/workflows/0f/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=x";

    #[test]
    fn only_the_hosts_of_teams_are_taken_as_teams() {
        for (host, good) in [
            ("default0f.1a.environment.api.powerplatform.com:443", true),
            ("default0f.1a.environment.api.powerplatform.com", true),
            ("default0f.1a.environment.api.powerplatform.com.", true),
            ("x.environment.api.gov.powerplatform.microsoft.us", true),
            ("x.environment.api.high.powerplatform.microsoft.us", true),
            ("x.environment.api.appsplatform.us", true),
            ("x.environment.api.powerplatform.partner.microsoftonline.cn", true),
            ("prod-07.westeurope.logic.azure.com:443", true),
            ("prod-52.usgovtexas.logic.azure.us:443", true),
            ("prod-43.usgovtexas.logic.azure.us", true),
            ("prod-01.chinaeast2.logic.azure.cn:443", true),
            ("logic.azure.us", false),
            ("evillogic.azure.us", false),
            ("default0f.1a.environment.api.powerplatform.com:8443", false),
            ("environment.api.powerplatform.com", false),
            ("evilenvironment.api.powerplatform.com", false),
            ("x.environment.api.powerplatform.com.evil.example", false),
            ("evil.example\\@x.environment.api.powerplatform.com", false),
            ("user:pw@x.environment.api.powerplatform.com", false),
            ("contoso.webhook.office.com", false),
            ("127.0.0.1", false),
            ("0x7f.1", false),
        ] {
            assert_eq!(teams(&format!("https://{host}{PATH}"), &Private::Refused).is_ok(), good, "{host}");
        }
        assert!(teams(&format!("http://x.environment.api.powerplatform.com{PATH}"), &Private::Refused).is_err());
    }

    #[test]
    fn a_teams_url_that_was_copied_badly_is_refused_with_the_reason() {
        let on =
            |host: &str, query: &str| teams(&format!("https://{host}/workflows/0f/invoke{query}"), &Private::Refused);
        for host in ["x.1a.environment.api.powerplatform.com:443", "prod-11.southeastasia.logic.azure.com:443"] {
            for (query, reason) in [
                ("?api-version=1", Some("`sig=` is missing")),
                ("", Some("`sig=` is missing")),
                ("?api-version=1&sig=", Some("`sig=` is missing")),
                ("?api-version=1&sig", Some("`sig=` is missing")),
                ("?api-version=1&amp;sp=%2Frun&amp;sv=1.0&amp;sig=x", Some("`&amp;`")),
                ("?api-version=1&sp=%2Frun&sv=1.0&sig=x", None),
            ] {
                let got = on(host, query).err().map(|error| error.to_string());
                assert_eq!(got.is_some(), reason.is_some(), "{query}: {got:?}");
                assert!(got.unwrap_or_default().contains(reason.unwrap_or_default()), "{query}");
            }
        }
        let connector = on("contoso.webhook.office.com", "").err().map(|error| error.to_string());
        assert!(connector.is_some_and(|error| error.contains("retired")));
    }

    #[test]
    fn only_incoming_webhooks_of_slack_are_taken_as_slack() {
        for (url, good) in [
            ("https://hooks.slack.com/services/T/B/x", true),
            ("https://hooks.slack-gov.com/services/T/B/x", true),
            ("https://hooks.slack.com/workflows/T/B/x", false),
            ("https://hooks.slack.com/triggers/T/1/x", false),
            ("https://xhooks.slack.com/services/T/B/x", false),
            ("https://x.hooks.slack.com/services/T/B/x", false),
            ("https://hooks.slack.com.evil.example/services/T/B/x", false),
            ("https://user:pw@hooks.slack.com@169.254.169.254/services", false),
            ("http://hooks.slack.com/services/T/B/x", false),
        ] {
            assert_eq!(slack(url, &Private::Refused).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn only_webhooks_of_discord_and_google_chat_are_taken_as_theirs() {
        for (url, good) in [
            ("https://discord.com/api/webhooks/1/x?wait=true", true),
            ("https://canary.discord.com/api/webhooks/1/x", true),
            ("https://discordapp.com/api/webhooks/1/x", true),
            ("https://discord.com/api/webhooks/1/x/slack", false),
            ("https://discord.com/api/webhooks/1/x/github", false),
            ("https://evildiscord.com/api/webhooks/1/x", false),
            ("https://discord.com.evil.example/api/webhooks/1/x", false),
            ("https://discord.com@evil.example/api/webhooks/1/x", false),
            ("http://discord.com/api/webhooks/1/x", false),
            ("https://discord.com:8443/api/webhooks/1/x", false),
        ] {
            assert_eq!(discord(url, &Private::Refused).is_ok(), good, "{url}");
        }
        for (url, good) in [
            ("https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t", true),
            ("https://x.chat.googleapis.com/v1/spaces/A/messages", false),
            ("https://storage.googleapis.com/v1/spaces/A/messages", false),
            ("https://chat.googleapis.com.evil.example/v1/spaces/A/messages", false),
        ] {
            assert_eq!(google_chat(url, &Private::Refused).is_ok(), good, "{url}");
        }
        assert!(discord("http://127.0.0.1:4000/api/webhooks/1/x", &Private::Any).is_ok());
        assert!(google_chat("http://127.0.0.1:4000/v1/spaces/A/messages", &Private::Any).is_ok());
    }

    #[test]
    fn leave_for_private_receivers_frees_the_host_as_far_as_it_goes() {
        let url = "http://127.0.0.1:4000/services/x";
        assert!(slack(url, &Private::Any).is_ok());
        assert!(slack(url, &Private::Loopback).is_ok());
        assert!(slack(url, &Private::Networks(vec!["127.0.0.0/8".parse().unwrap()])).is_ok());
        assert!(slack(url, &Private::Networks(vec!["10.0.0.0/8".parse().unwrap()])).is_err());
        assert!(slack("https://10.0.0.1/x", &Private::Loopback).is_err());
        assert!(webhook("http://soar.example/x", &Private::Refused).is_err());
        assert!(webhook("https://soar.example/x", &Private::Refused).is_ok());
    }

    #[test]
    fn a_base_has_room_for_a_path() {
        for url in ["https://a.example/?x=1", "https://a.example/#x", "http://a.example", "https://u:p@a.example"] {
            assert!(base(url, &Private::Refused).is_err(), "{url}");
        }
        for (url, whole) in [
            ("https://a.example", "https://a.example/api"),
            ("https://a.example/", "https://a.example/api"),
            ("https://a.example/below/this/", "https://a.example/below/this/api"),
        ] {
            assert!(base(url, &Private::Refused).is_ok(), "{url}");
            assert_eq!(below(url, "/api"), whole);
        }
    }
}
