//! How the exporter reaches the network: through [`Egress`], like everything else. A failure is logged once.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use secrecy::SecretString;
use tracing::{info, warn};

use crate::egress::{self, Answer, Egress, EgressError, Policy, Private};

/// Whoever starts the service names the collector, so it may be in a private network or on this machine, by `http` too.
pub(super) const REACH: Private = Private::Any;

/// One request, from the look-up to the last byte of the answer: OpenTelemetry's default.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A collector answers a batch with a few numbers.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Pauses before further tries with the same batch. Meanwhile spans wait, as far as there is room.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Statuses after which the same request may succeed (OTLP specification, "Retryable response codes").
const RETRYABLE: [u16; 4] = [429, 502, 503, 504];

/// Headers as [`Egress`] takes them.
type Headers = Vec<(&'static str, SecretString)>;

/// Sends what the exporter wrote.
#[derive(Debug)]
pub(super) struct Client {
    egress: Egress,
    pauses: [Duration; 2],
    /// Those of every request: their names and values come from the environment, so they never change.
    headers: OnceLock<Headers>,
    is_failing: AtomicBool,
}

impl Default for Client {
    fn default() -> Self {
        let (egress, headers, is_failing) = (Egress::new(), OnceLock::new(), AtomicBool::new(false));
        Self { egress, pauses: PAUSES, headers, is_failing }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let url = SecretString::from(head.uri.to_string());
        let headers = self.headers.get_or_init(|| {
            // The other client's name is not ours.
            let ours = head.headers.iter().filter(|(name, _)| name.as_str() != "user-agent");
            ours.filter_map(|(name, value)| {
                let name: &'static str = name.to_string().leak();
                Some((name, SecretString::from(value.to_str().ok()?)))
            })
            .collect()
        });
        let answer = self.send(&url, headers, &body).await?;
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}

impl Client {
    async fn send(&self, url: &SecretString, headers: &Headers, body: &Bytes) -> Result<Answer, EgressError> {
        let policy = Policy {
            private: REACH,
            deadline: ANSWER_WITHIN,
            answer_bytes_max: ANSWER_BYTES_MAX,
            fail_above_max: false,
        };
        let mut pauses = self.pauses.into_iter();
        loop {
            let (method, url, headers, body) = (egress::Method::Post, url.clone(), headers.clone(), body.clone());
            let answer = self.egress.send(egress::Request { method, url, headers, body }, &policy).await;
            self.report(&answer);
            match pauses.next() {
                Some(pause) if may_succeed_later(&answer) => tokio::time::sleep(pause).await,
                _ => return answer,
            }
        }
    }

    /// Logs the first of several failures in a row, and that they are over.
    fn report(&self, answer: &Result<Answer, EgressError>) {
        let failure = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status)),
            Err(error) => Some(error.to_string()),
        };
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(what) if !was_failing => warn!("traces can't be sent: {what}"),
            None if was_failing => info!("traces are sent again"),
            Some(_) | None => {}
        }
    }
}

/// Whether the same request may be taken a little later.
fn may_succeed_later(answer: &Result<Answer, EgressError>) -> bool {
    match answer {
        Ok(answer) => RETRYABLE.contains(&answer.status),
        Err(EgressError::NotAllowed(_) | EgressError::Unusable(_)) => false,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::loopback::{Server, reply};

    /// Sends one batch to a collector that answers with these statuses, the last one again and again.
    async fn send(statuses: &'static [u16]) -> (u16, Vec<String>) {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |_| {
            let turn = asked.fetch_add(1, Ordering::Relaxed).min(statuses.len() - 1);
            reply(statuses[turn], "location: http://127.0.0.1:9/\r\n", "")
        });
        let server = server.await;
        let request = Request::post(server.url("/v1/traces")).header("x-api-key", "k").header("user-agent", "other");
        let client = Client { pauses: [Duration::ZERO; 2], ..Client::default() };
        let response = client.send_bytes(request.body(Bytes::from_static(b"spans")).unwrap()).await.unwrap();
        let seen = server.seen();
        assert!(seen.iter().all(|seen| seen.head.contains("x-api-key: k") && seen.body == "spans"), "{seen:?}");
        assert!(seen.iter().all(|seen| seen.head.contains("user-agent: scorewatch/")), "{seen:?}");
        (response.status().as_u16(), seen.into_iter().map(|seen| seen.head).collect())
    }

    #[tokio::test]
    async fn a_batch_is_sent_again_only_while_that_may_help() {
        let cases: [(&'static [u16], u16, usize); 7] = [
            (&[200], 200, 1),
            (&[503, 200], 200, 2),
            (&[429, 502, 204], 204, 3),
            (&[504], 504, 3),
            (&[400], 400, 1),
            (&[401], 401, 1),
            (&[307], 307, 1),
        ];
        for (statuses, status, times) in cases {
            let (last, requests) = send(statuses).await;
            assert_eq!((last, requests.len()), (status, times), "{statuses:?}");
        }
    }

    #[tokio::test]
    async fn what_no_request_may_reach_is_not_called() {
        let request = Request::post("http://169.254.169.254/v1/traces").body(Bytes::new()).unwrap();
        let error = Client::default().send_bytes(request).await.unwrap_err();
        assert_eq!(error.to_string(), "the address is not allowed (not a public address)");
    }
}
