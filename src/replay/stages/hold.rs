//! What is held, why, and what becomes of it: a silence, a maintenance window or the wait for the fleet, reviewed when it ends.

mod together;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};

use super::Queued;
use crate::{
    domain::{ChannelName, ScoreKind, SeriesId, Subject, TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Notification, NotificationType,
        fleet::{
            KnownShift,
            group::{self, Belongs, Occasion},
        },
        release::{Decision, HeldDelivery, Still, of_steps},
    },
    replay::{
        fleet::Fleet,
        history::{History, Plan},
        message::{Message, Stage, Suppressed},
    },
    rule::{Resolution, RuleName, TransitionKind},
};

/// Gives what may be sent, in time order, and the notices of fleet shifts.
pub(super) fn release(
    plan: &Plan,
    histories: &[History],
    fleet: &Fleet,
    messages: &[Message],
    suppressed: &mut Vec<Suppressed>,
) -> (Vec<Queued>, Vec<Notification>) {
    let mut holding = Holding::new(plan, histories, fleet, messages);
    holding.run();
    suppressed.append(&mut holding.suppressed);
    (holding.queued, holding.notices)
}

/// What happens next. At one instant, messages come first, then shifts are found, then what is held is reviewed, then the notices
/// are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Come { message: usize },
    Found { shift: usize },
    Look { lane: usize },
    Notify,
}

/// An alert, as far as it matters for its messages.
#[derive(Debug, Clone, Copy, Default)]
struct AlertProgress {
    generation: u64,
    is_over: bool,
    is_unstable: bool,
    /// The shift whose notice covered it last.
    shift: Option<usize>,
}

/// What waits of one alert for one channel.
#[derive(Debug)]
struct Lane {
    alert: usize,
    channel: ChannelName,
    steps: Vec<HeldDelivery>,
    /// When the firing began that the channel was last notified of.
    emitted: Option<Timestamp>,
}

type AlertOf<'a> = (&'a TenantId, &'a RuleName, Option<ScoreKind>, Option<&'a Subject>);

/// A message that is made of several: of which shift, for what, for whom.
type Together = (usize, Occasion, ChannelName);

struct Holding<'a> {
    plan: &'a Plan,
    fleet: &'a Fleet,
    messages: &'a [Message],
    members_of: BTreeMap<&'a TenantId, &'a History>,
    /// The shifts as a store has them.
    shifts: Vec<KnownShift>,
    alerts: Vec<AlertProgress>,
    known: HashMap<AlertOf<'a>, usize>,
    lanes: Vec<Lane>,
    lane_of: HashMap<(usize, &'a ChannelName), usize>,
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    /// The lanes that become lines of a message.
    members: BTreeMap<Together, BTreeSet<usize>>,
    /// Which channel had a notice of which shift.
    heard: BTreeSet<(usize, ChannelName)>,
    queued: Vec<Queued>,
    notices: Vec<Notification>,
    suppressed: Vec<Suppressed>,
}

