//! One series on its way through time, with the alert of each rule that judges it.

use std::time::Duration;

use super::{
    alert::{AlertReplay, Applied, Target},
    ceiling::Ceiling,
    fleet::{Fleet, Part},
    history::{History, Plan, SeriesHistory},
    message::Message,
};
use crate::{
    domain::{Sample, ScoreKind, SeriesId, Subject, Timestamp},
    rule::{
        AlertState, Condition, EvaluationContext, Event, Resolution, Step, baseline::SAMPLES_KEPT_MIN, close, step,
    },
};

/// What all series of one score share.
pub(super) struct ReplayContext<'a> {
    pub(super) plan: &'a Plan,
    pub(super) history: &'a History,
    pub(super) fleet: &'a Fleet,
    pub(super) score: ScoreKind,
    pub(super) rules: Vec<Applied<'a>>,
    pub(super) source_interval: Duration,
    /// How far back any of the rules looks.
    pub(super) keep: Duration,
}

/// The alert of one rule on a series.
struct Judged {
    replay: AlertReplay,
    ceiling: Option<Ceiling>,
}

/// One series of readings.
pub(super) struct SeriesReplay<'a> {
    context: &'a ReplayContext<'a>,
    pub(super) subject: Option<&'a Subject>,
    samples: &'a [Sample],
    /// When each was read; empty: when it is dated.
    read_at: &'a [Timestamp],
    /// How many of the samples are read, and where the window of those begins.
    read: usize,
    low: usize,
    imported: usize,
    /// What fleet shifts did to the series, in time order.
    parts: &'a [Part],
    /// When data was last seen; `None`: it was never asked for.
    pub(super) last_data: Option<Timestamp>,
    /// How many checks gave no reading since.
    missed: u32,
    /// When time alone was last looked at.
    looked_at: Option<Timestamp>,
    judged: Vec<Judged>,
}

impl<'a> SeriesReplay<'a> {
    /// `None`: what stands for the whole score until any of its subjects is read.
    pub(super) fn new(context: &'a ReplayContext<'a>, series: Option<&'a SeriesHistory>) -> Self {
        let samples = series.map_or(&[][..], |series| &series.samples);
        let read_at = series.map_or(&[][..], |series| &series.read_at);
        let subject = series.and_then(|series| series.subject.as_ref());
        let judged =
            |applied: &Applied<'_>| Judged { replay: AlertReplay::default(), ceiling: Ceiling::of(applied.rule.when) };
        let imported = series.map_or(0, |series| series.imported).min(samples.len().saturating_sub(1));
        let judged = context.rules.iter().map(judged).collect();
        let parts = context.fleet.parts(&context.history.tenant, SeriesId { score: context.score, subject });
        let (read, low, last_data, missed, looked_at) = (imported, 0, None, 0, None);
        Self { context, subject, samples, read_at, read, low, imported, parts, last_data, missed, looked_at, judged }
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

    /// When it must be evaluated though no check is due.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.judged.iter().filter_map(|judged| self.wakes(&judged.replay)).min()
    }

    /// When an alert must be evaluated: once a shift is known that may be the reason of its end, too.
    fn wakes(&self, replay: &AlertReplay) -> Option<Timestamp> {
        let known_at = self.explained_at(replay).filter(|at| self.looked_at.is_none_or(|looked_at| looked_at < *at));
        replay.wake_at.into_iter().chain(known_at).min()
    }

    /// When the shift is known at whose reading an alert ended.
    fn explained_at(&self, replay: &AlertReplay) -> Option<Timestamp> {
        let ended = replay.alert.ended.as_ref()?;
        let may_explain = |part: &&Part| part.shifted_by.at <= ended.by.at && part.known_at >= ended.judged_at;
        self.parts.iter().filter(may_explain).map(|part| part.known_at).min()
    }

    /// The next reading comes.
    pub(super) fn take(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        let reading = self.samples[self.read];
        // As in a store, the window reaches back from the sample before. One more stays: it shows whether the window begins with a
        // zero that is confirmed.
        let newest = self.samples[self.read.saturating_sub(1)];
        let start = newest.at.minus(self.context.keep);
        while self.low + SAMPLES_KEPT_MIN < self.read && self.samples[self.low + 1].at < start {
            self.low += 1;
        }
        let missed = self.missed(reading);
        for index in 0..self.judged.len() {
            let when = self.context.rules[index].rule.when;
            // What a window's best value can be is not known any more once a shift has moved it.
            let is_moved = when.change().is_some() && self.parts.iter().any(|part| part.known_at < now);
            if is_moved || !self.judged[index].is_settled(when, reading, now) {
                self.step(index, Event::Reading(reading), missed, now, messages);
            }
            if let Some(ceiling) = &mut self.judged[index].ceiling {
                ceiling.take(reading);
            }
        }
        self.read += 1;
        (self.last_data, self.missed) = (Some(now), 0);
    }

