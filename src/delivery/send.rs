//! One attempt: the only code that sends notifications.

use std::sync::Arc;

use crate::{
    channel::{self, Channel, ChannelSettings, ComposeError, Form, Verdict},
    crash_point::{self, CrashPoint},
    domain::Timestamp,
    egress::{Egress, Outgoing, Policy},
    notify::{Notification, parking::SECRET_UNREADABLE},
    template::Registry,
};

/// The most bytes of a receiver's answer that are read; the rest says nothing more.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A message that is written and may be sent.
pub struct Written {
    channel: Box<dyn Channel>,
    outgoing: Outgoing,
    policy: Policy,
}

/// What came of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What it means for the delivery.
    pub verdict: Verdict,
    /// Whether the message may have arrived although nobody said so: the connection broke, time ran out, or the answer was one that
    /// a gateway gives when it has passed the message on.
    pub may_have_arrived: bool,
}

/// Writes one notification for one channel, or says what it means that this can't be done.
///
/// # Errors
/// The verdict without an attempt.
pub fn write(
    settings: &Arc<ChannelSettings>,
    templates: &Arc<Registry>,
    notification: &Notification,
    form: Form,
    now: Timestamp,
) -> Result<Written, Verdict> {
    let channel = channel::open(settings, templates);
    let outgoing = channel.compose(notification, form, now).map_err(|error| unsendable(&error))?;
    let policy = Policy {
        private: settings.private.clone(),
        deadline: settings.timeout,
        answer_bytes_max: ANSWER_BYTES_MAX,
        fail_above_max: false,
    };
    Ok(Written { channel, outgoing, policy })
}

impl Written {
    /// Which host the message goes to, with its port.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        self.outgoing.host()
    }

    /// Makes one attempt to send the message.
    pub async fn send(self, egress: &Egress, now: Timestamp) -> Sent {
        crash_point::reach(CrashPoint::BeforeSend);
        let host = self.host();
        let name = host.as_deref().map(|host| host.rsplit_once(':').map_or(host, |(name, _port)| name));
        let answer = egress.send(self.outgoing, &self.policy).await;
        crash_point::reach(CrashPoint::Answered);
        Sent { verdict: self.channel.verdict(&answer, name, now), may_have_arrived: channel::may_have_arrived(&answer) }
    }
}

/// What it means that there is nothing to send. A secret that can't be read, and a URL that is refused, concern every message of
/// the channel; the rest concerns this one. [`super::secrets::watch`] lets the channel go on once its secret can be read.
fn unsendable(error: &ComposeError) -> Verdict {
    let reason = error.to_string();
    match error {
        ComposeError::Secret(_) => Verdict::Parked { reason: format!("{SECRET_UNREADABLE}: {reason}") },
        ComposeError::Url(_) => Verdict::Parked { reason },
        ComposeError::Template { .. } | ComposeError::TooLarge { .. } => Verdict::Dead { reason },
    }
}
