//! What an HTTP status means for a delivery, where the receiver has no language of its own.

use std::time::Duration;

use super::Verdict;
use crate::{
    domain::Timestamp,
    egress::{Answer, EgressError, retry_after},
};

/// No receiver is given more time than this by its `Retry-After`; a broken one must not stall a queue for years.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Judges by the status alone: any 2xx is accepted.
pub(super) fn verdict(answer: &Answer, now: Timestamp) -> Verdict {
    let status = answer.status;
    let reason = format!("the receiver answered {status}");
    match status {
        200..=299 => Verdict::Delivered,
        408 | 425 | 429 | 500..=599 => Verdict::Retry { reason, after: wait(answer, now) },
        401 | 403 | 404 | 410 => Verdict::Parked { reason },
        300..=399 => Verdict::Parked { reason: format!("{reason}: a redirect, which is not followed") },
        _ => Verdict::Rejected { reason },
    }
}

/// The same, but the receiver may take the message as plain text if it refuses it with one of these statuses.
pub(super) fn plainer(answer: &Answer, now: Timestamp, statuses: &[u16]) -> Verdict {
    match verdict(answer, now) {
        Verdict::Rejected { reason } if statuses.contains(&answer.status) => Verdict::Plainer { reason },
        verdict => verdict,
    }
}

/// Judges that there is no answer.
pub(super) fn no_answer(error: &EgressError) -> Verdict {
    match error {
        EgressError::NotAllowed(_) => {
            Verdict::Parked { reason: "the receiver's address is none that may be called".to_owned() }
        }
        // The URL or a header of the channel: the same for every message.
        EgressError::Unusable(_) => Verdict::Parked { reason: "the request can't be made".to_owned() },
        EgressError::Resolve
        | EgressError::Connect(_)
        | EgressError::Timeout(_)
        | EgressError::TooLarge(_)
        | EgressError::NotOffered(_)
        | EgressError::Broken(_) => Verdict::Retry { reason: error.to_string(), after: None },
    }
}

/// Whether a message may be there although its answer is not the expected one: something accepted it, or failed after it had it.
/// A receiver that is overloaded (503) or lacks the method (501) did nothing with it. A mail server's reply is always clear.
pub(super) fn may_have_arrived(answer: &Answer) -> bool {
    answer.step.is_none() && matches!(answer.status, 200..=299 | 500 | 502 | 504..=599)
}

/// How long the receiver asks us to wait.
pub(super) fn wait(answer: &Answer, now: Timestamp) -> Option<Duration> {
    retry_after::parse(answer.retry_after.as_deref()?, now, RETRY_AFTER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        for status in 100..=599_u16 {
            let answer = Answer {
                status,
                retry_after: None,
                content_type: None,
                body: bytes::Bytes::new(),
                truncated: false,
                step: None,
            };
            let class = verdict(&answer, Timestamp::EPOCH).class();
            let expected = match status {
                200..=299 => "delivered",
                300..=399 | 401 | 403 | 404 | 410 => "parked",
                408 | 425 | 429 => "retry",
                100..=499 => "rejected",
                _ => "retry",
            };
            assert_eq!(class, expected, "{status}");
            let is_doubtful = matches!(status, 200..=299 | 500..=599) && !matches!(status, 501 | 503);
            assert_eq!(may_have_arrived(&answer), is_doubtful, "{status}");
        }
    }

    #[test]
    fn a_refused_address_parks_the_channel_and_reveals_nothing_internal() {
        let Verdict::Parked { reason } = no_answer(&EgressError::NotAllowed("10.0.0.7 is private".to_owned())) else {
            panic!("parked")
        };
        assert!(!reason.contains("10."), "{reason}");
        assert!(matches!(no_answer(&EgressError::Resolve), Verdict::Retry { .. }));
        assert!(matches!(no_answer(&EgressError::Unusable(String::new())), Verdict::Parked { .. }));
    }
}
