//! One alert, its samples, and tables that walk it through its life.
//!
//! A line of a table is: time (`[DAYd]HH:MM`), what happens, state after, what is reported, and where it is asked for
//! `wake` with the time of the next tick or `never`. What happens is a reading's value, `-` for a tick, `accept` for a person's
//! word, or the reason of a close. Every walk asserts the numbering of what it reports.

use std::time::Duration;

use crate::{
    domain::{Sample, ScoreKind, Timestamp, parse_duration},
    rule::{
        Alert, AlertState, BaselineChoice, Change, Condition, Escalation, EvaluationContext, Event, Feed, FlapLimit,
        Recover, Resolution, Rule, RuleName, ShiftedBy, Size, Step, Transition, TransitionKind, accept, close, step,
    },
};

fn size(text: &str) -> Size {
    match text.strip_suffix('%') {
        Some(percent) => Size::Percent(percent.parse().unwrap()),
        None => Size::Points(text.trim_end_matches("pts").parse().unwrap()),
    }
}

/// A rule from `drop 5%, within 24h, recover regained 80%`; the condition comes first.
pub(super) fn rule(text: &str) -> Rule {
    let mut rule = Rule::new(RuleName::parse("rule").unwrap(), Condition::Below(0.0));
    let mut change = Change { size: Size::Points(0.0), within: Duration::from_hours(24), from: BaselineChoice::Best };
    for part in text.split(", ") {
        let words: Vec<&str> = part.split(' ').collect();
        let duration = || parse_duration(words[1]).unwrap();
        match words[0] {
            "below" => rule.when = Condition::Below(words[1].parse().unwrap()),
            "above" => rule.when = Condition::Above(words[1].parse().unwrap()),
            "no_data" => rule.when = Condition::NoData(duration()),
            "drop" | "rise" => {
                change.size = size(words[1]);
                rule.when = if words[0] == "drop" { Condition::Drop(change) } else { Condition::Rise(change) };
            }
            "within" => change.within = duration(),
            "from" => {
                change.from = if words[1] == "average" { BaselineChoice::Average } else { BaselineChoice::Previous }
            }
            "for" => rule.hold = duration(),
            "escalate" => rule.escalate.push(Escalation { after: duration(), notify: Vec::new() }),
            "repeat" => rule.repeat = Some(duration()),
            "flapping" => {
                rule.flapping = Some(FlapLimit { changes: words[1].parse().unwrap(), ..FlapLimit::default() });
            }
            "step" => rule.step = Some(size(words[1])),
            "accept_after" => rule.accept_after = Some(duration()),
            "recover" if words[1] == "above" => rule.recover = Some(Recover::Above(words[2].parse().unwrap())),
            "recover" if words[1] == "below" => rule.recover = Some(Recover::Below(words[2].parse().unwrap())),
            "recover" => rule.recover = Some(Recover::Regained(words[2].trim_end_matches('%').parse().unwrap())),
            other => panic!("`{other}` is no part of a rule"),
        }
    }
    match &mut rule.when {
        Condition::Drop(written) | Condition::Rise(written) => *written = change,
        _ => {}
    }
    rule
}

pub(super) fn time(text: &str) -> Timestamp {
    let (days, clock) = text.split_once('d').unwrap_or(("0", text));
    let (hours, minutes) = clock.split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    Timestamp::from_seconds(1_000_000_000 + number(days) * 86_400 + number(hours) * 3600 + number(minutes) * 60)
}

/// One alert and its samples; every notification is delivered at once, unless `is_delivering` says otherwise.
pub(super) struct World {
    pub(super) alert: Alert,
    pub(super) window: Vec<Sample>,
    pub(super) poll_interval: Duration,
    pub(super) source_interval: Duration,
    pub(super) downtime: Duration,
    pub(super) is_delivering: bool,
    pub(super) notified_at: Option<Timestamp>,
    pub(super) sendable_since: Option<Timestamp>,
    pub(super) is_acknowledged: bool,
    pub(super) transitions: Vec<Transition>,
    pub(super) last_data: Timestamp,
    /// How long after the newest data a check is missed or has failed; `None`: none is scheduled.
    pub(super) missed_after: Option<Duration>,
    /// The fleet shifts that are known.
    pub(super) shifts: Vec<ShiftedBy>,
}

