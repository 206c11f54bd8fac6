//! What is held, why, and what becomes of it: a silence, a maintenance window or the wait for the fleet, looked at when it ends.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
};

use super::{Queued, fleet::Fleet};
use crate::{
    domain::{ChannelName, ScoreKind, Subject, TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Notification, NotificationType,
        fleet::{
            Explained, KnownShift, Shift,
            notice::{self, Others},
        },
        notification::DigestItem,
        release::{Fate, Step, Still, comes_to, newest_firing, of_steps},
    },
    replay::{
        course::{Course, Plan},
        message::{Message, Stage, Withheld},
    },
    rule::{RuleName, TransitionKind},
};

/// Gives what may be sent, in time order, and the notices of fleet shifts.
pub(super) fn release(
    plan: &Plan,
    courses: &[Course],
    messages: &[Message],
    withheld: &mut Vec<Withheld>,
) -> (Vec<Queued>, Vec<Notification>) {
    let mut holding = Holding::new(plan, courses, messages);
    holding.run();
    withheld.append(&mut holding.withheld);
    (holding.queued, holding.notices)
}

/// What happens next. At one instant, messages come first, then what is held is looked at, then shifts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Come { message: usize },
    Look { lane: usize },
    Tell { shift: usize },
}

/// An alert, as far as it matters to what is told of it.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    generation: u64,
    is_over: bool,
    is_unstable: bool,
    /// The generation of which a fleet shift is the explanation.
    explained: Option<u64>,
}

/// What waits of one alert for one channel.
#[derive(Debug)]
struct Lane {
    alert: usize,
    channel: ChannelName,
    steps: Vec<Step>,
    /// When the firing began that the channel was told of last.
    told: Option<Timestamp>,
}

type AlertOf<'a> = (&'a TenantId, &'a RuleName, Option<ScoreKind>, Option<&'a Subject>);

struct Holding<'a> {
    plan: &'a Plan,
    messages: &'a [Message],
    fleet: Fleet<'a>,
    alerts: Vec<Told>,
    known: HashMap<AlertOf<'a>, usize>,
    lanes: Vec<Lane>,
    lane_of: HashMap<(usize, &'a ChannelName), usize>,
    events: BinaryHeap<Reverse<(Timestamp, Event)>>,
    /// By shift and channel: the lanes that go along with its notice.
    members: BTreeMap<(usize, ChannelName), BTreeSet<usize>>,
    /// Which channel has heard of which shift.
    heard: BTreeSet<(usize, ChannelName)>,
    queued: Vec<Queued>,
    notices: Vec<Notification>,
    withheld: Vec<Withheld>,
}

