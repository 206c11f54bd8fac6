//! Discord, Google Chat and Mattermost, each by an incoming webhook. They differ in where their webhooks live, in what is
//! asked for by the query, and in what their answers mean; the rest is one.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use url::Url;

use super::{Channel, ChannelKind, ChannelSettings, ComposeError, Form, Verdict, guard, message, status};
use crate::{
    domain::Timestamp,
    egress::{Answer, EgressError, Outgoing, Private},
    notify::Notification,
    secret::{ExposeSecret, SecretString},
    template::{Receiver, Registry},
};

const CONTENT_TYPE: &str = "application/json; charset=utf-8";
/// Answers by which a receiver refuses how a message is written.
const TOO_RICH: [u16; 2] = [400, 413];
/// What Mattermost answers when nothing will be taken until somebody mends the webhook, whatever the status.
const MATTERMOST_GONE: [&str; 3] = [
    "web.incoming_webhook.channel_locked.app_error",
    "web.incoming_webhook.disabled.app_error",
    "web.incoming_webhook.invalid.app_error",
];
/// The same of Google Chat, which says it with 400.
const GOOGLE_GONE: &str = "API_KEY_INVALID";

/// Which chat application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatApp {
    /// A webhook of a Discord channel ("Webhook Resource, Execute Webhook").
    Discord,
    /// A webhook of a Google Chat space ("Send messages to Google Chat with incoming webhooks").
    GoogleChat,
    /// An incoming webhook of a Mattermost server, wherever that runs ("Incoming webhooks").
    Mattermost,
}

impl ChatApp {
    /// The name as written under `type:`, which is also the built-in template's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.receiver().as_str()
    }

    /// For which kind of receiver its templates write.
    #[must_use]
    pub const fn receiver(self) -> Receiver {
        match self {
            Self::Discord => Receiver::Discord,
            Self::GoogleChat => Receiver::GoogleChat,
            Self::Mattermost => Receiver::Mattermost,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Discord => "Discord",
            Self::GoogleChat => "Google Chat",
            Self::Mattermost => "Mattermost",
        }
    }

    fn guard(self, url: &str, private: &Private) -> Result<(), ComposeError> {
        match self {
            Self::Discord => guard::discord(url, private),
            Self::GoogleChat => guard::google_chat(url, private),
            Self::Mattermost => guard::webhook(url, private),
        }
    }

    /// Whether the application itself answers at that host. Mattermost runs anywhere.
    fn answers_at(self, host: Option<&str>) -> bool {
        match self {
            Self::Discord => host.is_some_and(guard::is_discord),
            Self::GoogleChat => host.is_some_and(guard::is_google_chat),
            Self::Mattermost => true,
        }
    }

    /// Whether a 2xx says that the message is there, and not only that something answered. A Mattermost is told from a page of
    /// whatever stands before it: its forks have words of their own for `ok`.
    fn took(self, answer: &Answer) -> bool {
        let kind = answer.content_type.as_deref().unwrap_or_default().trim_start().to_ascii_lowercase();
        let is_json = kind.starts_with("application/json");
        let body = || serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        match self {
            Self::Discord | Self::GoogleChat if answer.truncated => is_json,
            Self::Discord => answer.status == 204 || body().get("id").is_some_and(Value::is_string),
            Self::GoogleChat => body().get("name").is_some_and(Value::is_string),
            Self::Mattermost => !kind.starts_with("text/html") && !answer.body.trim_ascii_start().starts_with(b"<"),
        }
    }

    /// The known word in a refusal that says that the webhook is gone. Other words are not repeated: they may be a proxy's.
    fn gone(self, answer: &Answer) -> Option<&'static str> {
        let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
        match self {
            Self::Discord => None,
            Self::GoogleChat => {
                let mut details = body.pointer("/error/details")?.as_array()?.iter();
                details
                    .any(|detail| detail.get("reason").is_some_and(|reason| reason == GOOGLE_GONE))
                    .then_some(GOOGLE_GONE)
            }
            Self::Mattermost => {
                let word = body.get("id")?.as_str()?;
                MATTERMOST_GONE.into_iter().find(|gone| *gone == word)
            }
        }
    }
}

