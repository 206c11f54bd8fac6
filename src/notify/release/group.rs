//! Which unfinished deliveries of one alert to one channel are decided on together: from the first that is held.

use super::HeldDelivery;
use crate::{
    domain::Timestamp,
    notify::{DeliveryId, DeliveryState, Envelope, Hold},
};

/// An unfinished delivery of an alert to a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// What the queue knows of its notification.
    pub envelope: Envelope,
    /// How far the delivery has come.
    pub state: DeliveryState,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// Why it is held; `None`: it is not.
    pub hold: Option<Hold>,
}

/// Something that the channel was notified of, or is being notified of, before a group of held deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotifiedBefore {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// When the firing that it is about began.
    pub began_at: Option<Timestamp>,
}

/// A group of deliveries that are decided on together.
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// Oldest first; never empty, and the first is held.
    pub steps: Vec<HeldDelivery>,
    /// The envelope of the last one's notification.
    pub newest: Envelope,
    /// Whether the channel was notified, or is being notified, of the same firing as the first step's.
    pub was_notified: bool,
}

/// The first of these that is held: a group begins with it, though a later one may be due before it.
#[must_use]
pub fn first_held(unfinished: &[Unfinished]) -> Option<DeliveryId> {
    unfinished.iter().find(|one| one.state == DeliveryState::Held).map(|one| one.delivery)
}

/// The group in the unfinished deliveries of one alert to one channel, oldest first. It begins with the [first that is
/// held](first_held) and has all after that which nobody has tried to send. `finished`: the newest that is finished
/// before that one and was not suppressed. `None`: nothing is held.
#[must_use]
pub fn gather(unfinished: Vec<Unfinished>, finished: Option<NotifiedBefore>) -> Option<Gathered> {
    let first = first_held(&unfinished)?;
    let index = unfinished.iter().position(|one| one.delivery == first)?;
    // Deliveries of one firing follow each other, so only the newest before the group needs to be asked.
    let on_its_way = unfinished[..index].last();
    let on_its_way = on_its_way.map(|one| NotifiedBefore { delivery: one.delivery, began_at: one.envelope.began_at });
    let before = on_its_way.into_iter().chain(finished).max_by_key(|one| one.delivery);
    let (mut steps, mut newest) = (Vec::with_capacity(unfinished.len() - index), None);
    for one in unfinished.into_iter().skip(index).filter(|one| one.state.is_untried(one.attempts)) {
        steps.push(HeldDelivery::of(one.delivery, &one.envelope, one.made_at, one.hold));
        newest = Some(one.envelope);
    }
    let firing = steps.first()?.began;
    let was_notified = firing.is_some() && before.is_some_and(|before| before.began_at == firing);
    Some(Gathered { steps, newest: newest?, was_notified })
}

