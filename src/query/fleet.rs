//! The fleet at a glance: every tenant with its scores, how each has moved in a day, a week and a month, what fires, how fresh it is,
//! and the fleet's median beside it. A scope limits everything, the median included.

mod memory;
mod movement;
mod order;
mod total;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use serde::Serialize;

use self::memory::Series;
pub use self::{
    memory::Memory,
    movement::FleetScore,
    order::{Only, Sort},
    total::{FleetTotals, ScoreMedian},
};
use super::{Error, Page, neutral};
use crate::{
    config::{Config, Tenant},
    domain::{Labels, Sample, Scope, ScoreKind, Severity, TenantId, Timestamp},
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
    /// The order.
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
    /// Alerts that pend.
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
    /// Its checks fail.
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
    /// Its open alerts.
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
    lines: Vec<FleetLine>,
    series: HashMap<TenantId, Series>,
    totals: FleetTotals,
    labels: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// The tenants that the store knows, rather than others that had their ids before.
    known: HashSet<TenantId>,
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
    let known: HashMap<TenantId, TenantLine> =
        store.tenant_lines().await?.into_iter().map(|line| (line.tenant.clone(), line)).collect();
    let open = open_alerts(config, scope, &store.open_alerts().await?);
    let in_scope = |tenant: &&Arc<Tenant>| scope.includes(&tenant.id);
    let tenants: Vec<&Arc<Tenant>> = config.tenants.values().filter(in_scope).collect();
    let of = |tenant: &Tenant| {
        known.get(&tenant.id).filter(|line| line.entra.is_none_or(|entra| entra == tenant.account.entra))
    };
    let lines: Vec<&TenantLine> = tenants.iter().filter_map(|tenant| of(tenant)).collect();
    let series = memory.series(store, &lines, now).await?;
    let mut shifts: HashMap<(TenantId, ScoreKind), Vec<ShiftedBy>> = HashMap::new();
    for (tenant, score, by) in store.shifted_since(movement::shift_horizon(now)).await? {
        shifts.entry((tenant, score)).or_default().push(by);
    }
    let mut lines: Vec<FleetLine> = tenants
        .iter()
        .map(|tenant| {
            let samples = series.get(&tenant.id).map_or(&[][..], |series| series.as_slice());
            let line = line(config, tenant, of(tenant), samples, &shifts, now);
            FleetLine {
                alerts: open.get(&tenant.id).copied().unwrap_or_default(),
                failing: neutral::failing(scope, line.failing),
                ..line
            }
        })
        .collect();
    let totals = FleetTotals::of(&mut lines);
    let known = tenants.iter().filter(|tenant| of(tenant).is_some()).map(|tenant| tenant.id.clone()).collect();
    Ok(Overall { lines, series, totals, labels: labels(&tenants), known })
}

impl Overall {
    /// The tenants that match, with what Microsoft says of others.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn compared(&self, store: &dyn Store, filter: &Filter, page: &Page<TenantId>) -> Result<Fleet, Error> {
        let mut fleet = self.list(filter, page);
        self.compare(store, &mut fleet.items).await?;
        Ok(fleet)
    }

    /// Says of these tenants what Microsoft says of others.
    async fn compare(&self, store: &dyn Store, items: &mut [FleetLine]) -> Result<(), Error> {
        let has_witness = |line: &&FleetLine| line.scores.iter().any(|score| score.kind.has_witness());
        let known = items.iter().filter(|line| self.known.contains(&line.id));
        let asked: Vec<TenantId> = known.filter(has_witness).map(|line| line.id.clone()).collect();
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

    /// The tenants that match.
    #[must_use]
    pub fn list(&self, filter: &Filter, page: &Page<TenantId>) -> Fleet {
        let sorted_by = filter.score.or_else(|| self.totals.medians.first().map(|median| median.kind));
        let mut lines: Vec<&FleetLine> = self.lines.iter().filter(|line| order::matches(filter, line)).collect();
        let matching = lines.len();
        order::sort(&mut lines, filter, sorted_by);
        let (items, next) = order::cut(lines, page);
        let drawn = |line: &FleetLine| {
            let (mut line, none) = (line.clone(), Series::default());
            let series = self.series.get(&line.id).unwrap_or(&none);
            for score in &mut line.scores {
                if let Some((_, samples)) = series.iter().find(|(kind, _)| *kind == score.kind) {
                    score.draw(samples);
                }
            }
            line
        };
        let items = items.into_iter().map(drawn).collect();
        Fleet { items, next, matching, score: sorted_by, totals: self.totals.clone(), labels: self.labels.clone() }
    }
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

fn line(
    config: &Config,
    tenant: &Arc<Tenant>,
    known: Option<&TenantLine>,
    series: &[(ScoreKind, Vec<Sample>)],
    shifts: &HashMap<(TenantId, ScoreKind), Vec<ShiftedBy>>,
    now: Timestamp,
) -> FleetLine {
    let polled = |kind: ScoreKind| tenant.scores.contains(&kind);
    let mut scores: Vec<_> = series
        .iter()
        .filter(|(kind, _)| polled(*kind))
        .filter_map(|(kind, samples)| {
            // Where there was none, none is looked for.
            let shifts = if shifts.is_empty() { None } else { shifts.get(&(tenant.id.clone(), *kind)) };
            FleetScore::of(*kind, samples, shifts.map_or(&[], Vec::as_slice))
        })
        .collect();
    scores.sort_by_key(|score| score.kind);
    FleetLine {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
        labels: tenant.labels.clone(),
        scores,
        alerts: AlertCounts::default(),
        freshness: freshness(config, known, now),
        checked_at: known.and_then(|line| line.checked_at),
        next_check_at: known.map(|line| line.next_due_at),
        failing: known.and_then(|line| line.failing.clone()),
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

fn labels(tenants: &[&Arc<Tenant>]) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    /// More values than a person chooses from: such a label names single tenants.
    const VALUES_MAX: usize = 40;
    let mut labels: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for (key, value) in tenants.iter().flat_map(|tenant| tenant.labels.iter()) {
        let values = labels.entry(key.clone()).or_default();
        if values.len() <= VALUES_MAX && !values.contains(value) {
            values.push(value.clone());
        }
    }
    labels.retain(|_, values| values.len() <= VALUES_MAX);
    for values in labels.values_mut() {
        values.sort();
    }
    labels
}