/// A channel of one of these applications.
pub(super) struct Chat {
    settings: Arc<ChannelSettings>,
    templates: Arc<Registry>,
}

impl Chat {
    pub(super) fn new(settings: Arc<ChannelSettings>, templates: Arc<Registry>) -> Self {
        Self { settings, templates }
    }
}

impl Channel for Chat {
    fn compose(
        &self,
        notification: &Notification,
        form: Form,
        _attempt_at: Timestamp,
    ) -> Result<Outgoing, ComposeError> {
        let ChannelKind::Chat { app, url } = &self.settings.kind else {
            return Err(ComposeError::Url("the channel is not one of a chat application".to_owned()));
        };
        let url = url.resolve()?;
        app.guard(url.expose_secret(), &self.settings.private)?;
        let url = if *app == ChatApp::Discord { waiting(&url)? } else { url };
        let body = message::body(&self.settings, &self.templates, app.receiver(), notification, form)?;
        Ok(message::post(url, CONTENT_TYPE, body).into())
    }

    fn verdict(&self, answer: &Result<Answer, EgressError>, host: Option<&str>, now: Timestamp) -> Verdict {
        match (answer, &self.settings.kind) {
            (Ok(answer), ChannelKind::Chat { app, .. }) => judge(*app, answer, app.answers_at(host), now),
            (Ok(answer), _) => status::verdict(answer, now),
            (Err(error), _) => status::no_answer(error),
        }
    }
}

/// The URL with `wait=true` in its query: without it, Discord answers before the message is saved and tells no error.
fn waiting(url: &SecretString) -> Result<SecretString, ComposeError> {
    let mut parsed = Url::parse(url.expose_secret()).map_err(|_| ComposeError::Url("it is no URL".to_owned()))?;
    let said: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
    if said.iter().any(|(key, value)| key == "wait" && value == "true") {
        return Ok(url.clone());
    }
    let kept = said.iter().filter(|(key, _)| key != "wait");
    parsed.query_pairs_mut().clear().extend_pairs(kept).append_pair("wait", "true");
    Ok(SecretString::from(String::from(parsed)))
}

/// `is_its_own`: the application itself answered, and no receiver that is compatible with it; of that the status decides.
fn judge(app: ChatApp, answer: &Answer, is_its_own: bool, now: Timestamp) -> Verdict {
    if let Some(word) = app.gone(answer).filter(|_| answer.status >= 400) {
        return Verdict::Parked { reason: format!("{} answered `{word}`", app.title()) };
    }
    match status::plainer(answer, now, &TOO_RICH) {
        // Something between us and the receiver answered.
        Verdict::Delivered if is_its_own && !app.took(answer) => {
            Verdict::Retry { reason: format!("the answer is not {}'s", app.title()), after: None }
        }
        Verdict::Retry { reason, after } if app == ChatApp::Discord => {
            Verdict::Retry { reason, after: after.max(told_in_body(answer)) }
        }
        verdict => verdict,
    }
}

