//! One series on its way through time, with the alert of each rule that judges it.

use std::{sync::Arc, time::Duration};

use super::{
    ceiling::Ceiling,
    course::{Course, Plan, SeriesCourse},
    fleet::{Fleet, Part},
    message::Message,
};
use crate::{
    domain::{ChannelName, Sample, ScoreKind, Subject, Timestamp, time},
    rule::{Alert, AlertState, Condition, Event, Resolution, Rule, Situation, Step, TransitionKind, close, step},
};

/// The last two samples are never let go of, however old: they tell a zero that is confirmed.
const SAMPLES_KEPT_MIN: usize = 3;

/// A rule that applies, and whom it tells.
pub(super) struct Applied<'a> {
    pub(super) rule: &'a Arc<Rule>,
    pub(super) channels: Arc<[ChannelName]>,
}

/// What all series of one score share.
pub(super) struct Ground<'a> {
    pub(super) plan: &'a Plan,
    pub(super) course: &'a Course,
    pub(super) fleet: &'a Fleet,
    pub(super) score: ScoreKind,
    pub(super) rules: Vec<Applied<'a>>,
    pub(super) poll_interval: Duration,
    pub(super) source_interval: Duration,
    /// How far back any of the rules looks.
    pub(super) keep: Duration,
}

/// An alert between two events.
struct Life {
    alert: Alert,
    /// When what was told last arrives.
    told_at: Option<Timestamp>,
    /// Worsenings that may be taken back, by their place.
    untold: Vec<usize>,
    wake_at: Option<Timestamp>,
    ceiling: Option<Ceiling>,
}

/// One series.
pub(super) struct Strand<'a> {
    ground: &'a Ground<'a>,
    pub(super) subject: Option<&'a Subject>,
    samples: &'a [Sample],
    /// When each was read; empty: when it is dated.
    read_at: &'a [Timestamp],
    /// How many of the samples are read, and where the window of those begins.
    read: usize,
    low: usize,
    history: usize,
    /// What fleet shifts did to the series, in time order.
    parts: &'a [Part],
    /// When data was last seen; `None`: it was never asked for.
    pub(super) last_data: Option<Timestamp>,
    lives: Vec<Life>,
}

