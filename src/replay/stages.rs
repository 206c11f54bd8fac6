//! From the messages of alerts to what channels would have been sent: every stage between a transition and a receiver, in the order
//! route, silence, fleet shift, digest. Each takes what is queued, in time order, and gives what goes on.
//!
//! What is decided is decided by the functions that the service asks, too: [`crate::notify::maintenance::covering`],
//! [`crate::notify::release`], [`crate::notify::fleet`]. What differs from the service is time: what is held is reviewed on the
//! instant, not by the next sweep.
//!
//! What fleet shifts there were is known before: [`super::fleet`] finds them in the readings.

mod digest;
mod hold;

use super::{
    fleet::Fleet,
    history::{History, Plan},
    message::{Message, Sent, Stage, Suppressed},
};
use crate::{
    domain::{ChannelName, Timestamp},
    notify::Notification,
};

/// What would have become of all messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The messages, in time order.
    pub messages: Vec<Message>,
    /// The notices of fleet shifts, in the order in which they were queued; each is for one channel.
    pub notices: Vec<Notification>,
    /// What channels got, in time order.
    pub sent: Vec<Sent>,
    /// What they did not get on its own, and why.
    pub suppressed: Vec<Suppressed>,
}

/// Something on its way to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Queued {
    /// When it may be sent.
    at: Timestamp,
    /// The channel that it is sent to.
    channel: ChannelName,
    /// Which messages it says, by their place, oldest first.
    says: Vec<usize>,
    /// The notice that says them, by its place; `None`: the last of them is said and stands for the others.
    notice: Option<usize>,
}

/// Takes messages through all stages. Messages are in time order; `histories` and `fleet` are those that they were made from.
#[must_use]
pub fn send(plan: &Plan, histories: &[History], fleet: &Fleet, messages: Vec<Message>) -> Outcome {
    let mut suppressed = Vec::new();
    for (message, _) in messages.iter().enumerate().filter(|(_, messages)| messages.channels.is_empty()) {
        suppressed.push(Suppressed { message, channel: None, stage: Stage::Route });
    }
    let (queued, notices) = hold::release(plan, histories, fleet, &messages, &mut suppressed);
    let sent = digest::digest(plan, &messages, queued, &mut suppressed);
    Outcome { messages, notices, sent, suppressed }
}

#[cfg(test)]
mod audiences;
#[cfg(test)]
mod tests;
