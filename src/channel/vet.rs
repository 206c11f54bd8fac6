//! Whether a channel's address is one that it may send to, as far as its text tells. Nothing is sent.

use url::Url;

use super::{ChannelKind, ChannelSettings, ChatApp, ComposeError, guard};
use crate::{
    egress::Private,
    secret::{ExposeSecret, SecretReference, SecretString},
};

/// Services whose addresses are known by their hosts, each with its `type:`.
const SERVICES: [(&str, &str, &[&str]); 4] = [
    ("teams", "a Teams webhook", &["environment.api.powerplatform.com", "logic.azure.com", "logic.azure.us"]),
    ("slack", "a Slack webhook", &["hooks.slack.com", "hooks.slack-gov.com"]),
    ("discord", "a Discord webhook", &["discord.com", "discordapp.com"]),
    ("google-chat", "a Google Chat webhook", &["chat.googleapis.com"]),
];

impl ChannelSettings {
    /// Whether the channel may send to its address. `None`: it has none, or it is not on this machine.
    ///
    /// # Errors
    /// [`ComposeError::Url`] with one sentence, without the URL; [`ComposeError::Secret`] when it can't be read.
    #[must_use]
    pub fn vet(&self) -> Option<Result<(), ComposeError>> {
        let url = match self.kind.url()?.map_err(ComposeError::from) {
            Ok(url) => url,
            Err(error) => return Some(Err(error)),
        };
        Some(self.vet_url(url.expose_secret().trim()))
    }

    fn vet_url(&self, url: &str) -> Result<(), ComposeError> {
        let private = &self.private;
        let own = self.kind.as_str();
        if let Some((of, what)) = service(url).filter(|(of, _)| *of != own && *private == Private::Refused) {
            let is_meant = matches!(self.kind, ChannelKind::Webhook { .. }) && self.template.is_some();
            if !is_meant {
                return Err(ComposeError::Url(format!(
                    "it is {what}, and the channel is of type `{own}`; write `type: {of}`"
                )));
            }
        }
        match &self.kind {
            ChannelKind::Teams { .. } => guard::teams(url, private),
            ChannelKind::Slack { .. } => guard::slack(url, private),
            ChannelKind::Chat { app: ChatApp::Discord, .. } => guard::discord(url, private),
            ChannelKind::Chat { app: ChatApp::GoogleChat, .. } => guard::google_chat(url, private),
            ChannelKind::Chat { app: ChatApp::Mattermost, .. } | ChannelKind::Webhook { .. } => {
                guard::webhook(url, private)
            }
            ChannelKind::Pagerduty { .. } | ChannelKind::Alertmanager { .. } => guard::base(url, private),
            ChannelKind::Email(_) => Ok(()),
        }
    }
}

impl ChannelKind {
    /// Its URL, if it has one that is on this machine.
    fn url(&self) -> Option<Result<SecretString, crate::secret::SecretError>> {
        let local = |reference: &SecretReference| (!reference.is_stored()).then(|| reference.resolve());
        match self {
            Self::Teams { url } | Self::Slack { url } | Self::Chat { url, .. } => local(url),
            Self::Webhook { url, .. } | Self::Alertmanager { url, .. } | Self::Pagerduty { url: Some(url), .. } => {
                match url.secret() {
                    Some(reference) => local(reference),
                    None => Some(url.resolve()),
                }
            }
            Self::Pagerduty { url: None, .. } | Self::Email(_) => None,
        }
    }
}

/// Whose address it is: the `type:` that fits, and what it is called.
fn service(url: &str) -> Option<(&'static str, &'static str)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    let is_of = |known: &str| host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
    SERVICES.iter().find(|(_, _, hosts)| hosts.iter().any(|known| is_of(known))).map(|(of, what, _)| (*of, *what))
}
