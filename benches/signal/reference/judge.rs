//! Compares what channels received with what somebody must be notified of. It looks at delivered lines only.
//!
//! A line covers the event that it states and what came before that in the same episode, from firing to end, and was not
//! covered yet. Every required event is covered once for each channel, in time; no line states what did not happen or what was
//! stated before; an alert that still fires is never shown as over; and at the end, what each channel was sent is true.

use std::collections::BTreeMap;

use super::{
    message::{Delivered, Form, Line, Says},
    model::{Event, History, Kind, Why},
    world::{AlertId, DAY, MINUTE, Rule, Seconds, When, World},
};

/// The delay that queues, paces and sweeps may add.
const SLACK: Seconds = 3 * MINUTE;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nobody was notified of an event.
    Missed,
    /// Somebody was notified too late.
    Late,
    /// A line states what a line before has stated.
    Twice,
    /// A line states what did not happen.
    Unfounded,
    /// A line shows an alert as over that still fires.
    ShownOver,
    /// What the last message to a channel says of an alert is not true.
    Belief,
    /// A channel was shown a tenant that it may not see.
    Leak,
    /// A reminder was due and did not come, or came too early.
    Reminder,
    /// A line has another severity than its rule.
    Severity,
    /// A notice does not list the worst first, or does not say how many it leaves out.
    Notice,
    /// No delivered line covers a notification that the product grouped, merged or suppressed.
    Uncovered,
    /// Notifications that belong together were sent as too many messages.
    Ungrouped,
    /// A message states something that is not known.
    Wording,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub fault: Fault,
    pub what: String,
}

impl Complaint {
    pub fn new(fault: Fault, what: String) -> Self {
        Self { fault, what }
    }
}

/// What the judge found to be wrong.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub complaints: Vec<Complaint>,
    /// Events that each channel must be notified of, and those that were covered.
    pub required: usize,
    pub covered: usize,
    /// Lines that state something false, or something twice.
    pub false_lines: usize,
    /// Messages received, by how many lines they have none of which is open.
    pub messages: usize,
    /// Alerts of which nothing is required from some time on; and all alerts that had an event.
    pub open: usize,
    pub alerts: usize,
}

/// Judges all messages, in the order of delivery.
pub fn judge(world: &World, expected: &BTreeMap<AlertId, History>, delivered: &[Delivered]) -> Verdict {
    let mut verdict = Verdict {
        messages: delivered.len(),
        alerts: expected.values().filter(|history| !history.events.is_empty()).count(),
        open: expected.values().filter(|history| history.open_from.is_some()).count(),
        ..Verdict::default()
    };
    for message in delivered {
        look_at(world, message, &mut verdict);
    }
    for channel in 0..world.channels.len() {
        let mut lines: BTreeMap<AlertId, Vec<(Seconds, Line)>> = BTreeMap::new();
        for message in delivered.iter().filter(|message| message.channel == channel) {
            for line in &message.lines {
                lines.entry(line.alert).or_default().push((message.at, *line));
            }
        }
        let seen = expected.keys().chain(lines.keys()).filter(|alert| world.channels[channel].may_show(alert.tenant));
        let seen: std::collections::BTreeSet<AlertId> = seen.copied().collect();
        let nothing = History::default();
        for alert in seen {
            let history = expected.get(&alert).unwrap_or(&nothing);
            let of_alert = lines.get(&alert).map(Vec::as_slice).unwrap_or_default();
            let left_out = delivered.iter().any(|message| message.channel == channel && message.left_out > 0);
            let mut follow = Follow::new(world, (channel, alert), history, left_out, &mut verdict);
            for (at, line) in of_alert {
                follow.take(*at, line);
            }
            follow.end(of_alert);
        }
    }
    verdict
}

/// Checks a message on its own.
fn look_at(world: &World, message: &Delivered, verdict: &mut Verdict) {
    let channel = &world.channels[message.channel];
    let mut complain = |fault, what: String| {
        verdict.complaints.push(Complaint::new(fault, format!("{} at {}: {what}", channel.name, shown(message.at))));
    };
    for line in &message.lines {
        let tenant = &world.tenants[line.alert.tenant].name;
        if !channel.may_show(line.alert.tenant) {
            complain(Fault::Leak, format!("{tenant} is not its tenant"));
        }
        let rule = &world.rules[line.alert.rule];
        if line.severity != rule.severity {
            complain(Fault::Severity, format!("{tenant} {} has severity {:?}", rule.name, line.severity));
        }
    }
    if message.form == Form::Shift {
        let is_sorted = message.lines.is_sorted_by_key(|line| std::cmp::Reverse(line.severity));
        if !is_sorted {
            complain(Fault::Notice, "the worst is not listed first".to_owned());
        }
        if message.left_out > 0 && !message.text.contains(&message.left_out.to_string()) {
            complain(Fault::Notice, format!("it does not say that {} are left out", message.left_out));
        }
    }
}

