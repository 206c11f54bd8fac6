//! A tenant's month: how its scores moved, what was lost and gained, which alerts fire, and what to do next.
//!
//! Values and alerts are the store's. What the controls did and what can be done next is asked of Microsoft, who keeps records for 90
//! days; a report without it says so.

mod score;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{Error, find};
pub use crate::notify::facts::month::{
    Controls, DayValue, FailingChecks, FiringAlert, MonthReport, ScoreMonth, Unknown,
};
pub use crate::schedule::{Day, Month};
use crate::{
    clock::Clock,
    config::{Config, Tenant},
    domain::{Excluded, Sample, Scope, ScoreKind, SeriesId, Timestamp},
    egress::Egress,
    microsoft::{FetchError, Microsoft},
    notify::reason::{
        control_diff::changes,
        next_action::{of_controls, of_recommendations},
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

/// Which tenant and which month the report is about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The tenant's id in the configuration.
    pub tenant: String,
    /// The month; `None`: the present one.
    pub month: Option<Month>,
    /// The zone by which its days begin; `None`: the configuration's.
    pub zone: Option<Zone>,
    /// Whether Microsoft is asked about controls and recommendations, with the tenant's credential.
    pub ask_microsoft: bool,
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
    report_by(store, config, scope, question, &Asker::alone(config).0, now).await
}

/// What Microsoft is asked with.
#[derive(Debug, Clone)]
pub struct Asker(Microsoft);

impl Asker {
    /// By the service: with its cached tokens, and at its pace.
    #[must_use]
    pub const fn of_service(microsoft: Microsoft) -> Self {
        Self(microsoft)
    }

    /// By a command, which shares no tokens and no pace with the service.
    #[must_use]
    pub fn alone(config: &Config) -> Self {
        Self(Microsoft::new(Egress::new(), Clock::System, Metrics::default(), config.timeout))
    }

    pub(crate) const fn microsoft(&self) -> &Microsoft {
        &self.0
    }
}

/// The same; if Microsoft is asked, by what the service asks it with, its cached tokens and its pace included.
///
/// # Errors
/// As [`report`].
pub async fn report_by(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    question: &Question,
    microsoft: &Microsoft,
    now: Timestamp,
) -> Result<MonthReport, Error> {
    let tenant = find::tenant(config, scope, &question.tenant)?;
    let zone = question.zone.as_ref().unwrap_or(&config.timezone);
    let month = question.month.unwrap_or_else(|| Month::at(now, zone));
    let spans = spans(month, zone, now)?;
    let Span { from, until, .. } = spans.of_readings;
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    // A slug that belonged to another tenant before says nothing about this one.
    let record = record.filter(|record| record.identity.is(tenant.account.entra));
    let (scores, records) = scores(store, record.as_ref(), &spans).await?;
    let known = record.as_ref().map_or_else(Excluded::default, |record| record.excluded.clone());
    let failing = record.and_then(|record| record.health.failing);
    let names = if tenant.scores.iter().any(|score| OF_CONTROLS.contains(score)) {
        config.excluded_names(tenant, now)
    } else {
        BTreeSet::new()
    };
    let is_over = Month::at(now, zone) != month;
    let last = if is_over { until.minus(Duration::from_nanos(1)) } else { until };
    let mut report = MonthReport {
        tenant: tenant.id.to_string(),
        name: tenant.name.to_string(),
        tenant_id: tenant.account.entra.to_string(),
        month,
        from,
        until,
        last_day: Day::at(last, zone),
        is_over,
        timezone: zone.name().to_owned(),
        scores,
        failing: failing.map(|failing| FailingChecks { since: Day::at(failing.since, zone), class: failing.class }),
        asked_microsoft: question.ask_microsoft,
        controls: Controls::NotAsked,
        alerts: alerts(store, config, tenant, zone, until).await?,
        actions: Vec::new(),
        actions_unknown: Vec::new(),
        excluded: config.excluded_facts(tenant, &names, now),
    };
    if !scope.sees_about() {
        for control in &mut report.excluded {
            control.reason = None;
        }
    }
    if question.ask_microsoft {
        ask(microsoft, tenant, records, &known.with(names), now, &mut report).await;
    }
    Ok(report)
}

/// The month as it is over at `now`, by the zone's days and by those of UTC.
fn spans(month: Month, zone: &Zone, now: Timestamp) -> Result<Spans, Error> {
    let span = |zone: Zone| {
        let bounds = month.bounds(&zone);
        let (from, end) = bounds.ok_or_else(|| Error::invalid(format!("no calendar has the month {month}")))?;
        Ok::<_, Error>(Span { from, until: end.min(now), zone, month })
    };
    let spans = Spans { of_readings: span(zone.clone())?, of_records: span(Zone::utc())? };
    if spans.of_readings.from > now {
        return Err(Error::invalid(format!("{month} has not begun yet")));
    }
    Ok(spans)
}

/// A stretch of time, and the zone by which its days begin.
#[derive(Debug, Clone)]
struct Span {
    from: Timestamp,
    until: Timestamp,
    zone: Zone,
    month: Month,
}

/// The month as each kind of score has it: a daily record bears the midnight, in UTC, with which its day begins.
#[derive(Debug, Clone)]
struct Spans {
    of_readings: Span,
    of_records: Span,
}

impl Spans {
    const fn of(&self, score: ScoreKind) -> &Span {
        if score.record_interval().is_zero() { &self.of_readings } else { &self.of_records }
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
    spans: &Spans,
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
    scores.sort_by(|a, b| score::place(a).cmp(&score::place(b)));
    Ok((scores, records))
}

fn days(samples: &[Sample], span: &Span) -> Option<Records> {
    let newest = samples.last()?.at;
    let last = samples.iter().rfind(|sample| sample.at < span.until)?.at;
    let first = || samples.iter().find(|sample| sample.at >= span.from);
    let before = score::before(samples, span).or_else(first).map(|sample| sample.at).filter(|at| *at < last);
    Some(Records { before, last, newest })
}

async fn alerts(
    store: &dyn Store,
    config: &Config,
    tenant: &Tenant,
    zone: &Zone,
    until: Timestamp,
) -> Result<Vec<FiringAlert>, Error> {
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), firing_only: true, ..AlertFilter::default() };
    // What began after the month is the next one's.
    let rows = store.alerts(&filter).await?.into_iter();
    let mut alerts: Vec<_> = rows
        .filter_map(|row| {
            let AlertState::Firing(firing) = &row.alert.state else { return None };
            (firing.since < until).then_some(())?;
            let rule = config.rules.iter().find(|rule| rule.name == row.key.rule);
            Some(FiringAlert {
                rule: row.key.rule.to_string(),
                score: row.key.score,
                subject: row.key.subject.as_ref().map(ToString::to_string),
                severity: rule.map(|rule| rule.severity),
                since: firing.since,
                since_day: Day::at(firing.since, zone),
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
