//! The pure middle of a check: what was known, what was fetched, what time it is → what is to be committed.

use std::time::Duration;

use super::blind;
use crate::{
    config::{Config, Tenant},
    domain::{ChannelName, Reading, Sample, ScoreKind, Subject, Timestamp},
    notify::{
        compose::{self, Subjects},
        notification::Links,
        route::recipients,
    },
    rule::{Alert, Condition, Event, Rule, Situation, Transition, TransitionKind, step},
    store::{
        AlertRecord, AlertUpdate, Away, CheckOutcome, Failing, NewNotification, SeriesRecord, SeriesUpdate,
        TenantHealth, TenantRecord,
    },
};

/// How far ahead of our clock a source's time may be before ours is taken instead.
const FUTURE_MAX: Duration = Duration::from_mins(10);

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
}

/// What one score's call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Which score.
    pub score: ScoreKind,
    /// Its readings, or why there are none.
    pub result: Result<Vec<Reading>, Failure>,
}

/// Why a score could not be fetched, in the words that the store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class's text form.
    pub class: &'static str,
    /// What the operator can do.
    pub hint: Option<&'static str>,
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
        now,
    };
    let poll_interval = setting.tenant.schedule.interval_at(now);
    let mut judging = Judging { setting, record, poll_interval, outcome };
    for &score in setting.tenant.scores.iter() {
        judging.score(score, fetched.iter().find(|fetched| fetched.score == score));
    }
    judging.blindness(fetched);
    judging.outcome
}

fn failing_after(before: Option<&Failing>, fetched: &[Fetched], now: Timestamp) -> Option<Failing> {
    if fetched.is_empty() {
        return before.cloned();
    }
    let failure = fetched.iter().find_map(|fetched| fetched.result.as_ref().err())?;
    Some(Failing {
        since: before.map_or(now, |failing| failing.since),
        class: failure.class.to_owned(),
        hint: failure.hint.map(str::to_owned),
    })
}

/// A check's outcome in the making.
struct Judging<'a> {
    setting: Setting<'a>,
    record: Option<&'a TenantRecord>,
    poll_interval: Duration,
    outcome: CheckOutcome,
}

/// One series as the rules see it.
struct Series<'a> {
    score: ScoreKind,
    subject: Option<&'a Subject>,
    /// The samples before the new ones, and the new ones behind them.
    window: Vec<Sample>,
    /// How many of the window's samples are new.
    fresh: usize,
    /// When data was last seen before this check, by the wall clock; now, for a series that begins with it.
    last_data_at: Timestamp,
    /// Whether the store has the series.
    is_known: bool,
}

impl<'a> Judging<'a> {
    /// Judges every series of one score.
    fn score(&mut self, score: ScoreKind, polled: Option<&'a Fetched>) {
        let was_polled = polled.is_some();
        let readings = polled.and_then(|fetched| fetched.result.as_ref().ok()).map_or(&[][..], Vec::as_slice);
        let known = self.record.map_or(&[][..], |record| record.series.as_slice());
        let mut subjects: Vec<Option<&'a Subject>> =
            known.iter().filter(|series| series.score == score).map(|series| series.subject.as_ref()).collect();
        for reading in readings {
            if !subjects.contains(&reading.subject.as_ref()) {
                subjects.push(reading.subject.as_ref());
            }
        }
        if subjects.is_empty() {
            subjects.push(None);
        }
        for subject in subjects {
            let record = known.iter().find(|series| series.score == score && series.subject.as_ref() == subject);
            let series = self.extend(score, subject, record, readings);
            self.series(series, was_polled);
        }
    }

