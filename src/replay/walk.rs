//! Takes one tenant's alerts through all that happened to it.

use std::{sync::Arc, time::Duration};

use super::{
    alert::{Applied, WAKE_MIN},
    fleet::Fleet,
    history::{History, Look, Plan, ScoreHistory},
    message::Message,
    no_data,
    series::{ReplayContext, SeriesReplay},
};
use crate::{
    domain::{ChannelName, SUBJECT_GONE_AFTER, Timestamp},
    notify::route::recipients,
    rule::{Resolution, Rule},
};

/// The messages of the tenant's alerts, in time order; within one moment, by score, series and rule. `fleet` is what is known of all tenants.
#[must_use]
pub fn walk(plan: &Plan, history: &History, fleet: &Fleet) -> Vec<Message> {
    let mut messages = Vec::new();
    for score in &history.scores {
        let context = context(plan, history, fleet, score);
        Walk::new(&context, score).run(history.until, &mut messages);
    }
    for rule in plan.rules.iter().filter(|rule| rule.is_no_data() && rule.tenants.matches(&history.labels)) {
        let applied = Applied { rule, channels: notified_by(plan, history, rule).into() };
        no_data::walk(plan, history, &applied, &mut messages);
    }
    messages.sort_by_key(|message| message.at);
    messages
}

fn context<'a>(plan: &'a Plan, history: &'a History, fleet: &'a Fleet, score: &ScoreHistory) -> ReplayContext<'a> {
    let source_interval = history.poll_interval.max(score.score.record_interval());
    let applies = |rule: &&Arc<Rule>| !rule.is_no_data() && rule.applies_to(&history.labels, score.score);
    let rules: Vec<Applied<'_>> = plan
        .rules
        .iter()
        .filter(applies)
        .map(|rule| Applied { rule, channels: notified_by(plan, history, rule).into() })
        .collect();
    let reaches = rules.iter().filter_map(|applied| applied.rule.when.change());
    let reaches = reaches.map(|change| change.within.saturating_add(source_interval));
    ReplayContext {
        plan,
        history,
        fleet,
        score: score.score,
        keep: reaches.fold(source_interval.saturating_mul(2), Duration::max),
        rules,
        source_interval,
    }
}

/// The channels that are notified of a rule's alert of this tenant.
fn notified_by(plan: &Plan, history: &History, rule: &Rule) -> Vec<ChannelName> {
    let mut channels = recipients(&rule.notify, rule.of_tenant(&history.notify));
    channels.retain(|channel| plan.shows(channel, history));
    channels
}

/// One score on its way through time.
struct Walk<'a> {
    /// Every series; of a score that has subjects, the last one stands for the whole score until it is first read.
    replays: Vec<SeriesReplay<'a>>,
    looks: &'a [Look],
    has_subjects: bool,
    gone_after: Duration,
    /// When any of its subjects was last read.
    read_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
}

impl<'a> Walk<'a> {
    fn new(context: &'a ReplayContext<'a>, history: &'a ScoreHistory) -> Self {
        let has_subjects = history.score.has_subjects();
        let series = history.series.iter().filter(|series| series.subject.is_some() == has_subjects);
        let mut replays: Vec<SeriesReplay<'_>> =
            series.map(|series| SeriesReplay::new(context, Some(series))).collect();
        if has_subjects || replays.is_empty() {
            replays.push(SeriesReplay::new(context, None));
        }
        let gone_after = context.source_interval.saturating_mul(3).max(SUBJECT_GONE_AFTER);
        Self { replays, looks: &history.looks, has_subjects, gone_after, read_at: None, looked_at: None }
    }

    fn run(mut self, until: Timestamp, messages: &mut Vec<Message>) {
        loop {
            let reading = self.replays.iter().filter_map(SeriesReplay::next_at).min();
            let look = self.looks.first().map(|look| look.at);
            let next = reading.into_iter().chain(look).min();
            while let Some(wake_at) = self.wake_at().filter(|at| next.map_or(*at <= until, |next| *at < next)) {
                self.pass(wake_at, messages);
            }
            match next {
                Some(now) if now <= until => self.check(now, messages),
                _ => return,
            }
        }
    }

    /// When time alone could change something.
    fn wake_at(&self) -> Option<Timestamp> {
        // What is over waits for the next check.
        let open = (0..self.replays.len()).filter(|&index| !self.is_over(index, self.read_at));
        let soonest = open.filter_map(|index| self.replays[index].wake_at()).min()?;
        Some(self.looked_at.map_or(soonest, |looked_at| soonest.max(looked_at.plus(WAKE_MIN))))
    }

    /// Only time has passed.
    fn pass(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        self.looked_at = Some(now);
        let read_at = self.read_at;
        for index in 0..self.replays.len() {
            // What is over ends at the next check.
            if !self.is_over(index, read_at) {
                self.replays[index].pass(now, messages);
            }
        }
    }

    /// A check: readings, or none.
    fn check(&mut self, now: Timestamp, messages: &mut Vec<Message>) {
        self.looked_at = Some(now);
        let look = self.looks.first().filter(|look| look.at == now).copied();
        if look.is_some() {
            self.looks = &self.looks[1..];
        }
        // What was known before the check says who is gone.
        let read_at = self.read_at;
        let is_read = self.has_subjects && self.replays.iter().any(|replay| replay.next_at() == Some(now));
        let newest_at = self.replays.iter().filter_map(SeriesReplay::newest_at).max();
        for index in 0..self.replays.len() {
            let is_first = self.is_first(index);
            let replay = &mut self.replays[index];
            if replay.next_at() == Some(now) {
                // Records that are late may come together.
                while replay.next_at() == Some(now) {
                    replay.take(now, messages);
                }
                self.read_at = Some(now);
            } else if self.is_over(index, read_at) || is_read && self.replays[index].subject.is_none() {
                self.end(index, now, messages);
            } else if let Some(look) = look {
                let replay = &mut self.replays[index];
                let is_known = replay.last_data.is_some();
                let begins = !look.is_good && is_first;
                if look.is_good && is_known && replay.newest_at() == newest_at {
                    replay.see_again(now, messages);
                    // What is overdue is not data, though it was given.
                    self.read_at = self.read_at.max(replay.last_data);
                } else if is_known || begins {
                    replay.fail(now, messages);
                }
            } else if self.replays[index].last_data.is_some() {
                // Others of its score were read, and this one was not.
                self.replays[index].fail(now, messages);
            } else {
                self.replays[index].pass(now, messages);
            }
        }
    }

    /// Whether a failed check begins this series: what has subjects begins with the one that stands for the whole score.
    fn is_first(&self, index: usize) -> bool {
        !self.has_subjects || self.replays[index].subject.is_none()
    }

    /// Whether a series is over: others of its score were read for a long time without it, or it stood for them all.
    fn is_over(&self, index: usize, read_at: Option<Timestamp>) -> bool {
        let replay = &self.replays[index];
        match (self.has_subjects, read_at, replay.last_data) {
            (true, Some(read_at), Some(last_data)) => {
                replay.subject.is_none() || read_at.since(last_data) >= self.gone_after
            }
            _ => false,
        }
    }

    fn end(&mut self, index: usize, now: Timestamp, messages: &mut Vec<Message>) {
        let replay = &mut self.replays[index];
        let why = if replay.subject.is_some() { Resolution::SubjectRemoved } else { Resolution::Recovered };
        replay.end(why, now, messages);
    }
}
