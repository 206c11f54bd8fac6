//! One tenant's life without a store: each check is judged, and what it made is what the next one knows.

use std::collections::BTreeSet;

use scorewatch::{
    check::{
        blind,
        judge::{Failure, Fetched, Setting, judge},
        outage::Cause,
    },
    config::Config,
    domain::{ControlsRead, Excluded, Reading, ScoreKind, Timestamp},
    notify::NotificationType,
    store::{AlertRecord, CheckOutcome, Downtime, NewNotification, SeriesRecord, SeriesUpdate, TenantRecord},
};

use super::setup::{SCORE, at, minutes, reading, tenant_id};

pub(super) struct JudgeFixture {
    pub(super) config: Config,
    pub(super) downtimes: Vec<Downtime>,
    pub(super) outages: BTreeSet<Cause>,
    pub(super) record: Option<TenantRecord>,
    /// What the next check reads about excluded controls.
    pub(super) controls: Option<ControlsRead>,
    /// Series whose subjects are gone.
    gone: Vec<SeriesRecord>,
}

impl JudgeFixture {
    /// Of the tenant `contoso`.
    pub(super) fn new(config: Config) -> Self {
        Self { config, downtimes: Vec::new(), outages: BTreeSet::new(), record: None, controls: None, gone: Vec::new() }
    }

    /// Judges, and forgets what came of it.
    pub(super) fn judge(&self, fetched: &[Fetched], now: Timestamp) -> CheckOutcome {
        let operator_rule = blind::operator_rule(&self.config.operator);
        let setting = Setting {
            config: &self.config,
            operator_rule: operator_rule.as_ref(),
            tenant: &self.config.tenants[&tenant_id("contoso")],
            store: "store-1",
            downtimes: &self.downtimes,
            outages: &self.outages,
            controls: self.controls.as_ref(),
        };
        judge(setting, self.record.as_ref(), fetched, now.plus(minutes(15)), now)
    }

    /// Judges, and keeps what came of it.
    pub(super) fn check(&mut self, fetched: &[Fetched], now: Timestamp) -> CheckOutcome {
        self.revive(fetched);
        let outcome = self.judge(fetched, now);
        let record = self.record.get_or_insert_with(|| TenantRecord {
            tenant: outcome.tenant.clone(),
            identity: outcome.identity.clone(),
            version: 0,
            health: outcome.health.clone(),
            series: Vec::new(),
            alerts: Vec::new(),
            shifted: Vec::new(),
            excluded: Excluded::default(),
        });
        assert!(outcome.expected_version.is_none_or(|version| version == record.version));
        record.version += 1;
        record.health = outcome.health.clone();
        for update in &outcome.series {
            record.series.retain(|known| (known.score, &known.subject) != (update.score, &update.subject));
            let series = if update.keep == SeriesUpdate::GONE { &mut self.gone } else { &mut record.series };
            series.push(SeriesRecord {
                score: update.score,
                subject: update.subject.clone(),
                last_data_at: update.last_data_at,
                window: update.window.clone(),
                keep: update.keep,
                onboarded_at: update.onboarded_at,
            });
        }
        keep_alerts(record, &outcome);
        outcome
    }

    /// Takes back the series of subjects that are read again.
    fn revive(&mut self, fetched: &[Fetched]) {
        let Some(record) = self.record.as_mut() else { return };
        let is_read = |series: &SeriesRecord| {
            let of_score = fetched.iter().filter(|one| one.score == series.score);
            of_score.flat_map(|one| one.result.iter().flatten()).any(|reading| reading.subject == series.subject)
        };
        record.series.extend(self.gone.extract_if(.., |series| is_read(series)));
    }

    /// A good check `minute` minutes after the start, its reading as old as the check.
    pub(super) fn read(&mut self, minute: i64, value: f64) -> CheckOutcome {
        self.check(&[good(value, at(minute))], at(minute))
    }

