//! The pure middle of a check: what was known, what was fetched, what time it is → what is to be committed.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

pub use super::fetched::{Failure, Fetched, Partly};
use super::{
    blind,
    fetched::failing_after,
    outage::Cause,
    series::{SUBJECTS_MAX, Series, Subjects as KnownSubjects},
};
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Points, Reading, Sample, ScoreKind, Subject, Timestamp},
    microsoft::FailureClass,
    notify::{
        compose::{self, Subjects},
        notification::Links,
        route::recipients,
    },
    rule::{Alert, AlertState, Condition, Event, Resolution, Rule, Situation, Transition, TransitionKind, close, step},
    store::{
        AlertRecord, AlertUpdate, Away, CheckOutcome, Failing, NewNotification, SeriesRecord, SeriesUpdate,
        TenantHealth, TenantRecord,
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
    /// The operator's own rule, if anybody wants to hear it.
    pub operator_rule: Option<&'a Rule>,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The store's identity, part of every notification's id.
    pub store: &'a str,
    /// When the service itself was away.
    pub away: &'a [Away],
    /// The causes of the outages that go on.
    pub outages: &'a BTreeSet<Cause>,
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
    let failing = failing_after(record.and_then(|record| record.health.failing.as_ref()), fetched, now);
    let health = TenantHealth {
        adopted_at: record.map_or(now, |record| record.health.adopted_at),
        next_due_at,
        wake_at: None,
        checked_at: if fetched.is_empty() { record.and_then(|record| record.health.checked_at) } else { Some(now) },
        failing,
    };
    let outcome = CheckOutcome {
        tenant: setting.tenant.id.clone(),
        expected_version: record.map(|record| record.version),
        health,
        series: Vec::new(),
        alerts: Vec::new(),
        notifications: Vec::new(),
        recommendations: Vec::new(),
        now,
    };
    let poll_interval = setting.tenant.schedule.interval_at(now);
    let mut alerts: HashMap<_, Vec<&AlertRecord>> = HashMap::new();
    for alert in record.map_or(&[][..], |record| record.alerts.as_slice()) {
        alerts.entry((alert.score, alert.subject.as_ref().map(Subject::as_str))).or_default().push(alert);
    }
    let mut judging = Judging { setting, record, alerts, fetched, poll_interval, outcome };
    for &score in setting.tenant.scores.iter() {
        judging.score(score);
    }
    judging.blindness();
    judging.outcome
}

/// A check's outcome in the making.
struct Judging<'a> {
    setting: Setting<'a>,
    record: Option<&'a TenantRecord>,
    /// The alerts of the record by what they are about.
    alerts: HashMap<(ScoreKind, Option<&'a str>), Vec<&'a AlertRecord>>,
    fetched: &'a [Fetched],
    poll_interval: Duration,
    outcome: CheckOutcome,
}

impl<'a> Judging<'a> {
    /// Judges every series of one score.
    fn score(&mut self, score: ScoreKind) {
        let polled = self.fetched.iter().find(|fetched| fetched.score == score);
        let readings = polled.and_then(|fetched| fetched.result.as_ref().ok()).map_or(&[][..], Vec::as_slice);
        let all = self.record.map_or(&[][..], |record| record.series.as_slice());
        let known = all.iter().filter(|series| series.score == score);
        let unsound = polled.and_then(|fetched| fetched.partly.as_ref()).map_or(&[][..], |partly| &partly.subjects);
        let subjects = KnownSubjects::of(known, readings, unsound);
        for (subject, found) in subjects.each() {
            if let Some(why) = subjects.ended((score, subject), found, self.source_interval(score)) {
                self.end(score, found.record, why);
            } else {
                let series = Series::extend((score, subject), found.record, &found.samples, self.outcome.now);
                self.series(series, polled.is_some());
            }
        }
        if subjects.left_out > 0 {
            let since = self
                .record
                .and_then(|record| record.health.failing.as_ref())
                .map_or(self.outcome.now, |failing| failing.since);
            self.outcome.health.failing.get_or_insert_with(|| Failing {
                since,
                class: TOO_MANY_SUBJECTS.to_owned(),
                hint: Some(format!("{score} has more than {SUBJECTS_MAX} subjects within a day; the others are not watched: delete or keep names of device groups")),
            });
        }
    }

    /// How far apart two new values of a score are at best.
    fn source_interval(&self, score: ScoreKind) -> Duration {
        self.poll_interval.max(score.record_interval())
    }