impl<'a> Holding<'a> {
    fn new(plan: &'a Plan, histories: &'a [History], fleet: &'a Fleet, messages: &'a [Message]) -> Self {
        let come = |(message, emitted): (usize, &Message)| Reverse((emitted.at, Event::Come { message }));
        let found = |(shift, known): (usize, &KnownShift)| Reverse((known.seen_at, Event::Found { shift }));
        let found = fleet.shifts.iter().enumerate().map(found);
        Self {
            plan,
            fleet,
            messages,
            members_of: histories.iter().map(|history| (&history.tenant, history)).collect(),
            shifts: fleet.shifts.clone(),
            alerts: Vec::new(),
            known: HashMap::new(),
            lanes: Vec::new(),
            lane_of: HashMap::new(),
            events: messages.iter().enumerate().map(come).chain(found).collect(),
            members: BTreeMap::new(),
            heard: BTreeSet::new(),
            queued: Vec::new(),
            notices: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(Reverse((now, event))) = self.events.pop() {
            match event {
                Event::Come { message } => self.come(message),
                Event::Found { shift } => self.found(shift, now),
                Event::Look { lane } => self.look(lane, now),
                Event::Notify => self.notify_shifts(now),
            }
        }
    }

    /// A message is made: each channel gets it at once, or it is held there.
    fn come(&mut self, message: usize) {
        let emitted = &self.messages[message];
        let alert = self.alert(emitted);
        let now = emitted.at;
        let state = &mut self.alerts[alert];
        if emitted.transition.kind == TransitionKind::Fired {
            state.shift = None;
        }
        state.generation = emitted.transition.generation;
        state.is_over =
            matches!(emitted.transition.kind, TransitionKind::Resolved(_)) && emitted.taken_back_at.is_none();
        state.is_unstable = emitted.transition.kind == TransitionKind::Unstable;
        let hold = if emitted.channels.is_empty() { None } else { self.hold(emitted) };
        for channel in emitted.channels.iter() {
            let lane = self.lane(alert, channel);
            if let Some(hold) = hold {
                self.events.push(Reverse((hold.until, Event::Look { lane })));
                // Whether it is part of a shift can be said before.
                if hold.why == HoldReason::Fleet {
                    self.events.push(Reverse((self.fleet.read_at(now), Event::Look { lane })));
                }
            }
            if hold.is_some() || !self.lanes[lane].steps.is_empty() {
                self.lanes[lane].steps.push(step(message, emitted, hold));
            } else {
                self.lanes[lane].emitted = Some(emitted.transition.since);
                self.queued.push(Queued { at: now, channel: channel.clone(), says: vec![message], notice: None });
            }
        }
    }

    /// Until when a new message is held, and why.
    fn hold(&self, emitted: &Message) -> Option<Hold> {
        if let Some(until) = self.covered(emitted, emitted.at) {
            return Some(Hold { why: HoldReason::Silence, until });
        }
        self.fleet.hold(emitted.kind(), emitted.resolution(), &emitted.rule, emitted.score?, emitted.at)
    }

    /// Until when silences and windows cover a message.
    fn covered(&self, emitted: &Message, now: Timestamp) -> Option<Timestamp> {
        let history = self.members_of.get(&emitted.tenant);
        let labels = history.map(|history| history.labels.clone()).unwrap_or_default();
        self.plan.covered(&emitted.tenant, &labels, &emitted.rule, emitted.score, now)
    }

    /// What is held of an alert for a channel is decided on, if its time has come.
    fn look(&mut self, lane: usize, now: Timestamp) {
        let Lane { steps, alert, .. } = &mut self.lanes[lane];
        let alert = self.alerts[*alert];
        let is_due = steps.iter().filter_map(|step| step.hold).any(|hold| hold.until <= now);
        for step in steps.iter_mut().filter(|step| step.may_pass()) {
            step.still = still(&self.messages[place(step.delivery)], alert, now);
        }
        let newest = steps.iter().rfind(|step| step.still == Still::So).or(steps.last());
        let waits = |step: &HeldDelivery| {
            let is_of_time = matches!(step.kind, NotificationType::AlertReminder | NotificationType::AlertEscalated);
            let is_of_reading = !is_of_time && !step.is_accepted;
            is_of_reading && step.hold.is_some_and(|hold| hold.why == HoldReason::Fleet)
        };
        let is_read = steps.iter().any(|step| waits(step) && self.fleet.read_at(step.made_at) <= now);
        let Some(newest) = newest.filter(|_| is_due || is_read).map(|step| place(step.delivery)) else { return };
        if let Some(until) = self.covered(&self.messages[newest], now) {
            return self.hold_on(lane, Hold { why: HoldReason::Silence, until });
        }
        match self.belongs(lane, now) {
            Belongs::To(shift, occasion) if self.is_sent(lane) => self.join(lane, shift, occasion, now),
            Belongs::ToNone if !is_due => {}
            _ => self.alone(lane, now),
        }
    }

    /// A shift was found: what it has to do with is decided with it, though more is waited for.
    fn found(&mut self, shift: usize, now: Timestamp) {
        let scope = self.shifts[shift].shift.scope.clone();
        for lane in 0..self.lanes.len() {
            let waits = self.lanes[lane].steps.iter().find_map(|step| step.hold).map(|hold| hold.why);
            let Some(newest) = self.lanes[lane].steps.last().filter(|_| waits == Some(HoldReason::Fleet)) else {
                continue;
            };
            let emitted = &self.messages[place(newest.delivery)];
            if !emitted.score.is_some_and(|score| scope.has(score, emitted.subject.as_ref()))
                || self.covered(emitted, now).is_some()
            {
                continue;
            }
            match self.belongs(lane, now) {
                Belongs::To(of, occasion) if occasion.is_of_movements() && self.is_sent(lane) => {
                    self.join(lane, of, occasion, now);
                }
                Belongs::Apart => self.alone(lane, now),
                _ => {}
            }
        }
    }

    /// What waits there becomes a line of a message.
    fn join(&mut self, lane: usize, shift: &str, occasion: Occasion, now: Timestamp) {
        let Some(shift) = self.shifts.iter().position(|known| known.id == shift) else { return };
        let channel = self.lanes[lane].channel.clone();
        self.members.entry((shift, occasion, channel)).or_default().insert(lane);
        self.events.push(Reverse((now, Event::Notify)));
    }

    /// How what waits there goes out.
    fn belongs(&self, lane: usize, now: Timestamp) -> Belongs<'a> {
        let Lane { steps, channel, alert, .. } = &self.lanes[lane];
        let Some(newest) = steps.last() else { return Belongs::ToNone };
        let emitted = &self.messages[place(newest.delivery)];
        if self.keeps_state(channel) || !emitted.rule.fleet {
            return Belongs::ToNone;
        }
        let shifts = &self.fleet.shifts;
        let Some(score) = emitted.score else { return Belongs::ToNone };
        let parts = self.fleet.parts(&emitted.tenant, SeriesId { score, subject: emitted.subject.as_ref() });
        let parts = parts.iter().filter(|part| part.known_at <= now).filter_map(|part| part.caused(shifts));
        let covered_by = self.alerts[*alert].shift.and_then(|shift| shifts.get(shift)).map(|known| known.id.as_str());
        group::of_run(steps, &emitted.rule.when, parts, covered_by)
    }

