//! What becomes of an escalation that nobody has tried to send when somebody acknowledges its alert: it is taken back, and its step
//! counts as not taken. So whoever would have been notified hears neither of it nor of its end; and if the acknowledgement is
//! withdrawn, the step is due again. Pure.

use std::collections::BTreeSet;

use super::{DeliveryId, DeliveryState, NotificationType};
use crate::domain::ChannelName;

/// A delivery of a firing, to any channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfFiring {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// The channel to which it goes.
    pub channel: ChannelName,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts made so far.
    pub attempts: u32,
    /// What kind of message it is.
    pub kind: NotificationType,
    /// The number of its notification within the firing.
    pub sequence: u64,
    /// The last step of its rule that it takes; `None`: it is not an escalation.
    pub step: Option<u32>,
}

impl OfFiring {
    fn can_be_withdrawn(&self) -> bool {
        self.state.can_be_withdrawn(self.attempts)
    }

    /// Whether its channel will have been sent nothing by it.
    fn is_unsent(&self) -> bool {
        self.can_be_withdrawn() || self.state == DeliveryState::Suppressed
    }

    fn is_escalation(&self) -> bool {
        self.kind == NotificationType::AlertEscalated
    }
}

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// What is never sent.
    pub deliveries: Vec<DeliveryId>,
    /// Whoever was to be notified by it, and has been sent nothing of the firing.
    pub channels: BTreeSet<ChannelName>,
    /// How many steps count as taken.
    pub steps: u32,
}

/// What an acknowledgement takes back, of all deliveries of the firing; `None`: nothing. A channel that was sent anything of the firing
/// goes on hearing of it.
#[must_use]
pub fn taken_back(of_firing: &[OfFiring]) -> Option<TakenBack> {
    let reached: BTreeSet<&ChannelName> =
        of_firing.iter().filter(|one| !one.is_unsent()).map(|one| &one.channel).collect();
    let waits = |one: &&OfFiring| one.can_be_withdrawn() && !reached.contains(&one.channel);
    let escalations = || of_firing.iter().filter(|one| one.is_escalation());
    let channels: BTreeSet<ChannelName> = escalations().filter(waits).map(|one| one.channel.clone()).collect();
    let first = escalations().filter(waits).map(|one| one.sequence).min()?;
    let of_channels = of_firing.iter().filter(waits).filter(|one| channels.contains(&one.channel));
    let deliveries = of_channels.map(|one| one.delivery).collect();
    let before = escalations().filter(|one| one.sequence < first && one.state != DeliveryState::Suppressed);
    let steps = before.filter_map(|one| one.step).max().unwrap_or(0);
    Some(TakenBack { deliveries, channels, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `channel:kind+sequence`, then how it fares: `h`eld, `q`ueued, `t`ried, `d`elivered, `s`uppressed. The kinds are `f`ires,
    /// `w`orse, `r`eminder and the number of an escalation's step.
    fn of_firing(text: &str) -> Vec<OfFiring> {
        use NotificationType as Kind;
        let one = |(number, word): (i64, &str)| {
            let (channel, rest) = word.split_once(':').unwrap();
            let (kind, rest) = rest.split_once('+').unwrap();
            let (sequence, state) = rest.split_at(1);
            let (state, attempts) = match state {
                "h" => (DeliveryState::Held, 0),
                "q" => (DeliveryState::Queued, 0),
                "t" => (DeliveryState::Queued, 1),
                "d" => (DeliveryState::Delivered, 1),
                _ => (DeliveryState::Suppressed, 0),
            };
            let step = kind.parse().ok();
            let kind = match kind {
                "f" => Kind::AlertFiring,
                "w" => Kind::AlertWorsened,
                "r" => Kind::AlertReminder,
                _ => Kind::AlertEscalated,
            };
            let channel = ChannelName::parse(channel).unwrap();
            let sequence = sequence.parse().unwrap();
            OfFiring { delivery: DeliveryId(number), channel, state, attempts, kind, sequence, step }
        };
        (1..).zip(text.split_whitespace()).map(one).collect()
    }

    #[test]
    fn an_acknowledgement_takes_back_what_nobody_has_tried_to_send_to_a_channel_that_heard_nothing() {
        for (text, expected, why) in [
            ("soc:f+1d", "-", "nothing is escalated"),
            ("soc:f+1d call:1+2d", "-", "it was sent"),
            ("soc:f+1d call:1+2t", "-", "it may have arrived"),
            ("soc:f+1d call:1+2h", "2 call 0", "it is held"),
            ("soc:f+1d call:1+2q", "2 call 0", "or waits"),
            ("soc:f+1h call:1+2h soc:r+3h call:r+3h", "2 4 call 0", "with what followed, to that channel alone"),
            ("soc:f+1d call:1+2d lead:2+3h", "3 lead 1", "the second step alone"),
            ("soc:f+1d call:1+2h lead:2+3h", "2 3 call lead 0", "both steps"),
            ("soc:f+1d call:1+2h lead:1+2d", "2 call 0", "of two channels of a step the one that heard nothing"),
            ("soc:f+1d call:1+2s call:1+3h", "3 call 0", "what was taken back before is taken back again"),
            ("soc:f+1d call:1+2d call:2+3h", "-", "the channel was notified by another step"),
        ] {
            let taken = taken_back(&of_firing(text)).map_or_else(
                || "-".to_owned(),
                |TakenBack { deliveries, channels, steps }| {
                    let deliveries = deliveries.iter().map(ToString::to_string);
                    let channels = channels.iter().map(ToString::to_string);
                    deliveries.chain(channels).chain([steps.to_string()]).collect::<Vec<_>>().join(" ")
                },
            );
            assert_eq!(taken, expected, "{text}: {why}");
        }
    }
}
