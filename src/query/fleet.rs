//! The fleet at a glance: every tenant with its scores, how each has moved in a day, a week and a month, what fires, how fresh it is,
//! and the fleet's median beside it. A scope limits everything, the median included.

mod line;
mod memory;
mod movement;
mod order;
mod total;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;

use self::{line::Line, memory::Known};
pub use self::{
    memory::Memory,
    movement::FleetScore,
    order::{Only, Sort},
    total::{FleetTotals, ScoreMedian},
};
use super::{Error, Listing, Page, neutral};
use crate::{
    config::{Config, Tenant},
    domain::{Labels, Scope, ScoreKind, Severity, TenantId, Timestamp},
    rule::{RuleName, ShiftedBy},
    store::{Failing, OpenAlert, Store, TenantLine},
};

/// Which tenants, and in which order. Every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the tenant's id or name, whatever its case.
    pub search: Option<String>,
    /// Labels that the tenant has, all of them.
    pub labels: Vec<(String, String)>,
    /// Only tenants in that condition.
    pub only: Option<Only>,
    /// The score that the order is about; `None`: the first that most tenants are polled for.
    pub score: Option<ScoreKind>,
    /// The order in which tenants are listed.
    pub sort: Sort,
    /// Whether the order is the other way round.
    pub is_reversed: bool,
}

/// How many alerts are open, by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AlertCounts {
    /// Firing alerts of severity `critical`.
    pub critical: u32,
    /// Firing alerts of severity `warning`.
    pub warning: u32,
    /// Firing alerts of severity `info`.
    pub info: u32,
    /// How many alerts are pending: the condition holds, but not yet for long enough.
    pub pending: u32,
    /// Firing alerts that a person has seen.
    pub acknowledged: u32,
}

impl AlertCounts {
    /// How many alerts fire.
    #[must_use]
    pub const fn firing(&self) -> u32 {
        self.critical + self.warning + self.info
    }

    /// The worst severity that fires; `None`: nothing fires.
    #[must_use]
    pub const fn worst(&self) -> Option<Severity> {
        match (self.critical, self.warning, self.info) {
            (0, 0, 0) => None,
            (0, 0, _) => Some(Severity::Info),
            (0, ..) => Some(Severity::Warning),
            _ => Some(Severity::Critical),
        }
    }

    const fn add(&mut self, alert: &OpenAlert, severity: Severity) {
        match (alert.is_firing, severity) {
            (false, _) => self.pending += 1,
            (true, Severity::Critical) => self.critical += 1,
            (true, Severity::Warning) => self.warning += 1,
            (true, Severity::Info) => self.info += 1,
        }
        self.acknowledged += (alert.is_firing && alert.is_acknowledged) as u32;
    }
}

/// How current what is known of a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// Its last check succeeded, and the next one is not overdue.
    Fresh,
    /// Its next check is overdue.
    Late,
    /// It has never been checked.
    NeverChecked,
    /// Its checks fail, so nothing new is known.
    Failing,
}

/// A tenant at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FleetLine {
    /// Its id in the configuration.
    pub id: TenantId,
    /// The tenant's name as messages show it.
    pub name: Arc<str>,
    /// The tenant's labels in the configuration.
    pub labels: Arc<Labels>,
    /// Its scores that have one value, in the order of the documentation.
    pub scores: Vec<FleetScore>,
    /// How many alerts of the tenant are open.
    pub alerts: AlertCounts,
    /// How current all this is.
    pub freshness: Freshness,
    /// When it was last checked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// When it is checked next.
    pub next_check_at: Option<Timestamp>,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
}

impl FleetLine {
    /// Its score of that kind.
    #[must_use]
    pub fn score(&self, kind: ScoreKind) -> Option<&FleetScore> {
        self.scores.iter().find(|score| score.kind == kind)
    }
}

/// A part of the fleet, and what the whole of it comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fleet {
    /// The tenants, in the order that was asked for.
    pub items: Vec<FleetLine>,
    /// Where the next page begins; `None`: nothing follows.
    pub next: Option<TenantId>,
    /// How many tenants match.
    pub matching: usize,
    /// The score that the order is about.
    pub score: Option<ScoreKind>,
    /// All tenants of the scope together, whether or not they match.
    pub totals: FleetTotals,
    /// The values of each label of the scope's tenants.
    pub labels: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// A late check is one that is overdue by so much more than the time over which checks are spread.
