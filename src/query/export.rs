//! The samples of a tenant as they are in the store, each of them, for other programs.

use std::time::Duration;

use serde::Serialize;

use super::{Error, find};
use crate::{
    config::Config,
    domain::{Sample, Scope, ScoreKind, SeriesId, Subject, Timestamp},
    store::Store,
};

/// The most samples of one answer.
const SAMPLES_MAX: usize = 200_000;
/// How far back an answer reaches unless the question says otherwise.
const LENGTH: Duration = Duration::from_hours(30 * 24);

/// Which tenant's samples are exported, of which time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The tenant's id in the configuration.
    pub tenant: String,
    /// Of these scores; empty: of each.
    pub scores: Vec<ScoreKind>,
    /// Of which of several values; `None`: of each.
    pub subject: Option<String>,
    /// From when on; `None`: from 30 days before the end.
    pub from: Option<Timestamp>,
    /// Up to when, but not at that instant; `None`: to the newest.
    pub until: Option<Timestamp>,
}

/// The samples of one series.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct ExportedSeries {
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// Which of several values.
    pub subject: Option<Subject>,
    /// Its samples, oldest first, without controls that are excluded.
    pub samples: Vec<Sample>,
}

/// The series that match, by score and subject.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a stretch of time that is empty, or has more samples than one answer; [`Error::Store`].
pub async fn samples(
    store: &dyn Store,
    config: &Config,
    scope: &Scope,
    question: &Question,
    now: Timestamp,
) -> Result<Vec<ExportedSeries>, Error> {
    let Question { tenant, scores, subject, from, until } = question;
    let tenant = find::tenant(config, scope, tenant)?;
    let from = from.unwrap_or_else(|| until.unwrap_or(now).minus(LENGTH));
    if until.is_some_and(|until| until <= from) {
        return Err(Error::invalid("`from` must be before `until`"));
    }
    let record = store.load(std::slice::from_ref(&tenant.id)).await?.pop();
    let Some(record) = record.filter(|record| record.identity.is(tenant.account.entra)) else { return Ok(Vec::new()) };
    let mut exported: Vec<ExportedSeries> = Vec::new();
    let mut left = SAMPLES_MAX;
    for series in &record.series {
        let is_subject = subject.is_none() || series.subject.as_ref().map(Subject::as_str) == subject.as_deref();
        if !is_subject || !(scores.is_empty() || scores.contains(&series.score)) {
            continue;
        }
        let id = SeriesId { score: series.score, subject: series.subject.as_ref() };
        let history = store.history(&id.of(&tenant.id), from).await?;
        let mut samples = record.excluded.window(id, &history).unwrap_or(history);
        samples.retain(|sample| sample.at >= from && until.is_none_or(|until| sample.at < until));
        left = left.checked_sub(samples.len()).ok_or_else(|| {
            Error::invalid(format!("there are more than {SAMPLES_MAX} samples; ask for one score or a shorter time"))
        })?;
        exported.push(ExportedSeries { score: series.score, subject: series.subject.clone(), samples });
    }
    exported.sort_by(|one, other| (one.score, &one.subject).cmp(&(other.score, &other.subject)));
    Ok(exported)
}
