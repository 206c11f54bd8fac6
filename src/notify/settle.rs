//! What comes of an attempt, for its delivery and its channel: pure, whatever store keeps them.

use super::DeliveryState;
use crate::domain::Timestamp;

/// What came of an attempt. Texts hold neither URL nor secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver took it.
    Delivered,
    /// The delivery is tried again later.
    Retry {
        /// What went wrong, without any secret.
        error: String,
        /// The time of the next attempt.
        next_attempt_at: Timestamp,
        /// Whether this attempt may have arrived although nobody said so: the next one is marked.
        may_have_arrived: bool,
    },
    /// The receiver rejects the rich form: say it once more, at once, as plain text.
    Plainer {
        /// What went wrong, without any secret.
        error: String,
    },
    /// The receiver rejects what it is sent. The first message in a row is a dead letter; the second one parks the channel, with both.
    Rejected {
        /// What went wrong, without any secret.
        error: String,
    },
    /// The delivery is given up as a dead letter.
    Dead {
        /// What went wrong, without any secret.
        error: String,
    },
    /// The channel rejects everything: it is parked, and the delivery with it.
    Parked {
        /// What went wrong, without any secret.
        error: String,
    },
    /// The channel was parked and still does not work; the delivery is kept.
    StillParked {
        /// What went wrong, without any secret.
        error: String,
        /// Whether this attempt may have arrived although nobody said so: the next one is marked.
        may_have_arrived: bool,
    },
    /// The attempt was not made after all (shutdown, gone channel): as if it had never been claimed.
    NotMade,
}

/// By what a receiver's rejection of a message is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rejection {
    /// When this message was rejected before.
    pub rejected_at: Option<Timestamp>,
    /// When its receiver last accepted a message.
    pub delivered_at: Option<Timestamp>,
    /// Whether another message was rejected, and none accepted since.
    pub follows_another: bool,
    /// Whether the channel is parked.
    pub is_parked: bool,
}

impl Rejection {
    /// What it comes to, and whether it is the first in a row. It is put down to the message only once: the second different message
    /// in a row that is rejected says that the receiver is at fault. A message that was rejected before, and is rejected again
    /// although the receiver has accepted another one meanwhile, is at fault itself.
    #[must_use]
    pub fn judge(self, error: String) -> (AttemptOutcome, bool) {
        let accepted_another = self.rejected_at.zip(self.delivered_at).is_some_and(|(before, other)| other > before);
        if self.is_parked {
            (AttemptOutcome::StillParked { error, may_have_arrived: false }, false)
        } else if accepted_another {
            (AttemptOutcome::Dead { error }, false)
        } else if self.follows_another {
            (AttemptOutcome::Parked { error: format!("{error}, to one message after the other") }, false)
        } else {
            (AttemptOutcome::Dead { error }, true)
        }
    }
}

/// What an attempt does to its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelChange {
    /// Nothing but what its standing says.
    None,
    /// It is parked, and what was rejected just before waits for it again.
    Parks,
    /// It works: it is no longer parked. Only a drill or a probe leaves a parked channel.
    Works,
}

/// How a delivery and its channel stand after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement<'a> {
    /// How the delivery stands.
    pub state: DeliveryState,
    /// What the attempt is called in listings.
    pub name: &'static str,
    /// What went wrong with the attempt, if it failed.
    pub error: Option<&'a str>,
    /// The earliest time of the next attempt; `None`: as it was.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether it is said as plain text from now on.
    pub is_plainer: bool,
    /// Whether it may have arrived although nobody said so.
    pub may_have_arrived: bool,
    /// What it does to the channel.
    pub channel: ChannelChange,
}

