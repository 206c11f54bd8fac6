//! The pure middle of a check: what was known, what was fetched, what time it is → what is to be committed.

mod excluding;
mod failures;
mod message;
pub(super) mod no_data;
mod target;

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

pub(super) use self::target::Target;
use self::{
    excluding::Excluding,
    failures::Begins,
    no_data::ScoreRead,
    target::{Seen, awaits_data, sendable_since},
};
pub use super::fetched::{Failure, Fetched, Partly};
use super::{
    blind, moved,
    outage::Cause,
    series::{self, SUBJECTS_MAX, Series, Subjects},
};
use crate::{
    config::{Config, Tenant},
    domain::{Clause, ControlsRead, ScoreKind, SeriesId, Subject, Timestamp},
    microsoft::FailureClass,
    notify::route::recipients,
    rule::{
        Alert, EvaluationContext, Event, Feed, MISSED_MAX, Resolution, Rule, TransitionKind, close, remind_once, step,
    },
    schedule::{checks_between, phase},
    store::{
        AlertRecord, CheckOutcome, Downtime, Failing, Owed, ScoreFailure, SeriesRecord, SeriesUpdate, TenantHealth,
        TenantIdentity, TenantRecord,
    },
};

/// The class of a score with more subjects than are watched: that of an answer that exceeds a limit.
const TOO_MANY_SUBJECTS: &str = FailureClass::AnswerTooLarge.as_str();

/// The least time between two looks at a tenant's alerts.
const WAKE_MIN: Duration = Duration::from_secs(1);

/// What a check works with.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// The operator's own rule, if anybody wants to be notified.
    pub operator_rule: Option<&'a Rule>,
    /// The tenant that is checked.
    pub tenant: &'a Tenant,
    /// What the store's ids are made of, part of every notification's id.
    pub store: &'a str,
    /// When the service itself was down.
    pub downtimes: &'a [Downtime],
    /// The causes of the outages that go on.
    pub outages: &'a BTreeSet<Cause>,
    /// What the check read about excluded controls; `None`: nothing, and the same controls do not count as before.
    pub controls: Option<&'a ControlsRead>,
}

/// Judges what was fetched. Nothing fetched: only time has passed. `next_due_at` is when the next check is due.
#[must_use]
pub fn judge(
    setting: Setting<'_>,
    record: Option<&TenantRecord>,
    fetched: &[Fetched],
    next_due_at: Timestamp,
    now: Timestamp,
) -> CheckOutcome {
    let known = record.map(|record| &record.health);
    let begins = Begins { now, watched_since: known.and_then(|health| health.watched_since) };
    let health = TenantHealth {
        first_seen_at: known.map_or(now, |health| health.first_seen_at),
        next_due_at,
        wake_at: None,
        checked_at: if fetched.is_empty() { known.and_then(|health| health.checked_at) } else { Some(now) },
        failing: begins.failing(known.and_then(|health| health.failing.as_ref()), fetched.iter()),
        failures: begins.failures(known.map_or(&[][..], |health| &health.failures), &setting.tenant.scores, fetched),
        watched_since: begins.watched_since,
    };
    let outcome = CheckOutcome {
        tenant: setting.tenant.id.clone(),
        identity: record
            .map_or_else(|| TenantIdentity::new(setting.tenant.account.entra, now), |record| record.identity.clone()),
        expected_version: record.map(|record| record.version),
        health,
        series: Vec::new(),
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: Vec::new(),
        averages: None,
        now,
    };
    let poll_interval = setting.tenant.schedule.interval_at(now);
    let mut alerts: HashMap<_, Vec<&AlertRecord>> = HashMap::new();
    for alert in record.map_or(&[][..], |record| record.alerts.as_slice()) {
        alerts.entry((alert.score, alert.subject.as_ref().map(Subject::as_str))).or_default().push(alert);
    }
    let excluding = Excluding::of(record, setting.controls);
    let mut judging =
        Judging { setting, record, alerts, fetched, poll_interval, excluding, reads: Vec::new(), outcome };
    judging.outcome.excluded = judging.excluding.changed();
    for &score in setting.tenant.scores.iter() {
        judging.score(score);
    }
    for rule in setting.config.rules.iter().filter(|rule| rule.is_no_data()) {
        judging.no_data(rule);
    }
    judging.blindness();
    judging.outcome
}

