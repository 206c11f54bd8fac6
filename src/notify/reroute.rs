//! What a changed route does to deliveries that are on their way: pure, whatever store keeps them.

use super::{DeliveryId, DeliveryState, NotificationId, NotificationType, queue::Change};
use crate::domain::{ChannelName, Timestamp};

/// Why a channel is sent nothing more of an alert.
pub const LEFT: &str = "the channel is not notified of this any more";
/// The same of a channel that is gone.
pub const GONE: &str = "the channel is no longer configured";
/// Why a message is not sent to a channel: it is on its way to another one of the operator's.
pub const ELSEWHERE: &str = "another channel of the operator has it";

/// An unfinished delivery, as far as its route matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnItsWay {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// The channel to which it goes.
    pub channel: ChannelName,
    /// The notification that it delivers.
    pub notification: NotificationId,
    /// How far it has come.
    pub state: DeliveryState,
    /// What it is merged into.
    pub covered_by: Option<Covering>,
}

/// A delivery that covers another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covering {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// The channel to which it goes.
    pub channel: ChannelName,
    /// Whether it is about one alert, as what is merged into it.
    pub is_about_an_alert: bool,
    /// How far it has come.
    pub state: DeliveryState,
}

impl OnItsWay {
    /// The digest, or the notice of a fleet shift, which is to be taken apart because it shows this to a channel that is not on the
    /// route. What is under way is looked at once its answer is there; what was moved to another channel goes from there.
    #[must_use]
    pub fn to_take_apart(&self, route: &[ChannelName]) -> Option<DeliveryId> {
        let other = self.covered_by.as_ref().filter(|_| self.state == DeliveryState::Merged)?;
        let is_waiting = !other.state.is_finished() && other.state != DeliveryState::Sending;
        let is_shared = other.channel == self.channel && !other.is_about_an_alert;
        (is_waiting && is_shared && !route.contains(&self.channel)).then_some(other.delivery)
    }

    /// Whether it waits for a channel that is not on the route, and nothing that is under way, or goes elsewhere, says it.
    #[must_use]
    pub fn leaves(&self, route: &[ChannelName]) -> bool {
        let goes_with = |other: &Covering| other.state == DeliveryState::Sending || other.channel != self.channel;
        self.state != DeliveryState::Sending
            && !route.contains(&self.channel)
            && !self.covered_by.as_ref().is_some_and(goes_with)
    }
}

/// What a channel that is new to an alert's route is sent: the newest notification of its firing, or the newest that leaves.
#[must_use]
pub fn says<'a>(firing: Option<&'a NotificationId>, leaving: &'a [OnItsWay]) -> Option<&'a NotificationId> {
    firing.or_else(|| leaving.last().map(|newest| &newest.notification))
}

/// The channels of a route that were not notified of the alert yet.
pub fn new_to<'a>(route: &'a [ChannelName], recipients: &'a [ChannelName]) -> impl Iterator<Item = &'a ChannelName> {
    route.iter().filter(|channel| !recipients.contains(channel))
}

/// Whether a message that is about no alert and no tenant goes to the operator's channels, whichever those are. What is said of one
/// tenant, or of an outage, was written for those who may read it, and stays.
#[must_use]
pub const fn follows_operator(kind: NotificationType) -> bool {
    use NotificationType as Kind;
    matches!(kind, Kind::OperatorBlind | Kind::OperatorChannel | Kind::OperatorDowntime | Kind::OperatorCredential)
}

