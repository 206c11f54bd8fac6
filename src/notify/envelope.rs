//! What the queue knows of a notification, beside what it says: whose it is, of which firing, and how grave. What is sent next, merged,
//! held or released is decided on this alone, so that nobody looks into a message for it.

use super::{Notification, NotificationType};
use crate::{
    domain::{Severity, TenantId, Timestamp},
    rule::{AlertKey, Resolution},
};

/// What is written on the outside of a notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What kind of message it is.
    pub kind: NotificationType,
    /// When what it reports happened.
    pub at: Timestamp,
    /// The alert that it is about; `None`: it is about none.
    pub alert: Option<AlertKey>,
    /// About which tenant; `None`: about none, or about several.
    pub tenant: Option<TenantId>,
    /// When the firing that it reports began: the same in all its notifications, and in none of another firing.
    pub began_at: Option<Timestamp>,
    /// Its number within the firing.
    pub sequence: u64,
    /// Whether it says that the alert is over.
    pub is_over: bool,
    /// Why the alert is over; `None`: it is not, or nobody noted it.
    pub resolution: Option<Resolution>,
    /// When the value that it reports was observed.
    pub observed_at: Option<Timestamp>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// How much was lost, in percent of the baseline.
    pub loss_percent: Option<f64>,
    /// Whether it is for the operator.
    pub is_operator: bool,
}

impl Envelope {
    /// The envelope of a notification about that alert and tenant.
    #[must_use]
    pub fn new(notification: &Notification, alert: Option<AlertKey>, tenant: Option<TenantId>) -> Self {
        let data = &notification.data;
        let facts = data.alert.as_ref();
        Self {
            kind: notification.kind,
            at: notification.timestamp,
            alert,
            tenant,
            began_at: facts.map(|facts| facts.started_at),
            sequence: data.notification.sequence,
            is_over: facts.is_some_and(|facts| facts.resolved_at.is_some()),
            resolution: facts.and_then(|facts| facts.resolution),
            observed_at: data.score.as_ref().and_then(|score| score.observed_at),
            severity: facts.map(|facts| facts.severity),
            loss_percent: data.score.as_ref().and_then(|score| score.loss_percent).filter(|loss| loss.is_finite()),
            is_operator: data.operator.is_some(),
        }
    }

    /// Whether an acknowledgement of its alert outlasts that it is queued. What was acknowledged is not what it is now, unless this
    /// only says that it still is. That it got worse ends an acknowledgement once somebody is notified of it: it may be over before.
    /// That it is over may be taken back; then the alert fires on, acknowledged as it was.
    #[must_use]
    pub const fn keeps_acknowledgement(&self) -> bool {
        use NotificationType as Kind;
        matches!(self.kind, Kind::AlertReminder | Kind::AlertWorsened | Kind::AlertEscalated | Kind::AlertResolved)
    }

    /// Whether its alert stays the one that the notice of a fleet shift covered: another firing is of no shift until a notice
    /// covers it.
    #[must_use]
    pub const fn keeps_shift(&self) -> bool {
        !matches!(self.kind, NotificationType::AlertFiring)
    }

    /// Whether it says that the alert is over because its level was accepted.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self.resolution, Some(Resolution::Accepted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::drill;

    #[test]
    fn an_alert_is_what_was_acknowledged_until_it_says_something_else_and_of_a_shift_until_it_fires_again() {
        use NotificationType as Kind;
        let channel = crate::domain::ChannelName::parse("soc").unwrap();
        let message = drill::message(drill::id("store", &channel, Timestamp::EPOCH), None, Timestamp::EPOCH);
        for (kind, keeps_acknowledgement, keeps_shift) in [
            (Kind::AlertFiring, false, false),
            (Kind::AlertWorsened, true, true),
            (Kind::AlertReminder, true, true),
            (Kind::AlertEscalated, true, true),
            (Kind::AlertUnstable, false, true),
            (Kind::AlertResolved, true, true),
        ] {
            let envelope = Envelope { kind, ..Envelope::new(&message, None, None) };
            let kept = (envelope.keeps_acknowledgement(), envelope.keeps_shift());
            assert_eq!(kept, (keeps_acknowledgement, keeps_shift), "{kind:?}");
        }
    }
}
