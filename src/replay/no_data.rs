//! `no_data` rules on their way through time: all scores of a tenant that a rule watches are one alert.

use super::{
    alert::{AlertReplay, Applied, Target, WAKE_MIN},
    history::{History, Look, Plan, ScoreHistory},
    message::Message,
};
use crate::{
    domain::{Sample, ScoreKind, Timestamp, time},
    rule::{EvaluationContext, Event, Feed, step},
};

/// What a check gave of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    /// Data, and of a score with one value its newest sample.
    Data(Option<Sample>),
    /// Nothing: it failed, or what it gave is overdue.
    Nothing,
}

/// One score of the tenant that is expected to give data.
struct Watched {
    score: ScoreKind,
    /// What its checks gave, in time order.
    answers: Vec<(Timestamp, Answer)>,
    place: usize,
    last_data: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

impl Watched {
    fn new(history: &ScoreHistory) -> Self {
        Self { score: history.score, answers: answers(history), place: 0, last_data: None, failed_at: None }
    }

    fn next_at(&self) -> Option<Timestamp> {
        self.answers.get(self.place).map(|(at, _)| *at)
    }

    /// Takes what a check of that time gave.
    fn take(&mut self, now: Timestamp) -> Option<Answer> {
        let (_, answer) = *self.answers.get(self.place).filter(|(at, _)| *at == now)?;
        self.place += 1;
        match answer {
            Answer::Data(_) => (self.last_data, self.failed_at) = (Some(now), None),
            // The first one that fails is where the time begins to count.
            Answer::Nothing if self.last_data.is_none() => self.last_data = Some(now),
            Answer::Nothing => self.failed_at = self.failed_at.or(Some(now)),
        }
        Some(answer)
    }

    fn feed(&self, history: &History, is_read: bool, now: Timestamp) -> Option<Feed> {
        let last_data = self.last_data?;
        let downtime = time::covered(history.downtimes.iter().copied(), last_data, now);
        Some(Feed { score: self.score, last_data, downtime, missed_at: self.failed_at, is_read })
    }
}

/// What each check of a score gave.
fn answers(history: &ScoreHistory) -> Vec<(Timestamp, Answer)> {
    let mut read: Vec<(Timestamp, Sample)> = Vec::new();
    for series in &history.series {
        let imported = series.imported.min(series.samples.len().saturating_sub(1));
        let seen =
            (imported..series.samples.len()).filter_map(|place| Some((series.seen_at(place)?, series.samples[place])));
        read.extend(seen);
    }
    read.sort_by_key(|(seen_at, sample)| (*seen_at, sample.at));
    let shown = |sample: Sample| (!history.score.has_subjects()).then_some(sample);
    let mut answers: Vec<(Timestamp, Answer)> =
        read.iter().map(|(seen_at, sample)| (*seen_at, Answer::Data(shown(*sample)))).collect();
    for &Look { at, is_good } in &history.looks {
        let before = read.partition_point(|(seen_at, _)| *seen_at <= at);
        let newest = read[..before].iter().map(|(_, sample)| *sample).max_by_key(|sample| sample.at);
        let current = newest.filter(|newest| is_good && at.since(newest.at) < history.score.overdue_after());
        answers.push((at, current.map_or(Answer::Nothing, |sample| Answer::Data(shown(sample)))));
    }
    // A check that read any of its subjects has read the score.
    answers.sort_by_key(|(at, answer)| (*at, *answer == Answer::Nothing));
    answers.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same && let Answer::Data(_) = later.1 {
            earlier.1 = later.1;
        }
        is_same
    });
    answers
}

/// Takes the alert of one `no_data` rule through all that happened to the tenant.
pub(super) fn walk(plan: &Plan, history: &History, applied: &Applied<'_>, messages: &mut Vec<Message>) {
    let rule = applied.rule;
    let is_watched = |score: &&ScoreHistory| rule.score.is_none_or(|watched| watched == score.score);
    let mut watched: Vec<Watched> = history.scores.iter().filter(is_watched).map(Watched::new).collect();
    let target = Target { plan, history, fleet: None, score: rule.score, subject: None };
    let (mut replay, mut looked_at) = (AlertReplay::default(), None::<Timestamp>);
    loop {
        let next = watched.iter().filter_map(Watched::next_at).min();
        let wake_at = replay.wake_at.map(|at| looked_at.map_or(at, |looked_at| at.max(looked_at.plus(WAKE_MIN))));
        let (now, is_check) = match (next, wake_at) {
            (Some(next), Some(wake_at)) if wake_at < next => (wake_at, false),
            (Some(next), _) => (next, true),
            (None, Some(wake_at)) => (wake_at, false),
            (None, None) => return,
        };
        if now > history.until {
            return;
        }
        looked_at = Some(now);
        let mut sample = None;
        let is_one = watched.len() == 1;
        let feeds = watched.iter_mut().filter_map(|score| {
            let answer = if is_check { score.take(now) } else { None };
            if let Some(Answer::Data(newest)) = answer {
                sample = newest.filter(|_| is_one);
            }
            score.feed(history, matches!(answer, Some(Answer::Data(_))), now)
        });
        let feeds: Vec<Feed> = feeds.collect();
        let (notified_at, is_on_its_way) = replay.delivery(now);
        let context = EvaluationContext {
            now,
            window: &[],
            source_interval: history.poll_interval,
            missed_checks: 0,
            onboarded_at: None,
            feeds: &feeds,
            notified_at,
            sendable_since: replay.sendable_since(),
            is_acknowledged: false,
            is_on_its_way,
            can_be_withdrawn: false,
            shifts: &[],
        };
        let made = step(rule, &replay.alert, sample.map_or(Event::Tick, Event::Reading), &context);
        replay.apply(applied, target, made, now, messages);
    }
}