    /// How many scheduled checks gave no reading before this one. Of records, a check that fails loses none.
    fn missed(&self, reading: Sample) -> u32 {
        let interval = self.context.score.record_interval();
        let Some(last) = self.last_data.and(self.samples[..self.read].last()) else { return 0 };
        if interval.is_zero() {
            return self.missed;
        }
        let records = reading.at.since(last.at).saturating_add(interval / 2).as_nanos() / interval.as_nanos();
        self.missed.min(u32::try_from(records).unwrap_or(u32::MAX).saturating_sub(1))
    }

    /// A check gave the newest record once more.
    pub(super) fn see_again(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        let newest = self.samples[..self.read].last();
        let overdue_after = self.context.score.overdue_after();
        if newest.is_some_and(|newest| now.since(newest.at) < overdue_after) {
            (self.last_data, self.missed) = (Some(now), 0);
            return self.pass(now, messages);
        }
        self.fail(now, messages);
    }

    /// A check gave nothing of it.
    pub(super) fn fail(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        match self.last_data {
            Some(_) => self.missed = self.missed.saturating_add(1),
            None => self.last_data = Some(now),
        }
        self.pass(now, messages);
    }

    /// Evaluates all alerts without a new reading.
    pub(super) fn pass(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        for index in 0..self.judged.len() {
            if self.wakes(&self.judged[index].replay).is_some_and(|wake_at| wake_at <= now) {
                self.step(index, Event::Tick, 0, now, messages);
            }
        }
        self.looked_at = Some(now);
    }

    /// The series is over, and its alerts with it.
    pub(super) fn end(&mut self, why: Resolution, now: Timestamp, messages: &mut Vec<Message>) {
        let window = &self.samples[self.low..self.read];
        for index in 0..self.judged.len() {
            let ended = close(&self.judged[index].replay.alert, why, window, now);
            self.apply(index, ended, now, messages);
            self.judged[index].replay.wake_at = None;
        }
    }

    /// Takes one alert a step further, on what was read before the event.
    fn step(&mut self, index: usize, event: Event, missed_checks: u32, now: Timestamp, messages: &mut Vec<Message>) {
        let replay = &self.judged[index].replay;
        let rule = self.context.rules[index].rule;
        let (notified_at, is_on_its_way) = replay.delivery(now);
        // What a shift has to do with waits until somebody has looked.
        let is_held_back =
            self.explained_at(replay).is_some_and(|at| replay.notified_at.is_some_and(|notified_at| notified_at >= at));
        // A shift that is found when a reading comes was not known when that was judged.
        let is_known = |at: Timestamp| if event == Event::Tick { at <= now } else { at < now };
        let known = self.parts.iter().filter(|part| rule.fleet && is_known(part.known_at));
        let shifts: Vec<_> = known.map(|part| part.shifted_by).collect();
        let context = EvaluationContext {
            now,
            window: &self.samples[self.low..self.read],
            source_interval: self.context.source_interval,
            missed_checks,
            onboarded_at: (self.imported > 0).then(|| self.samples[self.imported].at),
            feeds: &[],
            notified_at,
            sendable_since: replay.sendable_since(),
            is_acknowledged: false,
            is_on_its_way,
            can_be_withdrawn: is_on_its_way || is_held_back,
            shifts: &shifts,
        };
        let made = step(rule, &replay.alert, event, &context);
        self.apply(index, made, now, messages);
    }

    fn apply(&mut self, index: usize, made: Step, now: Timestamp, messages: &mut Vec<Message>) {
        let ReplayContext { plan, history, fleet, score, .. } = self.context;
        let target = Target { plan, history, fleet: Some(fleet), score: Some(*score), subject: self.subject };
        self.judged[index].replay.apply(&self.context.rules[index], target, made, now, messages);
    }
}

impl Judged {
    /// Whether a reading changes nothing, because there is no alert and its condition can't hold. That is what nearly every
    /// reading comes to, and what makes a replay fast.
    fn is_settled(&mut self, when: Condition, reading: Sample, now: Timestamp) -> bool {
        // The state of an alert that was unstable and is stable again is reported now.
        let is_open = self.replay.alert.state != AlertState::Inactive || self.replay.alert.ended.is_some();
        if is_open || self.replay.wake_at.is_some_and(|wake_at| wake_at <= now) {
            return false;
        }
        match &mut self.ceiling {
            Some(ceiling) => !ceiling.may_hold(reading.value, reading.at),
            None => !when.holds(reading.value, None),
        }
    }
}
