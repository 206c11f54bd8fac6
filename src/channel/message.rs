//! What the channels have in common when they write a request.

use bytes::Bytes;

use super::{ComposeError, Form, OpenChannel};
use crate::{
    egress::{Method, Request},
    notify::{Notification, NotificationType},
    secret::SecretString,
    template::{Dialect, RenderFailure, plain},
};

/// What every request says of its sender.
const USER_AGENT: &str = concat!("scorewatch/", env!("CARGO_PKG_VERSION"));

/// The body by the channel's template, or by the built-in one if that fails, so that the message still goes; or plain text.
pub(super) fn body(
    channel: &OpenChannel,
    dialect: &'static Dialect,
    notification: &Notification,
    form: Form,
) -> Result<Bytes, ComposeError> {
    let written = match form {
        Form::Rich => rich(channel, dialect, notification),
        Form::Plain => plain(dialect, notification, &channel.settings.locale),
    };
    written.map(Bytes::from).map_err(|failure| match failure {
        RenderFailure::Template { template, what, .. } => ComposeError::Template { template, what },
        RenderFailure::TooLarge { size, limit } => ComposeError::TooLarge { bytes: size, limit },
    })
}

/// Whether it only asks if it arrives. To a receiver that keeps a state it must not open, change or end an alert.
pub(super) fn is_test(notification: &Notification) -> bool {
    notification.data.notification.test || matches!(notification.kind, NotificationType::Test | NotificationType::Drill)
}

fn rich(
    channel: &OpenChannel,
    dialect: &'static Dialect,
    notification: &Notification,
) -> Result<Vec<u8>, RenderFailure> {
    let name = channel.settings.template.as_deref().unwrap_or(dialect.name);
    let failure = match channel.templates.render(name, dialect, notification, &channel.settings.locale) {
        Ok(body) => return Ok(body),
        Err(failure) => failure,
    };
    tracing::warn!(channel = %channel.settings.name, template = name, %failure, "template failed; the built-in one is used");
    channel.templates.render_built_in(dialect, notification, &channel.settings.locale)
}

/// A `POST` of a body.
pub(super) fn post(url: SecretString, content_type: &'static str, body: Bytes) -> Request {
    post_with(url, content_type, body, Vec::new())
}

/// A `POST` of a body, with headers of the receiver's own.
pub(super) fn post_with(
    url: SecretString,
    content_type: &'static str,
    body: Bytes,
    more: Vec<(&'static str, SecretString)>,
) -> Request {
    let mut headers =
        vec![("content-type", SecretString::from(content_type)), ("user-agent", SecretString::from(USER_AGENT))];
    headers.extend(more);
    Request { method: Method::Post, url, headers, body }
}