/// One alert as one channel sees it.
struct Follow<'a> {
    world: &'a World,
    channel: usize,
    alert: AlertId,
    rule: &'a Rule,
    history: &'a History,
    /// For each event, when the line arrived that covers it.
    covered: Vec<Option<Seconds>>,
    /// Whether some message counts alerts without listing them.
    left_out: bool,
    verdict: &'a mut Verdict,
}

impl<'a> Follow<'a> {
    fn new(
        world: &'a World,
        (channel, alert): (usize, AlertId),
        history: &'a History,
        left_out: bool,
        verdict: &'a mut Verdict,
    ) -> Self {
        let covered = vec![None; history.events.len()];
        let rule = &world.rules[alert.rule];
        Self { world, channel, alert, rule, history, covered, left_out, verdict }
    }

    fn complain(&mut self, fault: Fault, what: &str) {
        let (channel, tenant) = (&self.world.channels[self.channel].name, &self.world.tenants[self.alert.tenant].name);
        let what = format!("{channel}, {tenant} {}: {what}", self.rule.name);
        self.verdict.complaints.push(Complaint::new(fault, what));
    }

    fn take(&mut self, at: Seconds, line: &Line) {
        if self.history.is_open(line.happened) || self.history.is_open(at) && line.says != Says::Reminder {
            return;
        }
        match line.says {
            Says::Reminder => self.remind(at, line),
            Says::Unstable => self.unfounded(at, line),
            Says::Fired | Says::Worsened | Says::Ended => self.state(at, line),
        }
    }

    /// A line that states an event.
    fn state(&mut self, at: Seconds, line: &Line) {
        let fits = |event: &Event| {
            let is_kind = match line.says {
                Says::Fired | Says::Worsened => !matches!(event.kind, Kind::Ended(_)),
                _ => matches!(event.kind, Kind::Ended(_)),
            };
            let span = event.at..=event.latest.max(event.at);
            is_kind && event.at <= at && (line.happened == event.happened || span.contains(&line.happened))
        };
        let Some(place) = self.history.events.iter().position(fits) else { return self.unfounded(at, line) };
        if self.covered[place].is_some() {
            self.verdict.false_lines += 1;
            return self.complain(
                Fault::Twice,
                &format!("{:?} of {} again at {}", line.says, shown(line.happened), shown(at)),
            );
        }
        let before = &self.history.events[..place];
        let episode = before.iter().rposition(|event| matches!(event.kind, Kind::Ended(_))).map_or(0, |end| end + 1);
        for earlier in episode..=place {
            self.covered[earlier].get_or_insert(at);
        }
        // A notice may itself say that the new level is accepted.
        let next = self.history.events.get(place + 1);
        let is_accepted = next.is_some_and(|next| next.kind == Kind::Ended(Why::AcceptedWithShift));
        if line.is_accepted && is_accepted {
            self.covered[place + 1].get_or_insert(at);
        }
    }

    fn unfounded(&mut self, at: Seconds, line: &Line) {
        self.verdict.false_lines += 1;
        let fires = self.history.is_firing(line.happened.max(at.min(line.happened)));
        let fault = if line.says == Says::Ended && fires { Fault::ShownOver } else { Fault::Unfounded };
        self.complain(fault, &format!("{:?} of {} at {}", line.says, shown(line.happened), shown(at)));
    }

    fn remind(&mut self, at: Seconds, line: &Line) {
        if self.rule.repeat.is_none() || !self.history.is_firing(line.happened) {
            self.unfounded(at, line);
        }
    }

    /// How long after an event its line may arrive.
    fn deadline(&self, event: &Event) -> Seconds {
        let waits = self.rule.fleet && !matches!(self.rule.when, When::NoData(_));
        let wait = if waits { self.world.fleet.wait() } else { 0 };
        self.world.unsilenced(event.latest) + wait + SLACK
    }