/// A check's outcome in the making.
pub(super) struct Judging<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) record: Option<&'a TenantRecord>,
    /// The alerts of the record by what they are about.
    alerts: HashMap<(Option<ScoreKind>, Option<&'a str>), Vec<&'a AlertRecord>>,
    fetched: &'a [Fetched],
    poll_interval: Duration,
    /// The controls that do not count.
    pub(super) excluding: Excluding,
    /// What was read of each score that the tenant is polled for.
    reads: Vec<ScoreRead>,
    pub(super) outcome: CheckOutcome,
}

impl<'a> Judging<'a> {
    /// Judges every series of one score.
    fn score(&mut self, score: ScoreKind) {
        let polled = self.fetched.iter().find(|fetched| fetched.score == score);
        let readings = polled.and_then(|fetched| fetched.result.as_ref().ok()).map_or(&[][..], Vec::as_slice);
        let all = self.record.map_or(&[][..], |record| record.series.as_slice());
        let known = all.iter().filter(|series| series.score == score);
        let unsound = polled.and_then(|fetched| fetched.partly.as_ref()).map_or(&[][..], |partly| &partly.subjects);
        let subjects = Subjects::of(known, readings, unsound);
        let mut read = ScoreRead::new(score, polled.is_some());
        for (subject, found) in subjects.each() {
            let id = SeriesId { score, subject };
            if let Some(why) = subjects.ended(id, found, self.source_interval(score)) {
                // Only a check ends it: when time alone has passed, somebody else's wake is not a reason.
                if polled.is_some() {
                    self.end(score, found.record, why);
                }
            } else {
                let series = Series::extend(id, found.record, &found.samples, self.outcome.now);
                read.take(&series);
                self.series(series, polled.is_some());
            }
        }
        self.reads.push(read);
        if subjects.left_out > 0 {
            self.report_left_out(score);
        }
    }

    /// How far apart two new values of a score are at best.
    fn source_interval(&self, score: ScoreKind) -> Duration {
        self.poll_interval.max(score.record_interval())
    }

    /// Judges one series by every rule that applies to it.
    fn series(&mut self, mut series: Series<'a>, was_polled: bool) {
        let stored = self.excluding.take_out(&mut series);
        let config = self.setting.config;
        let missed = if series.fresh > 0 { self.missed(&series) } else { 0 };
        let labels = &self.setting.tenant.labels;
        for rule in config.rules.iter().filter(|rule| !rule.is_no_data() && rule.applies_to(labels, series.score)) {
            self.rule(rule, &series, missed);
        }
        let (tenant, interval, now) = (&self.setting.tenant.id, self.poll_interval, self.outcome.now);
        self.outcome.movements.extend(moved::of_series(config, tenant, &series, interval, now));
        // A first poll that fails begins the series without a sample: from then on its lack of data counts.
        let begins = was_polled && !series.is_known;
        if series.fresh > 0 || series.seen_again || series.was_ahead || begins {
            let is_read = series.fresh > 0 || series.seen_again;
            let last_data_at = if is_read { self.outcome.now } else { series.last_data_at };
            // What the window does not hold must not be said to be in it.
            let reach = series::reach(config, self.setting.tenant, series.score, self.poll_interval);
            let keep = if is_read || !series.is_known { reach } else { series.keep };
            let Series { score, subject, window, onboarded_at, .. } = series;
            let (subject, window) = (subject.cloned(), stored.unwrap_or(window));
            self.outcome.series.push(SeriesUpdate { score, subject, window, keep, onboarded_at, last_data_at });
        }
    }

    /// How many scheduled checks gave no reading of a series between its newest readings, our own downtime apart.
    fn missed(&self, series: &Series<'_>) -> u32 {
        let known = series.window.len() - series.fresh;
        let (Some(last), Some(next)) = (known.checked_sub(1).map(|last| series.window[last]), series.window.get(known))
        else {
            return 0;
        };
        // One of them is the check that gave this reading.
        let checks = self.checks_since(series.last_data_at, MISSED_MAX + 2).saturating_sub(1);
        let interval = series.score.record_interval();
        if checks == 0 || interval.is_zero() {
            return checks;
        }
        // A check that fails loses no record: the next one gives it.
        let half = interval / 2;
        let records = next.at.since(last.at).saturating_add(half).as_nanos() / interval.as_nanos();
        checks.min(u32::try_from(records).unwrap_or(u32::MAX).saturating_sub(1))
    }