/// Whether a group is still what was decided on: nobody has sent anything of it, and nothing was added. `known` are its deliveries as
/// they are now, `newest_unfinished` is the newest unfinished delivery of its alert to its channel; `None`: it is about no alert.
#[must_use]
pub fn is_unchanged(
    decided: &[DeliveryId],
    known: &[(DeliveryId, DeliveryState, u32)],
    newest_unfinished: Option<DeliveryId>,
) -> bool {
    let Some(newest) = decided.iter().max() else { return false };
    let is_there =
        |id: &DeliveryId| known.iter().any(|(known, state, attempts)| known == id && state.is_untried(*attempts));
    decided.iter().all(is_there) && newest_unfinished.is_none_or(|unfinished| unfinished <= *newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{HoldReason, drill};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// `h` is held, `q` queued, `r` queued again after an attempt, `m` merged, `s` under way; the number says of which firing it is.
    /// They are numbered from 10.
    fn unfinished(text: &str) -> Vec<Unfinished> {
        let channel = crate::domain::ChannelName::parse("soc").unwrap();
        let message = drill::message(drill::id("store", &channel, at(0)), None, at(0));
        let one = |(word, number): (&str, i64)| {
            let (kind, firing) = word.split_at(1);
            let (state, attempts) = match kind {
                "h" => (DeliveryState::Held, 0),
                "q" => (DeliveryState::Queued, 0),
                "r" => (DeliveryState::Queued, 1),
                "m" => (DeliveryState::Merged, 0),
                "s" => (DeliveryState::Sending, 1),
                other => panic!("{other}"),
            };
            let hold = Hold { why: HoldReason::Silence, until: at(99) };
            let began_at = Some(at(firing.parse().unwrap()));
            Unfinished {
                delivery: DeliveryId(number),
                envelope: Envelope { began_at, ..Envelope::new(&message, None, None) },
                state,
                attempts,
                made_at: at(0),
                hold: (kind == "h").then_some(hold),
            }
        };
        text.split_whitespace().zip(10..).map(one).collect()
    }

    #[test]
    fn a_group_begins_with_the_first_that_is_held_and_has_all_that_nobody_tried() {
        for (text, expected, why) in [
            ("", "", "nothing waits"),
            ("q1 q1", "", "nothing is held"),
            ("h1", "10", "one"),
            ("h1 q1 h1", "10 11 12", "what waits behind it belongs to it"),
            ("q1 h1 q1", "11 12", "what goes before it does not"),
            ("r1 h1", "11", "nor what was tried"),
            ("h1 m1 q1", "10 12", "nor what is part of something else"),
        ] {
            let group = gather(unfinished(text), None);
            let ids = group.iter().flat_map(|group| &group.steps).map(|step| step.delivery.to_string());
            assert_eq!(ids.collect::<Vec<_>>().join(" "), expected, "{text}: {why}");
        }
    }

    #[test]
    fn a_channel_was_notified_of_a_firing_by_the_newest_before_the_group() {
        let before = |number, firing| Some(NotifiedBefore { delivery: DeliveryId(number), began_at: Some(at(firing)) });
        for (text, finished, expected, why) in [
            ("h1", None, false, "of nothing"),
            ("h1", before(5, 1), true, "of this firing"),
            ("h2", before(5, 1), false, "of the one before"),
            ("s1 h1", None, true, "it is being notified"),
            ("r1 h2", before(5, 2), false, "the newest counts, and that is on its way"),
            ("r2 h2", before(5, 1), true, "the newest counts"),
        ] {
            assert_eq!(gather(unfinished(text), finished).unwrap().was_notified, expected, "{text}: {why}");
        }
        let mut about_no_alert = unfinished("h1");
        about_no_alert[0].envelope.began_at = None;
        let same = Some(NotifiedBefore { delivery: DeliveryId(5), began_at: None });
        assert!(!gather(about_no_alert, same).unwrap().was_notified, "what is about no alert is of no firing");
    }

    #[test]
    fn a_group_of_which_something_was_sent_or_to_which_something_was_added_is_decided_again() {
        use DeliveryState as State;
        let known = |state, attempts| vec![(DeliveryId(1), State::Held, 0), (DeliveryId(2), state, attempts)];
        for (known, newest, expected, why) in [
            (known(State::Held, 0), Some(2), true, "both are held"),
            (known(State::Queued, 0), Some(2), true, "one waits behind the other"),
            (known(State::Queued, 0), None, true, "about no alert"),
            (known(State::Queued, 0), Some(3), false, "one was added"),
            (known(State::Queued, 1), Some(2), false, "one was tried"),
            (known(State::Sending, 1), Some(2), false, "one is being sent"),
            (known(State::Merged, 0), Some(2), false, "one is part of something else"),
            (vec![(DeliveryId(1), State::Held, 0)], Some(2), false, "one is gone"),
        ] {
            let decided = [DeliveryId(1), DeliveryId(2)];
            assert_eq!(is_unchanged(&decided, &known, newest.map(DeliveryId)), expected, "{why}");
        }
        assert!(!is_unchanged(&[], &[], None), "nothing was decided");
    }
}