/// What people and the delivery side do, after which time passes.
const NOTES: [&str; 4] = ["acknowledge", "withdraw", "held", "sent"];

impl World {
    pub(super) fn new() -> Self {
        Self::polled_every(Duration::from_mins(30))
    }

    pub(super) fn polled_every(interval: Duration) -> Self {
        Self {
            alert: Alert::default(),
            window: Vec::new(),
            poll_interval: interval,
            source_interval: interval,
            downtime: Duration::ZERO,
            is_delivering: true,
            notified_at: None,
            sendable_since: None,
            is_acknowledged: false,
            transitions: Vec::new(),
            last_data: time("00:00"),
            missed_after: Some(Duration::ZERO),
            shifts: Vec::new(),
        }
    }

    /// Daily records, asked for every half an hour.
    pub(super) fn of_daily_records() -> Self {
        Self { source_interval: Duration::from_hours(24), ..Self::new() }
    }

    /// A reading whose source time is the wall clock's, or a tick.
    pub(super) fn step(&mut self, rule: &Rule, now: Timestamp, value: Option<f64>) -> Step {
        let event = value.map_or(Event::Tick, |value| Event::Reading(Sample { at: now, value }));
        self.meet(rule, now, event)
    }

    pub(super) fn meet(&mut self, rule: &Rule, now: Timestamp, event: Event) -> Step {
        let is_read = matches!(event, Event::Reading(_));
        let last_data = if is_read { now } else { self.last_data };
        let feed = Feed {
            score: ScoreKind::DeviceSecureScore,
            last_data,
            downtime: if is_read { Duration::ZERO } else { self.downtime },
            missed_at: self.missed_after.map(|after| last_data.plus(after)),
            is_read,
        };
        let context = EvaluationContext {
            now,
            window: &self.window,
            source_interval: self.source_interval,
            missed_checks: self.missed(event),
            onboarded_at: None,
            feeds: &[feed],
            notified_at: self.notified_at,
            sendable_since: self.sendable_since,
            is_acknowledged: self.is_acknowledged,
            is_on_its_way: self.notified_at.is_none(),
            can_be_withdrawn: self.notified_at.is_none(),
            shifts: &self.shifts,
        };
        let step = step(rule, &self.alert, event, &context);
        super::explain::assert_explains(rule, &self.alert, event, &context, &step);
        if let Event::Reading(sample) = event {
            self.window.push(sample);
            self.last_data = now;
        }
        self.take(now, &step);
        step
    }

    /// How many checks, an interval apart, gave no reading since the newest one.
    fn missed(&self, event: Event) -> u32 {
        let (Event::Reading(reading), Some(newest)) = (event, self.window.last()) else { return 0 };
        let interval = self.source_interval.max(self.poll_interval).as_nanos().max(1);
        let intervals = reading.at.since(newest.at).as_nanos().div_ceil(interval);
        u32::try_from(intervals).unwrap_or(u32::MAX).saturating_sub(1)
    }

    fn take(&mut self, now: Timestamp, step: &Step) {
        let before = self.alert.clone();
        if let Some(alert) = &step.alert {
            self.alert = alert.clone();
        }
        if let Some(transition) = &step.transition {
            // What was taken back leaves its number unused.
            let firing = [&before, &self.alert].into_iter().filter_map(Alert::firing);
            let taken_back = firing.map(|firing| firing.end_taken_back).max();
            let last = self.transitions.last().map(|last| {
                let is_none = last.generation == before.generation && Some(last.sequence) == taken_back;
                if is_none { Transition { kind: TransitionKind::Reminder, ..last.clone() } } else { last.clone() }
            });
            assert_is_next(last.as_ref(), transition);
            let is_over = matches!(transition.kind, TransitionKind::Resolved(_));
            if transition.kind != TransitionKind::Unstable {
                assert_eq!(self.alert.is_firing(), !is_over, "after {transition:?}");
            }
            assert_eq!((self.alert.generation, self.alert.sequence), (transition.generation, transition.sequence));
            if transition.kind != TransitionKind::Escalated {
                self.notified_at = self.is_delivering.then_some(now);
            }
            self.transitions.push(transition.clone());
        }
    }

