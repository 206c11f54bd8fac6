//! Slack, by an incoming webhook ("Sending messages using incoming webhooks").
//!
//! The body of the answer decides: success is `ok` in plain text, whatever else comes with 200.

use std::sync::Arc;

use super::{Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, guard, message, status};
use crate::{
    domain::Timestamp,
    egress::{Answer, EgressError, Outgoing},
    notify::Notification,
    secret::ExposeSecret,
    template::{Receiver, Registry},
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Answers after which nothing will be taken until somebody mends the webhook.
const GONE: [&str; 11] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];
/// Answers that are about how this message is written; as `text` alone it may be taken.
const TOO_RICH: [&str; 5] =
    ["invalid_attachments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "too_many_attachments"];
/// Answers that are about this message only.
const REFUSED: [&str; 2] = ["invalid_payload", "no_text"];
/// Answers after which a later attempt may succeed.
const LATER: [&str; 3] = ["rate_limited", "ratelimited", "rollup_error"];

/// A Slack channel.
pub(super) struct Slack {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Slack {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }
}

impl Channel for Slack {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        _attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Slack { url } = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not of type `slack`".to_owned()));
        };
        let url = url.resolve()?;
        guard::slack(url.expose_secret(), &self.settings.private)?;
        let body = message::body(&self.settings, &self.templates, Receiver::Slack, notification, form)?;
        Ok(message::post(url, CONTENT_TYPE, body).into())
    }

    fn verdict(&self, answer: &Result<Answer, EgressError>, now: Timestamp) -> Verdict {
        match answer {
            Ok(answer) => judge(answer, now),
            Err(error) => status::no_answer(error),
        }
    }
}

fn judge(answer: &Answer, now: Timestamp) -> Verdict {
    let body = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    // Only words that are known are repeated: anything else may be a proxy's page.
    let reason = format!("Slack answered `{body}`");
    if GONE.contains(&body) {
        Verdict::Parked { reason }
    } else if TOO_RICH.contains(&body) {
        Verdict::Plainer { reason }
    } else if REFUSED.contains(&body) {
        Verdict::Dead { reason }
    } else if LATER.contains(&body) {
        Verdict::Retry { reason, after: status::wait(answer, now) }
    } else {
        match answer.status {
            200 if body == "ok" => Verdict::Delivered,
            // Something between us and Slack answered.
            200..=299 => Verdict::Retry { reason: "the answer is not Slack's `ok`".to_owned(), after: None },
            _ => status::verdict(answer, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, body: &'static str) -> &'static str {
        let answer =
            Answer { status, retry_after: None, content_type: None, body: body.into(), truncated: false, step: None };
        judge(&answer, Timestamp::EPOCH).class()
    }

    #[test]
    fn the_body_decides_before_the_status() {
        for (status, body, expected) in [
            (200, "ok", "delivered"),
            (200, "ok\n", "delivered"),
            (200, "<html>sign in</html>", "retry"),
            (200, "", "retry"),
            (200, "no_service", "parked"),
            (400, "channel_is_archived", "parked"),
            (500, "invalid_token", "parked"),
            (404, "invalid_payload", "dead"),
            (403, "invalid_blocks", "plainer"),
            (400, "msg_blocks_too_long", "plainer"),
            (400, "no_text", "dead"),
            (400, "rate_limited", "retry"),
            (500, "rollup_error", "retry"),
            (429, "", "retry"),
            (404, "<html>", "parked"),
            (400, "new_word", "dead"),
            (502, "ok", "retry"),
            (302, "ok", "dead"),
        ] {
            assert_eq!(class(status, body), expected, "{status} {body:?}");
        }
        for gone in GONE {
            assert_eq!(class(200, gone), "parked", "{gone}");
        }
    }
}