impl<'a> Strand<'a> {
    /// `None`: what stands for the whole score until any of its subjects is read.
    pub(super) fn new(ground: &'a Ground<'a>, series: Option<&'a SeriesCourse>) -> Self {
        let samples = series.map_or(&[][..], |series| &series.samples);
        let read_at = series.map_or(&[][..], |series| &series.read_at);
        let subject = series.and_then(|series| series.subject.as_ref());
        let life = |applied: &Applied<'_>| Life {
            alert: Alert::default(),
            told_at: None,
            untold: Vec::new(),
            wake_at: None,
            ceiling: Ceiling::of(applied.rule.when, ground.source_interval),
        };
        let history = series.map_or(0, |series| series.history).min(samples.len().saturating_sub(1));
        let mut lives: Vec<Life> = ground.rules.iter().map(life).collect();
        for ceiling in lives.iter_mut().filter_map(|life| life.ceiling.as_mut()) {
            samples[..history].iter().for_each(|&sample| ceiling.take(sample));
        }
        let parts = ground.fleet.parts(&ground.course.tenant, ground.score, subject);
        Self { ground, subject, samples, read_at, read: history, low: 0, history, parts, last_data: None, lives }
    }

    /// When the next reading comes.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let dated = self.samples.get(self.read)?.at;
        Some(self.read_at.get(self.read).copied().unwrap_or(dated))
    }

    /// The time of the newest reading.
    pub(super) fn newest_at(&self) -> Option<Timestamp> {
        self.last_data.and(self.samples[..self.read].last()).map(|sample| sample.at)
    }

    /// When it must be looked at though no check is due.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.lives.iter().filter_map(|life| life.wake_at).min()
    }

    /// The next reading comes.
    pub(super) fn take(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        let reading = self.samples[self.read];
        let is_first = self.last_data.is_none();
        // As in a store, the window reaches back from the sample before. One more stays: it tells whether the window begins with a
        // zero that is confirmed.
        let newest = self.samples[self.read.saturating_sub(1)];
        let start = newest.at.minus(self.ground.keep);
        while self.low + SAMPLES_KEPT_MIN < self.read && self.samples[self.low + 1].at < start {
            self.low += 1;
        }
        for index in 0..self.lives.len() {
            let life = &mut self.lives[index];
            let when = self.ground.rules[index].rule.when;
            // What was lost before we first asked is told to nobody.
            if is_first && self.history > 0 && when.change().is_some() {
                life.alert.rebased_at = Some(reading.at);
            }
            // What a window's best value can be is not known any more once a shift has moved it.
            let is_moved = when.change().is_some() && self.parts.iter().any(|part| part.known_at < now);
            if is_moved || !life.is_at_rest(when, reading, now) {
                self.step(index, Event::Reading(reading), self.read, now, told);
            }
            if let Some(ceiling) = &mut self.lives[index].ceiling {
                ceiling.take(reading);
            }
        }
        self.read += 1;
        self.last_data = Some(now);
    }

    /// A check gave the newest record once more.
    pub(super) fn see_again(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        let newest = self.samples[..self.read].last().copied();
        let overdue_after = self.ground.score.overdue_after();
        let Some(newest) = newest.filter(|newest| now.since(newest.at) < overdue_after) else {
            return self.pass(now, told);
        };
        for index in 0..self.lives.len() {
            let life = &mut self.lives[index];
            let when = self.ground.rules[index].rule.when;
            if life.is_blind() || matches!(when, Condition::NoData(_)) {
                if !life.is_at_rest(when, newest, now) {
                    self.step(index, Event::Reading(newest), self.read - 1, now, told);
                }
            } else if life.wake_at.is_some_and(|wake_at| wake_at <= now) {
                self.step(index, Event::Tick, self.read, now, told);
            }
        }
        self.last_data = Some(now);
    }

    /// A check failed. If it is the first, silence begins.
    pub(super) fn fail(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        if self.last_data.is_some() {
            return self.pass(now, told);
        }
        self.last_data = Some(now);
        for (life, applied) in self.lives.iter_mut().zip(&self.ground.rules) {
            if let Condition::NoData(silence) = applied.rule.when {
                life.wake_at = Some(now.plus(silence));
            }
        }
    }

    /// Time has passed.
    pub(super) fn pass(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        for index in 0..self.lives.len() {
            if self.lives[index].wake_at.is_some_and(|wake_at| wake_at <= now) {
                self.step(index, Event::Tick, self.read, now, told);
            }
        }
    }

    /// The series is over, and its alerts with it.
    pub(super) fn end(&mut self, why: Resolution, now: Timestamp, told: &mut Vec<Message>) {
        let window = &self.samples[self.low..self.read];
        for index in 0..self.lives.len() {
            let ended = close(&self.lives[index].alert, why, window, now);
            self.apply(index, ended, now, told);
            self.lives[index].wake_at = None;
        }
    }

    /// Takes one alert a step further; the window ends before the sample of that place.
    fn step(&mut self, index: usize, event: Event, end: usize, now: Timestamp, told: &mut Vec<Message>) {
        let last_data = self.last_data.unwrap_or(now);
        let (life, rule) = (&self.lives[index], self.ground.rules[index].rule);
        let known = self.parts.iter().filter(|part| rule.fleet && part.known_at < now);
        let shifts: Vec<_> = known.map(|part| part.shifted_by).collect();
        let situation = Situation {
            now,
            window: &self.samples[self.low..end],
            poll_interval: self.ground.poll_interval,
            source_interval: self.ground.source_interval,
            last_data,
            away: time::covered(self.ground.course.away.iter().copied(), last_data, now),
            told_at: life.told_at.filter(|at| *at <= now),
            is_on_its_way: life.told_at.is_some_and(|at| at >= now),
            shifts: &shifts,
        };
        let made = step(rule, &life.alert, event, &situation);
        self.apply(index, made, now, told);
    }

    fn apply(
        &mut self,
        index: usize,
        Step { alert, transition, wake_at }: Step,
        now: Timestamp,
        told: &mut Vec<Message>,
    ) {
        let Applied { rule, channels } = &self.ground.rules[index];
        let Ground { plan, course, fleet, score, .. } = self.ground;
        let life = &mut self.lives[index];
        if let Some(alert) = alert {
            life.settle_worsenings(&alert, now, told);
            life.alert = alert;
        }
        // What has just been looked at is not looked at again before the next check might have been.
        life.wake_at = wake_at.map(|at| if at > now { at } else { now.plus(self.ground.poll_interval) });
        let Some(transition) = transition else { return life.foresee_reminder(rule, now) };
        // It arrives at once, or when nothing covers it any more and the fleet was read, if anybody is told.
        let covered = || plan.covered(&course.tenant, &course.labels, rule, *score, now);
        let series = (&course.tenant, *score, self.subject);
        let waits = || fleet.arrives_at(series, rule, &transition, now);
        life.told_at = (!channels.is_empty()).then(|| covered().or_else(waits).unwrap_or(now));
        if transition.kind == TransitionKind::Worsened {
            life.untold.push(told.len());
        }
        life.foresee_reminder(rule, now);
        told.push(Message {
            at: now,
            tenant: course.tenant.clone(),
            rule: Arc::clone(rule),
            score: *score,
            subject: self.subject.cloned(),
            transition,
            taken_back_at: None,
            channels: Arc::clone(channels),
        });
    }
}

