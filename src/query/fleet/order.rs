//! Which tenants of the fleet, and in which order. Pure.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Filter, FleetLine, FleetScore, Freshness};
use crate::{
    domain::{ScoreKind, TenantId, Timestamp},
    query::Page,
};

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// What needs a person first: by the worst alert, then what can't be read, then by what was lost in a day.
    #[default]
    Attention,
    /// By name.
    Name,
    /// The worst value first.
    Value,
    /// The greatest loss in 24 hours first.
    Day,
    /// The greatest loss in 7 days first.
    Week,
    /// The greatest loss in 30 days first.
    Month,
    /// What was checked longest ago first.
    Checked,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 7] =
        [Self::Attention, Self::Name, Self::Value, Self::Day, Self::Week, Self::Month, Self::Checked];

    /// The name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Name => "name",
            Self::Value => "value",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Checked => "checked",
        }
    }

    /// Finds the order of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }
}

/// A score that lost a smaller share of itself in a day did not get worse: devices come and go.
const WORSE: f64 = 0.01;

/// A condition of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    /// Something fires.
    Firing,
    /// It can't be read, was never checked, or is overdue.
    Blind,
    /// A score got worse by a hundredth or more within 24 hours, not counting what a fleet shift did to it.
    Worse,
    /// A score got worse by that because of a fleet shift, and none did on its own account.
    Shifted,
}

impl Only {
    /// Every condition.
    pub const ALL: [Self; 4] = [Self::Firing, Self::Blind, Self::Worse, Self::Shifted];

    /// The name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Blind => "blind",
            Self::Worse => "worse",
            Self::Shifted => "shifted",
        }
    }

    /// Finds the condition of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|only| only.as_str() == name)
    }

    /// Whether the tenant is in it.
    pub(super) fn holds(self, line: &FleetLine) -> bool {
        match self {
            Self::Firing => line.alerts.firing() > 0,
            Self::Blind => line.freshness != Freshness::Fresh,
            Self::Worse => lost(line).is_some_and(|share| share >= WORSE),
            Self::Shifted => {
                !Self::Worse.holds(line) && share(line, |score| score.day).is_some_and(|share| share >= WORSE)
            }
        }
    }
}

pub(super) fn matches(filter: &Filter, line: &FleetLine) -> bool {
    let Filter { search, labels, only, .. } = filter;
    let is_found = search.as_deref().map(str::trim).filter(|text| !text.is_empty()).is_none_or(|text| {
        let text = text.to_lowercase();
        line.id.as_str().contains(&text) || line.name.to_lowercase().contains(&text)
    });
    let has = |(key, value): &(String, String)| line.labels.get(key.as_str()).is_some_and(|has| **has == **value);
    is_found && labels.iter().all(has) && only.is_none_or(|only| only.holds(line))
}

pub(super) fn sort(lines: &mut [&FleetLine], filter: &Filter, score: Option<ScoreKind>) {
    // What the order is about is computed once for each line, not for each comparison.
    let mut keyed: Vec<(Key, &FleetLine)> =
        lines.iter().map(|line| (Key::of(line, filter.sort, score), *line)).collect();
    keyed.sort_by(|(key, a), (other, b)| {
        let order = key.cmp(other).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id));
        if filter.is_reversed { order.reverse() } else { order }
    });
    for (line, (_, sorted)) in lines.iter_mut().zip(keyed) {
        *line = sorted;
    }
}

/// What an order is about; what it is not about is the same for all.
#[derive(Debug, Clone, Copy, Default)]
struct Key {
    attention: Option<(u32, bool, u32, u32, bool)>,
    lost: Option<f64>,
    checked_at: Option<Timestamp>,
}

impl Key {
    fn of(line: &FleetLine, sort: Sort, score: Option<ScoreKind>) -> Self {
        let of = |value: fn(&FleetScore) -> Option<f64>| {
            let lost = score.and_then(|kind| line.score(kind)).and_then(|score| Some(score.loss(value(score)?)));
            Self { lost, ..Self::default() }
        };
        match sort {
            Sort::Attention => Self { attention: Some(attention(line)), lost: lost(line), checked_at: None },
            Sort::Name => Self::default(),
            Sort::Value => of(|score| Some(score.value)),
            Sort::Day => of(|score| score.day),
            Sort::Week => of(|score| score.week),
            Sort::Month => of(|score| score.month),
            Sort::Checked => Self { checked_at: line.checked_at, ..Self::default() },
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let order = other.attention.cmp(&self.attention).then_with(|| greatest_first(self.lost, other.lost));
        order.then_with(|| self.checked_at.cmp(&other.checked_at))
    }
}

/// The greater, the sooner a person is needed.
const fn attention(line: &FleetLine) -> (u32, bool, u32, u32, bool) {
    let alerts = &line.alerts;
    let is_blind = !matches!(line.freshness, Freshness::Fresh);
    (alerts.critical, is_blind, alerts.warning, alerts.info, alerts.pending > 0)
}

/// The greatest share that one of its scores lost in a day on its own account, so that different scores can be compared.
fn lost(line: &FleetLine) -> Option<f64> {
    share(line, FleetScore::own_day)
}

/// The greatest share that one of its scores lost by such a change.
fn share(line: &FleetLine, change: impl Fn(&FleetScore) -> Option<f64>) -> Option<f64> {
    let shares = line.scores.iter().filter_map(|score| Some(score.loss(change(score)?) / score.value.abs().max(1.0)));
    shares.max_by(f64::total_cmp)
}

/// What is not known comes last.
fn greatest_first(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The page of a list that is in its order: what follows its cursor, or the beginning if that has left the list.
pub(super) fn cut<'a>(lines: Vec<&'a FleetLine>, page: &Page<TenantId>) -> (Vec<&'a FleetLine>, Option<TenantId>) {
    let after = page.after.as_ref().and_then(|after| lines.iter().position(|line| line.id == *after));
    let rest = lines.into_iter().skip(after.map_or(0, |index| index + 1));
    let listing = super::super::Listing::cut(rest.collect(), page, |last: &&FleetLine| last.id.clone());
    (listing.items, listing.next)
}