    fn keeps_state(&self, channel: &ChannelName) -> bool {
        self.plan.receivers.get(channel).is_some_and(|receiver| receiver.digest_over.is_none())
    }

    fn hold_on(&mut self, lane: usize, hold: Hold) {
        for step in &mut self.lanes[lane].steps {
            step.hold = Some(step.held_further(hold));
        }
        self.events.push(Reverse((hold.until, Event::Look { lane })));
    }

    /// What becomes of what waits there, on its own.
    fn fates(&self, lane: usize) -> Vec<(DeliveryId, Decision)> {
        let Lane { steps, channel, emitted, .. } = &self.lanes[lane];
        of_steps(steps, was_notified(steps, *emitted), self.keeps_state(channel))
    }

    /// Whether anything that waits there is sent.
    fn is_sent(&self, lane: usize) -> bool {
        self.fates(lane).iter().any(|(_, fate)| *fate == Decision::Send)
    }

    /// What waits there goes its own way.
    fn alone(&mut self, lane: usize, now: Timestamp) {
        let fates = self.fates(lane);
        let steps = std::mem::take(&mut self.lanes[lane].steps);
        self.settle(lane, &steps, &fates, now);
    }

    /// Steps that nothing covers any more have these fates.
    fn settle(&mut self, lane: usize, steps: &[HeldDelivery], fates: &[(DeliveryId, Decision)], now: Timestamp) {
        let Lane { channel, emitted, .. } = &mut self.lanes[lane];
        for (step, (delivery, fate)) in steps.iter().zip(fates) {
            match fate {
                Decision::Send => {
                    let goes_along = |(one, fate): &&(DeliveryId, Decision)| {
                        one == delivery || matches!(fate, Decision::Merged(by) if by == delivery)
                    };
                    let says = fates.iter().filter(goes_along).map(|(one, _)| place(*one)).collect();
                    self.queued.push(Queued { at: now, channel: channel.clone(), says, notice: None });
                    *emitted = step.began;
                }
                Decision::Merged(_) | Decision::Hold(_) => {}
                Decision::Suppress => {
                    let channel = Some(channel.clone());
                    self.suppressed.push(Suppressed { message: place(*delivery), channel, stage: Stage::Silence });
                }
            }
        }
    }

    fn alert(&mut self, emitted: &'a Message) -> usize {
        let of = (&emitted.tenant, &emitted.rule.name, emitted.score, emitted.subject.as_ref());
        *self.known.entry(of).or_insert_with(|| {
            self.alerts.push(AlertProgress::default());
            self.alerts.len() - 1
        })
    }

    fn lane(&mut self, alert: usize, channel: &'a ChannelName) -> usize {
        *self.lane_of.entry((alert, channel)).or_insert_with(|| {
            self.lanes.push(Lane { alert, channel: channel.clone(), steps: Vec::new(), emitted: None });
            self.lanes.len() - 1
        })
    }
}

/// A message as it waits.
fn step(message: usize, emitted: &Message, hold: Option<Hold>) -> HeldDelivery {
    HeldDelivery {
        delivery: id(message),
        kind: emitted.kind(),
        began: Some(emitted.transition.since),
        observed_at: emitted.transition.observed_at,
        is_over: emitted.kind() == NotificationType::AlertResolved,
        is_accepted: emitted.resolution() == Some(Resolution::Accepted),
        made_at: emitted.at,
        sequence: emitted.transition.sequence,
        // An end that is taken back is so before it would have been sent.
        still: if emitted.resolution().is_some() && emitted.taken_back_at.is_some() {
            Still::TakenBack
        } else {
            Still::So
        },
        hold,
    }
}

/// Whether a channel was notified of the firing of the first step; `emitted` is the one that it was last notified of.
fn was_notified(steps: &[HeldDelivery], emitted: Option<Timestamp>) -> bool {
    steps.first().is_some_and(|first| first.began.is_some() && emitted == first.began)
}

/// Whether it is so still that an alert got worse, or is unstable.
fn still(emitted: &Message, alert: AlertProgress, now: Timestamp) -> Still {
    if emitted.transition.kind == TransitionKind::Unstable {
        if alert.is_unstable { Still::So } else { Still::Over }
    } else if alert.is_over || emitted.transition.generation != alert.generation {
        Still::Over
    } else if emitted.is_taken_back(now) {
        Still::TakenBack
    } else {
        Still::So
    }
}

/// A message's place as the number of its delivery; no replay has enough of them to make this fail.
fn id(message: usize) -> DeliveryId {
    DeliveryId(i64::try_from(message).unwrap_or(i64::MAX))
}

fn place(delivery: DeliveryId) -> usize {
    usize::try_from(delivery.0).unwrap_or(usize::MAX)
}
