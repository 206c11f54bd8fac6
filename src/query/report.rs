//! A tenant's month: how its scores moved, what was lost and gained, which alerts fire, and what to do next.
//!
//! Values and alerts are the store's. What the controls did and what can be done next is asked of Microsoft, who keeps records for 90
//! days; a report without it says so.

mod month;
mod score;

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

pub use self::{
    month::Month,
    score::{DayValue, ScoreMonth},
};
use super::{Error, find};
use crate::{
    clock::Clock,
    config::{Config, Tenant},
    domain::{EntraTenantId, Excluded, Sample, Scope, ScoreKind, SeriesId, Severity, TenantId, Timestamp},
    egress::Egress,
    microsoft::{FetchError, Microsoft},
    notify::{
        notification::ExcludedControl,
        reason::{
            control_diff::{ControlChanges, changes},
            next_action::{NextAction, of_controls, of_recommendations},
        },
    },
    rule::AlertState,
    schedule::Zone,
    store::{AlertFilter, Store, TenantRecord},
    telemetry::Metrics,
};

/// The scores in which controls have points of their own.
const OF_CONTROLS: [ScoreKind; 2] = [ScoreKind::SecureScore, ScoreKind::SecureScoreCategory];
/// How many next actions there are for each score.
const ACTIONS: usize = 3;

/// Which report.
#[derive(Debug, Clone)]
pub struct Question {
    /// The tenant's id.
    pub tenant: String,
    /// The month; `None`: the present one.
    pub month: Option<Month>,
    /// Whether Microsoft is asked about controls and recommendations, with the tenant's credential.
    pub ask_microsoft: bool,
}

/// A tenant's month.
#[derive(Debug, Clone, Serialize)]
pub struct MonthReport {
    /// The tenant's id in the configuration.
    pub tenant: TenantId,
    /// Its display name.
    pub name: String,
    /// Its Entra id.
    pub tenant_id: EntraTenantId,
    /// The month.
    pub month: Month,
    /// When the month begins.
    pub from: Timestamp,
    /// When it ends; for a month that is not over, when the report was made.
    pub until: Timestamp,
    /// Whether the month is over.
    pub is_over: bool,
    /// The IANA time zone by which months and days begin.
    pub timezone: String,
    /// The scores with a value in this month.
    pub scores: Vec<ScoreMonth>,
    /// Whether Microsoft was asked about controls and next actions.
    pub asked_microsoft: bool,
    /// What controls did to the secure score.
    pub controls: Controls,
    /// The alerts that fire when the report is made, most severe first.
    pub alerts: Vec<FiringAlert>,
    /// What to do next, at most three for each score, most points first.
    pub actions: Vec<NextAction>,
    /// Why some next actions are missing: a class of failure for each score that could not be asked about.
    pub actions_unknown: Vec<Unknown>,
    /// The controls that do not count for rules, and that are neither changes nor next actions here. The scores count them.
    pub excluded: Vec<ExcludedControl>,
}

/// What controls did to the secure score in a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Controls {
    /// What they did.
    Known(ControlChanges),
    /// Microsoft did not say; the class of the failure.
    Failed {
        /// The class, as in the reference of failure classes.
        class: String,
    },
    /// Microsoft has no record of one of the two days.
    NoRecord,
    /// There are no two days to compare, the secure score is not watched, or Microsoft was not asked.
    NotAsked,
}

/// Why the next actions for a score are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The score.
    pub score: ScoreKind,
    /// The class of the failure, as in the reference of failure classes.
    pub class: String,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FiringAlert {
    /// The rule's name.
    pub rule: String,
    /// The score; `None`: the whole tenant.
    pub score: Option<ScoreKind>,
    /// Which of several values of that score; text from outside.
    pub subject: Option<String>,
    /// How severe it is; `None`: the rule is no longer configured.
    pub severity: Option<Severity>,
    /// Since when its condition holds.
    pub since: Timestamp,
    /// Whether a person has acknowledged it.
    pub is_acknowledged: bool,
}

/// A tenant's month, as far as it is over at `now`.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a month that has not begun or that no calendar has; [`Error::Store`].
pub async fn report(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    question: &Question,
    now: Timestamp,
) -> Result<MonthReport, Error> {
    let tenant = find::tenant(config, scope, &question.tenant)?;
    let month = question.month.unwrap_or_else(|| Month::at(now, &config.timezone));
    let no_calendar = || Error::invalid(format!("no calendar has the month {month}"));
    let (from, end) = month.bounds(&config.timezone).ok_or_else(no_calendar)?;
    if from > now {
        return Err(Error::invalid(format!("{month} has not begun yet")));
    }
    let until = end.min(now);
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    // A slug that belonged to another tenant before says nothing about this one.
    let record = record.filter(|record| record.identity.is(tenant.account.entra));
    let utc = Zone::utc();
    let (from_utc, end_utc) = month.bounds(&utc).ok_or_else(no_calendar)?;
    let spans = Spans {
        of_readings: Span { from, until, zone: &config.timezone },
        of_records: Span { from: from_utc, until: end_utc.min(now), zone: &utc },
    };
    let (scores, records) = scores(store, record.as_ref(), spans).await?;
    let alerts = alerts(store, config, tenant).await?;
    let names = if tenant.scores.iter().any(|score| OF_CONTROLS.contains(score)) {
        config.excluded_names(tenant, now)
    } else {
        BTreeSet::new()
    };
    let mut report = MonthReport {
        tenant: tenant.id.clone(),
        name: tenant.name.to_string(),
        tenant_id: tenant.account.entra,
        month,
        from,
        until,
        is_over: end <= now,
        timezone: config.timezone.name().to_owned(),
        scores,
        asked_microsoft: question.ask_microsoft,
        controls: Controls::NotAsked,
        alerts,
        actions: Vec::new(),
        actions_unknown: Vec::new(),
        excluded: config.excluded_facts(tenant, &names, now),
    };
    if question.ask_microsoft {
        let microsoft = Microsoft::new(Egress::new(), Clock::System, Metrics::default(), config.timeout);
        let known = record.map_or_else(Excluded::default, |record| record.excluded);
        ask(&microsoft, tenant, records, &known.with(names), now, &mut report).await;
    }
    Ok(report)
}

