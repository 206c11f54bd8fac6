//! Why a score moved: what an alert that fires or worsens asks Microsoft, once for all alerts of a visit.
//!
//! [`questions`] is pure and finds who asks, `gather` asks, [`attach`] is pure and puts the answers in. A reason never prevents an
//! alert, and delays it by at most [`REASON_WITHIN`]: what could not be looked up is said in one sentence.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    domain::{
        ControlProfiles, Excluded, Impact, RecommendationList, RecommendationSnapshot, Sample, ScoreKind, ScoreRecord,
        SeriesId, Subject, Timestamp,
    },
    microsoft::{FailureClass, FetchError, RECOMMENDATIONS_ROLE},
    notify::{
        NotificationType,
        facts::wording::Why,
        reason::{Reason, compared_with, contributors, control_diff},
    },
    store::CheckOutcome,
};

/// The longest that an alert waits for its reason.
pub const REASON_WITHIN: Duration = Duration::from_secs(15);
/// The longest that titles and links of controls are waited for; without them a reason has the controls' names.
pub(super) const PROFILES_WITHIN: Duration = Duration::from_secs(5);
/// How far back a frozen baseline is looked for: as long as Graph keeps records.
pub(super) const HISTORY: Duration = Duration::from_hours(24 * 90);

/// A notification that asks why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// Which of the outcome's notifications.
    pub(super) index: usize,
    pub(super) score: ScoreKind,
    pub(super) subject: Option<Subject>,
    pub(super) baseline: Option<f64>,
    /// When the condition first held.
    pub(super) started_at: Timestamp,
    pub(super) observed_at: Timestamp,
}

/// What Microsoft and the store said, or why they did not.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) records: Option<Result<BTreeMap<Timestamp, ScoreRecord>, Why>>,
    pub(super) profiles: Arc<ControlProfiles>,
    pub(super) histories: Vec<(ScoreKind, Option<Subject>, Vec<Sample>)>,
    pub(super) recommendations: Option<Result<Recommendations, Why>>,
    /// The controls that do not count: they are no reason.
    pub(super) excluded: Excluded,
}

#[derive(Debug)]
pub(super) struct Recommendations {
    pub(super) list: RecommendationList,
    pub(super) read_at: Timestamp,
    pub(super) only_configuration: bool,
    /// What was remembered before.
    pub(super) before: Vec<RecommendationSnapshot>,
}

/// Whether a score's reason is in the records of Graph; else it is in Defender's recommendations.
pub(super) const fn is_of_records(score: ScoreKind) -> bool {
    matches!(score, ScoreKind::SecureScore | ScoreKind::SecureScoreCategory)
}

/// Who asks why: what fires or worsens with a value. Silence has its own reason, and what is over needs none.
pub(super) fn questions(outcome: &CheckOutcome) -> Vec<Question> {
    let asks = |(index, new): (usize, &crate::store::NewNotification)| {
        let notification = &new.notification;
        let (data, key) = (&notification.data, new.alert.as_ref()?);
        let score = data.score.as_ref()?;
        if !matches!(notification.kind, NotificationType::AlertFiring | NotificationType::AlertWorsened) {
            return None;
        }
        score.value?;
        Some(Question {
            index,
            score: key.score?,
            subject: key.subject.clone(),
            baseline: score.baseline,
            started_at: data.alert.as_ref()?.started_at,
            observed_at: score.observed_at?,
        })
    };
    outcome.notifications.iter().enumerate().filter_map(asks).collect()
}

impl Question {
    /// The time of the sample that the value is compared with: the baseline's, or else the last before the condition held.
    pub(super) fn base(&self, samples: &[Sample]) -> Option<Timestamp> {
        compared_with(samples, self.baseline, self.started_at, self.observed_at)
    }

    /// Whether the samples hold what [`Question::base`] looks for first.
    pub(super) fn is_answered_by(&self, samples: &[Sample]) -> bool {
        match self.baseline {
            Some(baseline) => samples.iter().any(|sample| sample.value.to_bits() == baseline.to_bits()),
            None => samples.iter().any(|sample| sample.at < self.started_at),
        }
    }

