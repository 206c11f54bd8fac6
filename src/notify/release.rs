//! What becomes of deliveries that were held: pure, so that the sentence "nothing is lost, and nobody hears of what was over before
//! anybody was told" can be read here.

use super::{
    DeliveryId, Notification, NotificationType,
    hold::{Hold, HoldReason},
};
use crate::domain::{ChannelName, Timestamp};

/// What waits for one channel of one alert, from the first delivery that is held: the unfinished ones that nobody has tried to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The channel.
    pub channel: ChannelName,
    /// Oldest first; never empty, and the first is held.
    pub steps: Vec<Step>,
    /// Whether the channel was told, or is being told, of the same firing as the first step's.
    pub was_told: bool,
    /// What the last step says.
    pub newest: Notification,
}

/// One delivery of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub delivery: DeliveryId,
    /// What kind of message it is.
    pub kind: NotificationType,
    /// When the firing that it tells of began: the same in all that is said of it, and in nothing that is said of another.
    /// `None`: it is about no alert.
    pub began: Option<Timestamp>,
    /// Whether it says that the alert is over.
    pub is_over: bool,
    /// Why it is held; `None`: it waits behind one that is.
    pub hold: Option<Hold>,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is sent.
    Send,
    /// It goes along with that one, which is sent and stands for it.
    Carried(DeliveryId),
    /// It is never sent.
    Withhold,
    /// It is never sent: a fleet shift that was told explains it. Neither reminders of its alert nor its end are told, until it
    /// worsens by itself.
    Explain,
    /// It is held further.
    Hold(Hold),
}

impl Run {
    /// Why it is held: the reason of its first step.
    #[must_use]
    pub fn why(&self) -> Option<HoldReason> {
        self.steps.iter().find_map(|step| step.hold).map(|hold| hold.why)
    }
}

impl Step {
    const fn is_reminder(&self) -> bool {
        matches!(self.kind, NotificationType::AlertReminder)
    }
}

/// Whether two notifications of one alert tell of the same firing.
fn is_same_firing(before: &Step, after: &Step) -> bool {
    before.began.is_some() && before.began == after.began
}

/// What becomes of each delivery of a run. `keeps_state`: the channel's receiver keeps each alert's state and is told each step.
/// `hold`: it is covered still, or again.
///
/// Per firing: what is over and was never told is told to nobody; what is over and was told is told as over; what still fires and
/// was never told is told by its newest step; what still fires and was told is told only if it got worse. A mere reminder is told to
/// nobody: it would say what was known before.
#[must_use]
pub fn decide(run: &Run, keeps_state: bool, hold: Option<Hold>) -> Vec<(DeliveryId, Fate)> {
    let Some(hold) = hold else { return of_steps(&run.steps, run.was_told, keeps_state) };
    run.steps.iter().map(|step| (step.delivery, Fate::Hold(hold))).collect()
}

/// The steps that tell of earlier firings, and those of the newest, of which alone it can be said that a fleet shift explains it.
#[must_use]
pub fn newest_firing(steps: &[Step]) -> (&[Step], &[Step]) {
    let newest = steps.chunk_by(is_same_firing).last().map_or(0, <[Step]>::len);
    steps.split_at(steps.len() - newest)
}

/// What becomes of each step of a run that nothing covers any more; see [`decide`].
#[must_use]
pub fn of_steps(steps: &[Step], was_told: bool, keeps_state: bool) -> Vec<(DeliveryId, Fate)> {
    let firings = steps.chunk_by(is_same_firing).enumerate();
    firings.flat_map(|(index, steps)| of_one_firing(steps, index == 0 && was_told, keeps_state)).collect()
}

fn of_one_firing(steps: &[Step], was_told: bool, keeps_state: bool) -> Vec<(DeliveryId, Fate)> {
    let is_over = steps.last().is_some_and(|step| step.is_over);
    let speaker = if is_over {
        steps.last().filter(|_| was_told)
    } else {
        let newest = steps.iter().rfind(|step| !step.is_reminder());
        // Only reminders wait for a channel that was added while the alert fired: one of them is its first word.
        newest.or_else(|| steps.last().filter(|_| !was_told))
    };
    let each_is_told = keeps_state && !is_over;
    let fate = |step: &Step| match speaker {
        None => Fate::Withhold,
        Some(speaker) if step.delivery == speaker.delivery => Fate::Send,
        Some(_) if step.is_reminder() => Fate::Withhold,
        Some(_) if each_is_told => Fate::Send,
        Some(_) if keeps_state => Fate::Withhold,
        Some(speaker) => Fate::Carried(speaker.delivery),
    };
    steps.iter().map(|step| (step.delivery, fate(step))).collect()
}

#[cfg(test)]
mod tests;