    pub(super) fn walk(&mut self, rule: &Rule, table: &str) {
        for line in table.lines().map(|line| line.split('#').next().unwrap().trim()).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let now = time(words[0]);
            let step = match words[1] {
                "acknowledge" | "withdraw" | "held" | "sent" => {
                    match words[1] {
                        "acknowledge" => self.is_acknowledged = true,
                        "withdraw" => self.is_acknowledged = false,
                        "held" => (self.notified_at, self.is_delivering) = (None, false),
                        _ => (self.notified_at, self.is_delivering) = (Some(now), true),
                    }
                    self.step(rule, now, None)
                }
                "accept" => accept(&self.alert, &self.window, now).expect("there is a loss to accept"),
                "rule-changed" => close(&self.alert, Resolution::RuleChanged, &self.window, now),
                "rule-removed" => close(&self.alert, Resolution::RuleRemoved, &self.window, now),
                "tenant-removed" => close(&self.alert, Resolution::TenantRemoved, &self.window, now),
                "subject-removed" => close(&self.alert, Resolution::SubjectRemoved, &self.window, now),
                "-" => self.step(rule, now, None),
                value => self.step(rule, now, Some(value.parse().unwrap())),
            };
            if words[1].len() > 1 && words[1].parse::<f64>().is_err() && !NOTES.contains(&words[1]) {
                self.take(now, &step);
            }
            let notified = step.transition.map_or("-", |transition| kind(transition.kind));
            assert_eq!((state(&self.alert), notified), (words[2], words[3]), "at `{line}` under `{}`", rule.when);
            if let Some(wake) = words.get(5) {
                let expected = (*wake != "never").then(|| time(wake));
                assert_eq!(step.wake_at, expected, "wake at `{line}` under `{}`", rule.when);
            }
        }
    }
}

pub(super) fn walk(text: &str, table: &str) {
    World::new().walk(&rule(text), table);
}

fn state(alert: &Alert) -> &'static str {
    match alert.state {
        AlertState::Inactive => "inactive",
        AlertState::Pending(_) => "pending",
        AlertState::Firing(_) => "firing",
    }
}

pub(super) const fn kind(kind: TransitionKind) -> &'static str {
    match kind {
        TransitionKind::Fired => "fired",
        TransitionKind::Worsened => "worsened",
        TransitionKind::Reminder => "reminder",
        TransitionKind::Escalated => "escalated",
        TransitionKind::Unstable => "unstable",
        TransitionKind::Resolved(Resolution::Recovered) => "resolved",
        TransitionKind::Resolved(Resolution::Accepted) => "accepted",
        TransitionKind::Resolved(Resolution::RuleChanged) => "rule-changed",
        TransitionKind::Resolved(Resolution::RuleRemoved) => "rule-removed",
        TransitionKind::Resolved(Resolution::TenantRemoved) => "tenant-removed",
        TransitionKind::Resolved(Resolution::SubjectRemoved) => "subject-removed",
    }
}

/// The law of numbers: a generation begins with its firing, be it as the change that shows an unstable alert, counts by one, and
/// nothing follows its resolve. What an unstable alert is once it is stable may be a firing, which begins another.
fn assert_is_next(last: Option<&Transition>, next: &Transition) {
    let open = last.filter(|last| !matches!(last.kind, TransitionKind::Resolved(_)));
    let expected = match open {
        Some(last) => (false, last.generation, last.sequence + 1),
        None => (true, last.map_or(0, |last| last.generation) + 1, 1),
    };
    let begins = match next.kind {
        TransitionKind::Fired => true,
        TransitionKind::Unstable => expected.0,
        _ => false,
    };
    let expected = match open {
        Some(last) if last.kind == TransitionKind::Unstable && begins => (true, last.generation + 1, 1),
        _ => expected,
    };
    assert_eq!((begins, next.generation, next.sequence), expected, "{last:?} → {next:?}");
}
