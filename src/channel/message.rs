//! What the channels have in common when they write a request.

use bytes::Bytes;

use super::{ChannelSettings, ComposeError};
use crate::{
    egress::{Method, Request},
    notify::Notification,
    secret::SecretString,
    template::{Receiver, Registry, RenderFailure},
};

/// What every request says of its sender.
const USER_AGENT: &str = concat!("scorewatch/", env!("CARGO_PKG_VERSION"));

/// The body by the channel's template; by the built-in one if that fails, so that the message still goes.
pub(super) fn body(
    settings: &ChannelSettings,
    templates: &Registry,
    receiver: Receiver,
    notification: &Notification,
) -> Result<Bytes, ComposeError> {
    let name = settings.template.as_deref().unwrap_or(receiver.as_str());
    let failure = match templates.render(name, receiver, notification) {
        Ok(body) => return Ok(body.into()),
        Err(failure) => failure,
    };
    tracing::warn!(channel = %settings.name, template = name, %failure, "template failed; the built-in one is used");
    templates.render_built_in(receiver, notification).map(Bytes::from).map_err(|failure| match failure {
        RenderFailure::Template { template, what, .. } => ComposeError::Template { template, what },
        RenderFailure::TooLarge { size, limit } => ComposeError::TooLarge { bytes: size, limit },
    })
}

/// A `POST` of a body.
pub(super) fn post(url: SecretString, content_type: &'static str, body: Bytes) -> Request {
    let headers =
        vec![("content-type", SecretString::from(content_type)), ("user-agent", SecretString::from(USER_AGENT))];
    Request { method: Method::Post, url, headers, body }
}
