//! Teams, by a Workflows webhook ("Create incoming webhooks with Workflows").
//!
//! The flow answers 202 before it looks at the card, so an answer proves only that the flow was reached. The card is checked
//! before it is sent; see [`crate::template`].

use std::sync::Arc;

use super::{Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, guard, message, status};
use crate::{
    domain::Timestamp,
    egress::{Answer, EgressError, Outgoing},
    notify::Notification,
    secret::ExposeSecret,
    template::{Receiver, Registry},
};

/// The charset is asked for, for the sake of emoji ("Format cards in Teams").
const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// A Teams channel.
pub(super) struct Teams {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Teams {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }
}

impl Channel for Teams {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        _attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Teams { url } = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not of type `teams`".to_owned()));
        };
        let url = url.resolve()?;
        guard::teams(url.expose_secret(), &self.settings.private)?;
        let body = message::body(&self.settings, &self.templates, Receiver::Teams, notification, form)?;
        Ok(message::post(url, CONTENT_TYPE, body).into())
    }

    fn verdict(&self, answer: &Result<Answer, EgressError>, now: Timestamp) -> Verdict {
        match answer {
            Ok(answer) => status::plainer(answer, now, &[400, 413]),
            Err(error) => status::no_answer(error),
        }
    }
}
