//! What a drawing of a series shows beside its samples.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    config::{Config, Tenant},
    domain::{Sample, Scope, SeriesId, Severity, Timestamp},
    notify::{Silence, identity::alert_id, silence::MatchTarget},
    query::alerts::short,
    rule::{AlertState, Amount, Condition, Rule},
    store::{AlertRow, Downtime, SeriesRecord, TenantRecord},
};

/// The most occurrences of one maintenance window that are listed.
const OCCURRENCES_MAX: usize = 60;
/// Two samples that lie this many times the usual distance apart have a gap between them.
const GAP_TIMES: u32 = 3;

/// A value that a rule compares a series with.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Level {
    /// The name of the rule.
    pub rule: String,
    /// How bad it is when it fires.
    pub severity: Severity,
    /// What the value is to the rule.
    pub kind: LevelKind,
    /// The value, in the score's own unit.
    pub value: f64,
}

/// What a value is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LevelKind {
    /// It fires below that.
    Below,
    /// It fires above that.
    Above,
    /// What a firing alert is measured against.
    Baseline,
}

/// An alert about a series.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AlertSpan {
    /// The id by which the alert is found.
    pub id: String,
    /// Its first letters, for people.
    pub short_id: String,
    /// The name of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// `pending`, `firing` or `resolved`.
    pub state: &'static str,
    /// When its condition first held.
    pub from: Timestamp,
    /// When it was over; `None`: it is not.
    pub until: Option<Timestamp>,
}

/// A silence, or one occurrence of a maintenance window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SilenceSpan {
    /// The number of the silence; `None`: it is a maintenance window, or a silence that reaches beyond the scope.
    pub silence: Option<i64>,
    /// Who made it and why, or the window's name; `None` where it reaches beyond the scope.
    pub about: Option<String>,
    /// When the silence begins, or this occurrence of the window.
    pub from: Timestamp,
    /// When the silence ends, or this occurrence of the window.
    pub until: Timestamp,
}

/// A fleet shift that moved a series.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ShiftMark {
    /// The identifier of the fleet shift.
    pub shift: String,
    /// The time at which a chart shows the shift.
    pub at: Timestamp,
    /// How much of the movement the shift accounts for.
    pub by: Amount,
    /// Whether the series moved farther than those of other tenants; always `false` for a limited scope.
    pub is_outlier: bool,
}

/// A stretch of time without samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ChartGap")]
pub struct Gap {
    /// When the stretch without samples begins.
    pub from: Timestamp,
    /// When the stretch without samples ends.
    pub until: Timestamp,
    /// Why nothing was read.
    pub kind: GapKind,
}

/// Why nothing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// The service itself was down.
    Downtime,
    /// There is no data, for another reason.
    NoData,
}

/// What marks are made of.
pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    pub(super) scope: &'a Scope,
    pub(super) tenant: &'a Arc<Tenant>,
    pub(super) record: &'a TenantRecord,
    pub(super) store: &'a str,
    pub(super) alerts: Vec<AlertRow>,
    pub(super) silences: Vec<Silence>,
    pub(super) downtimes: Vec<Downtime>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) now: Timestamp,
}