    pub(super) fn fail(&mut self, minute: i64, class: &'static str) -> CheckOutcome {
        self.check(&[bad(class)], at(minute))
    }

    pub(super) fn wake(&mut self, minute: i64) -> CheckOutcome {
        self.check(&[], at(minute))
    }

    /// Notifies the operator of the tenant on its own, as the service does where no outage explains it.
    pub(super) fn notify_alone(&mut self, minute: i64) -> Option<NewNotification> {
        let rule = blind::operator_rule(&self.config.operator)?;
        let record = self.record.as_mut()?;
        let new = blind::alone("store-1", &self.config, &self.config.tenants["contoso"], &rule, record, at(minute))?;
        let alert = record.alerts.iter_mut().find(|alert| alert.rule == rule.name)?;
        alert.notified_channels.clone_from(&new.channels);
        Some(new)
    }

    /// Says that everything queued so far has arrived.
    pub(super) fn deliver(&mut self, minute: i64) {
        for alert in &mut self.record.as_mut().unwrap().alerts {
            alert.notified_at = Some(at(minute));
        }
    }
}

/// As a store does it.
fn keep_alerts(record: &mut TenantRecord, outcome: &CheckOutcome) {
    for update in &outcome.alerts {
        let same = |known: &&mut AlertRecord| {
            (&known.rule, known.score, &known.subject) == (&update.rule, update.score, &update.subject)
        };
        if let Some(known) = record.alerts.iter_mut().find(same) {
            if known.alert.generation != update.alert.generation {
                known.notified_channels.clear();
            }
            known.alert = update.alert.clone();
            if let Some(inherits) = &update.inherits {
                known.notified_channels.clone_from(&inherits.notified_channels);
                known.notified_at = inherits.notified_at;
            }
        } else {
            record.alerts.push(AlertRecord {
                rule: update.rule.clone(),
                score: update.score,
                subject: update.subject.clone(),
                alert: update.alert.clone(),
                sendable_since: None,
                outgrows_acknowledgement: false,
                can_be_withdrawn: false,
                notified_at: update.inherits.as_ref().and_then(|inherits| inherits.notified_at),
                notified_channels: update
                    .inherits
                    .as_ref()
                    .map_or_else(Vec::new, |inherits| inherits.notified_channels.clone()),
                acknowledged: None,
                shift: None,
                owes: None,
            });
        }
    }
    for new in &outcome.notifications {
        let key = new.alert.as_ref().unwrap();
        let about = |known: &&mut AlertRecord| {
            (&known.rule, known.score, &known.subject) == (&key.rule, key.score, &key.subject)
        };
        let known = record.alerts.iter_mut().find(about).unwrap();
        (known.notified_at, known.owes) = (None, None);
        known.notified_channels.extend(new.channels.iter().cloned());
    }
}

pub(super) fn fetched(score: ScoreKind, readings: Vec<Reading>) -> Fetched {
    Fetched { score, result: Ok(readings), partly: None }
}

pub(super) fn good(value: f64, observed_at: Timestamp) -> Fetched {
    fetched(SCORE, vec![reading(observed_at, value)])
}

pub(super) fn failed(score: ScoreKind, class: &'static str) -> Fetched {
    Fetched { score, result: Err(Failure { class, hint: Some("mend it".into()) }), partly: None }
}

pub(super) fn bad(class: &'static str) -> Fetched {
    failed(SCORE, class)
}

/// What is sent, and where: `alert.firing to soc`.
pub(super) fn sent(outcome: &CheckOutcome) -> Vec<String> {
    let line = |new: &scorewatch::store::NewNotification| {
        let names: Vec<_> = new.channels.iter().map(ToString::to_string).collect();
        format!("{} to {}", new.notification.kind.as_str(), names.join("+"))
    };
    outcome.notifications.iter().map(line).collect()
}

pub(super) fn kinds(outcome: &CheckOutcome) -> Vec<NotificationType> {
    outcome.notifications.iter().map(|new| new.notification.kind).collect()
}
