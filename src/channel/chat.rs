//! What chat applications' incoming webhooks have in common. They differ in where their webhooks live, in what is asked for by the
//! query, and in what their answers mean.

use serde_json::Value;

use super::{ComposeError, Form, OpenChannel, Verdict, message, status};
use crate::{
    domain::Timestamp,
    egress::{Answer, Outgoing},
    notify::Notification,
    secret::SecretString,
    template::Dialect,
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Answers by which a receiver refuses how a message is written.
const TOO_RICH: [u16; 2] = [400, 413];

/// How an application answers.
pub(super) struct Application {
    /// The name that is shown in front of the value.
    pub(super) title: &'static str,
    /// Whether a 2xx says that the message is there, and not only that something answered.
    pub(super) took: fn(&Answer) -> bool,
    /// The known word in a refusal that says that the webhook is gone. Other words are not repeated: they may be a proxy's.
    pub(super) gone: fn(&Answer) -> Option<&'static str>,
}

impl Application {
    /// What an answer means. `is_its_own`: the application itself answered, and no receiver that is compatible with it; of that the
    /// status decides.
    pub(super) fn judge(&self, answer: &Answer, is_its_own: bool, now: Timestamp) -> Verdict {
        if let Some(word) = (self.gone)(answer).filter(|_| answer.status >= 400) {
            return Verdict::Parked { reason: format!("{} answered `{word}`", self.title) };
        }
        match status::plainer(answer, now, &TOO_RICH) {
            // Something between us and the receiver answered.
            Verdict::Delivered if is_its_own && !(self.took)(answer) => {
                Verdict::Retry { reason: format!("the answer is not {}'s", self.title), after: None }
            }
            verdict => verdict,
        }
    }
}

/// Writes a message to that URL, which is vetted.
pub(super) fn compose(
    channel: &OpenChannel,
    url: SecretString,
    dialect: &'static Dialect,
    notification: &Notification,
    form: Form,
) -> Result<Outgoing, ComposeError> {
    let body = message::body(channel, dialect, notification, form)?;
    Ok(message::post(url, CONTENT_TYPE, body).into())
}

/// The type of an answer's content, in lower case.
pub(super) fn content_type(answer: &Answer) -> String {
    answer.content_type.as_deref().unwrap_or_default().trim_start().to_ascii_lowercase()
}

/// Whether the answer is JSON that has a text under that key. Of an answer that was cut off only its type is known.
pub(super) fn has_text(answer: &Answer, key: &str) -> bool {
    if answer.truncated {
        return content_type(answer).starts_with("application/json");
    }
    body(answer).and_then(|body| body.get(key).map(Value::is_string)).unwrap_or_default()
}

/// The answer, if it is JSON.
pub(super) fn body(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