/// How long Discord asks us to wait in the body of its answer, in seconds with a fraction ("Rate Limits").
fn told_in_body(answer: &Answer) -> Option<Duration> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
    let seconds = body.get("retry_after")?.as_f64().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds).map_or(status::RETRY_AFTER_MAX, |wait| wait.min(status::RETRY_AFTER_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        let content_type = Some("application/json".to_owned());
        Answer { status, step: None, retry_after: None, content_type, body: body.into(), truncated: false }
    }

    fn class(app: ChatApp, status: u16, body: &'static str) -> &'static str {
        judge(app, &answer(status, body), true, Timestamp::EPOCH).class()
    }

    #[test]
    fn each_application_s_answers_are_understood() {
        use ChatApp::{Discord, GoogleChat, Mattermost};
        for (app, status, body, expected) in [
            (Discord, 200, r#"{"id":"1","content":"x"}"#, "delivered"),
            (Discord, 204, "", "delivered"),
            (Discord, 200, "<html>sign in</html>", "retry"),
            (Discord, 400, r#"{"code":50035,"message":"Invalid Form Body"}"#, "plainer"),
            (Discord, 413, "", "plainer"),
            (Discord, 401, "", "parked"),
            (Discord, 403, "", "parked"),
            (Discord, 404, r#"{"code":10015,"message":"Unknown Webhook"}"#, "parked"),
            (Discord, 429, r#"{"retry_after":0.5}"#, "retry"),
            (Discord, 502, "", "retry"),
            (Discord, 302, "", "parked"),
            (GoogleChat, 200, r#"{"name":"spaces/A/messages/B"}"#, "delivered"),
            (GoogleChat, 200, "", "retry"),
            (GoogleChat, 400, r#"{"error":{"status":"INVALID_ARGUMENT"}}"#, "plainer"),
            (GoogleChat, 400, r#"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#, "parked"),
            (GoogleChat, 403, "", "parked"),
            (GoogleChat, 404, "", "parked"),
            (GoogleChat, 429, "", "retry"),
            (GoogleChat, 503, "", "retry"),
            (Mattermost, 200, "ok", "delivered"),
            (Mattermost, 200, "ok\n", "delivered"),
            (Mattermost, 200, r#"{"status":"OK"}"#, "delivered"),
            (Mattermost, 200, "", "delivered"),
            (Mattermost, 200, "<html>", "retry"),
            (Mattermost, 400, r#"{"id":"web.incoming_webhook.parse.app_error"}"#, "plainer"),
            (Mattermost, 400, r#"{"id":"web.incoming_webhook.invalid.app_error"}"#, "parked"),
            (Mattermost, 501, r#"{"id":"web.incoming_webhook.disabled.app_error"}"#, "parked"),
            (Mattermost, 501, "", "retry"),
            (Mattermost, 404, "", "parked"),
            (Mattermost, 422, "", "rejected"),
        ] {
            assert_eq!(class(app, status, body), expected, "{app:?} {status} {body:?}");
        }
        let cut = Answer { truncated: true, ..answer(200, r#"{"id":"1","content":"x"#) };
        assert_eq!(judge(Discord, &cut, true, Timestamp::EPOCH), Verdict::Delivered);
        for app in [Discord, GoogleChat] {
            let compatible = judge(app, &answer(200, "fine"), false, Timestamp::EPOCH);
            assert_eq!(compatible, Verdict::Delivered, "another host's status decides");
        }
    }

    #[test]
    fn discord_s_wait_is_the_longer_of_header_and_body_and_never_absurd() {
        for (header, body, milliseconds) in [
            (None, r#"{"retry_after":64.57}"#, Some(64_570)),
            (Some("65"), r#"{"retry_after":64.57}"#, Some(65_000)),
            (Some("3"), r#"{"retry_after":64.57}"#, Some(64_570)),
            (Some("3"), "<html>", Some(3_000)),
            (None, r#"{"retry_after":1e300}"#, Some(3_600_000)),
            (None, r#"{"retry_after":-1}"#, None),
            (None, r#"{"retry_after":"soon"}"#, None),
        ] {
            let answer = Answer { retry_after: header.map(str::to_owned), ..answer(429, body) };
            let Verdict::Retry { after, .. } = judge(ChatApp::Discord, &answer, true, Timestamp::EPOCH) else {
                panic!("retried")
            };
            assert_eq!(after, milliseconds.map(Duration::from_millis), "{header:?} {body}");
        }
    }

    #[test]
    fn discord_is_asked_to_wait_and_the_rest_of_the_query_is_kept() {
        for (written, sent) in [
            ("https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/1/x?wait=true"),
            ("https://discord.com/a?wait=true&thread_id=5", "https://discord.com/a?wait=true&thread_id=5"),
            ("https://discord.com/a?wait=false&thread_id=5", "https://discord.com/a?thread_id=5&wait=true"),
        ] {
            assert_eq!(waiting(&SecretString::from(written)).unwrap().expose_secret(), sent);
        }
    }
}
