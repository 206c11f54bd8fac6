//! Which alert is judged, and by what.

use std::time::Duration;

use crate::{
    domain::{Sample, ScoreKind, Subject, Timestamp},
    rule::{Alert, AlertState, Condition, Feed, Rule},
    store::{AlertRecord, AlertUpdate},
};

/// Which alert of a rule and a tenant.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Target<'a> {
    pub(in crate::check) score: Option<ScoreKind>,
    pub(in crate::check) subject: Option<&'a Subject>,
}

impl Target<'_> {
    pub(in crate::check) fn update(self, rule: &Rule, alert: Alert) -> AlertUpdate {
        let subject = self.subject.cloned();
        AlertUpdate { rule: rule.name.clone(), score: self.score, subject, alert, inherits: None }
    }
}

/// What an alert is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) window: &'a [Sample],
    pub(super) source_interval: Duration,
    pub(super) missed: u32,
    pub(super) onboarded_at: Option<Timestamp>,
    pub(super) feeds: &'a [Feed],
}

impl Seen<'_> {
    pub(super) const fn of_no_series(source_interval: Duration) -> Self {
        Self { window: &[], source_interval, missed: 0, onboarded_at: None, feeds: &[] }
    }
}

/// From when on an alert's newest notification could be sent. Where nobody is notified of it at first, that is when it fired.
pub(super) fn sendable_since(record: &AlertRecord) -> Option<Timestamp> {
    let fired_at = || record.alert.firing().map(|firing| firing.fired_at);
    if record.notified_channels.is_empty() { fired_at() } else { record.sendable_since }
}

/// Whether it fired for want of data, before its rule was edited.
pub(super) fn awaits_data(alert: &Alert) -> bool {
    matches!(&alert.state, AlertState::Firing(firing) if matches!(firing.terms.when, Condition::NoData(_)))
}