const LATE_AFTER: std::time::Duration = std::time::Duration::from_mins(5);

/// The fleet at a glance.
///
/// # Errors
/// [`Error::Store`].
pub async fn fleet(
    store: &dyn Store,
    config: &Config,
    memory: &Memory,
    scope: &Scope,
    filter: &Filter,
    page: &Page<TenantId>,
    now: Timestamp,
) -> Result<Fleet, Error> {
    overall(store, config, memory, scope, now).await?.compared(store, filter, page).await
}

/// The whole fleet at one time, from which several lists can be made.
#[derive(Debug)]
pub struct Overall {
    lines: Vec<Line>,
    totals: FleetTotals,
    labels: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// Reads the whole fleet. A scope limits everything, the median included.
///
/// # Errors
/// [`Error::Store`].
pub async fn overall(
    store: &dyn Store,
    config: &Config,
    memory: &Memory,
    scope: &Scope,
    now: Timestamp,
) -> Result<Overall, Error> {
    memory.look(now);
    let found = found(config, scope, store.tenant_lines().await?);
    let open = open_alerts(config, scope, &store.open_alerts().await?);
    let of_samples: Vec<&TenantLine> = found.iter().filter_map(|(_, line)| line.as_ref()).collect();
    let mut known = memory.of(store, &of_samples, now).await?.into_iter();
    let mut shifts: Shifts = HashMap::new();
    for (tenant, score, by) in store.shifted_since(movement::shift_horizon(now)).await? {
        shifts.entry(tenant).or_default().push((score, by));
    }
    let line = |(tenant, found): (&Arc<Tenant>, Option<TenantLine>)| {
        let known = found.as_ref().and_then(|_| known.next());
        let line = Line {
            id: tenant.id.clone(),
            name: tenant.name.clone(),
            labels: if scope.sees_labels() { tenant.labels.clone() } else { Arc::default() },
            scores: known.as_deref().map_or_else(Arc::default, |known| scores(tenant, known, &shifts)),
            alerts: open.get(&tenant.id).copied().unwrap_or_default(),
            freshness: freshness(config, found.as_ref(), now),
            found: found.map(|line| TenantLine { failing: neutral::failing(scope, line.failing), ..line }),
            known,
            lost: None,
            lost_by_any: None,
        };
        line.measured()
    };
    let lines: Vec<Line> = found.into_iter().map(line).collect();
    Ok(Overall { totals: FleetTotals::of(&lines), labels: labels(&lines), lines })
}

/// The tenants of the scope whose samples the memory lacks, or that were committed since: what the next look at the fleet has to read.
///
/// # Errors
/// [`Error::Store`].
pub async fn behind(
    store: &dyn Store,
    config: &Config,
    memory: &Memory,
    scope: &Scope,
) -> Result<Vec<TenantLine>, Error> {
    let found = found(config, scope, store.tenant_lines().await?);
    Ok(memory.behind(found.into_iter().filter_map(|(_, line)| line).collect()).await)
}

/// What fleet shifts did to the scores of tenants, oldest first.
type Shifts = HashMap<TenantId, Vec<(ScoreKind, ShiftedBy)>>;

/// The tenants of the scope, each as the store has it; `None`: it knows none, or another one that had its id before. Both lists are in the
/// order of slugs.
fn found<'a>(config: &'a Config, scope: &Scope, lines: Vec<TenantLine>) -> Vec<(&'a Arc<Tenant>, Option<TenantLine>)> {
    let mut lines = lines.into_iter().peekable();
    let mut find = |tenant: &Tenant| {
        while lines.next_if(|line| line.tenant < tenant.id).is_some() {}
        let found = lines.next_if(|line| line.tenant == tenant.id)?;
        found.entra.is_none_or(|entra| entra == tenant.account.entra).then_some(found)
    };
    let in_scope = config.tenants.values().filter(|tenant| scope.includes(&tenant.id));
    in_scope.map(|tenant| (tenant, find(tenant))).collect()
}