    /// A series with this check's readings behind what was known of it.
    fn extend(
        &self,
        score: ScoreKind,
        subject: Option<&'a Subject>,
        record: Option<&SeriesRecord>,
        readings: &[Reading],
    ) -> Series<'a> {
        let known = record.map_or(&[][..], |series| series.window.as_slice());
        let mut window = Vec::with_capacity(known.len() + 1);
        window.extend_from_slice(known);
        let mut fresh = 0;
        for reading in readings.iter().filter(|reading| reading.subject.as_ref() == subject) {
            let at = source_time(reading.sample.at, window.last(), self.outcome.now);
            window.push(Sample { at, value: reading.sample.value });
            fresh += 1;
        }
        // Before a score is first polled there is no silence, however long the tenant has been known.
        let last_data_at = record.map_or(self.outcome.now, |series| series.last_data_at);
        Series { score, subject, window, fresh, last_data_at, is_known: record.is_some() }
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
        if series.fresh > 0 || (was_polled && !series.is_known) {
            let Series { score, subject, window, .. } = series;
            self.outcome.series.push(SeriesUpdate { score, subject: subject.cloned(), window, keep });
        }
    }

    /// Judges one series by one rule.
    fn rule(&mut self, rule: &Rule, series: &Series<'_>) {
        let known = series.window.len() - series.fresh;
        let events: Vec<(Event, usize)> = if series.fresh == 0 {
            vec![(Event::Tick, known)]
        } else {
            (known..series.window.len()).map(|index| (Event::Reading(series.window[index]), index)).collect()
        };
        self.alert(rule, series.score, series.subject, &events, &series.window, series.last_data_at);
    }

    /// Judges the operator's own alert: the whole tenant, as far as it can be read.
    fn blindness(&mut self, fetched: &[Fetched]) {
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
        let reading = fetched.iter().filter_map(|fetched| fetched.result.as_ref().ok()).flatten().next();
        let event = match reading {
            Some(reading) if self.outcome.health.failing.is_none() => Event::Reading(reading.sample),
            _ => Event::Tick,
        };
        let last_data = self.outcome.health.failing.as_ref().map_or(self.outcome.now, |failing| failing.since);
        self.alert(rule, score, None, &[(event, 0)], &[], last_data);
    }

    fn alert(
        &mut self,
        rule: &Rule,
        score: ScoreKind,
        subject: Option<&Subject>,
        events: &[(Event, usize)],
        window: &[Sample],
        last_data: Timestamp,
    ) {
        let record = self.alert_record(rule, score, subject);
        let now = self.outcome.now;
        let mut alert = record.map_or_else(Alert::default, |record| record.alert.clone());
        let mut told_to = record.map_or_else(Vec::new, |record| record.told_to.clone());
        let (mut changed, mut wake_at) = (false, None);
        for &(event, window_end) in events {
            let situation = Situation {
                now,
                window: &window[..window_end],
                poll_interval: self.poll_interval,
                source_interval: self.source_interval(score),
                last_data,
                away: blind::away_between(self.setting.away, last_data, now),
                told_at: record
                    .filter(|record| {
                        (record.alert.generation, record.alert.sequence) == (alert.generation, alert.sequence)
                    })
                    .and_then(|record| record.told_at),
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
        let alerts = self.record.map_or(&[][..], |record| record.alerts.as_slice());
        alerts.iter().find(|alert| alert.rule == rule.name && alert.score == score && alert.subject.as_ref() == subject)
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
        let fired_blind =
            matches!(rule.when, Condition::NoData(_)) && !matches!(transition.kind, TransitionKind::Resolved(_));
        let subjects = Subjects {
            store: self.setting.store,
            key: &key,
            tenant: tenant.facts(),
            condition: rule.when.to_string(),
            severity: rule.severity,
            loss: compose::loss_of(&rule.when, transition.baseline, transition.value),
            reason: fired_blind.then(|| blind::reason(failing)),
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
        channels.retain(|channel| {
            let settings = self.setting.config.channels.get(channel);
            settings.is_some_and(|settings| settings.fence.admits(&tenant.id, &tenant.labels))
        });
        self.outcome.notifications.push(NewNotification {
            notification,
            alert: Some(key),
            tenant: Some(tenant.id.clone()),
            channels: channels.clone(),
        });
        channels
    }
}

/// The time that a reading is kept under: the source's own, but after the sample before it and not far in our future.
/// A poll is a new reading even if the source's clock stood still or went back; then it goes by ours, so that `for` goes on.
fn source_time(at: Timestamp, previous: Option<&Sample>, now: Timestamp) -> Timestamp {
    let at = if at > now.plus(FUTURE_MAX) { now } else { at };
    match previous {
        Some(previous) if at <= previous.at => now.max(Timestamp::from_nanos(previous.at.as_nanos().saturating_add(1))),
        _ => at,
    }
}
