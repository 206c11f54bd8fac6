//! What rules would have sent on the readings of the past. Nothing is sent or written.

mod history;
mod report;
mod suggest;
mod tried;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use self::{
    report::{ChannelLine, Line, MOMENTS_MAX, Moment, Report},
    suggest::Try,
    tried::Tried,
};
use super::{Error, error::Thing, find};
use crate::{
    config::Config,
    domain::{Scope, TenantId, Timestamp, parse_duration},
    replay::{
        Fleet, History, Plan, Receiver,
        many::{TooMany, walk_all},
        send,
    },
    rule::Rule,
    schedule::phase,
    store::Store,
};

/// Deliveries that wait together become a digest above this many, for a channel that only candidate rules name.
const DIGEST_OVER: usize = 20;

/// What a backtest replays.
#[derive(Debug, Clone)]
pub struct Question {
    /// Only the rules of these names; empty: all.
    pub rules: Vec<String>,
    /// Only the tenants of these ids; empty: every tenant of the scope.
    pub tenants: Vec<String>,
    /// From when: a duration before the end, like `90d`, or an instant in RFC 3339.
    pub since: String,
    /// Until when, likewise; `None`: now, and of a CSV file, its last reading.
    pub until: Option<String>,
    /// Candidate rules; `None`: those of the configuration.
    pub candidates: Option<Vec<Arc<Rule>>>,
}

/// A file of readings: a first line `tenant,score,subject,time,value`, then a reading a line. `subject` may be left out.
#[derive(Debug, Clone)]
pub struct Csv {
    /// The file's name, as problems print it.
    pub name: String,
    /// The content of the CSV file.
    pub text: String,
}