impl Facts<'_> {
    fn rules(&self, id: SeriesId<'_>) -> impl Iterator<Item = &Arc<Rule>> {
        self.config.rules.iter().filter(move |rule| rule.applies_to(&self.tenant.labels, id.score))
    }

    fn rows<'a>(&'a self, id: SeriesId<'a>) -> impl Iterator<Item = &'a AlertRow> {
        let is_of = move |row: &&AlertRow| row.key.score == Some(id.score) && row.key.subject.as_ref() == id.subject;
        self.alerts.iter().filter(is_of)
    }

    fn overlaps(&self, from: Timestamp, until: Timestamp) -> bool {
        from < self.until && self.from < until
    }

    /// Thresholds of rules, and the baselines of alerts that fire.
    pub(super) fn levels(&self, id: SeriesId<'_>) -> Vec<Level> {
        let thresholds = self.rules(id).filter_map(|rule| {
            let (kind, value) = match rule.when {
                Condition::Below(value) => (LevelKind::Below, value),
                Condition::Above(value) => (LevelKind::Above, value),
                Condition::Drop(_) | Condition::Rise(_) | Condition::NoData(_) => return None,
            };
            Some(Level { rule: rule.name.to_string(), severity: rule.severity, kind, value })
        });
        let baselines = self.rows(id).filter_map(|row| {
            let value = row.alert.firing()?.baseline?;
            let (rule, severity) = (row.key.rule.to_string(), self.severity(row));
            Some(Level { rule, severity, kind: LevelKind::Baseline, value })
        });
        thresholds.chain(baselines).collect()
    }

    fn severity(&self, row: &AlertRow) -> Severity {
        let noted =
            row.last_notification.as_ref().and_then(|last| last.data.alert.as_ref()).map(|alert| alert.severity);
        let rule = || self.config.rules.iter().find(|rule| rule.name == row.key.rule).map(|rule| rule.severity);
        noted.or_else(rule).unwrap_or_default()
    }

    /// Alerts that are open, and the last time that each of the others fired.
    pub(super) fn alerts(&self, id: SeriesId<'_>) -> Vec<AlertSpan> {
        let span = |row: &AlertRow| {
            let last = row.last_notification.as_ref().and_then(|last| last.data.alert.as_ref());
            let (from, until) = match &row.alert.state {
                AlertState::Firing(firing) => (firing.since, None),
                AlertState::Pending(pending) => (pending.since, None),
                AlertState::Inactive => (last?.started_at, Some(last?.resolved_at?)),
            };
            let id = alert_id(self.store, &self.record.identity.key, &row.key);
            self.overlaps(from, until.unwrap_or(self.now)).then(|| AlertSpan {
                short_id: short(&id).to_owned(),
                id,
                rule: row.key.rule.to_string(),
                severity: self.severity(row),
                state: row.alert.state.as_str(),
                from,
                until,
            })
        };
        let mut spans: Vec<_> = self.rows(id).filter_map(span).collect();
        spans.sort_by_key(|span| span.from);
        spans
    }

    /// Silences and maintenance windows that cover some rule on the series.
    pub(super) fn silences(&self, id: SeriesId<'_>) -> Vec<SilenceSpan> {
        let target = |rule: &Rule, holds: &dyn Fn(&MatchTarget<'_>) -> bool| {
            holds(&MatchTarget {
                tenant: self.tenant.id.as_str(),
                labels: &self.tenant.labels,
                rule: rule.name.as_str(),
                score: Some(id.score),
                severity: rule.severity,
                is_blindness: false,
            })
        };
        let covers = |holds: &dyn Fn(&MatchTarget<'_>) -> bool| self.rules(id).any(|rule| target(rule, holds));
        let mut spans = Vec::new();
        for silence in &self.silences {
            if self.overlaps(silence.starts_at, silence.ends_at) && covers(&|target| silence.matchers.match_all(target))
            {
                let is_seen = silence.matchers.is_within(self.scope);
                spans.push(SilenceSpan {
                    silence: is_seen.then_some(silence.id.0),
                    about: is_seen.then(|| format!("{}: {}", silence.author, silence.comment)),
                    from: silence.starts_at,
                    until: silence.ends_at,
                });
            }
        }
        for window in &self.config.maintenance {
            if !covers(&|target| window.matchers.match_all(target)) {
                continue;
            }
            let about = window.matchers.is_within(self.scope).then(|| window.name.clone());
            let mut at = self.from;
            let open = window.window.covers(at).map(|until| (at, until));
            let following = std::iter::from_fn(|| {
                let (from, until) = window.window.next(at).filter(|(from, _)| *from < self.until)?;
                at = from;
                Some((from, until))
            });
            let occurrences = open.into_iter().chain(following).take(OCCURRENCES_MAX);
            spans.extend(occurrences.map(|(from, until)| SilenceSpan {
                silence: None,
                about: about.clone(),
                from,
                until,
            }));
        }
        spans.sort_by_key(|span| span.from);
        spans
    }

    /// The fleet shifts that moved it within the stretch.
    pub(super) fn shifts(&self, series: &SeriesRecord) -> Vec<ShiftMark> {
        let of = self.record.shifted.iter().filter(|shift| shift.is_of(series.score, series.subject.as_ref()));
        of.filter(|shift| self.from <= shift.shifted_by.at && shift.shifted_by.at <= self.until)
            .map(|shift| ShiftMark {
                shift: shift.shift.clone(),
                at: shift.shifted_by.at,
                by: shift.shifted_by.by,
                is_outlier: shift.is_outlier && self.scope.is_all(),
            })
            .collect()
    }

    /// Stretches without samples that are much longer than usual, and the one that goes on.
    pub(super) fn gaps(&self, series: &SeriesRecord, samples: &[Sample]) -> Vec<Gap> {
        let usual = usual_distance(samples).max(series.score.record_interval());
        if usual.is_zero() {
            return Vec::new();
        }
        let limit = usual.saturating_mul(GAP_TIMES);
        let kind = |from: Timestamp, until: Timestamp| {
            let is_down = self.downtimes.iter().any(|down| down.from < until && from < down.until);
            if is_down { GapKind::Downtime } else { GapKind::NoData }
        };
        let gap = |from: Timestamp, until: Timestamp| {
            (until.since(from) > limit).then(|| Gap { from, until, kind: kind(from, until) })
        };
        let between = samples.windows(2).filter_map(|pair| gap(pair[0].at, pair[1].at));
        let end = self.until.min(self.now);
        let open = samples.last().filter(|_| self.record.health.failing.is_some());
        between.chain(open.and_then(|last| gap(last.at.max(series.last_data_at), end))).collect()
    }
}

/// The distance between two samples that is usual for half of the time. A stretch in which samples came more often, such as after an
/// import, makes no gaps of the rest; one gap that is longer than all else together is still one.
fn usual_distance(samples: &[Sample]) -> Duration {
    let mut distances: Vec<_> = samples.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    distances.sort();
    let whole: Duration = distances.iter().sum();
    let mut covered = Duration::ZERO;
    let by_time = distances.iter().find(|distance| {
        covered += **distance;
        covered >= whole / 2
    });
    let median = distances.get(distances.len() / 2);
    by_time.filter(|distance| **distance * 2 < whole).or(median).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_distance_is_that_of_half_the_time_unless_one_gap_is_longer() {
        let minutes = |distances: &[u64]| {
            let mut at = Timestamp::EPOCH;
            let mut samples = vec![Sample { at, value: 1.0 }];
            for minutes in distances {
                at = at.plus(Duration::from_mins(*minutes));
                samples.push(Sample { at, value: 1.0 });
            }
            usual_distance(&samples).as_secs() / 60
        };
        assert_eq!(minutes(&[]), 0);
        assert_eq!(minutes(&[15, 15, 15, 15, 50]), 15);
        assert_eq!(minutes(&[1_440, 1_440, 1_440, 1, 1, 1, 1, 1, 1, 1, 1]), 1_440, "checked more often lately");
        assert_eq!(minutes(&[15, 15, 15, 9_000]), 15, "one long gap");
    }
}