/// The scores that the tenant is polled for.
fn scores(tenant: &Tenant, known: &Known, shifts: &Shifts) -> Arc<[FleetScore]> {
    let is_polled = |score: &&FleetScore| tenant.scores.contains(&score.kind);
    let shifts = shifts.get(&tenant.id);
    if shifts.is_none() && known.scores.iter().all(|score| is_polled(&score)) {
        return known.scores.clone();
    }
    let shifted = |score: &FleetScore| {
        let of_score = shifts.into_iter().flatten().filter(|(kind, _)| *kind == score.kind);
        let by: Vec<ShiftedBy> = of_score.map(|(_, by)| *by).collect();
        FleetScore::of(score.kind, known.samples(score.kind), &by)
    };
    known.scores.iter().filter(is_polled).filter_map(shifted).collect()
}

impl Overall {
    /// The tenants that match, with what Microsoft says of others.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn compared(&self, store: &dyn Store, filter: &Filter, page: &Page<TenantId>) -> Result<Fleet, Error> {
        let mut fleet = self.list(filter, page);
        compare(store, &mut fleet.items).await?;
        Ok(fleet)
    }

    /// The tenants that match.
    #[must_use]
    pub fn list(&self, filter: &Filter, page: &Page<TenantId>) -> Fleet {
        let score = filter.score.or_else(|| self.totals.medians.first().map(|median| median.kind));
        let matching = order::matching(&self.lines, filter);
        let Listing { items, next } = order::page(&matching, filter, score, page);
        let medians = &self.totals.medians;
        let median = |kind| medians.iter().find(|median| median.kind == kind).map(|median| median.value);
        Fleet {
            items: items.into_iter().map(|line| line.shown(median)).collect(),
            next,
            matching: matching.len(),
            score,
            totals: self.totals.clone(),
            labels: self.labels.clone(),
        }
    }
}

/// Says of these tenants what Microsoft says of others.
async fn compare(store: &dyn Store, items: &mut [FleetLine]) -> Result<(), Error> {
    let has_witness = |line: &&FleetLine| line.scores.iter().any(|score| score.kind.has_witness());
    let asked: Vec<TenantId> = items.iter().filter(has_witness).map(|line| line.id.clone()).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let found: HashMap<_, _> = store.averages(&asked).await?.into_iter().collect();
    for line in items {
        for score in line.scores.iter_mut().filter(|score| score.kind.has_witness()) {
            score.averages = found.get(&line.id).copied();
        }
    }
    Ok(())
}

/// How current what is known of a tenant is.
pub(super) fn freshness(config: &Config, known: Option<&TenantLine>, now: Timestamp) -> Freshness {
    let is_late = |line: &TenantLine| now > line.next_due_at.plus(config.spread).plus(LATE_AFTER);
    match known {
        None => Freshness::NeverChecked,
        Some(line) if line.failing.is_some() => Freshness::Failing,
        Some(line) if line.checked_at.is_none() => Freshness::NeverChecked,
        Some(line) if is_late(line) => Freshness::Late,
        Some(_) => Freshness::Fresh,
    }
}

/// The open alerts of each tenant of the scope, each as severe as its rule is now.
fn open_alerts(config: &Config, scope: &Scope, alerts: &[OpenAlert]) -> HashMap<TenantId, AlertCounts> {
    let severities: HashMap<&RuleName, Severity> =
        config.rules.iter().map(|rule| (&rule.name, rule.severity)).collect();
    let mut counts: HashMap<TenantId, AlertCounts> = HashMap::new();
    for alert in alerts.iter().filter(|alert| scope.includes(&alert.tenant)) {
        let severity = severities.get(&alert.rule).copied().unwrap_or_default();
        counts.entry(alert.tenant.clone()).or_default().add(alert, severity);
    }
    counts
}

fn labels(lines: &[Line]) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    /// More values than a person chooses from: such a label names single tenants.
    const VALUES_MAX: usize = 40;
    let mut labels: BTreeMap<&Arc<str>, BTreeSet<&Arc<str>>> = BTreeMap::new();
    for (key, value) in lines.iter().flat_map(|line| line.labels.iter()) {
        let values = labels.entry(key).or_default();
        if values.len() <= VALUES_MAX {
            values.insert(value);
        }
    }
    labels.retain(|_, values| values.len() <= VALUES_MAX);
    labels.into_iter().map(|(key, values)| (key.clone(), values.into_iter().cloned().collect())).collect()
}