    /// How many of the tenant's checks were due since then, our own downtime apart.
    fn checks_since(&self, since: Timestamp, at_most: u32) -> u32 {
        let Setting { config, tenant, downtimes, .. } = self.setting;
        let phase = phase(tenant.id.as_str(), config.spread);
        let downtimes = downtimes.iter().map(|downtime| (downtime.from, downtime.until));
        checks_between(&tenant.schedule, phase, since, self.outcome.now, downtimes, at_most)
    }

    /// Judges one series by one rule.
    fn rule(&mut self, rule: &Rule, series: &Series<'_>, missed: u32) {
        let judged = series.window.len() - series.fresh;
        let mut events: Vec<(Event, usize)> =
            (judged..series.window.len()).map(|index| (Event::Reading(series.window[index]), index)).collect();
        if events.is_empty() {
            events.push((Event::Tick, judged));
        }
        let target = Target { score: Some(series.score), subject: series.subject };
        let known = self.alert_record(rule, target);
        // A record that comes again is not a new reading, but it is data.
        if let Some((newest, before)) = series.window.split_last()
            && series.seen_again
            && known.is_some_and(|record| awaits_data(&record.alert))
        {
            events = vec![(Event::Reading(*newest), before.len())];
        }
        let seen = Seen {
            window: &series.window,
            source_interval: self.source_interval(series.score),
            missed,
            onboarded_at: series.onboarded_at,
            feeds: &[],
        };
        self.alert(rule, target, known, &events, seen);
    }

    /// Ends the alerts of a series that is over.
    fn end(&mut self, score: ScoreKind, series: Option<&SeriesRecord>, why: Resolution) {
        let Some(series) = series else { return };
        let (config, labels) = (self.setting.config, &self.setting.tenant.labels);
        let target = Target { score: Some(score), subject: series.subject.as_ref() };
        let window = self.excluding.window(score, series.subject.as_ref(), &series.window);
        for rule in config.rules.iter().filter(|rule| !rule.is_no_data() && rule.applies_to(labels, score)) {
            let Some(record) = self.alert_record(rule, target) else { continue };
            let step = close(&record.alert, why, &window, self.outcome.now);
            if let Some(transition) = step.transition {
                self.notify(rule, target, &transition, &record.notified_channels);
            }
            if let Some(alert) = step.alert {
                self.outcome.alerts.push(target.update(rule, alert));
            }
        }
        if why == Resolution::SubjectRemoved {
            self.outcome.series.push(SeriesUpdate {
                score,
                subject: series.subject.clone(),
                window: series.window.clone(),
                keep: SeriesUpdate::GONE,
                onboarded_at: series.onboarded_at,
                last_data_at: series.last_data_at,
            });
        }
    }

    /// Subjects of a score are not watched, because there are too many: the tenant counts as failing by that much.
    fn report_left_out(&mut self, score: ScoreKind) {
        let health = &mut self.outcome.health;
        let known = self.record.map(|record| &record.health);
        let since = known.and_then(|health| health.failing.as_ref()).map_or(self.outcome.now, |failing| failing.since);
        let hint = Clause::KeepSubjects.with(&[score.as_str(), &SUBJECTS_MAX.to_string()]);
        let failing = Failing { since, class: TOO_MANY_SUBJECTS.to_owned(), hint: Some(hint) };
        if !health.failures.iter().any(|failure| failure.score == score) {
            health.failures.push(ScoreFailure { score, failing: failing.clone() });
        }
        health.failing.get_or_insert(failing);
    }

    /// Judges the operator's own alert: the whole tenant, as far as it can be read.
    fn blindness(&mut self) {
        let Some(rule) = self.setting.operator_rule else { return };
        // An alert that is open goes on under the score it began with, though the list was changed since.
        let open = self.record.and_then(|record| {
            let of_rule = record.alerts.iter().find(|alert| alert.rule == rule.name && alert.alert.is_firing());
            of_rule.and_then(|alert| alert.score)
        });
        let Some(score) = open.or_else(|| self.setting.tenant.scores.first().copied()) else { return };
        let reading = self.fetched.iter().filter_map(|fetched| fetched.result.as_ref().ok()).flatten().next();
        let now = self.outcome.now;
        let failing = self.outcome.health.failing.as_ref();
        let failing_since = failing.map(|failing| failing.since);
        let rule = blind::rule_for(rule, &self.setting.config.operator, failing);
        let event = match reading {
            Some(reading) if failing_since.is_none() => Event::Reading(reading.sample),
            _ => Event::Tick,
        };
        let last_data = failing_since.unwrap_or(now);
        let downtime = blind::downtime_between(self.setting.downtimes, last_data, now);
        let is_read = matches!(event, Event::Reading(_));
        let feed = Feed { score, last_data, downtime, missed_at: failing_since, is_read };
        let target = Target { score: Some(score), subject: None };
        let known = self.alert_record(&rule, target);
        let seen = Seen { feeds: &[feed], ..Seen::of_no_series(self.poll_interval) };
        self.alert(&rule, target, known, &[(event, 0)], seen);
    }

