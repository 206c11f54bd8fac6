//! Why a score moved: what an alert that fires or worsens asks Microsoft, once for all alerts of a visit.
//!
//! [`questions`] is pure and finds who asks, `gather` asks, [`attach`] is pure and puts the answers in. A reason never prevents an
//! alert, and delays it by at most [`REASON_WITHIN`]: what could not be looked up is said in one sentence.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::run::Checker;
use crate::{
    config::Tenant,
    domain::{
        ControlProfiles, Impact, RecommendationList, RecommendationSnapshot, Sample, ScoreKind, ScoreRecord, SeriesKey,
        Subject, Timestamp,
    },
    microsoft::{FailureClass, FetchError, RECOMMENDATIONS_ROLE},
    notify::{
        NotificationType,
        reason::{Reason, compared_with, contributors, control_diff},
    },
    store::CheckOutcome,
};

/// The longest that an alert waits for its reason.
pub const REASON_WITHIN: Duration = Duration::from_secs(15);
/// The longest that titles and links of controls are waited for; without them a reason has the controls' names.
const PROFILES_WITHIN: Duration = Duration::from_secs(5);
/// How far back a frozen baseline is looked for: as long as Graph keeps records.
const HISTORY: Duration = Duration::from_hours(24 * 90);

/// A notification that asks why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// Which of the outcome's notifications.
    index: usize,
    score: ScoreKind,
    subject: Option<Subject>,
    baseline: Option<f64>,
    /// When the condition first held.
    started_at: Timestamp,
    observed_at: Timestamp,
}

/// What Microsoft and the store said, or why they did not.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    records: Option<Result<BTreeMap<Timestamp, ScoreRecord>, String>>,
    profiles: Arc<ControlProfiles>,
    histories: Vec<(ScoreKind, Option<Subject>, Vec<Sample>)>,
    recommendations: Option<Result<Recommendations, String>>,
}

#[derive(Debug)]
struct Recommendations {
    list: RecommendationList,
    read_at: Timestamp,
    only_configuration: bool,
    /// What was remembered before.
    before: Vec<RecommendationSnapshot>,
}

/// Whether a score's reason is in the records of Graph; else it is in Defender's recommendations.
const fn is_of_records(score: ScoreKind) -> bool {
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
    fn base(&self, samples: &[Sample]) -> Option<Timestamp> {
        compared_with(samples, self.baseline, self.started_at, self.observed_at)
    }

    /// Whether the samples hold what [`Question::base`] looks for first.
    fn is_answered_by(&self, samples: &[Sample]) -> bool {
        match self.baseline {
            Some(baseline) => samples.iter().any(|sample| sample.value.to_bits() == baseline.to_bits()),
            None => samples.iter().any(|sample| sample.at < self.started_at),
        }
    }

    /// The samples to look into: what this check judged, or what the store has from long before.
    fn samples<'a>(&self, outcome: &'a CheckOutcome, evidence: &'a Evidence) -> &'a [Sample] {
        let is_same = |score: ScoreKind, subject: &Option<Subject>| score == self.score && *subject == self.subject;
        let window = outcome.series.iter().find(|series| is_same(series.score, &series.subject));
        let window = window.map_or(&[][..], |series| series.window.as_slice());
        if self.is_answered_by(window) {
            return window;
        }
        let history = evidence.histories.iter().find(|(score, subject, _)| is_same(*score, subject));
        history.map_or(window, |(_, _, samples)| samples)
    }
}

/// Puts the reasons into the outcome, and what is to be remembered.
pub(super) fn attach(outcome: &mut CheckOutcome, evidence: &Evidence) {
    for question in questions(outcome) {
        let reason = evidence.explain(&question, outcome);
        reason.tell(&mut outcome.notifications[question.index].notification);
    }
    if let Some(Ok(read)) = &evidence.recommendations {
        let kept = Impact::ALL.into_iter().filter(|impact| *impact == Impact::DeviceScore || !read.only_configuration);
        let kept = kept.map(|impact| RecommendationSnapshot::of(&read.list, impact, read.read_at));
        outcome.recommendations = kept.collect();
    }
}

impl Evidence {
    fn explain(&self, question: &Question, outcome: &CheckOutcome) -> Reason {
        if is_of_records(question.score) {
            self.by_records(question, question.base(question.samples(outcome, self)))
        } else {
            self.by_recommendations(question)
        }
    }

    fn by_records(&self, question: &Question, base: Option<Timestamp>) -> Reason {
        let records = match &self.records {
            Some(Ok(records)) => records,
            Some(Err(why)) => return Reason::unknown(why),
            None => return Reason::default(),
        };
        let Some(base) = base else { return Reason::unknown("There is no earlier record to compare with.") };
        let record = |day: Timestamp| {
            let missing =
                || format!("Microsoft gives no record of {} to compare with.", day.to_chrono().format("%Y-%m-%d"));
            records.get(&day).ok_or_else(missing)
        };
        match (record(base), record(question.observed_at)) {
            (Ok(before), Ok(after)) => {
                let category = question.subject.as_ref().map(Subject::as_str);
                control_diff::compare(before, after, &self.profiles, category)
            }
            (Err(why), _) | (_, Err(why)) => Reason::unknown(why),
        }
    }

