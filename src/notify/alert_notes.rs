//! What is noted at an alert of its notifications: who was notified, whether a person has seen it, and what is still owed. Pure,
//! whatever store keeps it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Envelope, NotificationId, NotificationType, silence::Acknowledgement};
use crate::domain::{ChannelName, Timestamp};

/// What is noted at an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertNotes {
    /// Whether the alert fires now.
    pub is_firing: bool,
    /// How often it has begun to fire.
    pub generation: u64,
    /// How many of its rule's escalation steps its firing has taken.
    pub escalated: u32,
    /// The newest notification of the alert; `None`: there has been none.
    pub newest: Option<NotificationId>,
    /// When that reached a final state on some channel; `None` while it is on its way everywhere.
    pub notified_at: Option<Timestamp>,
    /// The generation that `notified_channels` is about.
    pub notified_generation: Option<u64>,
    /// The channels that notifications of that generation were queued for.
    pub notified_channels: Vec<ChannelName>,
    /// Whether a person has seen its newest firing: no reminder is made meanwhile. It counts while the alert fires, and is kept at its
    /// end, which may be taken back.
    pub acknowledged: Option<Acknowledgement>,
    /// The fleet shift whose notice covered it last.
    pub shift: Option<String>,
    /// What is still to be done about it.
    pub owes: Option<Owed>,
}

/// What is still to be done about an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// An earlier version kept it quiet: a notification.
    Notification,
    /// The notice that covered it said that it is accepted as the new level: that.
    Acceptance,
}

impl Owed {
    /// The name in JSON and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Acceptance => "acceptance",
        }
    }

    /// Finds what has that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Notification, Self::Acceptance].into_iter().find(|owed| owed.as_str() == name)
    }
}

impl AlertNotes {
    /// The channels that notifications of its present generation were queued for.
    #[must_use]
    pub fn current_channels(&self) -> &[ChannelName] {
        if self.notified_generation == Some(self.generation) { &self.notified_channels } else { &[] }
    }

    /// Its newest notification, if it fires and somebody was to be notified of that.
    #[must_use]
    pub fn firing_notification(&self) -> Option<&NotificationId> {
        self.newest.as_ref().filter(|_| self.is_firing && self.notified_generation == Some(self.generation))
    }

    /// Notes that a notification of it was queued for these channels. An escalation notifies further channels of what the others know:
    /// when those are reminded, and what a channel that is added is sent, stays as it was.
    pub fn queued(&mut self, notification: NotificationId, envelope: &Envelope, queued_for: &[ChannelName]) {
        let is_known = envelope.kind == NotificationType::AlertEscalated && !self.current_channels().is_empty();
        let mut channels = [self.current_channels(), queued_for].concat();
        channels.sort();
        channels.dedup();
        (self.notified_channels, self.notified_generation) = (channels, Some(self.generation));
        if is_known {
            return;
        }
        (self.newest, self.notified_at, self.owes) = (Some(notification), None, None);
        if !envelope.keeps_acknowledgement() {
            self.acknowledged = None;
        }
        if !envelope.keeps_shift() {
            self.shift = None;
        }
    }

    /// Notes that the notice of a fleet shift covers it; `is_accepted`: which said that its level is accepted as the new one.
    pub fn covered(&mut self, shift: &str, is_accepted: bool) {
        self.shift = Some(shift.to_owned());
        self.owes = is_accepted.then_some(Owed::Acceptance);
    }

    /// Notes that it is part of a fleet shift, of which it was notified on its own before that was known. What another notice covers,
    /// or is over, stays as it is.
    pub fn notified_before(&mut self, shift: &str) {
        if self.is_firing && self.shift.is_none() {
            self.shift = Some(shift.to_owned());
        }
    }

    /// Notes that a channel leads elsewhere. Whoever reads there was notified of nothing yet, other than of what still waits for it.
    pub fn leads_elsewhere(&mut self, channel: &ChannelName, is_waiting: bool) {
        if self.is_firing && !is_waiting {
            self.notified_channels.retain(|notified| notified != channel);
        }
    }