    /// Judges one series by every rule that applies to it.
    fn series(&mut self, series: Series<'a>, was_polled: bool) {
        let source_interval = self.source_interval(series.score);
        let mut keep = source_interval.saturating_mul(2);
        let config = self.setting.config;
        for rule in config.rules.iter().filter(|rule| rule.applies_to(&self.setting.tenant.labels, series.score)) {
            if let Condition::Drop(change) | Condition::Rise(change) = rule.when {
                // A confirmed zero is judged as of the reading before it, one interval further back.
                keep = keep.max(change.within.saturating_add(source_interval));
            }
            self.rule(rule, &series);
        }
        // A first poll that fails begins the series without a sample: from then on its silence counts.
        if series.fresh > 0 || series.seen_again || (was_polled && !series.is_known) {
            let Series { score, subject, window, .. } = series;
            self.outcome.series.push(SeriesUpdate { score, subject: subject.cloned(), window, keep });
        }
    }

    /// Judges one series by one rule.
    fn rule(&mut self, rule: &Rule, series: &Series<'_>) {
        let known = series.window.len() - series.fresh;
        let mut events: Vec<(Event, usize)> =
            (known..series.window.len()).map(|index| (Event::Reading(series.window[index]), index)).collect();
        if events.is_empty() {
            events.push((Event::Tick, known));
        }
        let record = self.alert_record(rule, series.score, series.subject);
        let mut alert = record.map_or_else(Alert::default, |record| record.alert.clone());
        let mut changed = false;
        match series.window.split_last() {
            // What was lost before we first asked is told to nobody: the newest record is where this rule's baseline begins.
            Some((newest, _)) if series.has_history && rule.when.change().is_some() => {
                alert.rebased_at = Some(newest.at);
                changed = true;
            }
            // A record that comes again is no new reading, but it ends a silence.
            Some((newest, before)) if series.seen_again && awaits_data(rule, &alert) => {
                events = vec![(Event::Reading(*newest), before.len())];
            }
            _ => {}
        }
        self.alert(
            rule,
            (series.score, series.subject),
            (alert, changed),
            &events,
            &series.window,
            series.last_data_at,
        );
    }

    /// Ends the alerts of a series that is over.
    fn end(&mut self, score: ScoreKind, series: Option<&SeriesRecord>, why: Resolution) {
        let Some(series) = series else { return };
        let (config, labels) = (self.setting.config, &self.setting.tenant.labels);
        for rule in config.rules.iter().filter(|rule| rule.applies_to(labels, score)) {
            let subject = series.subject.as_ref();
            let Some(record) = self.alert_record(rule, score, subject) else { continue };
            let step = close(&record.alert, why, &series.window, self.outcome.now);
            if let Some(transition) = step.transition {
                self.tell(rule, score, subject, &transition, &record.told_to);
            }
            if let Some(alert) = step.alert {
                let subject = subject.cloned();
                self.outcome.alerts.push(AlertUpdate { rule: rule.name.clone(), score, subject, alert });
            }
        }
        if why == Resolution::SubjectRemoved {
            let (subject, window) = (series.subject.clone(), series.window.clone());
            self.outcome.series.push(SeriesUpdate { score, subject, window, keep: SeriesUpdate::GONE });
        }
    }

    /// Judges the operator's own alert: the whole tenant, as far as it can be read.
    fn blindness(&mut self) {
        let Some(rule) = self.setting.operator_rule else { return };
        // An alert that is open goes on under the score it began with, though the list was changed since.
        let open = self.record.and_then(|record| {
            record
                .alerts
                .iter()
                .find(|alert| alert.rule == rule.name && alert.alert.is_firing())
                .map(|alert| alert.score)
        });
        let Some(score) = open.or_else(|| self.setting.tenant.scores.first().copied()) else { return };
        let reading = self.fetched.iter().filter_map(|fetched| fetched.result.as_ref().ok()).flatten().next();
        let event = match reading {
            Some(reading) if self.outcome.health.failing.is_none() => Event::Reading(reading.sample),
            _ => Event::Tick,
        };
        let last_data = self.outcome.health.failing.as_ref().map_or(self.outcome.now, |failing| failing.since);
        let alert = self.alert_record(rule, score, None).map_or_else(Alert::default, |record| record.alert.clone());
        self.alert(rule, (score, None), (alert, false), &[(event, 0)], &[], last_data);
    }

