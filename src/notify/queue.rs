//! What becomes of deliveries in the queue: values that a store writes as they are, so that no store decides what a state brings
//! with it.

use super::{DeliveryId, DeliveryState, Hold, NotificationType, release::Decision};
use crate::domain::Timestamp;

/// What changes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Its state from now on.
    pub state: DeliveryState,
    /// Why it is held, and until when; `None`: it is not.
    pub hold: Option<Hold>,
    /// What it is merged into.
    pub merged: MergedInto,
    /// When it reached a final state; `None`: it is unfinished.
    pub finished_at: Option<Timestamp>,
    /// From when on it may be sent, and giving up counts; `None`: as before.
    pub restarts_at: Option<Timestamp>,
    /// Why it is not sent; `None`: as before.
    pub error: Option<&'a str>,
    /// Whether it is forgotten that its receiver rejected the rich form, and that the operator was notified that it is a dead letter.
    pub starts_over: bool,
}

/// What changes of the delivery that one is merged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergedInto {
    /// The delivery stays as it is.
    Same,
    /// It stands alone from now on.
    Nothing,
    /// It is merged into that one.
    This(DeliveryId),
}

impl<'a> Change<'a> {
    /// It is sent on its own, as soon as it can be. Giving up counts from now: the time in which it could not be sent must not kill it.
    #[must_use]
    pub const fn queued(now: Timestamp) -> Self {
        Self {
            state: DeliveryState::Queued,
            hold: None,
            merged: MergedInto::Nothing,
            finished_at: None,
            restarts_at: Some(now),
            error: None,
            starts_over: false,
        }
    }

    /// It is sent again, because a person wants that.
    #[must_use]
    pub const fn resent(now: Timestamp) -> Self {
        Self { starts_over: true, ..Self::queued(now) }
    }

    /// It waits until somebody decides.
    #[must_use]
    pub const fn held(hold: Hold) -> Self {
        Self { hold: Some(hold), restarts_at: None, state: DeliveryState::Held, ..Self::queued(hold.until) }
    }

    /// It is merged into another one, and fares as that does.
    #[must_use]
    pub const fn merged(into: DeliveryId) -> Self {
        Self {
            state: DeliveryState::Merged,
            hold: None,
            merged: MergedInto::This(into),
            finished_at: None,
            restarts_at: None,
            error: None,
            starts_over: false,
        }
    }

    /// It is never sent; `why` is noted where there is something to say.
    #[must_use]
    pub const fn suppressed(why: Option<&'a str>, now: Timestamp) -> Self {
        Self { state: DeliveryState::Suppressed, ..Self::dead(why, now) }
    }

    /// It is a dead letter of its own.
    #[must_use]
    pub const fn dead(why: Option<&'a str>, now: Timestamp) -> Self {
        Self {
            state: DeliveryState::Dead,
            hold: None,
            merged: MergedInto::Nothing,
            finished_at: Some(now),
            restarts_at: None,
            error: why,
            starts_over: false,
        }
    }

    /// It has reached the state of the delivery that it is merged into.
    #[must_use]
    pub const fn settled_with(state: DeliveryState, error: Option<&'a str>, now: Timestamp) -> Self {
        Self { state, merged: MergedInto::Same, ..Self::dead(error, now) }
    }

    /// The delivery that it was merged into is unfinished again, and says it still.
    #[must_use]
    pub const fn merged_again() -> Self {
        Self {
            state: DeliveryState::Merged,
            hold: None,
            merged: MergedInto::Same,
            finished_at: None,
            restarts_at: None,
            error: None,
            starts_over: false,
        }
    }

    /// It waits for its parked channel again.
    #[must_use]
    pub const fn parked_again() -> Self {
        Self { state: DeliveryState::Parked, ..Self::merged_again() }
    }