impl<'a> Holding<'a> {
    fn new(plan: &'a Plan, courses: &'a [Course], messages: &'a [Message]) -> Self {
        let come = |(message, told): (usize, &Message)| Reverse((told.at, Event::Come { message }));
        Self {
            plan,
            messages,
            fleet: Fleet::new(plan, courses),
            alerts: Vec::new(),
            known: HashMap::new(),
            lanes: Vec::new(),
            lane_of: HashMap::new(),
            events: messages.iter().enumerate().map(come).collect(),
            members: BTreeMap::new(),
            heard: BTreeSet::new(),
            queued: Vec::new(),
            notices: Vec::new(),
            withheld: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(Reverse((now, event))) = self.events.pop() {
            match event {
                Event::Come { message } => self.come(message),
                Event::Look { lane } => self.look(lane, now),
                Event::Tell { shift } => self.tell(shift, now),
            }
        }
    }

    /// A message is made: each channel gets it at once, or it is held there.
    fn come(&mut self, message: usize) {
        let told = &self.messages[message];
        let alert = self.alert(told);
        let now = told.at;
        let is_old_news = matches!(told.transition.kind, TransitionKind::Reminder | TransitionKind::Resolved(_));
        let state = &mut self.alerts[alert];
        state.generation = told.transition.generation;
        state.is_over = matches!(told.transition.kind, TransitionKind::Resolved(_));
        state.is_unstable = told.transition.kind == TransitionKind::Unstable;
        if is_old_news && state.explained == Some(state.generation) {
            self.withheld.push(Withheld { message, channel: None, stage: Stage::Fleet });
            return;
        }
        let hold = if told.channels.is_empty() { None } else { self.hold(told) };
        // That it got worse may be over before it is told.
        let may_pass = hold.is_some() && told.transition.kind == TransitionKind::Worsened;
        if !is_old_news && !may_pass {
            self.alerts[alert].explained = None;
        }
        for channel in told.channels.iter() {
            let lane = self.lane(alert, channel);
            if let Some(hold) = hold {
                self.events.push(Reverse((hold.until, Event::Look { lane })));
            }
            let began = Some(told.transition.since);
            if hold.is_some() || !self.lanes[lane].steps.is_empty() {
                let (delivery, kind, is_over) = (id(message), told.kind(), is_over(told));
                let (sequence, still) = (told.transition.sequence, Still::So);
                self.lanes[lane].steps.push(Step { delivery, kind, began, is_over, sequence, still, hold });
            } else {
                self.lanes[lane].told = began;
                self.queued.push(Queued { at: now, channel: channel.clone(), says: vec![message], notice: None });
            }
        }
    }

    /// Until when a new message is held, and why.
    fn hold(&self, told: &Message) -> Option<Hold> {
        if let Some(until) = self.covered(told, told.at) {
            return Some(Hold { why: HoldReason::Silence, until });
        }
        let polled = self.fleet.polled(told.score?);
        self.plan.fleet.hold(told.kind(), &told.rule, told.score?, polled, told.at)
    }

    /// Until when silences and windows cover a message.
    fn covered(&self, told: &Message, now: Timestamp) -> Option<Timestamp> {
        let labels = self.fleet.course(&told.tenant).map(|course| course.labels.clone()).unwrap_or_default();
        self.plan.covered(&told.tenant, &labels, &told.rule, told.score, now)
    }

    /// What is held of an alert for a channel is decided on, if its time has come.
    fn look(&mut self, lane: usize, now: Timestamp) {
        let Lane { steps, alert, told, .. } = &mut self.lanes[lane];
        let alert = self.alerts[*alert];
        let is_due = steps.iter().filter_map(|step| step.hold).any(|hold| hold.until <= now);
        for step in steps.iter_mut().filter(|step| step.may_pass()) {
            step.still = still(&self.messages[place(step.delivery)], alert, now);
        }
        // What a shift explains is as good as told.
        if alert.explained == Some(alert.generation) && steps.iter().any(Step::may_pass) {
            *told = steps.last().and_then(|step| step.began);
        }
        let kind = comes_to(steps, was_told(steps, *told));
        let newest = steps.iter().rfind(|step| step.still == Still::So).or(steps.last());
        let Some(newest) = newest.filter(|_| is_due).map(|step| place(step.delivery)) else { return };
        let newest = &self.messages[newest];
        if let Some(until) = self.covered(newest, now) {
            return self.hold_on(lane, Hold { why: HoldReason::Silence, until });
        }
        let why = self.lanes[lane].steps.iter().find_map(|step| step.hold).map(|hold| hold.why);
        let waited = why == Some(HoldReason::Fleet);
        let waits = newest.score.and_then(|score| {
            let polled = self.fleet.polled(score);
            self.plan.fleet.hold(newest.kind(), &newest.rule, score, polled, now)
        });
        // What a silence held may be due to a shift as well.
        let is_suspect = (waited || waits.is_some()) && !alert.is_over && !is_over(newest);
        let suspected = kind.filter(|_| is_suspect).and_then(|kind| self.fleet.suspected(newest, kind, now));
        let seen = self.fleet.shifts.len();
        let Some(shift) = suspected.and_then(|suspected| self.fleet.explaining(&suspected, now)) else {
            return self.by_itself(lane, why, now);
        };
        let known = &self.fleet.shifts[shift];
        if shift == seen {
            self.events.push(Reverse((known.tell_at, Event::Tell { shift })));
        }
        let (verdict, of_channel) = (known.verdict(false, now), (shift, self.lanes[lane].channel.clone()));
        match verdict {
            Explained::Told if self.heard.contains(&of_channel) => {
                let channel = Some(self.lanes[lane].channel.clone());
                for message in self.explain(lane, now) {
                    self.withheld.push(Withheld { message, channel: channel.clone(), stage: Stage::Fleet });
                }
            }
            Explained::Waits(hold) => self.hold_on(lane, hold),
            Explained::GoesAlong => drop(self.members.entry(of_channel).or_default().insert(lane)),
            // The first late tenant of a channel that had nothing to hear of before brings the notice.
            Explained::Told => {
                self.members.entry(of_channel).or_default().insert(lane);
                self.events.push(Reverse((now, Event::Tell { shift })));
            }
        }
    }

    fn hold_on(&mut self, lane: usize, hold: Hold) {
        for step in &mut self.lanes[lane].steps {
            step.hold = Some(hold);
        }
        self.events.push(Reverse((hold.until, Event::Look { lane })));
    }

    /// No shift explains it: what is still worth telling is told.
    fn by_itself(&mut self, lane: usize, why: Option<HoldReason>, now: Timestamp) {
        let steps = std::mem::take(&mut self.lanes[lane].steps);
        let stage = if why == Some(HoldReason::Fleet) { Stage::Fleet } else { Stage::Silence };
        self.settle(lane, &steps, stage, now);
    }

    /// Steps that nothing covers any more are told, as far as they are still worth it.
    fn settle(&mut self, lane: usize, steps: &[Step], stage: Stage, now: Timestamp) {
        let Lane { alert, channel, told, .. } = &mut self.lanes[lane];
        let keeps_state = self.plan.receivers.get(channel).is_some_and(|receiver| receiver.digest_over.is_none());
        let fates = of_steps(steps, was_told(steps, *told), keeps_state);
        for (step, (delivery, fate)) in steps.iter().zip(&fates) {
            match fate {
                Fate::Send => {
                    let goes_along = |(one, fate): &&(DeliveryId, Fate)| {
                        one == delivery || matches!(fate, Fate::Carried(by) if by == delivery)
                    };
                    let says = fates.iter().filter(goes_along).map(|(one, _)| place(*one)).collect();
                    self.queued.push(Queued { at: now, channel: channel.clone(), says, notice: None });
                    *told = step.began;
                    if step.is_worsening() {
                        self.alerts[*alert].explained = None;
                    }
                }
                Fate::Carried(_) | Fate::Hold(_) => {}
                Fate::Withhold | Fate::Explain => {
                    self.withheld.push(Withheld { message: place(*delivery), channel: Some(channel.clone()), stage });
                }
            }
        }
    }

    /// A shift is all that is told of the newest firing that waits there.
    fn explain(&mut self, lane: usize, now: Timestamp) -> Vec<usize> {
        let state = &mut self.alerts[self.lanes[lane].alert];
        state.explained = Some(state.generation);
        let steps = std::mem::take(&mut self.lanes[lane].steps);
        let (earlier, newest) = newest_firing(&steps);
        self.settle(lane, earlier, Stage::Silence, now);
        newest.iter().map(|step| place(step.delivery)).collect()
    }

    /// A shift's time has come: each channel that has something of it gets one notice.
    fn tell(&mut self, shift: usize, now: Timestamp) {
        self.fleet.shifts[shift].told_at.get_or_insert(now);
        let known = self.fleet.shifts[shift].clone();
        let of_shift: Vec<_> = self.members.extract_if(.., |(of, _), _| *of == shift).collect();
        if of_shift.is_empty() {
            return;
        }
        let (outliers, along) = self.fleet.moved(&known, now);
        for ((_, channel), lanes) in of_shift {
            let notification = self.notice(&known, (&channel, &lanes), (&outliers, &along), now);
            let mut says = Vec::new();
            for lane in lanes {
                let began = self.lanes[lane].steps.last().and_then(|step| step.began);
                says.extend(self.explain(lane, now));
                self.lanes[lane].told = began;
            }
            says.sort_unstable();
            let withheld = |&message: &usize| Withheld { message, channel: Some(channel.clone()), stage: Stage::Fleet };
            self.withheld.extend(says.iter().map(withheld));
            self.heard.insert((shift, channel.clone()));
            self.notices.push(notification);
            let notice = Some(self.notices.len() - 1);
            self.queued.push(Queued { at: now, channel, says, notice });
        }
    }

    fn notice(
        &self,
        known: &KnownShift,
        (channel, lanes): (&ChannelName, &BTreeSet<usize>),
        (outliers, along): (&[TenantId], &[TenantId]),
        now: Timestamp,
    ) -> Notification {
        let newest = lanes.iter().filter_map(|&lane| self.lanes[lane].steps.last());
        let items = newest.filter_map(|step| {
            let told = &self.messages[place(step.delivery)];
            let facts = self.fleet.course(&told.tenant)?.facts();
            Some(DigestItem::from(told.notification(facts)))
        });
        let is_shown = |tenant: &TenantId| {
            let receiver = self.plan.receivers.get(channel);
            let course = self.fleet.course(tenant);
            receiver.zip(course).is_some_and(|(receiver, course)| receiver.fence.admits(tenant, &course.labels))
        };
        let told_before = along.iter().filter(|tenant| self.was_told(&known.shift, channel, tenant)).cloned().collect();
        let others = Others { outliers: outliers.to_vec(), told_before };
        notice::for_channel(known, channel, items.collect(), &others.shown(is_shown), now)
    }

    /// Whether a channel was told by itself of an alert of that tenant that began with the shift.
    fn was_told(&self, shift: &Shift, channel: &ChannelName, tenant: &TenantId) -> bool {
        self.known.iter().any(|((of, _, score, subject), alert)| {
            let Told { is_over, explained, generation, .. } = self.alerts[*alert];
            let lane = self.lane_of.get(&(*alert, channel)).map(|lane| &self.lanes[*lane]);
            let began = lane.filter(|lane| lane.steps.is_empty()).and_then(|lane| lane.told);
            *of == tenant
                && score.is_some_and(|score| shift.scope.has(score, *subject))
                && !is_over
                && explained != Some(generation)
                && began.is_some_and(|at| shift.span.has(at))
        })
    }

    fn alert(&mut self, told: &'a Message) -> usize {
        let of = (&told.tenant, &told.rule.name, told.score, told.subject.as_ref());
        *self.known.entry(of).or_insert_with(|| {
            self.alerts.push(Told::default());
            self.alerts.len() - 1
        })
    }

    fn lane(&mut self, alert: usize, channel: &'a ChannelName) -> usize {
        *self.lane_of.entry((alert, channel)).or_insert_with(|| {
            self.lanes.push(Lane { alert, channel: channel.clone(), steps: Vec::new(), told: None });
            self.lanes.len() - 1
        })
    }
}

/// Whether a channel was told of the firing that the first step tells of; `told` is the one that it was told of last.
fn was_told(steps: &[Step], told: Option<Timestamp>) -> bool {
    steps.first().is_some_and(|first| first.began.is_some() && told == first.began)
}

/// Whether it is so still that an alert got worse, or is unstable.
fn still(told: &Message, alert: Told, now: Timestamp) -> Still {
    if told.transition.kind == TransitionKind::Unstable {
        if alert.is_unstable { Still::So } else { Still::Over }
    } else if alert.is_over || told.transition.generation != alert.generation {
        Still::Over
    } else if told.is_taken_back(now) {
        Still::TakenBack
    } else {
        Still::So
    }
}

fn is_over(told: &Message) -> bool {
    told.kind() == NotificationType::AlertResolved
}

/// A message's place as the number of its delivery; no replay has so many that this fails.
fn id(message: usize) -> DeliveryId {
    DeliveryId(i64::try_from(message).unwrap_or(i64::MAX))
}

fn place(delivery: DeliveryId) -> usize {
    usize::try_from(delivery.0).unwrap_or(usize::MAX)
}
