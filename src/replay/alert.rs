//! One alert on its way through time, and its messages.

use std::{sync::Arc, time::Duration};

use super::{
    fleet::Fleet,
    history::{History, Plan},
    message::Message,
};
use crate::{
    domain::{ChannelName, ScoreKind, SeriesId, Subject, Timestamp},
    notify::route::{recipients, route_of_transition},
    rule::{Alert, AlertState, Rule, Step, Transition, TransitionKind},
};

/// A rule that applies, and whom it notifies.
pub(super) struct Applied<'a> {
    pub(super) rule: &'a Arc<Rule>,
    pub(super) channels: Arc<[ChannelName]>,
}

/// Of whom and what an alert is.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) plan: &'a Plan,
    pub(super) history: &'a History,
    /// What is known of all tenants; `None` where nothing waits for it.
    pub(super) fleet: Option<&'a Fleet>,
    /// `None`: of the whole tenant.
    pub(super) score: Option<ScoreKind>,
    pub(super) subject: Option<&'a Subject>,
}

/// An alert between two events.
#[derive(Default)]
pub(super) struct AlertReplay {
    pub(super) alert: Alert,
    /// When the last message arrives.
    pub(super) notified_at: Option<Timestamp>,
    /// Who was notified of its firing.
    notified: Vec<ChannelName>,
    /// Worsenings that may be taken back, by their place.
    unreported: Vec<usize>,
    /// Its end that may be taken back, by its place.
    end: Option<usize>,
    pub(super) wake_at: Option<Timestamp>,
}

impl AlertReplay {
    /// Takes it a step further.
    pub(super) fn apply(
        &mut self,
        Applied { rule, channels }: &Applied<'_>,
        target: Target<'_>,
        Step { alert, transition, wake_at }: Step,
        now: Timestamp,
        messages: &mut Vec<Message>,
    ) {
        let Target { plan, history, fleet, score, subject } = target;
        if let Some(alert) = alert {
            self.settle_worsenings(&alert, now, messages);
            self.settle_end(&alert, now, messages);
            self.alert = alert;
        }
        // What is due along with what was just reported follows at once. Otherwise what has just been evaluated is not evaluated again
        // before the next check might have been.
        let pause = if transition.is_some() { WAKE_MIN } else { history.poll_interval };
        self.wake_at = wake_at.map(|at| if at > now { at } else { now.plus(pause) });
        let Some(transition) = transition else { return self.foresee_reminder(rule, now) };
        let channels = self.channels(rule, channels, target, &transition);
        // It arrives immediately, or when nothing covers it any more and the fleet was read, if anybody is notified.
        let covered = || plan.covered(&history.tenant, &history.labels, rule, score, now);
        let waits = || {
            let (fleet, score) = fleet.zip(score)?;
            fleet.arrives_at(&history.tenant, SeriesId { score, subject }, rule, &transition, now)
        };
        // An escalation tells nobody anything new who was notified before.
        if transition.kind != TransitionKind::Escalated || self.notified_at.is_none() {
            self.notified_at = (!channels.is_empty()).then(|| covered().or_else(waits).unwrap_or(now));
        }
        if transition.kind == TransitionKind::Fired {
            self.notified.clear();
        }
        self.notified = recipients(&self.notified, &channels);
        if transition.kind == TransitionKind::Worsened {
            self.unreported.push(messages.len());
        }
        self.end = self.alert.ended.as_ref().map(|_| messages.len());
        self.foresee_reminder(rule, now);
        messages.push(Message {
            at: now,
            tenant: history.tenant.clone(),
            rule: Arc::clone(rule),
            score,
            subject: subject.cloned(),
            transition,
            taken_back_at: None,
            channels,
        });
    }

    /// The channels that a message is for.
    fn channels(
        &self,
        rule: &Rule,
        all: &Arc<[ChannelName]>,
        Target { plan, history, .. }: Target<'_>,
        transition: &Transition,
    ) -> Arc<[ChannelName]> {
        if rule.escalate.is_empty() {
            return Arc::clone(all);
        }
        let mut channels = route_of_transition(rule, &history.notify, transition, &self.notified);
        channels.retain(|channel| plan.shows(channel, history));
        channels.into()
    }

    /// Whether its newest message is still on its way, and when it arrived.
    pub(super) fn delivery(&self, now: Timestamp) -> (Option<Timestamp>, bool) {
        (self.notified_at.filter(|at| *at <= now), self.notified_at.is_some_and(|at| at >= now))
    }

    /// From when on its escalation counts though nobody is notified of it at first.
    pub(super) fn sendable_since(&self) -> Option<Timestamp> {
        self.alert.firing().filter(|_| self.notified.is_empty()).map(|firing| firing.fired_at)
    }

    /// Notes which of the worsenings that nobody was notified of yet are over by the new state of the alert.
    fn settle_worsenings(&mut self, next: &Alert, now: Timestamp, messages: &mut [Message]) {
        let (is_over, taken_back) = match &next.state {
            AlertState::Firing(firing) if next.generation == self.alert.generation => (false, firing.taken_back),
            _ => (true, 0),
        };
        let is_unreported = matches!(&self.alert.state, AlertState::Firing(firing) if firing.worst_before.is_some());
        self.unreported.retain(|&place| {
            let Some(message) = messages.get_mut(place) else { return false };
            if is_over || message.transition.sequence <= taken_back {
                message.taken_back_at = is_unreported.then_some(now);
                return false;
            }
            is_unreported
        });
    }

    /// Notes whether its end is taken back.
    fn settle_end(&mut self, next: &Alert, now: Timestamp, messages: &mut [Message]) {
        let is_taken_back = |message: &&mut Message| {
            next.generation == message.transition.generation
                && next.firing().is_some_and(|firing| firing.end_taken_back == message.transition.sequence)
        };
        if let Some(message) = self.end.and_then(|place| messages.get_mut(place)).filter(is_taken_back) {
            message.taken_back_at = Some(now);
        }
    }

    /// It wakes for the reminder of what is to arrive.
    fn foresee_reminder(&mut self, rule: &Rule, now: Timestamp) {
        let coming = self.notified_at.filter(|notified_at| *notified_at >= now && self.alert.is_firing());
        if let Some((repeat, notified_at)) = rule.repeat.zip(coming) {
            let reminder = notified_at.plus(repeat);
            self.wake_at = Some(self.wake_at.map_or(reminder, |at| at.min(reminder)));
        }
    }
}

/// The time until an alert that is due at once is evaluated again.
pub(super) const WAKE_MIN: Duration = Duration::from_secs(1);
