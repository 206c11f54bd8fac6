//! The parsers of everything that Microsoft's services answer, as pure functions of bytes: what fuzzers and replays feed.

use std::time::Duration;

use bytes::Bytes;

use super::{
    FailureClass, refusal,
    source::{self, Ask, Found},
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
    /// Readings, as a score's source gives them.
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

/// Reads an API's unsuccessful answer.
#[must_use]
pub fn refused_call(status: u16, body: &[u8]) -> Taken {
    let failure = refusal::of_call(&answer(status, body), Timestamp::EPOCH);
    Taken::Failure(failure.class, failure.what.into_owned())
}

/// Reads a page of the source that gives this score. A next page must lie on the host that was called.
#[must_use]
pub fn page(score: ScoreKind, body: &[u8]) -> Taken {
    let mut found = Found::default();
    let ask = Ask::since(None, Timestamp::EPOCH);
    let source = source::of(score);
    let next = source.read(ask, body, &mut found);
    source.finish(&mut found);
    match next.and_then(|next| next.map_or(Ok(None), |next| source::follow("https://graph.example", next).map(Some))) {
        Ok(_) if found.readings.is_empty() && !found.unsound.is_empty() => {
            Taken::Failure(FailureClass::Garbage, found.unsound.swap_remove(0).what.into_owned())
        }
        Ok(_) => Taken::Readings(found.readings),
        Err(failure) => Taken::Failure(failure.class, failure.what.into_owned()),
    }
}

fn answer(status: u16, body: &[u8]) -> Answer {
    let body = Bytes::copy_from_slice(body);
    Answer { status, retry_after: None, content_type: None, body, truncated: false, step: None }
}