    /// What a decision on a held delivery comes to.
    #[must_use]
    pub const fn decided(decision: Decision, now: Timestamp) -> Self {
        match decision {
            Decision::Send => Self::queued(now),
            Decision::Merged(into) => Self::merged(into),
            Decision::Suppress => Self::suppressed(None, now),
            Decision::Hold(hold) => Self::held(hold),
        }
    }

    /// What becomes of a message of that type in that state whose channel is no longer configured; `None`: nothing yet. A drill shows
    /// whether its channel works, and a digest of which nothing is left has nothing to say. Whatever is merged fares as what it is
    /// merged into.
    #[must_use]
    pub const fn without_channel(
        kind: NotificationType,
        state: DeliveryState,
        why: &'a str,
        now: Timestamp,
    ) -> Option<Self> {
        match state {
            DeliveryState::Sending | DeliveryState::Merged => None,
            state if state.is_finished() => None,
            _ if matches!(kind, NotificationType::Drill) || says_what_is_merged(kind) => {
                Some(Self::suppressed(Some(why), now))
            }
            _ => Some(Self::dead(Some(why), now)),
        }
    }
}

/// Whether a message counts as a possible duplicate if something that is merged into it may be one. What its own alert said before is
/// no part of what it says.
#[must_use]
pub const fn repeats_what_is_merged(is_about_an_alert: bool) -> bool {
    !is_about_an_alert
}

/// Whether a message has nothing to say of its own: it says what is merged into it, line by line.
#[must_use]
pub const fn says_what_is_merged(kind: NotificationType) -> bool {
    matches!(kind, NotificationType::Digest | NotificationType::FleetShift)
}

/// Whether a message of that type about that alert names, among those that it covers, a notification about that other one which is
/// merged into it. A digest and a notice name them line by line.
#[must_use]
pub fn names_merged(kind: NotificationType, alert: Option<&str>, merged_alert: Option<&str>) -> bool {
    let is_same = alert.is_some() && alert == merged_alert;
    !says_what_is_merged(kind) && (kind == NotificationType::Drill || is_same)
}

/// Dead letters of one type, channel and cause of which the operator was not notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnoticed {
    /// The type that these notifications share.
    pub kind: NotificationType,
    /// How many notifications of that type there are.
    pub count: u64,
    /// The first of them that is merged into no other one.
    pub first_alone: Option<DeliveryId>,
    /// The first of them.
    pub first: DeliveryId,
    /// When the first of them was given up.
    pub since: Timestamp,
}

/// Dead letters of one channel and cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letters {
    /// How many messages were given up.
    pub count: u64,
    /// The first of them: one that a person can have sent again, if there is one.
    pub first: DeliveryId,
    /// When the first of them was given up.
    pub since: Timestamp,
}

