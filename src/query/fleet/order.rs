//! Which tenants of the fleet, and in which order. Pure.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Filter, FleetScore, Freshness, line::Line};
use crate::{
    domain::{ScoreKind, TenantId, Timestamp},
    query::{Listing, Page},
};

/// What a list of tenants is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// What needs a person first: by the worst alert, then what can't be read, then by what was lost in a day.
    #[default]
    Attention,
    /// By the name of the tenant.
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
    /// Every order that a list can have.
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
    /// At least one alert of the tenant fires.
    Firing,
    /// It can't be read, was never checked, or is overdue.
    Blind,
    /// A score got worse by a hundredth or more within 24 hours, not counting what a fleet shift did to it.
    Worse,
    /// A score got worse by that because of a fleet shift, and none did on its own account.
    Shifted,
}

impl Only {
    /// Every condition by which a list can be narrowed.
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
    pub(super) fn holds(self, line: &Line) -> bool {
        match self {
            Self::Firing => line.alerts.firing() > 0,
            Self::Blind => line.freshness != Freshness::Fresh,
            Self::Worse => line.lost.is_some_and(|share| share >= WORSE),
            Self::Shifted => !Self::Worse.holds(line) && line.lost_by_any.is_some_and(|share| share >= WORSE),
        }
    }
}

pub(super) fn matching<'a>(lines: &'a [Line], filter: &Filter) -> Vec<&'a Line> {
    let Filter { search, labels, only, .. } = filter;
    let search = search.as_deref().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
    let is_found = |line: &Line| {
        search.as_deref().is_none_or(|text| line.id.as_str().contains(text) || line.name.to_lowercase().contains(text))
    };
    let has = |line: &Line, (key, value): &(String, String)| {
        line.labels.get(key.as_str()).is_some_and(|has| **has == **value)
    };
    let matches = |line: &&Line| {
        only.is_none_or(|only| only.holds(line)) && labels.iter().all(|label| has(line, label)) && is_found(line)
    };
    lines.iter().filter(matches).collect()
}

/// The page of these lines in an order: what follows its cursor, or the beginning if that has left the list. Only as much is put in order
/// as is shown.
pub(super) fn page<'a>(
    lines: &[&'a Line],
    filter: &Filter,
    score: Option<ScoreKind>,
    page: &Page<TenantId>,
) -> Listing<&'a Line, TenantId> {
    // What the order is about is computed once for each line, not for each comparison.
    let mut keyed: Vec<(Key, &Line)> = lines.iter().map(|line| (Key::of(line, filter.sort, score), *line)).collect();
    // No two lines are equal in it.
    let order = |(key, a): &(Key, &Line), (other, b): &(Key, &Line)| {
        let order = key.cmp(other).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id));
        if filter.is_reversed { order.reverse() } else { order }
    };
    let after = page.after.as_ref().and_then(|after| keyed.iter().find(|(_, line)| line.id == *after).copied());
    if let Some(after) = after {
        keyed.retain(|line| order(line, &after).is_gt());
    }
    let most = page.to_read().and_then(|most| usize::try_from(most).ok()).filter(|most| *most < keyed.len());
    if let Some(most) = most {
        keyed.select_nth_unstable_by(most, order);
        keyed.truncate(most);
    }
    keyed.sort_unstable_by(order);
    let lines = keyed.into_iter().map(|(_, line)| line).collect();
    Listing::cut(lines, page, |last: &&Line| last.id.clone())
}

/// What an order is about; what it is not about is the same for all.
#[derive(Debug, Clone, Copy, Default)]
struct Key {
    attention: Option<(u32, bool, u32, u32, bool)>,
    lost: Option<f64>,
    checked_at: Option<Timestamp>,
}

impl Key {
    fn of(line: &Line, sort: Sort, score: Option<ScoreKind>) -> Self {
        let of = |value: fn(&FleetScore) -> Option<f64>| {
            let lost = score.and_then(|kind| line.score(kind)).and_then(|score| Some(score.loss(value(score)?)));
            Self { lost, ..Self::default() }
        };
        match sort {
            Sort::Attention => Self { attention: Some(attention(line)), lost: line.lost, checked_at: None },
            Sort::Name => Self::default(),
            Sort::Value => of(|score| Some(score.value)),
            Sort::Day => of(|score| score.day),
            Sort::Week => of(|score| score.week),
            Sort::Month => of(|score| score.month),
            Sort::Checked => {
                Self { checked_at: line.found.as_ref().and_then(|found| found.checked_at), ..Self::default() }
            }
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let order = other.attention.cmp(&self.attention).then_with(|| greatest_first(self.lost, other.lost));
        order.then_with(|| self.checked_at.cmp(&other.checked_at))
    }
}

/// The greater, the sooner a person is needed.
const fn attention(line: &Line) -> (u32, bool, u32, u32, bool) {
    let alerts = &line.alerts;
    let is_blind = !matches!(line.freshness, Freshness::Fresh);
    (alerts.critical, is_blind, alerts.warning, alerts.info, alerts.pending > 0)
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
