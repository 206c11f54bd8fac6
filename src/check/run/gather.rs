//! Asks Microsoft and the store for what stands behind alerts.

use std::{collections::BTreeSet, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::Checker;
use crate::{
    check::reason::{
        Evidence, HISTORY, PROFILES_WITHIN, Question, REASON_WITHIN, Recommendations, failed, failed_recommendations,
        impact, is_of_records, questions,
    },
    config::Tenant,
    domain::{Excluded, Impact, SeriesKey, Timestamp},
    notify::facts::wording::Why,
    store::CheckOutcome,
};

impl Checker {
    /// Asks for everything that the outcome's notifications want to know. `None`: nobody asks.
    pub(in crate::check) async fn gather(
        &self,
        tenant: &Tenant,
        outcome: &CheckOutcome,
        excluded: Excluded,
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
                Box::pin(self.gather_records(tenant, outcome, excluded, &of_records)),
                Box::pin(self.within(REASON_WITHIN, self.gather_recommendations(tenant, outcome, &of_defender))),
            );
            let recommendations = recommendations.unwrap_or(Some(Err(Why::TooSlow)));
            Evidence { recommendations, ..by_records }
        };
        let evidence = shutdown.run_until_cancelled(asked).await;
        Some(evidence.unwrap_or_else(|| Evidence {
            records: Some(Err(Why::Stopping)),
            recommendations: Some(Err(Why::Stopping)),
            ..Evidence::default()
        }))
    }

    async fn gather_records(
        &self,
        tenant: &Tenant,
        outcome: &CheckOutcome,
        excluded: Excluded,
        questions: &[Question],
    ) -> Evidence {
        let mut evidence = Evidence { excluded, ..Evidence::default() };
        if questions.is_empty() {
            return evidence;
        }
        for question in questions {
            if !question.is_answered_by(&question.samples(outcome, &evidence)) {
                let key =
                    SeriesKey { tenant: tenant.id.clone(), score: question.score, subject: question.subject.clone() };
                let history = self.store.history(&key, question.observed_at.minus(HISTORY)).await.unwrap_or_default();
                evidence.histories.push((key.score, key.subject, history));
            }
        }
        let pair = |question: &Question| {
            let base = question.base(&question.samples(outcome, &evidence));
            base.into_iter().flat_map(|base| [base, question.observed_at]).collect::<Vec<_>>()
        };
        let days: BTreeSet<Timestamp> = questions.iter().flat_map(pair).collect();
        let (account, next_check_at) = (&tenant.account, outcome.health.next_due_at);
        let read = self.within(REASON_WITHIN, self.microsoft.records(account, &days, next_check_at)).await;
        let read = read.map_or_else(|| Err(Why::TooSlow), |read| read.map_err(|error| failed(&error)));
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
    ) -> Option<Result<Recommendations, Why>> {
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
    pub(super) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.clock.sleep(limit) => None,
        }
    }
}
