//! Reports: how the tenants that a channel may show have fared since the report before. Its audience is applied here, before
//! anything is counted.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use super::{
    Notification, NotificationId, NotificationType, compose,
    facts::report::{
        ReportAlert, ReportAlerts, ReportBlind, ReportDeliveries, ReportFacts, ReportMove, ReportScore, ReportTenant,
        ReportUnread,
    },
    route::Audience,
};
use crate::{
    domain::{Better, ChannelName, Labels, Sample, ScoreKind, Severity, Subject, TenantId, Timestamp},
    rule::RuleName,
};

/// Most that are named of a kind: what moved one way, alerts, tenants that can't be read. All are counted.
pub const NAMED_MAX: usize = 5;
/// The most tenants in the report of a channel without an audience. One with an audience lists all of its own: the audience is asked again of each
/// right before it is sent.
const TENANTS_MAX: usize = 1_000;
/// A value older than this, seen from the beginning of the period, says nothing of how a score stood then. The slowest source
/// is overdue after this.
pub const VALUE_AGE_MAX: Duration = Duration::from_hours(72);
/// A report that was missed by more than this is not made up: the next one says it better.
const MADE_UP_WITHIN: Duration = Duration::from_hours(24);

/// The period that a report covers: from the instant at which the one before was due to that at which this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// When the period begins, inclusive.
    pub from: Timestamp,
    /// When the period ends, exclusive.
    pub until: Timestamp,
}

/// How one tenant stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantStatus {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// The tenant's name as messages show it.
    pub name: Arc<str>,
    /// What audiences select by.
    pub labels: Arc<Labels>,
    /// How its scores moved in the period.
    pub moves: Vec<Move>,
    /// Its alerts that fire.
    pub firing: Vec<Fires>,
    /// Since when it can't be read, and the class of the trouble.
    pub blind: Option<(Timestamp, String)>,
    /// Whether its scores are compared without some controls.
    pub has_excluded: bool,
}

/// How one value moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The kind of score that it is about.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// The value at the beginning of the period.
    pub before: f64,
    /// The value at the end of the period.
    pub value: f64,
}

