//! One alert on its way through time, and what is told of it.

use std::{sync::Arc, time::Duration};

use super::{
    course::{Course, Plan},
    fleet::Fleet,
    message::Message,
};
use crate::{
    domain::{ChannelName, ScoreKind, SeriesId, Subject, Timestamp},
    rule::{Alert, AlertState, Rule, Step, TransitionKind},
};

/// A rule that applies, and whom it tells.
pub(super) struct Applied<'a> {
    pub(super) rule: &'a Arc<Rule>,
    pub(super) channels: Arc<[ChannelName]>,
}

/// Of whom and what an alert is.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) plan: &'a Plan,
    pub(super) course: &'a Course,
    /// What is known of all tenants; `None` where nothing waits for it.
    pub(super) fleet: Option<&'a Fleet>,
    /// `None`: of the whole tenant.
    pub(super) score: Option<ScoreKind>,
    pub(super) subject: Option<&'a Subject>,
}

/// An alert between two events.
#[derive(Default)]
pub(super) struct Life {
    pub(super) alert: Alert,
    /// When what was told last arrives.
    pub(super) told_at: Option<Timestamp>,
    /// Worsenings that may be taken back, by their place.
    untold: Vec<usize>,
    /// Its end that may be taken back, by its place.
    end: Option<usize>,
    pub(super) wake_at: Option<Timestamp>,
}

impl Life {
    /// Takes it a step further.
    pub(super) fn apply(
        &mut self,
        Applied { rule, channels }: &Applied<'_>,
        target: Target<'_>,
        Step { alert, transition, wake_at }: Step,
        now: Timestamp,
        told: &mut Vec<Message>,
    ) {
        let Target { plan, course, fleet, score, subject } = target;
        if let Some(alert) = alert {
            self.settle_worsenings(&alert, now, told);
            self.settle_end(&alert, now, told);
            self.alert = alert;
        }
        // What has just been looked at is not looked at again before the next check might have been.
        self.wake_at = wake_at.map(|at| if at > now { at } else { now.plus(course.poll_interval) });
        let Some(transition) = transition else { return self.foresee_reminder(rule, now) };
        // It arrives at once, or when nothing covers it any more and the fleet was read, if anybody is notified.
        let covered = || plan.covered(&course.tenant, &course.labels, rule, score, now);
        let waits = || {
            let (fleet, score) = fleet.zip(score)?;
            fleet.arrives_at(&course.tenant, SeriesId { score, subject }, rule, &transition, now)
        };
        self.told_at = (!channels.is_empty()).then(|| covered().or_else(waits).unwrap_or(now));
        if transition.kind == TransitionKind::Worsened {
            self.untold.push(told.len());
        }
        self.end = self.alert.ended.as_ref().map(|_| told.len());
        self.foresee_reminder(rule, now);
        told.push(Message {
            at: now,
            tenant: course.tenant.clone(),
            rule: Arc::clone(rule),
            score,
            subject: subject.cloned(),
            transition,
            taken_back_at: None,
            channels: Arc::clone(channels),
        });
    }

    /// Whether its newest message is still on its way, and when it arrived.
    pub(super) fn delivery(&self, now: Timestamp) -> (Option<Timestamp>, bool) {
        (self.told_at.filter(|at| *at <= now), self.told_at.is_some_and(|at| at >= now))
    }

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

    /// Notes whether its end is taken back.
    fn settle_end(&mut self, next: &Alert, now: Timestamp, told: &mut [Message]) {
        let is_taken_back = |message: &&mut Message| {
            next.generation == message.transition.generation
                && next.firing().is_some_and(|firing| firing.end_taken_back == message.transition.sequence)
        };
        if let Some(message) = self.end.and_then(|place| told.get_mut(place)).filter(is_taken_back) {
            message.taken_back_at = Some(now);
        }
    }

    /// It wakes for the reminder of what is to arrive.
    fn foresee_reminder(&mut self, rule: &Rule, now: Timestamp) {
        let coming = self.told_at.filter(|told_at| *told_at >= now && self.alert.is_firing());
        if let Some((repeat, told_at)) = rule.repeat.zip(coming) {
            let reminder = told_at.plus(repeat);
            self.wake_at = Some(self.wake_at.map_or(reminder, |at| at.min(reminder)));
        }
    }
}

/// The time until an alert that is due at once is looked at again.
pub(super) const WAKE_MIN: Duration = Duration::from_secs(1);