impl Life {
    /// Notes which of the worsenings that nobody was told of yet are over by what becomes of the alert.
    fn settle_worsenings(&mut self, next: &Alert, now: Timestamp, told: &mut [Message]) {
        let (is_over, taken_back) = match &next.state {
            AlertState::Firing(firing) if next.generation == self.alert.generation => (false, firing.taken_back),
            _ => (true, 0),
        };
        let is_untold = matches!(&self.alert.state, AlertState::Firing(firing) if firing.untold.is_some());
        self.untold.retain(|&place| {
            let Some(message) = told.get_mut(place) else { return false };
            if is_over || message.transition.sequence <= taken_back {
                message.taken_back_at = is_untold.then_some(now);
                return false;
            }
            is_untold
        });
    }

    /// It wakes for the reminder of what is to arrive.
    fn foresee_reminder(&mut self, rule: &Rule, now: Timestamp) {
        let coming = self.told_at.filter(|told_at| *told_at >= now && self.alert.is_firing());
        if let Some((repeat, told_at)) = rule.repeat.zip(coming) {
            let reminder = told_at.plus(repeat);
            self.wake_at = Some(self.wake_at.map_or(reminder, |at| at.min(reminder)));
        }
    }

    /// Whether a reading changes nothing, because there is no alert and its condition can't hold. That is what nearly every
    /// reading comes to, and what makes a replay fast.
    fn is_at_rest(&mut self, when: Condition, reading: Sample, now: Timestamp) -> bool {
        // What was unstable and is calm is told now how it stands.
        if self.alert.state != AlertState::Inactive || self.wake_at.is_some_and(|wake_at| wake_at <= now) {
            return false;
        }
        match (when, &mut self.ceiling) {
            (Condition::NoData(silence), _) => {
                self.wake_at = Some(now.plus(silence));
                true
            }
            (_, Some(ceiling)) => !ceiling.may_hold(reading.value, reading.at),
            _ => !when.holds(reading.value, None),
        }
    }

    /// Whether it fires for want of data.
    fn is_blind(&self) -> bool {
        matches!(&self.alert.state, AlertState::Firing(firing) if matches!(firing.terms.when, Condition::NoData(_)))
    }
}
