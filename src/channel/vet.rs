//! Whether a channel's address is one that it may send to, as far as its text shows. Nothing is sent.

use url::Url;

use super::{ChannelKind, ChannelSettings, ComposeError, WebhookUrl, address::Origin, origins};
use crate::{
    domain::Complaint,
    egress::Private,
    secret::{ExposeSecret, SecretError, SecretString},
};

impl ChannelSettings {
    /// Whether the channel may send to its address. `None`: it has none, or it is not on this machine.
    ///
    /// # Errors
    /// [`ComposeError::Url`] without the URL; [`ComposeError::Secret`] when it can't be read.
    #[must_use]
    pub fn vet(&self) -> Option<Result<(), ComposeError>> {
        let url = match self.kind.url()?.map_err(ComposeError::from) {
            Ok(url) => url,
            Err(error) => return Some(Err(error)),
        };
        Some(self.vet_url(url.expose_secret().trim()))
    }

    /// What is probably wrong with its address, which it may send to. `None`: nothing, it has none, or it is not on this machine.
    #[must_use]
    pub fn doubt(&self) -> Option<Complaint> {
        let url = self.kind.url()?.ok()?;
        self.kind.settings().doubt(url.expose_secret().trim())
    }

    /// Whether the channel may send to that URL.
    ///
    /// # Errors
    /// [`ComposeError::Url`] without the URL.
    pub fn vet_url(&self, url: &str) -> Result<(), ComposeError> {
        let private = &self.private;
        let own = self.kind.as_str();
        if let Some((word, origin)) = origin(url).filter(|(word, _)| *word != own && *private == Private::Refused) {
            let takes_any_template = self.kind.dialect().is_some_and(|dialect| dialect.looks_like.is_none());
            let is_intended = takes_any_template && self.template.is_some();
            if !is_intended {
                let what = format!("it is {}, and the channel is of type `{own}`", origin.title);
                return Err(ComposeError::Url(Complaint::new(what, format!("write `type: {word}`"))));
            }
        }
        self.kind.settings().vet(url, private)
    }
}

impl ChannelKind {
    /// Whether its receiver answers before it has looked at a message.
    #[must_use]
    pub fn answers_early(&self) -> bool {
        self.settings().answers_early()
    }

    /// Its URL, if it has one that is on this machine.
    fn url(&self) -> Option<Result<SecretString, SecretError>> {
        match self.settings().destination().url()? {
            WebhookUrl::Secret(reference) if reference.is_stored() => None,
            url => Some(url.resolve()),
        }
    }
}

/// Whose address it is: the `type:` that fits, and the service.
fn origin(url: &str) -> Option<(&'static str, &'static Origin)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    origins().find(|(_, origin)| origin.has(&host))
}
