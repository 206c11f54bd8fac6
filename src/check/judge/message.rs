//! What a check says of a transition, and to whom.

use super::{Judging, Setting, Target};
use crate::{
    check::{blind, outage::Cause, reason::is_of_records},
    domain::{ChannelName, Points, Reading, Sample, ScoreKind, SeriesId, Subject},
    notify::{
        compose::{self, AcceptedBy, MessageParts},
        facts::wording::{Lack, Remark},
        language,
        notification::{ExcludedFacts, Links, NoDataFacts},
        route::route_of_transition,
    },
    rule::{Rule, Transition, TransitionKind, Unread},
    store::{Failing, NewNotification},
};

impl Judging<'_> {
    /// Queues the notification of a transition, and returns its channels.
    pub(in crate::check) fn notify(
        &mut self,
        rule: &Rule,
        target: Target<'_>,
        transition: &Transition,
        notified_channels: &[ChannelName],
    ) -> Vec<ChannelName> {
        let tenant = self.setting.tenant;
        let key = rule.alert_key(&tenant.id, target.score, target.subject);
        let failing = self.outcome.health.failing.as_ref();
        let by_operator_rule = rule.name.as_str() == blind::OPERATOR_BLIND;
        // Whether the operator is notified of this tenant on its own or of an outage is decided where all tenants are seen. An alert that nobody was
        // notified of has no end to report.
        if by_operator_rule && (transition.kind == TransitionKind::Fired || notified_channels.is_empty()) {
            return Vec::new();
        }
        let is_worse = transition.kind == TransitionKind::Worsened;
        let listed = if is_worse { transition.listed } else { transition.unread.len() };
        let facts_of = |(place, unread)| self.no_data_facts(unread, place >= listed);
        let no_data: Vec<_> = transition.unread.iter().copied().enumerate().map(facts_of).collect();
        let score = target.score.or_else(|| tenant.scores.first().copied()).unwrap_or(ScoreKind::DeviceSecureScore);
        let operator = by_operator_rule.then(|| {
            let part = blind::unread_part(&self.outcome.health, &tenant.scores);
            blind::operator_facts(failing, part, transition)
        });
        let parts = MessageParts {
            store: self.setting.store,
            tenant_key: &self.outcome.identity.key,
            key: &key,
            score,
            tenant: tenant.facts(),
            condition: rule.when.to_string(),
            severity: rule.severity,
            guide: rule.guide.clone(),
            loss: compose::loss_of(&rule.when, transition.baseline, transition.value),
            points: self.points(score, target.subject, transition),
            excluded: self.excluded(target, transition),
            remark: self.remark(rule, score, transition),
            no_data,
            accepted_by: AcceptedBy::Time,
            operator,
            links: Links {
                portal: Some(tenant.score_page(score)),
                fix: failing
                    .filter(|_| by_operator_rule)
                    .and_then(|failing| tenant.fix_page(&failing.class, failing.hint.as_deref())),
                ..Links::default()
            },
        };
        let notification = compose::of_transition(parts, transition);
        let own = if by_operator_rule { &[][..] } else { &tenant.notify };
        // Who was notified that it began is notified that it is over, unless it has left the route since.
        let mut channels = route_of_transition(rule, own, transition, notified_channels);
        channels.retain(|channel| {
            let settings = self.setting.config.channels.get(channel);
            settings.is_some_and(|settings| settings.audience.admits(&tenant.id, &tenant.labels))
        });
        self.outcome.notifications.push(NewNotification {
            notification,
            alert: Some(key),
            tenant: Some(tenant.id.clone()),
            channels: channels.clone(),
            hold: None,
        });
        channels
    }

    /// The points behind a transition's value, if this check read it.
    fn points(&self, score: ScoreKind, subject: Option<&Subject>, transition: &Transition) -> Option<Points> {
        let read = self.fetched.iter().filter(|fetched| fetched.score == score).flat_map(|fetched| &fetched.result);
        let notified = Sample { at: transition.observed_at?, value: transition.value? };
        let judged = |sample: Sample| {
            self.excluding.in_force().value(SeriesId { score, subject }, sample).to_bits() == notified.value.to_bits()
        };
        let of_sample = |reading: &&Reading| {
            reading.subject.as_ref() == subject && reading.sample.at == notified.at && judged(reading.sample)
        };
        let points = read.flatten().find(of_sample)?.points?;
        Some(self.excluding.points(score, subject, notified, points))
    }

    /// The controls that do not count in a transition's value, with the value that Microsoft shows.
    fn excluded(&self, target: Target<'_>, transition: &Transition) -> Option<ExcludedFacts> {
        let excluded = self.excluding.in_force();
        let score = target.score.filter(|score| !excluded.in_force.is_empty() && is_of_records(*score))?;
        let Setting { config, tenant, .. } = self.setting;
        let is_it = |reading: &&Reading| {
            reading.subject.as_ref() == target.subject && Some(reading.sample.at) == transition.observed_at
        };
        let read = self.fetched.iter().filter(|fetched| fetched.score == score).flat_map(|fetched| &fetched.result);
        let value = read.flatten().find(is_it).map(|reading| reading.sample.value);
        let known = || {
            let all = self.record.into_iter().flat_map(|record| &record.series);
            let mut of_target = all.filter(|one| one.score == score && one.subject.as_ref() == target.subject);
            let is_newest = |sample: &&Sample| Some(sample.at) == transition.observed_at;
            of_target.next()?.window.iter().find(is_newest).map(|sample| sample.value)
        };
        let controls = config.excluded_facts(tenant, &excluded.in_force, self.outcome.now);
        Some(ExcludedFacts { value_with_them: value.or_else(known), controls })
    }

    /// What the alert's message says in addition to its numbers.
    fn remark(&self, rule: &Rule, score: ScoreKind, transition: &Transition) -> Option<Remark> {
        match transition.kind {
            TransitionKind::Unstable => Some(compose::unstable(rule)),
            TransitionKind::Resolved(_) => None,
            _ if rule.is_no_data() => Some(Remark::NoData),
            // Nothing that still fires is shown as healthy, nor as read just now.
            TransitionKind::Reminder | TransitionKind::Escalated => match self.failure(score) {
                Some(failing) => Some(Remark::Unread {
                    last_reading: transition.observed_at,
                    failure: Some(blind::failure(failing, self.outage(Some(failing)))),
                }),
                None => (!transition.holds).then_some(Remark::Between),
            },
            TransitionKind::Fired | TransitionKind::Worsened => transition.gap.map(Remark::Across),
        }
    }

    /// Why a score gives no data.
    fn no_data_facts(&self, unread: Unread, is_new: bool) -> NoDataFacts {
        // A store of an older version knows one cause for the whole tenant.
        let failing = self.failure(unread.score);
        let failure = failing.map(|failing| blind::failure(failing, self.outage(Some(failing))));
        NoDataFacts {
            kind: unread.score,
            since: unread.since,
            class: failing.map(|failing| failing.class.clone()),
            cause: failing.map(|failing| blind::words(&failing.class)),
            is_new,
            // A customer may read this: where a secret is kept is for the operator only.
            hint: failure.as_ref().and_then(|failure| failure.hint.clone()),
            reason: language::failure(failure.as_ref()),
            lack: Some(failure.map_or(Lack::NothingNew, Lack::Failure)),
        }
    }

    fn failure(&self, score: ScoreKind) -> Option<&Failing> {
        let health = &self.outcome.health;
        let of_score = health.failures.iter().find(|known| known.score == score).map(|known| &known.failing);
        of_score.or_else(|| health.failing.as_ref().filter(|_| health.failures.is_empty()))
    }

    /// The outage that explains why the tenant can't be read.
    fn outage(&self, failing: Option<&Failing>) -> Option<&Cause> {
        let cause = Cause::of(self.setting.tenant, &failing?.class)?;
        self.setting.outages.get(&cause)
    }
}
