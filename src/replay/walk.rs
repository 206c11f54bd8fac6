//! Takes one tenant's alerts through all that happened to it.

use std::{sync::Arc, time::Duration};

use super::{
    course::{Course, Look, Plan, ScoreCourse},
    fleet::Fleet,
    life::{Applied, WAKE_MIN},
    message::Message,
    no_data,
    strand::{Ground, Strand},
};
use crate::{
    domain::{ChannelName, SUBJECT_GONE_AFTER, Timestamp},
    notify::route::recipients,
    rule::{Resolution, Rule},
};

/// What the tenant's alerts told, in time order; of one moment, by score, series and rule. `fleet` is what is known of all tenants.
#[must_use]
pub fn walk(plan: &Plan, course: &Course, fleet: &Fleet) -> Vec<Message> {
    let mut told = Vec::new();
    for score in &course.scores {
        let ground = ground(plan, course, fleet, score);
        Walk::new(&ground, score).run(course.until, &mut told);
    }
    for rule in plan.rules.iter().filter(|rule| rule.is_no_data() && rule.tenants.matches(&course.labels)) {
        let applied = Applied { rule, channels: told_by(plan, course, rule).into() };
        no_data::walk(plan, course, &applied, &mut told);
    }
    told.sort_by_key(|message| message.at);
    told
}

fn ground<'a>(plan: &'a Plan, course: &'a Course, fleet: &'a Fleet, score: &ScoreCourse) -> Ground<'a> {
    let source_interval = course.poll_interval.max(score.score.record_interval());
    let applies = |rule: &&Arc<Rule>| !rule.is_no_data() && rule.applies_to(&course.labels, score.score);
    let rules: Vec<Applied<'_>> = plan
        .rules
        .iter()
        .filter(applies)
        .map(|rule| Applied { rule, channels: told_by(plan, course, rule).into() })
        .collect();
    let reaches = rules.iter().filter_map(|applied| applied.rule.when.change());
    let reaches = reaches.map(|change| change.within.saturating_add(source_interval));
    Ground {
        plan,
        course,
        fleet,
        score: score.score,
        keep: reaches.fold(source_interval.saturating_mul(2), Duration::max),
        rules,
        source_interval,
    }
}

/// The channels that a rule's alert of this tenant is told to.
fn told_by(plan: &Plan, course: &Course, rule: &Rule) -> Vec<ChannelName> {
    let mut channels = recipients(&rule.notify, rule.of_tenant(&course.notify));
    channels.retain(|channel| {
        plan.receivers.get(channel).is_some_and(|receiver| receiver.audience.admits(&course.tenant, &course.labels))
    });
    channels
}

/// One score on its way through time.
struct Walk<'a> {
    /// Every series; of a score that has subjects, the last one stands for the whole score until it is first read.
    strands: Vec<Strand<'a>>,
    looks: &'a [Look],
    has_subjects: bool,
    gone_after: Duration,
    /// When any of its subjects was last read.
    read_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
}

impl<'a> Walk<'a> {
    fn new(ground: &'a Ground<'a>, course: &'a ScoreCourse) -> Self {
        let has_subjects = course.score.has_subjects();
        let series = course.series.iter().filter(|series| series.subject.is_some() == has_subjects);
        let mut strands: Vec<Strand<'_>> = series.map(|series| Strand::new(ground, Some(series))).collect();
        if has_subjects || strands.is_empty() {
            strands.push(Strand::new(ground, None));
        }
        let gone_after = ground.source_interval.saturating_mul(3).max(SUBJECT_GONE_AFTER);
        Self { strands, looks: &course.looks, has_subjects, gone_after, read_at: None, looked_at: None }
    }

    fn run(mut self, until: Timestamp, told: &mut Vec<Message>) {
        loop {
            let reading = self.strands.iter().filter_map(Strand::next_at).min();
            let look = self.looks.first().map(|look| look.at);
            let next = reading.into_iter().chain(look).min();
            while let Some(wake_at) = self.wake_at().filter(|at| next.map_or(*at <= until, |next| *at < next)) {
                self.pass(wake_at, told);
            }
            match next {
                Some(now) if now <= until => self.check(now, told),
                _ => return,
            }
        }
    }

    /// When time alone could change something.
    fn wake_at(&self) -> Option<Timestamp> {
        // What is over waits for the next check.
        let open = (0..self.strands.len()).filter(|&index| !self.is_over(index, self.read_at));
        let soonest = open.filter_map(|index| self.strands[index].wake_at()).min()?;
        Some(self.looked_at.map_or(soonest, |looked_at| soonest.max(looked_at.plus(WAKE_MIN))))
    }

    /// Only time has passed.
    fn pass(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        self.looked_at = Some(now);
        let read_at = self.read_at;
        for index in 0..self.strands.len() {
            // What is over ends at the next check.
            if !self.is_over(index, read_at) {
                self.strands[index].pass(now, told);
            }
        }
    }

    /// A check: readings, or none.
    fn check(&mut self, now: Timestamp, told: &mut Vec<Message>) {
        self.looked_at = Some(now);
        let look = self.looks.first().filter(|look| look.at == now).copied();
        if look.is_some() {
            self.looks = &self.looks[1..];
        }
        // What was known before the check says who is gone.
        let read_at = self.read_at;
        let is_read = self.has_subjects && self.strands.iter().any(|strand| strand.next_at() == Some(now));
        let newest_at = self.strands.iter().filter_map(Strand::newest_at).max();
        for index in 0..self.strands.len() {
            let is_first = self.is_first(index);
            let strand = &mut self.strands[index];
            if strand.next_at() == Some(now) {
                // Records that are late may come together.
                while strand.next_at() == Some(now) {
                    strand.take(now, told);
                }
                self.read_at = Some(now);
            } else if self.is_over(index, read_at) || is_read && self.strands[index].subject.is_none() {
                self.end(index, now, told);
            } else if let Some(look) = look {
                let strand = &mut self.strands[index];
                let is_known = strand.last_data.is_some();
                let begins = !look.is_good && is_first;
                if look.is_good && is_known && strand.newest_at() == newest_at {
                    strand.see_again(now, told);
                    // What is overdue is no data, though it was given.
                    self.read_at = self.read_at.max(strand.last_data);
                } else if is_known || begins {
                    strand.fail(now, told);
                }
            } else if self.strands[index].last_data.is_some() {
                // Others of its score were read, and this one was not.
                self.strands[index].fail(now, told);
            } else {
                self.strands[index].pass(now, told);
            }
        }
    }

    /// Whether a failed check begins this series: what has subjects begins with the one that stands for the whole score.
    fn is_first(&self, index: usize) -> bool {
        !self.has_subjects || self.strands[index].subject.is_none()
    }

    /// Whether a series is over: others of its score were read for long without it, or it stood for them all.
    fn is_over(&self, index: usize, read_at: Option<Timestamp>) -> bool {
        let strand = &self.strands[index];
        match (self.has_subjects, read_at, strand.last_data) {
            (true, Some(read_at), Some(last_data)) => {
                strand.subject.is_none() || read_at.since(last_data) >= self.gone_after
            }
            _ => false,
        }
    }

    fn end(&mut self, index: usize, now: Timestamp, told: &mut Vec<Message>) {
        let strand = &mut self.strands[index];
        let why = if strand.subject.is_some() { Resolution::SubjectRemoved } else { Resolution::Recovered };
        strand.end(why, now, told);
    }
}