/// What becomes of a delivery that leaves a route: it is merged into the first that was queued for a channel new to it, or it has
/// nowhere to go. `has_it`: another channel has the message already.
#[must_use]
pub const fn left(queued: Option<DeliveryId>, has_it: bool, now: Timestamp) -> Change<'static> {
    match queued {
        Some(into) => Change::merged(into),
        None if has_it => Change::suppressed(Some(ELSEWHERE), now),
        None => Change::dead(Some(LEFT), now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryState as State;

    fn channel(name: &str) -> ChannelName {
        ChannelName::parse(name).unwrap()
    }

    fn on_its_way(state: State, covered_by: Option<(&str, bool, State)>) -> OnItsWay {
        let covered_by = covered_by.map(|(name, is_about_an_alert, state)| Covering {
            delivery: DeliveryId(9),
            channel: channel(name),
            is_about_an_alert,
            state,
        });
        let notification = NotificationId::from_text("msg");
        OnItsWay { delivery: DeliveryId(1), channel: channel("soc"), notification, state, covered_by }
    }

    #[test]
    fn what_waits_for_a_channel_that_left_leaves_and_a_message_that_shows_it_is_taken_apart() {
        for (state, covered_by, leaves, is_taken_apart, why) in [
            (State::Queued, None, true, false, "it waits"),
            (State::Held, None, true, false, "it is held"),
            (State::Parked, None, true, false, "its channel is parked"),
            (State::Sending, None, false, false, "it is under way"),
            (
                State::Merged,
                Some(("soc", true, State::Queued)),
                true,
                false,
                "its alert's newest says it, and leaves, too",
            ),
            (State::Merged, Some(("soc", false, State::Queued)), true, true, "a digest shows it"),
            (State::Merged, Some(("soc", false, State::Parked)), true, true, "a digest that waits for its channel"),
            (State::Merged, Some(("soc", false, State::Sending)), false, false, "a digest that is under way"),
            (State::Merged, Some(("soc", false, State::Dead)), true, false, "a digest that was given up"),
            (State::Merged, Some(("noc", true, State::Queued)), false, false, "it was moved before"),
            (
                State::Merged,
                Some(("noc", false, State::Queued)),
                false,
                false,
                "it was moved, and its channel has its own",
            ),
        ] {
            let one = on_its_way(state, covered_by);
            assert_eq!(one.leaves(&[channel("noc")]), leaves, "{why}");
            assert_eq!(one.to_take_apart(&[channel("noc")]).is_some(), is_taken_apart, "{why}");
            assert!(!one.leaves(&[channel("soc")]), "it is on the route");
            assert_eq!(one.to_take_apart(&[channel("soc")]), None, "it is on the route");
        }
    }

    #[test]
    fn a_channel_that_is_new_to_a_route_is_sent_what_fires_or_else_the_newest_that_leaves() {
        let firing = NotificationId::from_text("firing");
        let leaving = [on_its_way(State::Queued, None)];
        assert_eq!(says(Some(&firing), &leaving), Some(&firing));
        assert_eq!(says(None, &leaving), Some(&leaving[0].notification));
        assert_eq!(says(None, &[]), None);
        let route = [channel("a"), channel("b")];
        assert_eq!(new_to(&route, &[channel("b"), channel("c")]).collect::<Vec<_>>(), [&route[0]]);
    }

    #[test]
    fn what_leaves_is_merged_into_what_was_queued_and_a_dead_letter_if_nobody_gets_it() {
        let now = Timestamp::EPOCH;
        for (queued, has_it, expected) in [
            (Some(DeliveryId(3)), false, State::Merged),
            (Some(DeliveryId(3)), true, State::Merged),
            (None, true, State::Suppressed),
            (None, false, State::Dead),
        ] {
            assert_eq!(left(queued, has_it, now).state, expected);
        }
    }

    #[test]
    fn only_messages_of_the_operator_s_own_follow_the_operator() {
        use NotificationType as Kind;
        for kind in [Kind::OperatorBlind, Kind::OperatorChannel, Kind::OperatorDowntime, Kind::OperatorCredential] {
            assert!(follows_operator(kind) && kind.as_str().starts_with("operator."));
        }
        for kind in [Kind::AlertFiring, Kind::Digest, Kind::Drill, Kind::Report, Kind::Test, Kind::FleetShift] {
            assert!(!follows_operator(kind) && !kind.as_str().starts_with("operator."));
        }
    }
}
