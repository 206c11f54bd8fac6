//! The parsers of everything that Microsoft's services answer, as pure functions of bytes: what fuzzers and replays feed.

use std::time::Duration;

use bytes::Bytes;

use super::{
    FailureClass, refusal,
    source::{self, Ask},
    token,
};
use crate::{
    domain::{Reading, ScoreKind, Timestamp},
    egress::Answer,
};

/// What an answer was taken for.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// A token, and for how long.
    Token(Duration),
    /// Readings.
    Readings(Vec<Reading>),
    /// A failure, and what it says to the operator.
    Failure(FailureClass, String),
}

/// Reads Entra's answer to a token request; with status 200 it should be a token.
#[must_use]
pub fn sign_in(status: u16, body: &[u8]) -> Taken {
    let answer = answer(status, body);
    if status != 200 {
        let failure = refusal::of_sign_in(&answer, Timestamp::EPOCH);
        return Taken::Failure(failure.class, failure.what.into_owned());
    }
    match token::read(&answer) {
        Ok(life) => Taken::Token(life),
        Err(failure) => Taken::Failure(failure.class, failure.what.into_owned()),
    }
}

/// Reads an API's answer that is no success.
#[must_use]
pub fn refused_call(status: u16, body: &[u8]) -> Taken {
    let failure = refusal::of_call(&answer(status, body), Timestamp::EPOCH);
    Taken::Failure(failure.class, failure.what.into_owned())
}

/// Reads a page of the source that gives this score. A next page must lie on the host that was called.
#[must_use]
pub fn page(score: ScoreKind, body: &[u8]) -> Taken {
    let mut readings = Vec::new();
    let ask = Ask::since(None, Timestamp::EPOCH);
    let next = source::of(score).read(ask, body, &mut readings);
    match next.and_then(|next| next.map_or(Ok(None), |next| source::follow("https://graph.example", next).map(Some))) {
        Ok(_) => Taken::Readings(readings),
        Err(failure) => Taken::Failure(failure.class, failure.what.into_owned()),
    }
}

fn answer(status: u16, body: &[u8]) -> Answer {
    let body = Bytes::copy_from_slice(body);
    Answer { status, retry_after: None, content_type: None, body, truncated: false, step: None }
}
