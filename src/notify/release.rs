//! What becomes of deliveries that were held: pure, so that this can be read here: nothing is lost. What a silence held and was over
//! before anybody was notified is suppressed; a wait for other tenants never suppresses anything.

mod group;

use super::{
    DeliveryId, Envelope, Notification, NotificationType,
    hold::{Hold, HoldReason},
};
use crate::{
    domain::{ChannelName, Timestamp},
    rule::Alert,
};

pub use group::{Gathered, NotifiedBefore, Unfinished, first_held, gather, is_unchanged};

/// What waits for one channel of one alert, from the first delivery that is held: the unfinished ones that nobody has tried to send.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldGroup {
    /// The channel's name in the configuration.
    pub channel: ChannelName,
    /// Oldest first; never empty, and the first is held.
    pub steps: Vec<HeldDelivery>,
    /// Whether the channel was notified, or is being notified, of the same firing as the first step's.
    pub was_notified: bool,
    /// The envelope of the last step's notification.
    pub envelope: Envelope,
    /// What the last step says.
    pub newest: Notification,
}

/// One delivery of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldDelivery {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// What kind of message it is.
    pub kind: NotificationType,
    /// When the firing that it reports began: the same in all its notifications, and in none of another firing.
    /// `None`: it is about no alert.
    pub began: Option<Timestamp>,
    /// When the value that it reports was observed.
    pub observed_at: Option<Timestamp>,
    /// Whether it says that the alert is over.
    pub is_over: bool,
    /// Whether it says that the alert is over because its level was accepted.
    pub is_accepted: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its number within the firing.
    pub sequence: u64,
    /// Whether it is so still; of what [may pass](HeldDelivery::may_pass) alone, as everything else is over by a step that follows.
    pub still: Still,
    /// Why it is held; `None`: it waits behind one that is.
    pub hold: Option<Hold>,
}

/// Whether what was held is so still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Still {
    /// It still holds as the message says.
    #[default]
    So,
    /// It no longer holds, and nobody was notified of it: the score came back from where it had worsened to, somebody has acknowledged
    /// what is escalated, or the alert did not end after all. The alert is firing.
    TakenBack,
    /// Its alert is over or stable, and another step says so, or none needs to.
    Over,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The delivery is sent on its own.
    Send,
    /// It goes along with that one, which is sent and stands for it.
    Merged(DeliveryId),
    /// It is never sent.
    Suppress,
    /// It is held further.
    Hold(Hold),
}

impl HeldGroup {
    /// Notes what is so still by how the alert stands now, and whether a person has seen it.
    pub fn hold_against(&mut self, alert: &Alert, is_acknowledged: bool) {
        for step in &mut self.steps {
            let firing = alert.firing().filter(|firing| step.began == Some(firing.since));
            step.still = match (step.kind, firing) {
                (NotificationType::AlertUnstable, _) if alert.flapping.unstable.is_none() => Still::Over,
                (NotificationType::AlertEscalated, Some(_)) if is_acknowledged => Still::TakenBack,
                (NotificationType::AlertWorsened, None) => Still::Over,
                (NotificationType::AlertWorsened, Some(firing)) if step.sequence <= firing.taken_back => {
                    Still::TakenBack
                }
                _ => Still::So,
            };
        }
    }
}

impl HeldDelivery {
    /// The delivery of a notification in that envelope.
    #[must_use]
    pub const fn of(delivery: DeliveryId, envelope: &Envelope, made_at: Timestamp, hold: Option<Hold>) -> Self {
        Self {
            delivery,
            kind: envelope.kind,
            began: envelope.began_at,
            observed_at: envelope.observed_at,
            is_over: envelope.is_over,
            is_accepted: envelope.is_accepted(),
            made_at,
            sequence: envelope.sequence,
            still: Still::So,
            hold,
        }
    }

    /// Whether what it says may be over without a step of the same firing that says so.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self.kind, NotificationType::AlertWorsened | NotificationType::AlertUnstable)
    }

    /// How it is held from now on: a silence that begins while it waits for others must not suppress it.
    #[must_use]
    pub fn held_further(&self, hold: Hold) -> Hold {
        match self.hold.map(|held| held.why) {
            Some(HoldReason::Fleet | HoldReason::LateSilence | HoldReason::Outage)
                if hold.why == HoldReason::Silence =>
            {
                Hold { why: HoldReason::LateSilence, ..hold }
            }
            _ => hold,
        }
    }

    /// Whether it reports nothing new, or something that no longer holds.
    const fn is_idle(&self) -> bool {
        self.is_reminder() || !matches!(self.still, Still::So)
    }

    /// Whether it says that an alert ended which did not, or that nobody has acknowledged one that somebody has by now.
    #[must_use]
    pub const fn is_withdrawn(&self) -> bool {
        let is_escalation = matches!(self.kind, NotificationType::AlertEscalated);
        (self.is_over || is_escalation) && matches!(self.still, Still::TakenBack)
    }

    const fn is_reminder(&self) -> bool {
        matches!(self.kind, NotificationType::AlertReminder)
    }
}