impl Move {
    /// How far it went for the better; negative: for the worse.
    fn gain(&self) -> f64 {
        match self.score.better() {
            Better::Higher => self.value - self.before,
            Better::Lower => self.before - self.value,
        }
    }
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fires {
    /// The name of the alert's rule.
    pub rule: RuleName,
    /// How bad it is.
    pub severity: Severity,
    /// The kind of score; `None` for the whole tenant.
    pub score: Option<ScoreKind>,
    /// Of which of several values.
    pub subject: Option<Subject>,
    /// When its condition first held.
    pub since: Timestamp,
}

/// A report is made up only if it was due after this instant. What is older may be forgotten: whether it was sent is not known.
#[must_use]
pub fn made_up_after(retention: Duration, now: Timestamp) -> Timestamp {
    now.minus(MADE_UP_WITHIN.min(retention))
}

/// The id of the report of a channel that is due at that time: the same channel and time, the same report.
#[must_use]
pub fn id(store: &str, channel: &ChannelName, due_at: Timestamp) -> NotificationId {
    NotificationId::of_parts(&["report", store, channel.as_str(), &due_at.to_string()])
}

/// How a series moved in a period: its values at the beginning (or where it begins, if that is later) and at the end. `None`: it
/// did not move, or nothing is known. `samples` are oldest first.
#[must_use]
pub fn moved(samples: &[Sample], period: Period) -> Option<(f64, f64)> {
    let earliest = period.from.minus(VALUE_AGE_MAX);
    let mut of_period = samples.iter().filter(|sample| sample.at >= earliest && sample.at <= period.until);
    let at_begin = of_period.clone().take_while(|sample| sample.at <= period.from).last();
    let before = at_begin.or_else(|| of_period.clone().next())?.value;
    let value = of_period.next_back()?.value;
    (before.is_finite() && value.is_finite() && before.total_cmp(&value).is_ne()).then_some((before, value))
}

/// The report of a channel. Of `statuses` it says only what its audience admits.
#[must_use]
pub fn message(
    id: NotificationId,
    audience: &Audience,
    period: Period,
    statuses: &[TenantStatus],
    deliveries: ReportDeliveries,
    now: Timestamp,
) -> Notification {
    let mut own: Vec<&TenantStatus> = statuses.iter().filter(|one| audience.admits(&one.tenant, &one.labels)).collect();
    own.sort_unstable_by(|one, other| one.tenant.cmp(&other.tenant));
    let listed = if audience.is_open() { TENANTS_MAX } else { usize::MAX };
    let mut report = compose::without_alert(NotificationType::Report, id, now);
    report.data.report = Some(ReportFacts {
        from: period.from,
        until: period.until,
        tenant_count: own.len(),
        tenants: own.iter().take(listed).map(|one| one.tenant.to_string()).collect(),
        alerts: alerts(&own),
        blind: blind(&own),
        scores: ScoreKind::ALL.into_iter().filter_map(|kind| score(kind, &own)).collect(),
        excluding: own.iter().filter(|one| one.has_excluded).count(),
        deliveries,
    });
    report
}

fn named(status: &TenantStatus) -> ReportTenant {
    ReportTenant { id: status.tenant.to_string(), name: status.name.to_string() }
}

fn alerts(own: &[&TenantStatus]) -> ReportAlerts {
    let mut firing: Vec<_> = own.iter().flat_map(|one| one.firing.iter().map(move |fires| (*one, fires))).collect();
    let count = |severity| firing.iter().filter(|(_, fires)| fires.severity == severity).count();
    let (critical, warning, info) = (count(Severity::Critical), count(Severity::Warning), count(Severity::Info));
    firing.sort_by_key(|(_, fires)| (fires.since, Reverse(fires.severity)));
    let said = |(status, fires): (&TenantStatus, &Fires)| ReportAlert {
        tenant: named(status),
        rule: fires.rule.to_string(),
        severity: fires.severity,
        score: fires.score,
        subject: fires.subject.as_ref().map(ToString::to_string),
        since: fires.since,
    };
    let oldest = firing.into_iter().take(NAMED_MAX).map(said).collect();
    ReportAlerts { critical, warning, info, oldest }
}

fn blind(own: &[&TenantStatus]) -> ReportBlind {
    let unread = |status: &&TenantStatus| {
        let (since, class) = status.blind.clone()?;
        Some(ReportUnread { tenant: named(status), since, class })
    };
    let mut tenants: Vec<_> = own.iter().filter_map(unread).collect();
    tenants.sort_by_key(|unread| unread.since);
    let count = tenants.len();
    tenants.truncate(NAMED_MAX);
    ReportBlind { count, tenants }
}

/// How a score moved; `None`: it did not.
fn score(kind: ScoreKind, own: &[&TenantStatus]) -> Option<ReportScore> {
    let all = own.iter().flat_map(|one| one.moves.iter().map(|moved| (*one, moved)));
    let mut moves: Vec<(&TenantStatus, &Move)> = all.filter(|(_, moved)| moved.score == kind).collect();
    // Stable: what moved as far stays in the order of tenants.
    moves.sort_by(|(_, one), (_, other)| one.gain().total_cmp(&other.gain()));
    let worse_count = moves.partition_point(|(_, moved)| moved.gain() < 0.0);
    let better_count = moves.len() - worse_count;
    let said = |(status, moved): &(&TenantStatus, &Move)| ReportMove {
        tenant: named(status),
        subject: moved.subject.as_ref().map(ToString::to_string),
        before: moved.before,
        value: moved.value,
        change: moved.value - moved.before,
    };
    let worse = moves[..worse_count].iter().take(NAMED_MAX).map(said).collect();
    let better = moves[worse_count..].iter().rev().take(NAMED_MAX).map(said).collect();
    let unit = kind.unit().as_str().to_owned();
    (!moves.is_empty()).then_some(ReportScore { kind, unit, worse_count, better_count, worse, better })
}

#[cfg(test)]
mod tests;
