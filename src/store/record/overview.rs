//! A fleet at a glance.

use serde::Serialize;

use super::Failing;
use crate::{
    domain::{EntraTenantId, Impact, Sample, ScoreKind, TenantId, Timestamp},
    rule::RuleName,
};

/// A tenant without its series and alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantLine {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// Its id in Entra; `None`: the row is from a time when the store did not note it.
    pub entra: Option<EntraTenantId>,
    /// Grows with every commit of this tenant.
    pub version: u64,
    /// When it was last checked, whatever came of it.
    pub checked_at: Option<Timestamp>,
    /// When its next check is due.
    pub next_due_at: Timestamp,
    /// Since when its checks fail, and how; `None`: the last one succeeded.
    pub failing: Option<Failing>,
}

/// The samples of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSamples {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// The kind of score that is measured.
    pub score: ScoreKind,
    /// The samples of the series, oldest first.
    pub samples: Vec<Sample>,
}

/// An alert that pends or fires, without its state and notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAlert {
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// The name of the alert's rule.
    pub rule: RuleName,
    /// Whether it fires; otherwise it pends.
    pub is_firing: bool,
    /// Whether a person has seen it.
    pub is_acknowledged: bool,
}

/// What one recommendation would gain over many tenants.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Advice {
    /// The identifier that Microsoft gives it.
    pub id: String,
    /// What to do, in Microsoft's words; null: unknown.
    pub name: Option<String>,
    /// The score that would gain.
    pub impact: Impact,
    /// How much that score would gain in all tenants together, in points.
    pub points: f64,
    /// How many tenants need it.
    pub tenants: u64,
    /// How many of their devices do not follow it.
    pub exposed: u64,
    /// When the oldest of the lists was read that it was found in.
    pub oldest_at: Timestamp,
}

/// What one recommendation would gain in one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantAdvice {
    /// The identifier that Microsoft gives the recommendation.
    pub id: String,
    /// The score that would gain.
    pub impact: Impact,
    /// The tenant, by its slug.
    pub tenant: TenantId,
    /// How much that score would gain, in points.
    pub points: f64,
}
