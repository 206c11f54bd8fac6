//! One request to the provider or to Graph, through the one door: no redirects, a deadline, a cap on the answer.

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use super::error::{SignInError, SignInFailure};
use crate::egress::{Answer, Egress, EgressError, Method, Policy, Private, Request};

/// One request, body included. A person waits for it.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// What is asked of whom.
pub(super) struct Ask<'a> {
    /// Whose answer it is, as errors name it: "the provider's key set".
    pub(super) what: &'a str,
    pub(super) url: &'a str,
    /// Headers in addition to `accept`; their values may be secrets.
    pub(super) headers: Vec<(&'static str, SecretString)>,
    /// What is posted; `None`: it is a `GET`.
    pub(super) body: Option<Bytes>,
    pub(super) answer_bytes_max: usize,
}

/// The door, and what may be called through it.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) egress: Egress,
    pub(super) private: Private,
    /// For one request, body included.
    pub(super) deadline: Duration,
}

impl Wire {
    pub(super) async fn send(&self, ask: Ask<'_>) -> Result<Answer, SignInError> {
        let policy = Policy {
            private: self.private.clone(),
            deadline: self.deadline,
            answer_bytes_max: ask.answer_bytes_max,
            fail_above_max: true,
        };
        let mut headers = ask.headers;
        headers.push(("accept", "application/json".into()));
        let method = if ask.body.is_some() { Method::Post } else { Method::Get };
        let request = Request { method, url: ask.url.into(), headers, body: ask.body.unwrap_or_default() };
        self.egress.send(request, &policy).await.map_err(|error| no_answer(ask.what, &error))
    }
}

fn no_answer(what: &str, error: &EgressError) -> SignInError {
    let hint = match error {
        EgressError::NotAllowed(_) => {
            "a provider inside your network, or on another port than 443, needs `access.oidc.allow_private: [CIDR]`"
        }
        EgressError::TooLarge(_) => "check that `access.oidc.issuer` is the address of an OpenID Connect provider",
        _ => "check that the provider is up and that this machine can reach it, then sign in again",
    };
    let failure = match error {
        EgressError::TooLarge(_) => SignInFailure::Garbage,
        _ => SignInFailure::Unreachable,
    };
    SignInError::new(failure, format!("{what} can't be read: {error}"), hint)
}