    /// The samples to look into: what this check judged, or what the store has from long before.
    pub(super) fn samples<'a>(&self, outcome: &'a CheckOutcome, evidence: &'a Evidence) -> Cow<'a, [Sample]> {
        let id = SeriesId { score: self.score, subject: self.subject.as_ref() };
        let judged =
            |samples: &'a [Sample]| evidence.excluded.window(id, samples).map_or(Cow::Borrowed(samples), Cow::Owned);
        let is_same = |score: ScoreKind, subject: &Option<Subject>| score == self.score && *subject == self.subject;
        let window = outcome.series.iter().find(|series| is_same(series.score, &series.subject));
        let window = judged(window.map_or(&[][..], |series| series.window.as_slice()));
        if self.is_answered_by(&window) {
            return window;
        }
        let history = evidence.histories.iter().find(|(score, subject, _)| is_same(*score, subject));
        history.map_or(window, |(_, _, samples)| judged(samples))
    }
}

/// Puts the reasons into the outcome, and what is to be remembered.
pub(super) fn attach(outcome: &mut CheckOutcome, evidence: &Evidence) {
    for question in questions(outcome) {
        let reason = evidence.explain(&question, outcome);
        reason.add_to(&mut outcome.notifications[question.index].notification);
    }
    if let Some(Ok(read)) = &evidence.recommendations {
        let kept = Impact::OF_DEFENDER.into_iter();
        let kept = kept.filter(|impact| *impact == Impact::DeviceScore || !read.only_configuration);
        let kept = kept.map(|impact| RecommendationSnapshot::of(&read.list, impact, read.read_at));
        outcome.recommendations = kept.collect();
    }
    if let Some(newest) = evidence.records.iter().flatten().flat_map(BTreeMap::values).next_back() {
        let newest = newest.without(&evidence.excluded);
        outcome.recommendations.push(RecommendationSnapshot::of_controls(&newest, &evidence.profiles, newest.day));
    }
}

impl Evidence {
    fn explain(&self, question: &Question, outcome: &CheckOutcome) -> Reason {
        if is_of_records(question.score) {
            self.by_records(question, question.base(&question.samples(outcome, self)))
        } else {
            self.by_recommendations(question)
        }
    }

    fn by_records(&self, question: &Question, base: Option<Timestamp>) -> Reason {
        let records = match &self.records {
            Some(Ok(records)) => records,
            Some(Err(why)) => return Reason::unknown(why.clone()),
            None => return Reason::default(),
        };
        let Some(base) = base else { return Reason::unknown(Why::NoEarlierRecord) };
        let record = |day: Timestamp| records.get(&day).ok_or(Why::NoRecord { day });
        match (record(base), record(question.observed_at)) {
            (Ok(before), Ok(after)) => {
                let category = question.subject.as_ref().map(Subject::as_str);
                if self.excluded.is_empty() {
                    return control_diff::compare(before, after, &self.profiles, category);
                }
                let (before, after) = (before.without(&self.excluded), after.without(&self.excluded));
                control_diff::compare(&before, &after, &self.profiles, category)
            }
            (Err(why), _) | (_, Err(why)) => Reason::unknown(why),
        }
    }

    fn by_recommendations(&self, question: &Question) -> Reason {
        let read = match &self.recommendations {
            Some(Ok(read)) => read,
            Some(Err(why)) => return Reason::unknown(why.clone()),
            None => return Reason::default(),
        };
        let is_part = question.score == ScoreKind::ExposureScoreByGroup;
        let impact = impact(question.score);
        let before = read.before.iter().find(|snapshot| snapshot.impact == impact);
        contributors::likely(&read.list, impact, before, is_part)
    }
}

pub(super) const fn impact(score: ScoreKind) -> Impact {
    if matches!(score, ScoreKind::DeviceSecureScore) { Impact::DeviceScore } else { Impact::Exposure }
}

pub(super) fn failed_recommendations(error: &FetchError) -> Why {
    if error.class == FailureClass::RoleMissing {
        return Why::RoleMissing { role: RECOMMENDATIONS_ROLE.to_owned() };
    }
    failed(error)
}

pub(super) fn failed(error: &FetchError) -> Why {
    Why::Failed { what: error.what.clone() }
}
