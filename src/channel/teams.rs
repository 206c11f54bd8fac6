//! Teams, by a Workflows webhook ("Create incoming webhooks with Workflows").
//!
//! The flow answers 202 before it looks at the card, so an answer proves only that the flow was reached. The card is checked
//! before it is sent; see [`crate::template`].

use std::sync::Arc;

use serde_json::Value;

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

/// Codes in an answer of Power Automate or Logic Apps after which the flow accepts nothing until somebody fixes it: it is switched
/// off, suspended or deleted, or its URL is damaged or was replaced. The card itself is never looked at before the answer.
const GONE: [&str; 17] = [
    "AuthorizationFailed",
    "DirectApiAuthorizationRequired",
    "DirectApiInvalidAuthorizationScheme",
    "EnvironmentNotFound",
    "FlowNotFound",
    "InvalidApiVersionParameter",
    "InvalidAuthenticationToken",
    "MissingApiVersionParameter",
    "SecurityTokenInvalid",
    "TriggerNotEnabled",
    "WorkflowDisabled",
    "WorkflowNotEnabled",
    "WorkflowNotFound",
    "WorkflowSuspended",
    "WorkflowTriggerIsNotEnabled",
    "WorkflowTriggerNotFound",
    "WorkflowVersionNotFound",
];

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

    fn verdict(&self, answer: &Result<Answer, EgressError>, _host: Option<&str>, now: Timestamp) -> Verdict {
        match answer {
            Ok(answer) => judge(answer, now),
            Err(error) => status::no_answer(error),
        }
    }
}

fn judge(answer: &Answer, now: Timestamp) -> Verdict {
    match (status::plainer(answer, now, &[400, 413]), gone(answer)) {
        (Verdict::Plainer { reason } | Verdict::Rejected { reason } | Verdict::Parked { reason }, Some(code)) => {
            Verdict::Parked { reason: format!("{reason} `{code}`") }
        }
        (verdict, _) => verdict,
    }
}

/// The known code in a refusal that says that the flow accepts nothing. Other codes are not repeated: they may be a proxy's.
fn gone(answer: &Answer) -> Option<&'static str> {
    let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
    let code = body.pointer("/error/code").or_else(|| body.get("code"))?.as_str()?;
    GONE.into_iter().find(|known| known.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let body = body.to_owned().into();
        let answer = Answer { status, retry_after: None, content_type: None, body, truncated: false, step: None };
        judge(&answer, Timestamp::EPOCH)
    }

    #[test]
    fn a_flow_that_is_switched_off_or_deleted_parks_its_channel_and_says_so() {
        for code in GONE {
            let body = format!(r#"{{"error":{{"code":"{code}","message":"trigger 'manual' https://secret"}}}}"#);
            for status in [400, 409] {
                let expected = Verdict::Parked { reason: format!("the receiver answered {status} `{code}`") };
                assert_eq!(verdict(status, &body), expected);
            }
        }
    }

    #[test]
    fn the_status_decides_where_the_code_says_nothing_of_the_flow() {
        for (status, body, expected) in [
            (202, "", "delivered"),
            (200, "anything", "delivered"),
            (202, r#"{"error":{"code":"WorkflowTriggerIsNotEnabled"}}"#, "delivered"),
            (400, "", "plainer"),
            (400, r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#, "plainer"),
            (400, r#"{"error":{"code":7}}"#, "plainer"),
            (400, r#"{"error":"WorkflowTriggerIsNotEnabled"}"#, "plainer"),
            (413, "", "plainer"),
            (422, "", "rejected"),
            (401, r#"{"error":{"code":"DirectApiAuthorizationRequired"}}"#, "parked"),
            (404, r#"{"error":{"code":"WorkflowNotFound"}}"#, "parked"),
            (302, "", "parked"),
            (429, "", "retry"),
            (502, r#"{"error":{"code":"NoResponse"}}"#, "retry"),
            (503, r#"{"error":{"code":"WorkflowTriggerIsNotEnabled"}}"#, "retry"),
        ] {
            assert_eq!(verdict(status, body).class(), expected, "{status} {body:?}");
        }
    }
}