    /// An event that a silence swallows with its end, or that may be left out and was.
    fn may_be_left_out(&self, place: usize) -> bool {
        let events = &self.history.events;
        let event = &events[place];
        let begin = events[..=place].iter().rposition(|event| event.kind == Kind::Fired).unwrap_or(place);
        let end = events[place..].iter().find(|event| matches!(event.kind, Kind::Ended(_)));
        let silenced_until = self.world.unsilenced(events[begin].at);
        let is_begin_silenced = silenced_until > events[begin].at;
        let is_silenced = match event.kind {
            Kind::Worsened => self.world.unsilenced(event.at) > event.at,
            _ => is_begin_silenced && end.is_some_and(|end| end.at <= silenced_until),
        };
        // An event that may be left out, and was, begins nothing that needs an end.
        let is_optional = event.is_optional || events[begin].is_optional && self.covered[begin].is_none();
        is_silenced || is_optional
    }

    fn end(&mut self, lines: &[(Seconds, Line)]) {
        for place in 0..self.history.events.len() {
            let event = self.history.events[place];
            let deadline = self.deadline(&event);
            if self.history.is_open(event.at) || deadline > self.world.until {
                continue;
            }
            match self.covered[place] {
                None if self.may_be_left_out(place) => {}
                None if self.left_out => {}
                None => {
                    self.verdict.required += 1;
                    self.complain(Fault::Missed, &format!("{:?} at {}", event.kind, shown(event.at)));
                }
                Some(at) => {
                    self.verdict.required += 1;
                    self.verdict.covered += 1;
                    if at > deadline {
                        let (event_at, by) = (shown(event.at), shown(deadline));
                        self.complain(Fault::Late, &format!("{:?} at {event_at} by {by}: {}", event.kind, shown(at)));
                    }
                }
            }
        }
        self.believe(lines);
        self.reminders(lines);
    }

    /// The state that the channel was last sent.
    fn believe(&mut self, lines: &[(Seconds, Line)]) {
        let last = self.history.events.last();
        let is_settled = last.is_none_or(|last| self.deadline(last) <= self.world.until);
        // An accepted level needs no line of its own, but must be reported.
        let is_free = |event: &Event| event.is_optional && event.kind != Kind::Ended(Why::AcceptedWithShift);
        let has_optional = self.history.events.iter().any(is_free);
        if !is_settled || has_optional || self.history.open_from.is_some() || self.left_out {
            return;
        }
        let is_true = self.history.is_firing(self.world.until);
        let believes = lines.last().is_some_and(|(_, line)| line.says != Says::Ended && !line.is_accepted);
        if is_true != believes {
            self.complain(
                Fault::Belief,
                &format!("in the end it is firing: {is_true}, and believed to be: {believes}"),
            );
        }
    }

    /// While an alert fires, no longer than `repeat` passes without a line about it, and a reminder does not come sooner.
    fn reminders(&mut self, lines: &[(Seconds, Line)]) {
        let Some(repeat) = self.rule.repeat else { return };
        let is_blindness = matches!(self.rule.when, When::NoData(_));
        if self.history.open_from.is_some() || is_blindness || self.left_out {
            return;
        }
        let mut last: Option<Seconds> = None;
        for (at, line) in lines {
            // For a notification that waited for the fleet, the time may count from when it was made.
            let early = repeat - self.world.fleet.wait() - SLACK;
            if line.says == Says::Reminder && last.is_some_and(|last| at - last < early) {
                self.complain(Fault::Reminder, &format!("one at {} comes early", shown(*at)));
            }
            let is_late = last.is_some_and(|last| {
                let due = self.world.unsilenced(last + repeat);
                let fires = self.history.is_firing(due) && self.history.is_firing((*at - 1).min(due + SLACK));
                fires && *at > self.reminder_deadline(due)
            });
            if is_late {
                self.complain(Fault::Reminder, &format!("none before {}", shown(*at)));
            }
            last = (line.says != Says::Ended).then_some(*at);
        }
        let due = last.map(|last| self.world.unsilenced(last + repeat));
        let is_missed = due.is_some_and(|due| {
            let until = self.reminder_deadline(due);
            until <= self.world.until && (due..=until).step_by(60).all(|at| self.history.is_firing(at))
        });
        if is_missed {
            self.complain(Fault::Reminder, &format!("none after {}", shown(last.unwrap_or_default())));
        }
    }

    /// Reminders may wait to be grouped; nothing is sent while we are down.
    fn reminder_deadline(&self, due: Seconds) -> Seconds {
        let down = self.world.downtime.iter().find(|(from, until)| (*from..*until).contains(&due));
        let every = self.world.tenants[self.alert.tenant].every.min(3_600);
        down.map_or(due, |(_, until)| *until) + self.world.fleet.wait() + every + SLACK
    }
}

/// A time as `day 2 03:45`.
pub fn shown(at: Seconds) -> String {
    let (days, rest) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    format!("day {days} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}
