//! One request to Microsoft, and one quick second try where that fixes it.

use std::time::Duration;

use crate::{
    clock::Clock,
    egress::{Answer, Egress, EgressError, Policy, Private, Request, retry_after},
};

/// Bounds of the wait before the second try, in milliseconds. A later check tries again anyway; this rides out a hiccup.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 200..=1000;

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) egress: Egress,
    pub(super) clock: Clock,
    /// One request, body included.
    pub(super) timeout: Duration,
}

impl Wire {
    /// Sends the request; once more after 500, 502, 503, 504 or a connection that failed. Never after 429, whose `Retry-After`
    /// is the caller's to keep, nor after a timeout, which took long enough.
    pub(super) async fn send(
        &self,
        is_loopback: bool,
        answer_bytes_max: usize,
        request: impl Fn() -> Request,
    ) -> Result<Answer, EgressError> {
        let private = if is_loopback { Private::Loopback } else { Private::Refused };
        self.send_within(&private, answer_bytes_max, request).await
    }

    /// The same, also to what `private` allows in addition to public addresses.
    pub(super) async fn send_within(
        &self,
        private: &Private,
        answer_bytes_max: usize,
        request: impl Fn() -> Request,
    ) -> Result<Answer, EgressError> {
        let policy =
            Policy { private: private.clone(), deadline: self.timeout, answer_bytes_max, fail_above_max: true };
        let first = self.egress.send(request(), &policy).await;
        if !self.deserves_a_second_try(&first) {
            return first;
        }
        self.pause().await;
        self.egress.send(request(), &policy).await
    }

    /// Waits before a second try.
    pub(super) async fn pause(&self) {
        self.clock.sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
    }

    fn deserves_a_second_try(&self, first: &Result<Answer, EgressError>) -> bool {
        match first {
            Ok(answer) => {
                let wait = answer.retry_after.as_deref();
                let wait = wait.and_then(|wait| retry_after::parse(wait, self.clock.now(), Duration::MAX));
                matches!(answer.status, 500 | 502 | 503 | 504)
                    && wait.is_none_or(|wait| wait <= Duration::from_millis(*PAUSE_MS.start()))
            }
            Err(EgressError::Resolve | EgressError::Connect(_) | EgressError::Broken(_)) => true,
            Err(_) => false,
        }
    }
}