    /// Takes an alert through these events, each with where the window before it ends. `record`: as the store has it.
    fn alert(
        &mut self,
        rule: &Rule,
        target: Target<'_>,
        record: Option<&AlertRecord>,
        events: &[(Event, usize)],
        seen: Seen<'_>,
    ) {
        let mut alert = record.map_or_else(Alert::default, |record| record.alert.clone());
        let (now, shifts) = (self.outcome.now, moved::shifts(self.record, rule, target.score, target.subject));
        let mut notified_channels = record.map_or_else(Vec::new, |record| record.notified_channels.clone());
        let owes = record.is_some_and(|record| record.owes == Some(Owed::Notification)) && events.len() == 1;
        let (mut wake_at, mut changed) = (None, false);
        // Other controls count than at the last check: what was measured then is measured in the values of now.
        if let Some(by) = self.excluding.moved(record, target, self.record) {
            alert = alert.moved_by(by);
            changed = true;
        }
        for (place, &(event, window_end)) in events.iter().enumerate() {
            let is_it = |record: &&AlertRecord| {
                (record.alert.generation, record.alert.sequence) == (alert.generation, alert.sequence)
            };
            let settled = record.filter(is_it).filter(|record| record.notified_at.is_some());
            let context = EvaluationContext {
                now,
                window: &seen.window[..window_end],
                source_interval: seen.source_interval,
                // Readings of one check follow each other without a gap.
                missed_checks: if place == 0 { seen.missed } else { 0 },
                onboarded_at: seen.onboarded_at,
                feeds: seen.feeds,
                notified_at: settled.and_then(|record| record.notified_at),
                sendable_since: record.filter(is_it).and_then(sendable_since),
                is_acknowledged: record.filter(is_it).is_some_and(AlertRecord::is_acknowledged),
                is_on_its_way: settled.is_none() && !notified_channels.is_empty(),
                can_be_withdrawn: record.filter(is_it).is_some_and(|record| record.can_be_withdrawn),
                shifts: &shifts,
            };
            let mut step = step(rule, &alert, event, &context);
            // What an earlier version kept quiet is said once, unless there is something newer to say.
            if owes && step.transition.is_none() {
                step = remind_once(step.alert.as_ref().unwrap_or(&alert), context.window, now).unwrap_or(step);
            }
            if let Some(next) = step.alert {
                alert = next;
                changed = true;
            }
            wake_at = step.wake_at;
            if let Some(transition) = step.transition {
                if transition.kind == TransitionKind::Fired {
                    notified_channels.clear();
                }
                notified_channels =
                    recipients(&notified_channels, &self.notify(rule, target, &transition, &notified_channels));
            }
        }
        self.wake_by(wake_at);
        if changed {
            self.outcome.alerts.push(target.update(rule, alert));
        }
    }

    /// How an alert was at the last check.
    pub(super) fn alert_record(&self, rule: &Rule, target: Target<'_>) -> Option<&'a AlertRecord> {
        let known = self.alerts.get(&(target.score, target.subject.map(Subject::as_str)))?;
        known.iter().find(|alert| alert.rule == rule.name).copied()
    }

    fn wake_by(&mut self, at: Option<Timestamp>) {
        // What has come of age already had its look just now; a second one must not follow without end.
        let at = at.map(|at| at.max(self.outcome.now.plus(WAKE_MIN)));
        let earliest = &mut self.outcome.health.wake_at;
        *earliest = match (*earliest, at) {
            (Some(earliest), Some(at)) => Some(earliest.min(at)),
            (earliest, at) => earliest.or(at),
        };
    }
}
