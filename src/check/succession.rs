//! Alerts of a store from before `no_data` rules judged whole scores: one for each series, several for one tenant.
//!
//! While such an alert fires it is kept. Once the rule's own alert fires for the same lack of data it takes over who was notified:
//! nobody is notified twice, and nobody keeps waiting for the end. Receivers that keep a state for each alert are sent that the
//! old ones are over and the new one fires.

use super::judge::{Judging, Target};
use crate::{
    domain::{ChannelName, Labels, ScoreKind},
    rule::{Alert, AlertState, Condition, Feed, Resolution, Rule, TransitionKind, close},
    store::{AlertRecord, Inherited},
};

/// Whether an alert of that score is one that an older version made by this `no_data` rule.
pub(super) fn is_of_older_store(rule: &Rule, labels: &Labels, score: Option<ScoreKind>, alert: &Alert) -> bool {
    let fires_by_no_data = match &alert.state {
        AlertState::Firing(firing) => matches!(firing.terms.when, Condition::NoData(_)),
        _ => alert.flapping.unstable.is_some(),
    };
    rule.is_no_data() && score.is_some_and(|score| rule.applies_to(labels, score)) && fires_by_no_data
}

impl<'a> Judging<'a> {
    /// The alerts of an older store that the rule's own alert is to replace.
    pub(super) fn older(&self, rule: &Rule) -> Vec<&'a AlertRecord> {
        let labels = &self.setting.tenant.labels;
        let all = self.record.map_or(&[][..], |record| record.alerts.as_slice());
        let is_older = |alert: &&AlertRecord| {
            alert.rule == rule.name
                && !rule.makes_alert(labels, alert.score, alert.subject.as_ref())
                && is_of_older_store(rule, labels, alert.score, &alert.alert)
        };
        all.iter().filter(is_older).collect()
    }

    /// Ends the older alerts whose score was read, and lets the rule's own alert take over from the others if it fires.
    /// `own` is how that was at the last check.
    pub(super) fn replace(
        &mut self,
        rule: &Rule,
        own: Option<&AlertRecord>,
        feeds: &[Feed],
        older: &[&'a AlertRecord],
    ) {
        let target = Target { score: rule.score, subject: None };
        let place = self.outcome.alerts.iter().position(|update| {
            update.rule == rule.name && update.score == target.score && update.subject.as_ref() == target.subject
        });
        let firing = place.and_then(|place| self.outcome.alerts[place].alert.firing());
        let listed: Vec<ScoreKind> =
            firing.iter().flat_map(|firing| &firing.unread).map(|unread| unread.score).collect();
        let is_read = |alert: &AlertRecord| feeds.iter().any(|feed| feed.is_read && Some(feed.score) == alert.score);
        let (read, unread): (Vec<_>, Vec<_>) = older.iter().copied().partition(|alert| is_read(alert));
        for alert in read {
            self.end_older(rule, alert, Resolution::Recovered, |_| true);
        }
        let replaced: Vec<_> =
            unread.into_iter().filter(|alert| alert.score.is_some_and(|score| listed.contains(&score))).collect();
        let (Some(place), Some(first)) = (place, replaced.first()) else { return };
        let mut notified_channels: Vec<ChannelName> = Vec::new();
        for channel in own.into_iter().chain(replaced.iter().copied()).flat_map(|alert| &alert.notified_channels) {
            if !notified_channels.contains(channel) {
                notified_channels.push(channel.clone());
            }
        }
        let notified_at = replaced.iter().map(|alert| alert.notified_at).min().flatten();
        self.outcome.alerts[place].inherits = Some(Inherited {
            notified_channels: notified_channels.clone(),
            notified_at,
            from: (first.score, first.subject.clone()),
        });
        let config = self.setting.config;
        let keeps_state =
            |channel: &ChannelName| config.channels.get(channel).is_some_and(|settings| settings.kind.keeps_state());
        let key = rule.alert_key(&self.setting.tenant.id, target.score, target.subject);
        for new in self.outcome.notifications.iter_mut().filter(|new| new.alert.as_ref() == Some(&key)) {
            new.channels.retain(|channel| keeps_state(channel) || !notified_channels.contains(channel));
        }
        self.outcome.notifications.retain(|new| new.alert.as_ref() != Some(&key) || !new.channels.is_empty());
        for alert in replaced {
            self.end_older(rule, alert, Resolution::RuleChanged, keeps_state);
        }
    }

    fn end_older(
        &mut self,
        rule: &Rule,
        record: &AlertRecord,
        why: Resolution,
        is_notified: impl Fn(&ChannelName) -> bool,
    ) {
        let target = Target { score: record.score, subject: record.subject.as_ref() };
        let step = close(&record.alert, why, &[], self.outcome.now);
        if let Some(transition) = &step.transition {
            debug_assert!(matches!(transition.kind, TransitionKind::Resolved(_)));
            let notified_channels: Vec<ChannelName> =
                record.notified_channels.iter().filter(|channel| is_notified(channel)).cloned().collect();
            if !notified_channels.is_empty() {
                self.notify(rule, target, transition, &notified_channels);
            }
        }
        self.outcome.alerts.extend(step.alert.map(|alert| target.update(rule, alert)));
    }
}
