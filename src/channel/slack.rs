//! Slack, by an incoming webhook ("Sending messages using incoming webhooks").
//!
//! At Slack itself, the body of the answer decides: success is `ok` in plain text, whatever else comes with 200. Receivers that only
//! speak Slack's language answer with a body of their own, so there the status decides.

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
/// The same, by status, of a receiver that is only compatible.
const TOO_RICH_STATUSES: [u16; 2] = [400, 413];
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

    fn verdict(&self, answer: &Result<Answer, EgressError>, host: Option<&str>, now: Timestamp) -> Verdict {
        match answer {
            Ok(answer) => judge(answer, host.is_some_and(guard::is_slack), now),
            Err(error) => status::no_answer(error),
        }
    }
}

/// `is_slack`: Slack itself answered, and no receiver that is compatible with it.
fn judge(answer: &Answer, is_slack: bool, now: Timestamp) -> Verdict {
    if !is_slack && (200..=299).contains(&answer.status) {
        return Verdict::Delivered;
    }
    let body = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    // Only words that are known are repeated: anything else may be a proxy's page.
    let reason = format!("Slack answered `{body}`");
    if GONE.contains(&body) {
        Verdict::Parked { reason }
    } else if TOO_RICH.contains(&body) {
        Verdict::Plainer { reason }
    } else if REFUSED.contains(&body) {
        Verdict::Rejected { reason }
    } else if LATER.contains(&body) {
        Verdict::Retry { reason, after: status::wait(answer, now) }
    } else {
        match answer.status {
            200 if body == "ok" => Verdict::Delivered,
            // Something between us and Slack answered.
            200..=299 => Verdict::Retry { reason: "the answer is not Slack's `ok`".to_owned(), after: None },
            _ if is_slack => status::verdict(answer, now),
            _ => status::plainer(answer, now, &TOO_RICH_STATUSES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &'static str, is_slack: bool) -> &'static str {
        let answer =
            Answer { status, retry_after: None, content_type: None, body: body.into(), truncated: false, step: None };
        judge(&answer, is_slack, Timestamp::EPOCH).class()
    }

    fn class(status: u16, body: &'static str) -> &'static str {
        judged(status, body, true)
    }

    #[test]
    fn a_compatible_receiver_is_judged_by_its_status_and_by_slack_s_words_for_a_refusal() {
        for (status, body, expected) in [
            (200, r#"{"success":true}"#, "delivered"),
            (200, "", "delivered"),
            (200, "<html>", "delivered"),
            (200, "no_service", "delivered"),
            (201, "", "delivered"),
            (204, "", "delivered"),
            (400, r#"{"success":false}"#, "plainer"),
            (400, "user_not_found", "parked"),
            (404, "", "parked"),
            (413, "", "plainer"),
            (422, "", "rejected"),
            (500, "", "retry"),
        ] {
            assert_eq!(judged(status, body, false), expected, "{status} {body:?}");
        }
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
            (404, "invalid_payload", "rejected"),
            (403, "invalid_blocks", "plainer"),
            (400, "msg_blocks_too_long", "plainer"),
            (400, "no_text", "rejected"),
            (400, "rate_limited", "retry"),
            (500, "rollup_error", "retry"),
            (429, "", "retry"),
            (404, "<html>", "parked"),
            (400, "new_word", "rejected"),
            (502, "ok", "retry"),
            (302, "ok", "parked"),
        ] {
            assert_eq!(class(status, body), expected, "{status} {body:?}");
        }
        for gone in GONE {
            assert_eq!(class(200, gone), "parked", "{gone}");
        }
    }
}
