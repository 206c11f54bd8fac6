//! Many notifications that wait for one channel become few lines: what one alert has to say is said once, and above a limit all
//! lines go out as one message.

use super::{DeliveryId, Notification, NotificationId, NotificationType, compose, notification::DigestItem};
use crate::domain::{ChannelName, Severity, Timestamp};

/// Most lines of one digest: what the smallest receiver can show. More than that waiting make several digests.
pub const LINES_MAX: usize = 50;
/// Most deliveries that are looked at for one digest.
pub const MEMBERS_MAX: usize = 400;

/// A delivery that waits, with what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its number.
    pub delivery: DeliveryId,
    /// What it says.
    pub notification: Notification,
    /// Notifications that it stands for already.
    pub stands_for: Vec<NotificationId>,
}

/// What one message can say in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The deliveries that the line speaks for, oldest first.
    pub deliveries: Vec<DeliveryId>,
    /// What it says.
    pub item: DigestItem,
}

/// Whether a message of that type may go along with others. What somebody waits for, and what is a digest itself, goes alone.
#[must_use]
pub const fn may_travel(kind: NotificationType) -> bool {
    !matches!(
        kind,
        NotificationType::Digest
            | NotificationType::FleetShift
            | NotificationType::Report
            | NotificationType::Drill
            | NotificationType::Test
    )
}

/// How many of these notifications of one alert, oldest first, the last of them can speak for: those of one generation, whose last
/// one says how the alert stands, since when, and how it came to this.
#[must_use]
pub fn foldable(run: &[Notification]) -> usize {
    let speaks =
        |notification: &Notification| may_travel(notification.kind) && notification.data.alert.as_ref().is_some();
    let Some(first) = run.first().filter(|first| speaks(first)) else { return run.len().min(1) };
    // An alert keeps its id from one firing to the next; a message that was sent again by hand may stand beside one of a later firing.
    let firing = |notification: &Notification| {
        notification.data.alert.as_ref().map(|alert| (alert.id.clone(), alert.started_at))
    };
    let continues = run.windows(2).take_while(|pair| {
        speaks(&pair[1])
            && firing(&pair[1]) == firing(first)
            && pair[1].data.notification.sequence > pair[0].data.notification.sequence
    });
    1 + continues.count()
}

/// The lines that say what waits, in the order in which each was first to wait; at most [`LINES_MAX`].
#[must_use]
pub fn lines(waiting: Vec<Waiting>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for Waiting { delivery, notification, stands_for } in waiting {
        let continued = lines.iter_mut().rfind(|line| is_same_alert(&line.item, &notification));
        if let Some(line) = continued
            && foldable(&[line.item.clone().into(), notification.clone()]) == 2
        {
            let mut speaks_for = std::mem::take(&mut line.item.notification.stands_for);
            speaks_for.push(line.item.notification.id.clone());
            speaks_for.extend(stands_for);
            line.item = DigestItem::from(notification);
            line.item.notification.stands_for = speaks_for;
            line.deliveries.push(delivery);
        } else if lines.len() < LINES_MAX {
            let mut item = DigestItem::from(notification);
            item.notification.stands_for = stands_for;
            lines.push(Line { deliveries: vec![delivery], item });
        } else {
            // What comes later may belong to the same alert as this one: taking it would break the order.
            break;
        }
    }
    lines
}

fn is_same_alert(item: &DigestItem, notification: &Notification) -> bool {
    let (before, now) = (item.alert.as_ref(), notification.data.alert.as_ref());
    before.zip(now).is_some_and(|(before, now)| before.id == now.id)
}

/// The message that says these lines: operator's first, then the gravest, then the oldest.
#[must_use]
pub fn message(store: &str, channel: &ChannelName, lines: &[Line], now: Timestamp) -> Notification {
    let members: Vec<String> = lines.iter().flat_map(|line| &line.deliveries).map(ToString::to_string).collect();
    let id = NotificationId::of_parts(&["digest", store, channel.as_str(), &now.to_string(), &members.join(" ")]);
    let mut items: Vec<DigestItem> = lines.iter().map(|line| line.item.clone()).collect();
    items.sort_by_key(|item| {
        let severity = item.alert.as_ref().map_or(Severity::Info, |alert| alert.severity);
        (item.operator.is_none(), std::cmp::Reverse(severity), item.timestamp)
    });
    let mut digest = compose::without_alert(NotificationType::Digest, id, now);
    digest.data.items = items;
    digest
}

#[cfg(test)]
mod tests;