/// A stretch of time, and the zone by which its days begin.
#[derive(Debug, Clone, Copy)]
struct Span<'a> {
    from: Timestamp,
    until: Timestamp,
    zone: &'a Zone,
}

/// The month as each kind of score has it: a daily record bears the midnight, in UTC, with which its day begins.
#[derive(Debug, Clone, Copy)]
struct Spans<'a> {
    of_readings: Span<'a>,
    of_records: Span<'a>,
}

impl<'a> Spans<'a> {
    const fn of(self, score: ScoreKind) -> Span<'a> {
        if score.record_interval().is_zero() { self.of_readings } else { self.of_records }
    }
}

/// The days of secure-score records that a report compares.
#[derive(Debug, Clone, Copy)]
struct Records {
    before: Option<Timestamp>,
    last: Timestamp,
    newest: Timestamp,
}

async fn scores(
    store: &dyn Store,
    record: Option<&TenantRecord>,
    spans: Spans<'_>,
) -> Result<(Vec<ScoreMonth>, Option<Records>), Error> {
    let (mut scores, mut records) = (Vec::new(), None);
    let Some(record) = record else { return Ok((scores, records)) };
    for series in &record.series {
        let id = SeriesId { score: series.score, subject: series.subject.as_ref() };
        let span = spans.of(series.score);
        let samples = store.history(&id.of(&record.tenant), span.from.minus(score::LOOK_BACK)).await?;
        if series.score == ScoreKind::SecureScore {
            records = days(&samples, span);
        }
        scores.extend(score::of(id, &samples, span));
    }
    scores.sort_by(|a, b| a.place().cmp(&b.place()));
    Ok((scores, records))
}

fn days(samples: &[Sample], span: Span<'_>) -> Option<Records> {
    let newest = samples.last()?.at;
    let last = samples.iter().rfind(|sample| sample.at < span.until)?.at;
    let first = || samples.iter().find(|sample| sample.at >= span.from);
    let before = score::before(samples, span).or_else(first).map(|sample| sample.at).filter(|at| *at < last);
    Some(Records { before, last, newest })
}

async fn alerts(store: &dyn Store, config: &Config, tenant: &Tenant) -> Result<Vec<FiringAlert>, Error> {
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), firing_only: true, ..AlertFilter::default() };
    let rows = store.alerts(&filter).await?.into_iter();
    let mut alerts: Vec<_> = rows
        .filter_map(|row| {
            let AlertState::Firing(firing) = &row.alert.state else { return None };
            let rule = config.rules.iter().find(|rule| rule.name == row.key.rule);
            Some(FiringAlert {
                rule: row.key.rule.to_string(),
                score: row.key.score,
                subject: row.key.subject.as_ref().map(ToString::to_string),
                severity: rule.map(|rule| rule.severity),
                since: firing.since,
                is_acknowledged: row.acknowledged.is_some(),
            })
        })
        .collect();
    alerts.sort_by(|a, b| (b.severity, a.since, &a.rule).cmp(&(a.severity, b.since, &b.rule)));
    Ok(alerts)
}

/// Asks Microsoft what the store does not keep.
async fn ask(
    microsoft: &Microsoft,
    tenant: &Arc<Tenant>,
    records: Option<Records>,
    excluded: &Excluded,
    now: Timestamp,
    report: &mut MonthReport,
) {
    let unknown = |score, error: &FetchError| Unknown { score, class: error.class.as_str().to_owned() };
    if let Some(days) = records {
        let asked: BTreeSet<_> = days.before.into_iter().chain([days.last, days.newest]).collect();
        match microsoft.records(&tenant.account, &asked, now).await {
            Ok(mut records) => {
                if !excluded.is_empty() {
                    for record in records.values_mut() {
                        *record = record.without(excluded);
                    }
                }
                // Without profiles, controls go by their names.
                let profiles = microsoft.profiles(&tenant.account, days.newest, now).await.unwrap_or_default();
                if let Some(newest) = records.get(&days.newest) {
                    report.actions.extend(of_controls(newest, &profiles, ACTIONS));
                }
                if let Some(before) = days.before {
                    let compared = records.get(&before).zip(records.get(&days.last));
                    report.controls = compared.map_or(Controls::NoRecord, |(before, after)| {
                        Controls::Known(changes(before, after, &profiles))
                    });
                }
            }
            Err(error) => {
                report.controls = Controls::Failed { class: error.class.as_str().to_owned() };
                report.actions_unknown.push(unknown(ScoreKind::SecureScore, &error));
            }
        }
    }
    if tenant.scores.contains(&ScoreKind::DeviceSecureScore) {
        match microsoft.recommendations(&tenant.account, true, now).await {
            Ok(list) => report.actions.extend(of_recommendations(&list, ACTIONS)),
            Err(error) => report.actions_unknown.push(unknown(ScoreKind::DeviceSecureScore, &error)),
        }
    }
}