    fn by_recommendations(&self, question: &Question) -> Reason {
        let read = match &self.recommendations {
            Some(Ok(read)) => read,
            Some(Err(why)) => return Reason::unknown(why),
            None => return Reason::default(),
        };
        let is_part = question.score == ScoreKind::ExposureScoreByGroup;
        let impact = impact(question.score);
        let before = read.before.iter().find(|snapshot| snapshot.impact == impact);
        contributors::likely(&read.list, impact, before, is_part)
    }
}

const fn impact(score: ScoreKind) -> Impact {
    if matches!(score, ScoreKind::DeviceSecureScore) { Impact::DeviceScore } else { Impact::Exposure }
}

impl Checker {
    /// Asks for everything that the outcome's notifications want to know. `None`: nobody asks.
    pub(super) async fn gather(
        &self,
        tenant: &Tenant,
        outcome: &CheckOutcome,
        shutdown: &CancellationToken,
    ) -> Option<Evidence> {
        let questions = questions(outcome);
        if questions.is_empty() {
            return None;
        }
        let (of_records, of_defender): (Vec<_>, Vec<_>) =
            questions.into_iter().partition(|question| is_of_records(question.score));
        let asked = async {
            let (by_records, recommendations) = tokio::join!(
                Box::pin(self.gather_records(tenant, outcome, &of_records)),
                Box::pin(self.within(REASON_WITHIN, self.gather_recommendations(tenant, outcome, &of_defender))),
            );
            let recommendations = recommendations.unwrap_or_else(|| Some(Err(too_slow())));
            Evidence { recommendations, ..by_records }
        };
        let stopping = || "What regressed was not looked up: the service was about to stop.".to_owned();
        let evidence = shutdown.run_until_cancelled(asked).await;
        Some(evidence.unwrap_or_else(|| Evidence {
            records: Some(Err(stopping())),
            recommendations: Some(Err(stopping())),
            ..Evidence::default()
        }))
    }

    async fn gather_records(&self, tenant: &Tenant, outcome: &CheckOutcome, questions: &[Question]) -> Evidence {
        let mut evidence = Evidence::default();
        if questions.is_empty() {
            return evidence;
        }
        for question in questions {
            if !question.is_answered_by(question.samples(outcome, &evidence)) {
                let key =
                    SeriesKey { tenant: tenant.id.clone(), score: question.score, subject: question.subject.clone() };
                let history = self.store.history(&key, question.observed_at.minus(HISTORY)).await.unwrap_or_default();
                evidence.histories.push((key.score, key.subject, history));
            }
        }
        let pair = |question: &Question| {
            let base = question.base(question.samples(outcome, &evidence));
            base.into_iter().flat_map(|base| [base, question.observed_at]).collect::<Vec<_>>()
        };
        let days: BTreeSet<Timestamp> = questions.iter().flat_map(pair).collect();
        let (account, next_check_at) = (&tenant.account, outcome.health.next_due_at);
        let read = self.within(REASON_WITHIN, self.microsoft.records(account, &days, next_check_at)).await;
        let read = read.map_or_else(|| Err(too_slow()), |read| read.map_err(|error| failed(&error)));
        if let Some(newest) = days.last().filter(|_| read.is_ok()) {
            let profiles = self.microsoft.profiles(account, *newest, next_check_at);
            match self.within(PROFILES_WITHIN, profiles).await {
                Some(Ok(profiles)) => evidence.profiles = profiles,
                Some(Err(error)) => debug!(tenant = %tenant.id, class = %error.class, "controls go by their names"),
                None => debug!(tenant = %tenant.id, "controls go by their names: their profiles came too late"),
            }
        }
        Evidence { records: Some(read), ..evidence }
    }

    async fn gather_recommendations(
        &self,
        tenant: &Tenant,
        outcome: &CheckOutcome,
        questions: &[Question],
    ) -> Option<Result<Recommendations, String>> {
        let only_configuration = questions.iter().all(|question| impact(question.score) == Impact::DeviceScore);
        questions.first()?;
        let asked = self.microsoft.recommendations(&tenant.account, only_configuration, outcome.health.next_due_at);
        Some(match asked.await {
            Ok(list) => {
                let before = self.store.recommendations(&tenant.id).await.unwrap_or_default();
                Ok(Recommendations { list, read_at: self.clock.now(), only_configuration, before })
            }
            Err(error) => {
                info!(
                    tenant = %tenant.id, class = error.class.as_str(), correlation = error.correlation.as_deref(),
                    "no recommendations for an alert's reason: {}", error.what
                );
                Err(failed_recommendations(&error))
            }
        })
    }

    /// What comes of it within that time; `None`: nothing.
    async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.clock.sleep(limit) => None,
        }
    }
}

fn too_slow() -> String {
    "What regressed could not be looked up: Microsoft did not answer in time.".to_owned()
}

fn failed_recommendations(error: &FetchError) -> String {
    if error.class == FailureClass::RoleMissing {
        return format!(
            "What regressed is not known: grant the app role `{RECOMMENDATIONS_ROLE}` of WindowsDefenderATP, with an \
             administrator's consent, to see it."
        );
    }
    failed(error)
}

fn failed(error: &FetchError) -> String {
    format!("What regressed could not be looked up: {}.", error.what)
}
