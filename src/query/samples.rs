//! The samples of a tenant's series over a stretch of time, at most as many as can be drawn, and what a drawing shows beside them:
//! thresholds, baselines, alerts, silences, fleet shifts and gaps.

mod marks;
mod thin;

use std::time::Duration;

use serde::Serialize;

pub use self::marks::{AlertSpan, Gap, GapKind, Level, LevelKind, ShiftMark, SilenceSpan};
use super::{Error, find, silences};
use crate::{
    config::Config,
    domain::{Sample, Scope, ScoreKind, SeriesId, Subject, Timestamp, Unit},
    store::{AlertFilter, SeriesRecord, Store},
};

/// The most samples of one series that can be asked for.
pub const POINTS_MAX: usize = 5_000;
/// A longer stretch is asked for in parts.
pub const LENGTH_MAX: Duration = Duration::from_hours(400 * 24);

/// Which series of a tenant is shown, and of which time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The tenant's id in the configuration.
    pub tenant: String,
    /// Of which score; `None`: of each.
    pub score: Option<ScoreKind>,
    /// Of which of several values; `None`: of each.
    pub subject: Option<String>,
    /// The beginning of the stretch of time.
    pub from: Timestamp,
    /// Up to when.
    pub until: Timestamp,
    /// The most samples of each series, at most [`POINTS_MAX`]. If there are more, the first, lowest, highest and last of each stretch of time
    /// stand for the others, so no drop is lost.
    pub points: usize,
}

/// The samples of one series over a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct SeriesWindow {
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// What its numbers count.
    pub unit: Unit,
    /// The beginning of the stretch of time.
    pub from: Timestamp,
    /// The end of the stretch of time.
    pub until: Timestamp,
    /// How many samples there are.
    pub samples: usize,
    /// The samples, or those that stand for them, oldest first; without controls that are excluded.
    pub points: Vec<Sample>,
    /// The values that rules compare it with.
    pub levels: Vec<Level>,
    /// The alerts about it, each from when its condition first held.
    pub alerts: Vec<AlertSpan>,
    /// When notifications of some of its alerts were, are or will be held.
    pub silences: Vec<SilenceSpan>,
    /// The fleet shifts that moved it.
    pub shifts: Vec<ShiftMark>,
    /// When nothing was read.
    pub gaps: Vec<Gap>,
}

/// The series that match, in the order of the documentation.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a stretch of time that is empty or too long; [`Error::Store`].
pub async fn samples(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    question: &Question,
    now: Timestamp,
) -> Result<Vec<SeriesWindow>, Error> {
    let tenant = find::tenant(config, scope, &question.tenant)?;
    let Question { from, until, .. } = *question;
    if until <= from {
        return Err(Error::invalid(format!("`from` ({from}) must be before `until` ({until})")));
    }
    if until.since(from) > LENGTH_MAX {
        let days = LENGTH_MAX.as_secs() / 86_400;
        return Err(Error::invalid(format!("from {from} until {until} is too long; ask for at most {days} days")));
    }
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let Some(record) = record.filter(|record| record.identity.is(tenant.account.entra)) else { return Ok(Vec::new()) };
    let filter = AlertFilter { tenant: Some(tenant.id.clone()), ..AlertFilter::default() };
    let facts = marks::Facts {
        config,
        scope,
        tenant,
        record: &record,
        store: store.identity(),
        alerts: store.alerts(&filter).await?,
        silences: silences::as_seen(store, scope, store.silences(None).await?),
        downtimes: store.downtimes().await?,
        from,
        until,
        now,
    };
    let is_meant = |series: &&SeriesRecord| {
        question.score.is_none_or(|score| score == series.score)
            && question
                .subject
                .as_deref()
                .is_none_or(|wanted| series.subject.as_ref().is_some_and(|is| is.as_str() == wanted))
    };
    let mut series: Vec<&SeriesRecord> = record.series.iter().filter(is_meant).collect();
    series.sort_by_key(|series| (series.score, series.subject.clone()));
    let mut windows = Vec::with_capacity(series.len());
    for series in series {
        windows.push(window(store, &facts, series, question.points.clamp(1, POINTS_MAX)).await?);
    }
    Ok(windows)
}

/// How far back the store is read for the last sample before the stretch.
const LOOK_BACK: Duration = Duration::from_hours(36);

async fn window(
    store: &dyn Store,
    facts: &marks::Facts<'_>,
    series: &SeriesRecord,
    points: usize,
) -> Result<SeriesWindow, Error> {
    let marks::Facts { tenant, record, from, until, .. } = *facts;
    let id = SeriesId { score: series.score, subject: series.subject.as_ref() };
    let history = store.history(&id.of(&tenant.id), from.minus(LOOK_BACK)).await?;
    let mut samples = record.excluded.window(id, &history).unwrap_or(history);
    samples.retain(|sample| sample.at <= until);
    // The last one before shows where the line comes from.
    let first = samples.partition_point(|sample| sample.at < from);
    let samples = &samples[first.saturating_sub(1)..];
    Ok(SeriesWindow {
        score: series.score,
        subject: series.subject.clone(),
        unit: series.score.unit(),
        from,
        until,
        samples: samples.len(),
        points: thin::thin(samples, points),
        levels: facts.levels(id),
        alerts: facts.alerts(id),
        silences: facts.silences(id),
        shifts: facts.shifts(series),
        gaps: facts.gaps(series, samples),
    })
}