/// What the operator is notified of, of all types of one channel and cause together; `None`: of nothing. A digest is no message of its
/// own: what is merged into it is.
pub fn dead_letters(kinds: impl Iterator<Item = Unnoticed>) -> Option<Letters> {
    let mut kinds: Vec<Unnoticed> = kinds.collect();
    kinds.sort_by_key(|one| one.first);
    let of_their_own = kinds.iter().filter(|one| !says_what_is_merged(one.kind));
    let alone = kinds.iter().filter_map(|one| one.first_alone).min();
    Some(Letters {
        count: of_their_own.map(|one| one.count).sum::<u64>().max(1),
        first: alone.or_else(|| kinds.first().map(|one| one.first))?,
        since: kinds.iter().map(|one| one.since).min()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::HoldReason;

    const NOW: Timestamp = Timestamp::from_nanos(1);

    #[test]
    fn a_decision_gives_a_delivery_its_state_and_all_that_belongs_to_it() {
        let hold = Hold { why: HoldReason::Silence, until: Timestamp::from_nanos(9) };
        for (decision, state, is_finished, restarts) in [
            (Decision::Send, DeliveryState::Queued, false, true),
            (Decision::Merged(DeliveryId(7)), DeliveryState::Merged, false, false),
            (Decision::Suppress, DeliveryState::Suppressed, true, false),
            (Decision::Hold(hold), DeliveryState::Held, false, false),
        ] {
            let change = Change::decided(decision, NOW);
            assert_eq!(change.state, state);
            assert_eq!(change.finished_at.is_some(), is_finished, "{state:?}");
            assert_eq!(state.is_finished(), is_finished, "{state:?}");
            assert_eq!(change.restarts_at.is_some(), restarts, "{state:?}: giving up counts from here");
            assert_eq!(change.hold, (state == DeliveryState::Held).then_some(hold));
            let into =
                if state == DeliveryState::Merged { MergedInto::This(DeliveryId(7)) } else { MergedInto::Nothing };
            assert_eq!(change.merged, into, "{state:?}");
        }
    }

    #[test]
    fn what_waits_for_a_channel_that_is_gone_is_a_dead_letter_unless_it_says_nothing_of_its_own() {
        use {DeliveryState as State, NotificationType as Kind};
        for (kind, state, expected) in [
            (Kind::AlertFiring, State::Queued, Some(State::Dead)),
            (Kind::AlertFiring, State::Held, Some(State::Dead)),
            (Kind::AlertFiring, State::Parked, Some(State::Dead)),
            (Kind::AlertFiring, State::Merged, None),
            (Kind::AlertFiring, State::Sending, None),
            (Kind::AlertFiring, State::Delivered, None),
            (Kind::Report, State::Queued, Some(State::Dead)),
            (Kind::Drill, State::Queued, Some(State::Suppressed)),
            (Kind::Digest, State::Parked, Some(State::Suppressed)),
            (Kind::FleetShift, State::Queued, Some(State::Suppressed)),
            (Kind::FleetShift, State::Sending, None),
        ] {
            let change = Change::without_channel(kind, state, "gone", NOW);
            assert_eq!(change.map(|change| change.state), expected, "{kind:?} {state:?}");
        }
    }

    #[test]
    fn a_message_names_what_its_alert_said_before_and_a_drill_the_drills_before_it() {
        use NotificationType as Kind;
        for (alert, kind, merged, expected) in [
            (Some("a"), Kind::AlertFiring, Some("a"), true),
            (Some("a"), Kind::AlertFiring, Some("b"), false),
            (None, Kind::Digest, Some("a"), false),
            (None, Kind::FleetShift, Some("a"), false),
            (None, Kind::OperatorChannel, None, false),
            (None, Kind::Drill, None, true),
        ] {
            assert_eq!(names_merged(kind, alert, merged), expected, "{alert:?} {kind:?} {merged:?}");
        }
        assert!(repeats_what_is_merged(false) && !repeats_what_is_merged(true));
    }

    #[test]
    fn the_operator_is_notified_of_messages_and_not_of_the_digests_that_they_were_in() {
        use NotificationType as Kind;
        let unnoticed = |kind, count, alone: Option<i64>, first| Unnoticed {
            kind,
            count,
            first_alone: alone.map(DeliveryId),
            first: DeliveryId(first),
            since: Timestamp::from_seconds(first),
        };
        for (kinds, expected, why) in [
            (vec![], None, "there are none"),
            (vec![unnoticed(Kind::AlertFiring, 2, Some(4), 4)], Some((2, 4, 4)), "two messages"),
            (
                vec![unnoticed(Kind::Digest, 1, Some(9), 9), unnoticed(Kind::AlertFiring, 3, None, 4)],
                Some((3, 9, 4)),
                "a digest of three, which can be sent again",
            ),
            (vec![unnoticed(Kind::Digest, 1, Some(9), 9)], Some((1, 9, 9)), "a digest of which nothing is known"),
            (vec![unnoticed(Kind::AlertFiring, 1, None, 4)], Some((1, 4, 4)), "its digest is gone"),
        ] {
            let found = dead_letters(kinds.into_iter()).map(|found| (found.count, found.first.0, found.since));
            let expected = expected.map(|(count, first, since)| (count, first, Timestamp::from_seconds(since)));
            assert_eq!(found, expected, "{why}");
        }
    }
}
