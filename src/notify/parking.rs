//! When a channel is parked, tried again, and known to work again: pure, whatever store keeps it.

use super::{ChannelHealth, DeliveryId, DeliveryState, settle::Rejection};
use crate::domain::Timestamp;

/// How the reason begins for which a channel is parked whose secret can't be read. What failed follows, after a colon or in parentheses.
pub const SECRET_UNREADABLE: &str = "a secret of the channel can't be read";

/// What the queue knows of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelState {
    /// Its pace and its breaker.
    pub health: ChannelHealth,
    /// Why its last failed attempt failed.
    pub last_error: Option<String>,
    /// `None`: it is not parked.
    pub parked: Option<Parked>,
    /// The last period in which it was parked, if that is over.
    pub was_parked: Option<ParkedPeriod>,
    /// The message that it rejected last; `None`: it has accepted another one since, or rejected none.
    pub rejected: Option<DeliveryId>,
    /// When it last accepted a message.
    pub delivered_at: Option<Timestamp>,
}

/// A channel that rejects everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Why the channel was parked, in words of its receiver where there are any.
    pub reason: String,
    /// Since when nothing but probes and drills is sent to it.
    pub since: Timestamp,
    /// When it was last tried, or parked.
    pub probed_at: Timestamp,
}

/// A period in which a channel was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedPeriod {
    /// When it was parked.
    pub from: Timestamp,
    /// When it first accepted a message again; `None`: it has not yet, so nobody knows whether it works.
    pub until: Option<Timestamp>,
}

impl ChannelState {
    /// Notes its health after an attempt; `error` is why that failed.
    pub fn attempted(&mut self, health: ChannelHealth, error: Option<&str>) {
        self.health = ChannelHealth { proven_at: health.proven_at.or(self.health.proven_at), ..health };
        if let Some(error) = error {
            self.last_error = Some(error.to_owned());
        }
    }

    /// By what a rejection of that delivery is judged, which was rejected before at that time.
    #[must_use]
    pub fn rejection(&self, delivery: DeliveryId, rejected_at: Option<Timestamp>) -> Rejection {
        Rejection {
            rejected_at,
            delivered_at: self.delivered_at,
            follows_another: self.rejected.is_some_and(|other| other != delivery),
            is_parked: self.parked.is_some(),
        }
    }

    /// Parks it, or notes that it was tried in vain. Returns the message that it rejected just before: that was not at fault, and
    /// waits again.
    #[must_use]
    pub fn park(&mut self, reason: &str, now: Timestamp) -> Option<DeliveryId> {
        let since = self.parked.as_ref().map_or(now, |parked| parked.since);
        self.parked = Some(Parked { reason: reason.to_owned(), since, probed_at: now });
        self.rejected.take()
    }

    /// Lets its queue go on; `false`: it is not parked. Whether it works is known only once it has accepted something, so a channel
    /// that is parked again before that was parked all the time.
    pub fn unpark(&mut self) -> bool {
        let Some(parked) = self.parked.take() else { return false };
        let goes_on = self.was_parked.filter(|period| period.until.is_none());
        self.was_parked = Some(ParkedPeriod { from: goes_on.map_or(parked.since, |period| period.from), until: None });
        self.health = ChannelHealth { failures: 0, failing_since: None, ..self.health };
        self.rejected = None;
        true
    }

    /// Notes that it has accepted a message: what it rejected before was at fault itself. Returns whether it was parked: only a drill
    /// or a probe leaves a parked channel.
    pub fn accepted(&mut self, now: Timestamp) -> bool {
        let was_parked = self.unpark();
        self.delivered_at = Some(now);
        self.rejected = None;
        if let Some(period) = &mut self.was_parked {
            period.until.get_or_insert(now);
        }
        was_parked
    }
}

/// What becomes of a delivery that waits for a channel whose queue goes on.
///
/// Giving up counts from then: the time in which nothing could be sent must not kill what was kept. The rich form is tried again: the
/// receiver may have rejected it for another reason than how it was written.
#[must_use]
pub const fn continued(state: DeliveryState) -> DeliveryState {
    match state {
        DeliveryState::Parked => DeliveryState::Queued,
        other => other,
    }
}

/// What a changed configuration means for a channel that was known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The channel's state stays as it is.
    Not,
    /// It has other secrets: it is tried at once.
    HasOtherSecrets,
    /// It leads elsewhere: it is as good as new, but what waits for it goes there.
    LeadsElsewhere,
}