    /// Notes that a person has seen it; the first to say so is kept. `false`: it does not fire.
    pub fn acknowledge(&mut self, by: &Acknowledgement) -> bool {
        if self.is_firing {
            self.acknowledged.get_or_insert_with(|| by.clone());
        }
        self.is_firing
    }

    /// Notes that what a person has said to have seen waits to be seen again. `false`: it does not fire, or nobody has said so.
    pub fn unacknowledge(&mut self) -> bool {
        self.is_firing && self.acknowledged.take().is_some()
    }

    /// Notes what an acknowledgement has taken back of its escalation. If nobody else was notified of it, nothing is on its way now.
    pub fn taken_back(&mut self, channels: &BTreeSet<ChannelName>, has_newest: bool, now: Timestamp) {
        self.notified_channels.retain(|channel| !channels.contains(channel));
        if has_newest {
            self.notified_at.get_or_insert(now);
        }
    }
}

/// Whether the end of an acknowledgement comes with a notification that was made at `made_at` and has now reached a final state: that
/// the alert got worse after it was acknowledged, and still is. `taken_back` is the number of the newest notification that was taken
/// back since, because what it reported was over.
#[must_use]
pub fn ends_acknowledgement(
    kind: NotificationType,
    sequence: u64,
    made_at: Timestamp,
    acknowledged_at: Timestamp,
    taken_back: u64,
) -> bool {
    kind == NotificationType::AlertWorsened && made_at >= acknowledged_at && sequence > taken_back
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::drill;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn channels(names: &str) -> Vec<ChannelName> {
        names.split_whitespace().map(|name| ChannelName::parse(name).unwrap()).collect()
    }

    fn envelope(kind: NotificationType) -> Envelope {
        let channel = ChannelName::parse("soc").unwrap();
        let message = drill::message(drill::id("store", &channel, at(0)), None, at(0));
        Envelope { kind, ..Envelope::new(&message, None, None) }
    }

    fn id(name: &str) -> NotificationId {
        NotificationId::from_text(name)
    }

    fn firing() -> AlertNotes {
        AlertNotes {
            is_firing: true,
            generation: 2,
            escalated: 0,
            newest: Some(id("old")),
            notified_at: Some(at(1)),
            notified_generation: Some(2),
            notified_channels: channels("b"),
            acknowledged: Some(Acknowledgement { at: at(5), by: "ada".to_owned(), comment: String::new() }),
            shift: Some("shift".to_owned()),
            owes: Some(Owed::Notification),
        }
    }

    #[test]
    fn a_notification_that_is_queued_is_the_newest_and_its_channels_are_recipients_of_this_firing() {
        for (notified_generation, queued, expected, why) in [
            (Some(2), "c a b", "a b c", "of the same firing, each once"),
            (Some(1), "a", "a", "of an earlier firing they count no more"),
            (None, "a", "a", "nobody was notified before"),
            (Some(2), "", "b", "it may have no channel"),
        ] {
            let mut notes = AlertNotes { notified_generation, ..firing() };
            notes.queued(id("new"), &envelope(NotificationType::AlertReminder), &channels(queued));
            assert_eq!(notes.current_channels(), channels(expected), "{why}");
            assert_eq!((notes.newest, notes.notified_at, notes.owes), (Some(id("new")), None, None), "{why}");
        }
    }

    #[test]
    fn an_escalation_adds_its_channels_and_leaves_the_rest_as_it_was() {
        let mut notes = AlertNotes { notified_channels: channels("b"), ..firing() };
        notes.queued(id("new"), &envelope(NotificationType::AlertEscalated), &channels("a"));
        assert_eq!(notes, AlertNotes { notified_channels: channels("a b"), ..firing() });
        let mut nobody = AlertNotes { notified_channels: Vec::new(), ..firing() };
        nobody.queued(id("new"), &envelope(NotificationType::AlertEscalated), &channels("a"));
        assert_eq!((nobody.newest, nobody.notified_at), (Some(id("new")), None), "the first that anybody hears");
    }

    #[test]
    fn an_acknowledgement_and_a_shift_last_as_long_as_the_notification_says() {
        use NotificationType as Kind;
        for (kind, is_acknowledged, is_of_shift) in [
            (Kind::AlertFiring, false, false),
            (Kind::AlertWorsened, true, true),
            (Kind::AlertReminder, true, true),
            (Kind::AlertEscalated, true, true),
            (Kind::AlertResolved, true, true),
        ] {
            let mut notes = firing();
            notes.queued(id("new"), &envelope(kind), &[]);
            assert_eq!(
                (notes.acknowledged.is_some(), notes.shift.is_some()),
                (is_acknowledged, is_of_shift),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn an_acknowledgement_ends_once_somebody_was_notified_that_it_got_worse_since_and_it_still_is() {
        use NotificationType as Kind;
        for (kind, sequence, made, expected, why) in [
            (Kind::AlertWorsened, 4, 6, true, "worse since"),
            (Kind::AlertWorsened, 4, 5, true, "at the same time"),
            (Kind::AlertWorsened, 4, 4, false, "it was worse when it was acknowledged"),
            (Kind::AlertWorsened, 3, 6, false, "that was taken back"),
            (Kind::AlertReminder, 4, 6, false, "it only says that it fires"),
        ] {
            assert_eq!(ends_acknowledgement(kind, sequence, at(made), at(5), 3), expected, "{why}");
        }
    }

    #[test]
    fn only_an_alert_that_fires_is_acknowledged_and_the_first_to_say_so_is_kept() {
        let by = |name: &str| Acknowledgement { at: at(9), by: name.to_owned(), comment: String::new() };
        let mut notes = AlertNotes { acknowledged: None, ..firing() };
        assert!(notes.acknowledge(&by("bob")) && notes.acknowledge(&by("eve")));
        assert_eq!(notes.acknowledged, Some(by("bob")));
        let mut over = AlertNotes { is_firing: false, acknowledged: None, ..firing() };
        assert!(!over.acknowledge(&by("bob")) && over.acknowledged.is_none());
    }

    #[test]
    fn a_notice_covers_an_alert_and_what_it_accepts_is_owed() {
        let mut notes = firing();
        notes.covered("new", true);
        assert_eq!((notes.shift.as_deref(), notes.owes), (Some("new"), Some(Owed::Acceptance)));
        notes.covered("new", false);
        assert_eq!(notes.owes, None);
        for (is_firing, shift, expected, why) in [
            (true, None, Some("new"), "it is part of the shift"),
            (true, Some("old"), Some("old"), "another notice covers it"),
            (false, None, None, "it is over"),
        ] {
            let mut notes = AlertNotes { is_firing, shift: shift.map(str::to_owned), ..firing() };
            notes.notified_before("new");
            assert_eq!(notes.shift.as_deref(), expected, "{why}");
        }
    }

    #[test]
    fn readers_of_a_channel_that_leads_elsewhere_were_notified_of_nothing_but_what_waits() {
        let channel = &channels("b")[0];
        for (is_firing, is_waiting, expected) in [(true, false, ""), (true, true, "b"), (false, false, "b")] {
            let mut notes = AlertNotes { is_firing, ..firing() };
            notes.leads_elsewhere(channel, is_waiting);
            assert_eq!(notes.notified_channels, channels(expected), "{is_firing} {is_waiting}");
        }
    }

    #[test]
    fn what_a_new_channel_is_sent_is_the_newest_notification_of_a_firing_that_somebody_was_notified_of() {
        let other_generation = AlertNotes { notified_generation: Some(1), ..firing() };
        assert_eq!(firing().firing_notification(), Some(&id("old")));
        assert_eq!(AlertNotes { is_firing: false, ..firing() }.firing_notification(), None, "it is over");
        assert_eq!(other_generation.firing_notification(), None, "nobody was to be notified of this firing");
    }
}