impl<'a> Settlement<'a> {
    /// `None`: the attempt was not made, and all is as before it.
    #[must_use]
    pub fn of(outcome: &'a AttemptOutcome, now: Timestamp) -> Option<Self> {
        use AttemptOutcome as Outcome;
        let (name, state) = match outcome {
            Outcome::Delivered => ("delivered", DeliveryState::Delivered),
            Outcome::Retry { .. } => ("retry", DeliveryState::Queued),
            Outcome::Plainer { .. } => ("plainer", DeliveryState::Queued),
            Outcome::Rejected { .. } | Outcome::Dead { .. } => ("dead", DeliveryState::Dead),
            Outcome::Parked { .. } | Outcome::StillParked { .. } => ("parked", DeliveryState::Parked),
            Outcome::NotMade => return None,
        };
        let next_attempt_at = match outcome {
            Outcome::Retry { next_attempt_at, .. } => Some(*next_attempt_at),
            Outcome::Plainer { .. } => Some(now),
            _ => None,
        };
        let may_have_arrived = matches!(
            outcome,
            Outcome::Retry { may_have_arrived: true, .. } | Outcome::StillParked { may_have_arrived: true, .. }
        );
        let channel = match state {
            DeliveryState::Parked => ChannelChange::Parks,
            DeliveryState::Delivered => ChannelChange::Works,
            _ => ChannelChange::None,
        };
        let is_plainer = matches!(outcome, Outcome::Plainer { .. });
        Some(Self { state, name, error: outcome.error(), next_attempt_at, is_plainer, may_have_arrived, channel })
    }
}

impl AttemptOutcome {
    /// What went wrong with the attempt, if it failed.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Delivered | Self::NotMade => None,
            Self::Retry { error, .. }
            | Self::Plainer { error }
            | Self::Rejected { error }
            | Self::Dead { error }
            | Self::Parked { error }
            | Self::StillParked { error, .. } => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_rejection_is_put_down_to_the_message_once_and_then_to_the_receiver() {
        let first = Rejection::default();
        let second = Rejection { follows_another: true, ..first };
        let again = |rejected, delivered| Rejection {
            rejected_at: Some(at(rejected)),
            delivered_at: Some(at(delivered)),
            ..second
        };
        let name = |outcome: &AttemptOutcome| match outcome {
            AttemptOutcome::Dead { .. } => "dead",
            AttemptOutcome::Parked { .. } => "parked",
            AttemptOutcome::StillParked { .. } => "still parked",
            other => panic!("{other:?}"),
        };
        for (rejection, expected, is_first, why) in [
            (first, "dead", true, "the first in a row"),
            (second, "parked", false, "one after the other"),
            (again(5, 6), "dead", false, "another one was accepted meanwhile"),
            (again(6, 5), "parked", false, "none was accepted meanwhile"),
            (Rejection { is_parked: true, ..again(5, 6) }, "still parked", false, "a probe says it of the receiver"),
        ] {
            let (outcome, is_first_in_a_row) = rejection.judge("no".to_owned());
            assert_eq!((name(&outcome), is_first_in_a_row), (expected, is_first), "{why}");
        }
    }

    #[test]
    fn each_outcome_settles_its_delivery_and_its_channel() {
        use {ChannelChange as Channel, DeliveryState as State};
        let error = || "no".to_owned();
        let retry =
            |may_have_arrived| AttemptOutcome::Retry { error: error(), next_attempt_at: at(9), may_have_arrived };
        let still = |may_have_arrived| AttemptOutcome::StillParked { error: error(), may_have_arrived };
        for (outcome, state, next, may_have_arrived, channel) in [
            (AttemptOutcome::Delivered, State::Delivered, None, false, Channel::Works),
            (retry(false), State::Queued, Some(at(9)), false, Channel::None),
            (retry(true), State::Queued, Some(at(9)), true, Channel::None),
            (AttemptOutcome::Plainer { error: error() }, State::Queued, Some(at(1)), false, Channel::None),
            (AttemptOutcome::Rejected { error: error() }, State::Dead, None, false, Channel::None),
            (AttemptOutcome::Dead { error: error() }, State::Dead, None, false, Channel::None),
            (AttemptOutcome::Parked { error: error() }, State::Parked, None, false, Channel::Parks),
            (still(false), State::Parked, None, false, Channel::Parks),
            (still(true), State::Parked, None, true, Channel::Parks),
        ] {
            let settled = Settlement::of(&outcome, at(1)).unwrap();
            assert_eq!((settled.state, settled.next_attempt_at), (state, next), "{outcome:?}");
            assert_eq!((settled.may_have_arrived, settled.channel), (may_have_arrived, channel), "{outcome:?}");
            assert_eq!(settled.is_plainer, matches!(outcome, AttemptOutcome::Plainer { .. }));
            assert_eq!(settled.error.is_some(), outcome != AttemptOutcome::Delivered);
        }
        assert_eq!(Settlement::of(&AttemptOutcome::NotMade, at(1)), None);
    }
}