/// Where readings are taken from.
pub enum Source<'a> {
    /// The store, with its silences.
    Store(&'a dyn Store),
    /// The same, of as many tenants as have that many readings together; which those are follows from their ids, so that they are a fair
    /// choice and the same each time.
    Sample(&'a dyn Store, usize),
    /// A file. It may know tenants that the configuration does not.
    Csv(&'a Csv),
}

/// From when until when.
#[derive(Debug, Clone, Copy)]
struct Span {
    since: Timestamp,
    until: Timestamp,
}

/// Rules and the readings to replay them on.
#[derive(Debug)]
pub struct Backtest {
    plan: Plan,
    histories: Vec<History>,
    span: Span,
    taken: Taken,
    scope: Scope,
}

/// How many tenants are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    /// Of how many tenants the readings were taken.
    tenants: usize,
    /// How many were asked for.
    of: usize,
}

/// Reads what is to be replayed: readings of the scope's tenants alone. `on_tenant` is called after each tenant that the store was
/// asked for.
///
/// # Errors
/// [`Error::NotFound`] for a tenant or rule; [`Error::Invalid`] for what can't be read; [`Error::Store`].
pub async fn prepare(
    source: Source<'_>,
    config: &Config,
    scope: &Scope,
    question: &Question,
    now: Timestamp,
    on_tenant: impl Fn(),
) -> Result<Backtest, Error> {
    let is_named =
        |id: &TenantId| question.tenants.is_empty() || question.tenants.iter().any(|name| id.as_str() == name);
    let mut plan = plan(config, question)?;
    let until = question.until.as_deref().map(|text| instant(text, now)).transpose()?;
    let (histories, span, taken) = match source {
        Source::Csv(csv) => {
            let is_wanted = |id: &TenantId| is_named(id) && scope.includes(id);
            let (histories, span) = history::of_csv(csv, config, is_wanted, &question.since, until, now)?;
            let tenants = histories.len();
            (histories, span, Taken { tenants, of: tenants })
        }
        Source::Store(store) | Source::Sample(store, _) => {
            let tenants = find::tenants(config, scope, &question.tenants)?;
            let mut ids: Vec<_> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
            let readings_max = if let Source::Sample(_, max) = source { max } else { usize::MAX };
            if readings_max < usize::MAX {
                ids.sort_by_cached_key(|id| phase(id.as_str(), Duration::MAX));
            }
            let until = until.unwrap_or(now);
            let span = Span { since: instant(&question.since, until)?, until };
            let read = history::of_store(store, config, &ids, span, readings_max, on_tenant).await?;
            plan.silences = read.silences;
            (read.histories, span, Taken { tenants: read.tenants, of: ids.len() })
        }
    };
    if span.since >= span.until {
        return Err(Error::invalid("`--since` is after `--until`"));
    }
    Ok(Backtest { plan, histories, span, taken, scope: scope.clone() })
}

impl Backtest {
    /// How many tenants there are to walk.
    #[must_use]
    pub const fn tenants(&self) -> usize {
        self.histories.len()
    }

    /// What the rules would have sent. Uses every core and waits for nothing. `on_tenant` is called after each tenant.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more messages than can be kept.
    pub fn report(&self, on_tenant: impl Fn() + Sync) -> Result<Report, Error> {
        self.report_of(&self.plan, on_tenant)
    }

    /// The same if that were the only rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more messages than can be kept.
    pub fn report_with(&self, rule: Rule, on_tenant: impl Fn() + Sync) -> Result<Report, Error> {
        self.report_of(&Plan { rules: vec![Arc::new(rule)], ..self.plan.clone() }, on_tenant)
    }

    fn report_of(&self, plan: &Plan, on_tenant: impl Fn() + Sync) -> Result<Report, Error> {
        let Self { histories, span, taken, .. } = self;
        let fleet = Fleet::of(plan, histories);
        let messages = walk_all(plan, &fleet, histories.iter(), on_tenant)?;
        let outcome = send(plan, histories, &fleet, messages);
        let Taken { tenants, of } = *taken;
        let mut report = Report::of(plan, histories, &outcome, *span);
        report.channels.retain(|line| self.scope.sees_channel(&line.channel));
        Ok(Report { tenants_replayed: tenants, tenants_asked: of, ..report })
    }

    /// How many walks [`Self::suggest`] makes.
    #[must_use]
    pub fn walks_to_suggest(&self) -> usize {
        suggest::walks(&self.plan, &self.histories)
    }

    /// How often each rule would fire a week with other numbers, and which comes nearest to `wanted`. Uses every core and waits for
    /// nothing. `on_tenant` is called after each walk of a tenant.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more messages than can be kept.
    pub fn suggest(&self, wanted: f64, on_tenant: impl Fn() + Sync) -> Result<Vec<Try>, Error> {
        suggest::suggest(&self.plan, &self.histories, self.span, wanted, on_tenant)
    }
}

impl From<TooMany> for Error {
    fn from(error: TooMany) -> Self {
        Self::invalid(error.to_string())
    }
}

/// A time: `90d` before the end, or an instant.
fn instant(text: &str, end: Timestamp) -> Result<Timestamp, Error> {
    let time = Timestamp::parse(text).or_else(|| parse_duration(text).ok().map(|back| end.minus(back)));
    time.ok_or_else(|| {
        Error::invalid(format!("`{text}` is not a time; write `90d`, or a time like `2026-01-05T00:00:00Z`"))
    })
}

/// The rules asked for, and the channels of the configuration.
fn plan(config: &Config, question: &Question) -> Result<Plan, Error> {
    let mut receivers: BTreeMap<_, _> = config
        .channels
        .iter()
        .map(|(name, settings)| {
            let digest_over = (!settings.kind.keeps_state()).then_some(settings.digest_over);
            let receiver = Receiver {
                audience: settings.audience.clone(),
                digest_over,
                merges_readings: settings.kind.is_read_by_people(),
                pace: settings.pace,
            };
            (name.clone(), receiver)
        })
        .collect();
    // A candidate may name a channel that is yet to come.
    let named = |rule: &Arc<Rule>| rule.notify.iter().chain(rule.escalated(0, u32::MAX)).cloned().collect::<Vec<_>>();
    for channel in question.candidates.iter().flatten().flat_map(named) {
        receivers.entry(channel).or_insert_with(|| Receiver { digest_over: Some(DIGEST_OVER), ..Receiver::default() });
    }
    let mut rules = question.candidates.as_ref().unwrap_or(&config.rules).clone();
    for name in &question.rules {
        if !rules.iter().any(|rule| rule.name.as_str() == name) {
            return Err(Error::not_found(Thing::Rule, name));
        }
    }
    rules.retain(|rule| question.rules.is_empty() || question.rules.iter().any(|name| rule.name.as_str() == name));
    let (fleet, maintenance) = (config.fleet, config.maintenance.clone());
    Ok(Plan { rules, receivers, fleet, maintenance, silences: Vec::new() })
}