    /// Takes an alert through these events, each with where the window before it ends.
    fn alert(
        &mut self,
        rule: &Rule,
        (score, subject): (ScoreKind, Option<&Subject>),
        (mut alert, mut changed): (Alert, bool),
        events: &[(Event, usize)],
        window: &[Sample],
        last_data: Timestamp,
    ) {
        let record = self.alert_record(rule, score, subject);
        let now = self.outcome.now;
        let mut told_to = record.map_or_else(Vec::new, |record| record.told_to.clone());
        let mut wake_at = None;
        for &(event, window_end) in events {
            let is_it = |record: &&AlertRecord| {
                (record.alert.generation, record.alert.sequence) == (alert.generation, alert.sequence)
            };
            let rested = record.filter(is_it).filter(|record| record.told_at.is_some());
            let situation = Situation {
                now,
                window: &window[..window_end],
                poll_interval: self.poll_interval,
                source_interval: self.source_interval(score),
                last_data,
                away: blind::away_between(self.setting.away, last_data, now),
                // What a person has seen is not said again while it is as it was.
                told_at: rested.filter(|record| record.acknowledged.is_none()).and_then(|record| record.told_at),
                is_on_its_way: rested.is_none() && !told_to.is_empty(),
            };
            let step = step(rule, &alert, event, &situation);
            if let Some(next) = step.alert {
                alert = next;
                changed = true;
            }
            wake_at = step.wake_at;
            if let Some(transition) = step.transition {
                if transition.kind == TransitionKind::Fired {
                    told_to.clear();
                }
                told_to = recipients(&told_to, &self.tell(rule, score, subject, &transition, &told_to));
            }
        }
        self.wake_by(
            wake_at.filter(|_| !(rule.name.as_str() == blind::OPERATOR_BLIND && self.outcome.health.failing.is_none())),
        );
        if changed {
            self.outcome.alerts.push(AlertUpdate { rule: rule.name.clone(), score, subject: subject.cloned(), alert });
        }
    }

    fn alert_record(&self, rule: &Rule, score: ScoreKind, subject: Option<&Subject>) -> Option<&'a AlertRecord> {
        let known = self.alerts.get(&(score, subject.map(Subject::as_str)))?;
        known.iter().find(|alert| alert.rule == rule.name).copied()
    }

    /// The points behind a transition's value, if this check read it.
    fn points(&self, score: ScoreKind, subject: Option<&Subject>, transition: &Transition) -> Option<Points> {
        let read = self.fetched.iter().filter(|fetched| fetched.score == score).flat_map(|fetched| &fetched.result);
        let told = Sample { at: transition.observed_at?, value: transition.value? };
        let of_sample = |reading: &&Reading| reading.subject.as_ref() == subject && reading.sample == told;
        read.flatten().find(of_sample)?.points
    }

    /// The outage that explains why the tenant can't be read.
    fn outage(&self, failing: Option<&Failing>) -> Option<&'a Cause> {
        let cause = Cause::of(self.setting.tenant, &failing?.class)?;
        self.setting.outages.get(&cause)
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

    /// Queues what there is to tell, and says for which channels.
    fn tell(
        &mut self,
        rule: &Rule,
        score: ScoreKind,
        subject: Option<&Subject>,
        transition: &Transition,
        told_to: &[ChannelName],
    ) -> Vec<ChannelName> {
        let tenant = self.setting.tenant;
        let key = rule.alert_key(&tenant.id, score, subject);
        let failing = self.outcome.health.failing.as_ref();
        let by_operator_rule = rule.name.as_str() == blind::OPERATOR_BLIND;
        // Whether the operator hears of this tenant by itself or of an outage is decided by who sees all tenants. What nobody was
        // told of has no end to tell.
        if by_operator_rule && (transition.kind == TransitionKind::Fired || told_to.is_empty()) {
            return Vec::new();
        }
        let fired_blind =
            matches!(rule.when, Condition::NoData(_)) && !matches!(transition.kind, TransitionKind::Resolved(_));
        let subjects = Subjects {
            store: self.setting.store,
            key: &key,
            tenant: tenant.facts(),
            condition: rule.when.to_string(),
            severity: rule.severity,
            guide: rule.guide.clone(),
            loss: compose::loss_of(&rule.when, transition.baseline, transition.value),
            points: self.points(score, subject, transition),
            reason: (transition.kind == TransitionKind::Unstable)
                .then(|| compose::unstable(rule))
                .or_else(|| fired_blind.then(|| blind::reason(failing, self.outage(failing)))),
            operator: by_operator_rule.then(|| blind::operator_facts(failing, transition)),
            links: Links { portal: Some(tenant.account.hosts.score_page()), ..Links::default() },
        };
        let notification = compose::of_transition(subjects, transition);
        // Who was told that it began is told that it is over, though the route has changed since.
        let own = if by_operator_rule { &[][..] } else { tenant.notify.as_slice() };
        let mut channels = match transition.kind {
            TransitionKind::Resolved(_) => told_to.to_vec(),
            _ => recipients(&rule.notify, own),
        };
        let is_explained = matches!(transition.kind, TransitionKind::Reminder | TransitionKind::Resolved(_))
            && self
                .alert_record(rule, score, subject)
                .is_some_and(|record| record.explained && record.alert.generation == transition.generation);
        channels.retain(|_| !is_explained);
        channels.retain(|channel| {
            let settings = self.setting.config.channels.get(channel);
            settings.is_some_and(|settings| settings.fence.admits(&tenant.id, &tenant.labels))
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
}

/// Whether it is data that the alert is about.
fn awaits_data(rule: &Rule, alert: &Alert) -> bool {
    let fired_blind = match &alert.state {
        AlertState::Firing(firing) => matches!(firing.terms.when, Condition::NoData(_)),
        _ => false,
    };
    fired_blind || matches!(rule.when, Condition::NoData(_))
}