impl Moved {
    /// By the fingerprints of where it leads and of all its secrets, before and now. `None`: not known before.
    #[must_use]
    pub fn of(destination: Option<&str>, new_destination: &str, access: Option<&str>, new_access: &str) -> Self {
        if destination.is_some_and(|before| before != new_destination) {
            Self::LeadsElsewhere
        } else if access.is_some_and(|before| before != new_access) {
            Self::HasOtherSecrets
        } else {
            Self::Not
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// `p` parks the channel, `u` unparks it, `a`: it accepts a message; each one second after the other.
    fn after(steps: &str) -> ChannelState {
        let mut state = ChannelState::default();
        for (step, second) in steps.chars().zip(1..) {
            match step {
                'p' => drop(state.park("no", at(second))),
                'u' => drop(state.unpark()),
                'a' => drop(state.accepted(at(second))),
                other => panic!("{other}"),
            }
        }
        state
    }

    #[test]
    fn a_channel_is_parked_until_it_is_unparked_or_accepts_something_and_works_once_it_does() {
        for (steps, parked, was_parked, why) in [
            ("", None, None, "nothing is known"),
            ("a", None, None, "it has always worked"),
            ("p", Some((1, 1)), None, "it was parked"),
            ("pp", Some((1, 2)), None, "it was tried in vain"),
            ("pu", None, Some((1, None)), "nobody knows yet whether it works"),
            ("pua", None, Some((1, Some(3))), "it has accepted something"),
            ("puaa", None, Some((1, Some(3))), "the first counts"),
            ("pa", None, Some((1, Some(2))), "a probe has arrived"),
            ("pupu", None, Some((1, None)), "it did not work in between"),
            ("pupa", None, Some((1, Some(4))), "and works now"),
            ("puap", Some((4, 4)), Some((1, Some(3))), "it was parked again"),
            ("puapu", None, Some((4, None)), "and that is another period"),
            ("u", None, None, "it was not parked"),
        ] {
            let state = after(steps);
            let found = state.parked.as_ref().map(|parked| (parked.since, parked.probed_at));
            assert_eq!(found, parked.map(|(since, probed)| (at(since), at(probed))), "{steps}: {why}");
            let expected = was_parked.map(|(from, until)| ParkedPeriod { from: at(from), until: until.map(at) });
            assert_eq!(state.was_parked, expected, "{steps}: {why}");
        }
    }

    #[test]
    fn what_was_rejected_just_before_a_channel_is_parked_waits_again() {
        let rejected = || ChannelState { rejected: Some(DeliveryId(7)), ..ChannelState::default() };
        let mut state = rejected();
        assert_eq!(state.park("no", at(1)), Some(DeliveryId(7)));
        assert_eq!(state.park("no", at(2)), None, "once");
        for accepts in [true, false] {
            let mut state = rejected();
            if accepts {
                assert!(!state.accepted(at(1)), "it was not parked");
            }
            assert_eq!(state.park("no", at(2)).is_some(), !accepts, "unless another one was accepted since");
        }
    }

    #[test]
    fn a_rejection_follows_another_one_if_that_was_of_another_message() {
        let state = ChannelState { rejected: Some(DeliveryId(7)), ..ChannelState::default() };
        assert!(state.rejection(DeliveryId(8), None).follows_another);
        assert!(!state.rejection(DeliveryId(7), Some(at(1))).follows_another, "the same one again");
        assert!(!ChannelState::default().rejection(DeliveryId(7), None).follows_another);
        assert!(after("p").rejection(DeliveryId(7), None).is_parked);
    }

    #[test]
    fn a_channel_that_is_unparked_is_tried_at_once_and_keeps_its_proof() {
        let mut state = after("p");
        let failing = ChannelHealth { failures: 9, failing_since: Some(at(1)), ..ChannelHealth::default() };
        state.attempted(ChannelHealth { proven_at: Some(at(5)), ..failing }, Some("no"));
        state.attempted(failing, None);
        assert_eq!((state.health.proven_at, state.last_error.as_deref()), (Some(at(5)), Some("no")));
        assert!(state.unpark());
        assert_eq!(state.health, ChannelHealth { proven_at: Some(at(5)), ..ChannelHealth::default() });
        assert_eq!(continued(DeliveryState::Parked), DeliveryState::Queued);
        assert_eq!(continued(DeliveryState::Held), DeliveryState::Held);
    }

    #[test]
    fn a_channel_that_leads_elsewhere_is_new_and_one_with_other_secrets_is_tried() {
        for (destination, access, expected) in [
            (None, None, Moved::Not),
            (Some("d"), Some("a"), Moved::Not),
            (Some("d"), None, Moved::Not),
            (Some("d"), Some("b"), Moved::HasOtherSecrets),
            (Some("e"), Some("a"), Moved::LeadsElsewhere),
            (Some("e"), Some("b"), Moved::LeadsElsewhere),
        ] {
            assert_eq!(Moved::of(destination, "d", access, "a"), expected);
        }
    }
}
