//! One attempt: the only code that sends notifications.

use std::sync::Arc;

use crate::{
    channel::{self, ChannelSettings, ComposeError, Verdict},
    crash_point::{self, CrashPoint},
    domain::Timestamp,
    egress::{Egress, Policy},
    notify::Notification,
    template::Registry,
};

/// The most bytes of a receiver's answer that are read; the rest says nothing more.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends one notification to one channel, once, and says what that means for the delivery.
pub async fn attempt(
    egress: &Egress,
    settings: &Arc<ChannelSettings>,
    templates: &Arc<Registry>,
    notification: &Notification,
    now: Timestamp,
) -> Verdict {
    let channel = channel::open(settings, templates);
    let outgoing = match channel.compose(notification, now) {
        Ok(outgoing) => outgoing,
        Err(error) => return unsendable(&error),
    };
    let policy = Policy {
        private: settings.private.clone(),
        deadline: settings.timeout,
        answer_bytes_max: ANSWER_BYTES_MAX,
        fail_above_max: false,
    };
    crash_point::reach(CrashPoint::BeforeSend);
    let answer = egress.send(outgoing, &policy).await;
    crash_point::reach(CrashPoint::Answered);
    channel.verdict(&answer, now)
}

/// What it means that there is nothing to send. A secret that can't be read may be readable soon; a URL that is refused
/// concerns every message of the channel; the rest concerns this one.
fn unsendable(error: &ComposeError) -> Verdict {
    let reason = error.to_string();
    match error {
        ComposeError::Secret(_) => Verdict::Retry { reason, after: None },
        ComposeError::Url(_) => Verdict::Parked { reason },
        ComposeError::Template { .. } | ComposeError::TooLarge { .. } => Verdict::Dead { reason },
    }
}
