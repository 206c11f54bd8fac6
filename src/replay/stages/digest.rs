//! What each channel is sent of what waits for it, at its pace.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Queued;
use crate::{
    domain::{ChannelName, ScoreKind, Subject, TenantId, Timestamp},
    notify::{NotificationType, digest::MEMBERS_MAX},
    replay::{
        history::{Plan, Receiver},
        message::{Message, Sent, Stage, Suppressed},
    },
    rule::RuleName,
};

/// What is sent of what is queued, in time order.
pub(super) fn digest(
    plan: &Plan,
    messages: &[Message],
    queued: Vec<Queued>,
    suppressed: &mut Vec<Suppressed>,
) -> Vec<Sent> {
    let mut by_channel: BTreeMap<ChannelName, VecDeque<Queued>> = BTreeMap::new();
    for item in queued {
        by_channel.entry(item.channel.clone()).or_default().push_back(item);
    }
    let mut sent = Vec::new();
    for (channel, coming) in by_channel {
        if let Some(receiver) = plan.receivers.get(&channel) {
            drain(&channel, receiver, messages, coming, &mut sent);
        }
    }
    for one in &sent {
        let along = match one.kind {
            // What a notice says was suppressed by the stage before.
            NotificationType::FleetShift => &[],
            NotificationType::Digest => &one.says[..],
            _ => one.says.split_last().map_or(&[][..], |(_, rest)| rest),
        };
        let not_alone =
            |&message: &usize| Suppressed { message, channel: Some(one.channel.clone()), stage: Stage::Digest };
        suppressed.extend(along.iter().map(not_alone));
    }
    sent.sort_by_key(|one| one.at);
    sent
}

/// What is sent by one send.
type Parcel = (NotificationType, Vec<usize>);

/// Sends one channel all that comes for it.
fn drain(
    channel: &ChannelName,
    receiver: &Receiver,
    messages: &[Message],
    mut coming: VecDeque<Queued>,
    sent: &mut Vec<Sent>,
) {
    let mut waiting: VecDeque<Queued> = VecDeque::new();
    let mut free_at: Option<Timestamp> = None;
    loop {
        let arrival = if waiting.is_empty() { coming.front().map(|first| first.at) } else { free_at };
        let Some(at) = arrival.map(|at| free_at.map_or(at, |free| free.max(at))) else { return };
        while let Some(first) = coming.pop_front_if(|first| first.at <= at) {
            waiting.push_back(first);
        }
        let notice = waiting.front().and_then(|first| first.notice);
        let (kind, says) = match receiver.digest_over {
            // A notice goes alone.
            _ if notice.is_some() => alone(messages, &mut waiting),
            Some(over) if waiting.iter().filter(|one| one.notice.is_none()).count() > over => {
                many(messages, &mut waiting)
            }
            Some(_) if receiver.merges_readings => of_reading(messages, &mut waiting),
            Some(_) => newest(messages, &mut waiting),
            None => alone(messages, &mut waiting),
        };
        sent.push(Sent { at, channel: channel.clone(), kind, says, notice });
        free_at = Some(at.plus(receiver.pace));
    }
}

/// The oldest, on its own.
fn alone(messages: &[Message], waiting: &mut VecDeque<Queued>) -> Parcel {
    let Some(first) = waiting.pop_front() else { return (NotificationType::Digest, Vec::new()) };
    let kind = match (first.notice, first.says.last()) {
        (None, Some(&newest)) => messages[newest].kind(),
        _ => NotificationType::FleetShift,
    };
    (kind, first.says)
}

/// The oldest, or a newer one of the same alert, as far as one message can say both.
fn newest(messages: &[Message], waiting: &mut VecDeque<Queued>) -> Parcel {
    let (kind, mut says) = alone(messages, waiting);
    let Some(&first) = says.first() else { return (kind, says) };
    let mut left = VecDeque::with_capacity(waiting.len());
    let mut goes_on = true;
    for item in waiting.drain(..) {
        let newest = says.last().copied().unwrap_or(first);
        let next = item.says.first().copied().filter(|_| item.notice.is_none());
        if goes_on && next.is_some_and(|next| messages[newest].goes_along_with(&messages[next])) {
            says.extend(item.says);
        } else {
            goes_on &= !next.is_some_and(|next| messages[first].is_of_same_alert(&messages[next]));
            left.push_back(item);
        }
    }
    *waiting = left;
    let kind = says.last().map_or(kind, |&newest| messages[newest].kind());
    (kind, says)
}

/// What several rules say of the reading that the oldest is about, as lines; where that is one rule only, the newest.
fn of_reading(messages: &[Message], waiting: &mut VecDeque<Queued>) -> Parcel {
    let (kind, mut says) = newest(messages, waiting);
    let Some(newest) = says.last().copied() else { return (kind, says) };
    let last = |item: &Queued| item.says.last().copied().filter(|_| item.notice.is_none());
    let is_of_it = |item: &Queued| last(item).is_some_and(|last| messages[newest].is_of_same_reading(&messages[last]));
    let (mut left, mut is_digest) = (VecDeque::with_capacity(waiting.len()), false);
    let items: Vec<Queued> = waiting.drain(..).collect();
    for (place, item) in items.iter().enumerate() {
        // What waits before it of the same alert comes along.
        let comes_along = is_of_it(item)
            || items[place..].iter().skip(1).any(|later| {
                is_of_it(later)
                    && last(item)
                        .zip(last(later))
                        .is_some_and(|(one, other)| messages[one].is_of_same_alert(&messages[other]))
            });
        if comes_along {
            is_digest = true;
            says.extend(item.says.iter().copied());
        } else {
            left.push_back(item.clone());
        }
    }
    *waiting = left;
    (if is_digest { NotificationType::Digest } else { kind }, says)
}

/// An alert: whose, by which rule, of which score and subject.
type AlertOf<'a> = (&'a TenantId, &'a RuleName, Option<ScoreKind>, Option<&'a Subject>);

/// All that waits, as lines; where that is one line only, the newest.
fn many(messages: &[Message], waiting: &mut VecDeque<Queued>) -> Parcel {
    let mut newest_of: HashMap<AlertOf<'_>, usize> = HashMap::new();
    let (mut lines, mut taken) = (0, 0);
    for item in waiting.iter().filter(|item| item.notice.is_none()).take(MEMBERS_MAX) {
        let Some((&first, &last)) = item.says.first().zip(item.says.last()) else { continue };
        let Message { tenant, rule, score, subject, .. } = &messages[first];
        let before = newest_of.insert((tenant, &rule.name, *score, subject.as_ref()), last);
        lines += usize::from(!before.is_some_and(|before| messages[before].goes_along_with(&messages[first])));
        taken += 1;
    }
    if lines < 2 {
        return newest(messages, waiting);
    }
    let (mut says, mut left) = (Vec::new(), VecDeque::new());
    for item in waiting.drain(..) {
        if item.notice.is_none() && taken > 0 {
            taken -= 1;
            says.extend(item.says);
        } else {
            left.push_back(item);
        }
    }
    *waiting = left;
    (NotificationType::Digest, says)
}