/// Whether two notifications of one alert are about the same firing.
fn is_same_firing(before: &HeldDelivery, after: &HeldDelivery) -> bool {
    before.began.is_some() && before.began == after.began
}

/// What becomes of each delivery of a run that `hold` covers still, or again; or that nothing covers any more. `keeps_state`: the
/// channel's receiver keeps each alert's state and is notified of each step.
#[must_use]
pub fn decide(run: &HeldGroup, keeps_state: bool, hold: Option<Hold>) -> Vec<(DeliveryId, Decision)> {
    let Some(hold) = hold else { return of_steps(&run.steps, run.was_notified, keeps_state) };
    run.steps.iter().map(|step| (step.delivery, Decision::Hold(step.held_further(hold)))).collect()
}

/// The steps of earlier firings, and those of the newest.
#[must_use]
pub fn newest_firing(steps: &[HeldDelivery]) -> (&[HeldDelivery], &[HeldDelivery]) {
    let newest = steps.chunk_by(is_same_firing).last().map_or(0, <[HeldDelivery]>::len);
    steps.split_at(steps.len() - newest)
}

/// What becomes of each step of a run that nothing covers any more.
///
/// Per firing, where a silence held it: what is over and was never reported is not sent; what is over and was reported is sent as
/// over; what still fires and was never reported is sent by its newest step; what still fires and was reported is sent only if it got worse
/// and is worse still. A mere reminder is not sent: it would repeat what is known.
///
/// Where a wait for other tenants held it, each firing has one message that covers all of it, whatever became of it.
#[must_use]
pub fn of_steps(steps: &[HeldDelivery], was_notified: bool, keeps_state: bool) -> Vec<(DeliveryId, Decision)> {
    let run_is_held_by = why(steps);
    if steps.iter().any(HeldDelivery::is_withdrawn) {
        let (withdrawn, said): (Vec<HeldDelivery>, Vec<HeldDelivery>) =
            steps.iter().partition(|step| step.is_withdrawn());
        let mut fates = of_steps(&said, was_notified, keeps_state);
        fates.extend(withdrawn.iter().map(|step| (step.delivery, Decision::Suppress)));
        return fates;
    }
    let firings = steps.chunk_by(is_same_firing).enumerate();
    let of_firing = |(index, steps): (usize, &[HeldDelivery])| match why(steps).or(run_is_held_by) {
        Some(HoldReason::Fleet | HoldReason::LateSilence | HoldReason::Outage) => of_whole_firing(steps, keeps_state),
        Some(HoldReason::Silence) | None => of_silenced_firing(steps, index == 0 && was_notified, keeps_state),
    };
    firings.flat_map(of_firing).collect()
}

/// Why the first of these is held that is.
fn why(steps: &[HeldDelivery]) -> Option<HoldReason> {
    steps.iter().find_map(|step| step.hold).map(|hold| hold.why)
}

fn of_silenced_firing(steps: &[HeldDelivery], was_notified: bool, keeps_state: bool) -> Vec<(DeliveryId, Decision)> {
    let is_over = steps.last().is_some_and(|step| step.is_over || step.still == Still::Over);
    let speaker = if is_over {
        steps.last().filter(|step| was_notified && step.is_over)
    } else {
        let newest = steps.iter().rfind(|step| !step.is_idle());
        // Nothing new waits for a channel that was added while the alert fired: what says that it does is its first word.
        newest.or_else(|| steps.last().filter(|_| !was_notified))
    };
    let each_is_sent = keeps_state && !is_over;
    let fate = |step: &HeldDelivery| match speaker {
        None => Decision::Suppress,
        Some(speaker) if step.delivery == speaker.delivery => Decision::Send,
        Some(_) if step.is_reminder() || step.is_idle() && !is_over => Decision::Suppress,
        Some(_) if each_is_sent => Decision::Send,
        Some(_) if keeps_state => Decision::Suppress,
        Some(speaker) => Decision::Merged(speaker.delivery),
    };
    steps.iter().map(|step| (step.delivery, fate(step))).collect()
}

/// Nothing of a firing is suppressed: its end covers it, or its newest news, or the reminder that is all there is.
fn of_whole_firing(steps: &[HeldDelivery], keeps_state: bool) -> Vec<(DeliveryId, Decision)> {
    let newest = steps.iter().rfind(|step| !step.is_reminder()).or_else(|| steps.last());
    let fate = |step: &HeldDelivery| match newest {
        Some(newest) if !keeps_state && step.delivery != newest.delivery => Decision::Merged(newest.delivery),
        _ => Decision::Send,
    };
    steps.iter().map(|step| (step.delivery, fate(step))).collect()
}

#[cfg(test)]
mod tests;
