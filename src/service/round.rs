//! One round without a running service: every tenant asked for is checked once, now, and all that there is to send is sent.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{StartError, acceptance, blindness, engine::Engine};
use crate::{
    check::{Visit, due::Turn, judge::Fetched, plan::Plan},
    clock::Clock,
    config::{Config, Tenant},
    domain::{Reading, Sample, ScoreKind, TenantId, Timestamp},
    microsoft::FailureClass,
    telemetry::Metrics,
};

/// How many tenants are loaded together at most.
const BATCH: usize = 128;
/// The outcome of a score that was read.
pub const OK: &str = "ok";

/// What one check read of one series, or why a score could not be read.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The tenant's slug in the configuration.
    pub tenant: TenantId,
    /// The kind of score.
    pub score: ScoreKind,
    /// The subject, if the score has several.
    pub subject: Option<String>,
    /// The newest value, in the score's own unit; `None`: it could not be read.
    pub value: Option<f64>,
    /// When the value was observed; for a daily record, its day.
    pub observed_at: Option<Timestamp>,
    /// `ok`, or the class of the failure.
    pub outcome: String,
    /// What to do about a failure.
    pub hint: Option<String>,
    /// Where an administrator of the tenant consents to the app; `None`: that would not help.
    pub consent_link: Option<String>,
    /// When the service checks again, if that is later than scheduled.
    pub backed_off_until: Option<Timestamp>,
}

/// Checks these tenants once and sends the notifications that result. `on_check` is called after each tenant. Lines are in the order
/// of tenant, score and subject.
///
/// # Errors
/// [`StartError`].
pub async fn round(
    config: &Arc<Config>,
    tenants: &[Arc<Tenant>],
    clock: Clock,
    on_check: impl Fn(),
) -> Result<Vec<Line>, StartError> {
    let (_keep, current) = watch::channel(config.clone());
    let shutdown = CancellationToken::new();
    let (engine, _settled) = Engine::start(current, clock, Metrics::default(), shutdown.clone()).await?;
    let plan = Plan::new(config.clone());
    let mut lines = Vec::new();
    for batch in tenants.chunks(BATCH) {
        let ids: Vec<_> = batch.iter().map(|tenant| tenant.id.clone()).collect();
        let mut records: HashMap<_, _> =
            engine.store.load(&ids).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect();
        let due_at = engine.clock.now();
        let visits = batch.iter().map(|tenant| {
            let record = records.remove(&tenant.id);
            let (engine, plan, shutdown) = (&engine, &plan, &shutdown);
            async move { (tenant, engine.checker.visit(plan, tenant, Turn::Check { due_at }, record, shutdown).await) }
        });
        let mut visits = stream::iter(visits).buffer_unordered(config.concurrency);
        while let Some((tenant, visit)) = visits.next().await {
            lines.extend(lines_of(tenant, visit?));
            on_check();
        }
    }
    lines.sort_by(|a, b| (&a.tenant, a.score, &a.subject).cmp(&(&b.tenant, b.score, &b.subject)));
    send(&engine, config).await?;
    engine.store.close().await;
    Ok(lines)
}

/// Sends all notifications of the round.
async fn send(engine: &Engine, config: &Config) -> Result<(), StartError> {
    blindness::notify(engine.store.as_ref(), config, &engine.checker.outages, engine.clock.now()).await?;
    engine.dispatcher.reroute().await?;
    engine.dispatcher.drain_round().await?;
    // What a notice said is accepted is accepted, and receivers that keep each alert's state are notified.
    if acceptance::accept_owed(engine.store.as_ref(), config, engine.clock.now()).await? > 0 {
        engine.dispatcher.drain_round().await?;
    }
    Ok(())
}

fn lines_of(tenant: &Tenant, visit: Option<Visit>) -> Vec<Line> {
    let Some(visit) = visit else { return Vec::new() };
    let backed_off_until = visit.is_backed_off.then_some(visit.due.next_due_at);
    let lines = visit.fetched.into_iter().flat_map(|fetched| lines_of_score(&tenant.id, fetched));
    let consent_link = |line: &Line| {
        let class = FailureClass::from_name(&line.outcome);
        class.filter(|class| class.needs_consent()).map(|_| tenant.account.consent_link())
    };
    lines.map(|line| Line { backed_off_until, consent_link: consent_link(&line), ..line }).collect()
}

/// One line for each value of a score. The first check of a source with history reads ninety days: the newest of them is shown.
fn lines_of_score(tenant: &TenantId, fetched: Fetched) -> Vec<Line> {
    let score = fetched.score;
    let line = |subject, sample: Option<Sample>, outcome: &str, hint| Line {
        tenant: tenant.clone(),
        score,
        subject,
        value: sample.map(|sample| sample.value),
        observed_at: sample.map(|sample| sample.at),
        outcome: outcome.to_owned(),
        hint,
        consent_link: None,
        backed_off_until: None,
    };
    match fetched.result {
        Ok(readings) => {
            let newest = newest_by_subject(readings).into_iter();
            newest.map(|(subject, sample)| line(subject, Some(sample), OK, None)).collect()
        }
        Err(failure) => vec![line(None, None, failure.class, failure.hint.map(std::borrow::Cow::into_owned))],
    }
}

fn newest_by_subject(readings: Vec<Reading>) -> BTreeMap<Option<String>, Sample> {
    let mut newest = BTreeMap::new();
    for Reading { subject, sample, .. } in readings {
        let known = newest.entry(subject.map(|subject| subject.to_string())).or_insert(sample);
        if sample.at >= known.at {
            *known = sample;
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Subject;

    #[test]
    fn the_first_check_shows_the_newest_day_of_each_subject_once() {
        let tenant = TenantId::parse("contoso").unwrap();
        let day = |number: i64| Timestamp::from_seconds(number * 86_400);
        let reading = |subject: Option<&str>, number: i64, value: f64| Reading {
            score: ScoreKind::SecureScoreCategory,
            subject: subject.map(|subject| Subject(subject.into())),
            sample: Sample { at: day(number), value },
            points: None,
        };
        let readings = (1..=90).rev().flat_map(|number| {
            [
                reading(Some("Identity"), number, if number == 90 { 140.0 } else { 50.0 }),
                reading(Some("Data"), number, 10.0),
            ]
        });
        let fetched = Fetched { score: ScoreKind::SecureScoreCategory, result: Ok(readings.collect()), partly: None };
        let lines = lines_of_score(&tenant, fetched);
        let shown: Vec<_> = lines.iter().map(|line| (line.subject.as_deref(), line.value, line.observed_at)).collect();
        assert_eq!(shown, [(Some("Data"), Some(10.0), Some(day(90))), (Some("Identity"), Some(140.0), Some(day(90)))]);
    }
}
