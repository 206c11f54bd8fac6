//! From what alerts told to what channels would have been sent: every stage between a transition and a receiver, in the order
//! silence, fleet shift, digest. Each takes what is queued, in time order, and gives what goes on.

use std::collections::{BTreeMap, VecDeque};

use super::{
    course::{Plan, Receiver},
    message::{Message, Sent, Stage, Withheld},
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::{
        NotificationType,
        digest::{LINES_MAX, MEMBERS_MAX},
    },
};

/// What would have become of all messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The messages, in time order.
    pub messages: Vec<Message>,
    /// What channels got, in time order.
    pub sent: Vec<Sent>,
    /// What they did not get by itself, and why.
    pub withheld: Vec<Withheld>,
}

/// A message on its way to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// When it may be sent.
    pub at: Timestamp,
    /// Which message, by its place.
    pub message: usize,
    /// To which channel.
    pub channel: ChannelName,
}

/// Takes messages through all stages. Messages are in time order.
#[must_use]
pub fn send(plan: &Plan, messages: Vec<Message>) -> Outcome {
    let mut withheld = Vec::new();
    let queued = route(&messages, &mut withheld);
    let sent = digest(plan, &messages, queued, &mut withheld);
    Outcome { messages, sent, withheld }
}

/// Each message to each of its channels.
fn route(messages: &[Message], withheld: &mut Vec<Withheld>) -> Vec<Queued> {
    let mut queued = Vec::new();
    for (message, told) in messages.iter().enumerate() {
        if told.channels.is_empty() {
            withheld.push(Withheld { message, channel: None, stage: Stage::Route });
        }
        let to = |channel: &ChannelName| Queued { at: told.at, message, channel: channel.clone() };
        queued.extend(told.channels.iter().map(to));
    }
    queued
}

/// What each channel is sent of what waits for it, at its pace.
fn digest(plan: &Plan, messages: &[Message], queued: Vec<Queued>, withheld: &mut Vec<Withheld>) -> Vec<Sent> {
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
        let along = if one.kind == NotificationType::Digest {
            &one.says[..]
        } else {
            one.says.split_last().map_or(&[][..], |(_, rest)| rest)
        };
        let not_alone =
            |&message: &usize| Withheld { message, channel: Some(one.channel.clone()), stage: Stage::Digest };
        withheld.extend(along.iter().map(not_alone));
    }
    sent.sort_by_key(|one| one.at);
    sent
}

/// Sends one channel all that comes for it.
fn drain(
    channel: &ChannelName,
    receiver: &Receiver,
    messages: &[Message],
    mut coming: VecDeque<Queued>,
    sent: &mut Vec<Sent>,
) {
    let mut waiting: VecDeque<usize> = VecDeque::new();
    let mut free_at: Option<Timestamp> = None;
    loop {
        let arrival = if waiting.is_empty() { coming.front().map(|first| first.at) } else { free_at };
        let Some(at) = arrival.map(|at| free_at.map_or(at, |free| free.max(at))) else { return };
        while let Some(first) = coming.pop_front_if(|first| first.at <= at) {
            waiting.push_back(first.message);
        }
        let (kind, says) = match receiver.digest_over {
            Some(over) if waiting.len() > over => many(messages, &mut waiting),
            Some(_) => newest(messages, &mut waiting),
            None => alone(messages, &mut waiting),
        };
        sent.push(Sent { at, channel: channel.clone(), kind, says });
        free_at = Some(at.plus(receiver.pace));
    }
}

/// The oldest, by itself.
fn alone(messages: &[Message], waiting: &mut VecDeque<usize>) -> (NotificationType, Vec<usize>) {
    let says: Vec<usize> = waiting.pop_front().into_iter().collect();
    (says.first().map_or(NotificationType::Digest, |&first| messages[first].kind()), says)
}

/// The oldest, or what tells of the same alert since, as far as one message can say it.
fn newest(messages: &[Message], waiting: &mut VecDeque<usize>) -> (NotificationType, Vec<usize>) {
    let (kind, mut says) = alone(messages, waiting);
    let Some(&first) = says.first() else { return (kind, says) };
    let mut left = VecDeque::with_capacity(waiting.len());
    let mut goes_on = true;
    for &message in waiting.iter() {
        let newest = says.last().copied().unwrap_or(first);
        if goes_on && messages[newest].goes_along_with(&messages[message]) {
            says.push(message);
        } else {
            goes_on &= !messages[first].is_of_same_alert(&messages[message]);
            left.push_back(message);
        }
    }
    *waiting = left;
    let kind = says.last().map_or(kind, |&newest| messages[newest].kind());
    (kind, says)
}

/// All that one digest can say, as lines; where that is one line only, the newest.
fn many(messages: &[Message], waiting: &mut VecDeque<usize>) -> (NotificationType, Vec<usize>) {
    let mut lines: Vec<usize> = Vec::new();
    let mut taken = 0;
    for &message in waiting.iter().take(MEMBERS_MAX) {
        let same = |line: &usize| messages[*line].is_of_same_alert(&messages[message]);
        match lines.iter().rposition(same) {
            Some(line) if messages[lines[line]].goes_along_with(&messages[message]) => lines[line] = message,
            _ if lines.len() < LINES_MAX => lines.push(message),
            _ => break,
        }
        taken += 1;
    }
    if lines.len() < 2 {
        return newest(messages, waiting);
    }
    (NotificationType::Digest, waiting.drain(..taken).collect())
}

#[cfg(test)]
mod tests;
