//! `GET /api/recommendations` of Defender for Endpoint: what a tenant should do, and how much Microsoft expects of it.

use std::collections::HashSet;

use serde::Deserialize;

use crate::{
    domain::{Recommendation, RecommendationList},
    microsoft::{
        Failure,
        bounded::{self, Few, Scalar},
    },
};

/// How many are asked for, of at most 10,000 ("List all recommendations"). Tenants have some hundred.
const TOP: usize = 2_000;
/// What a service that overlooks `$top` may give.
const ROWS_MAX: usize = 10_000;
/// A recommendation has some 1.2 KB.
pub(super) const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// An impact is a part of a score, which has some hundred points.
const IMPACT_MAX: f64 = 100_000.0;

#[derive(Deserialize)]
struct Page {
    value: Few<Row, ROWS_MAX>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Scalar,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    id: Scalar,
    recommendation_name: Scalar,
    recommendation_category: Scalar,
    remediation_type: Scalar,
    config_score_impact: Scalar,
    exposure_impact: Scalar,
    exposed_machines_count: Scalar,
    total_machine_count: Scalar,
    status: Scalar,
}

/// The path and query of the first page.
pub(super) fn path(only_configuration: bool) -> String {
    let filter = if only_configuration { "$filter=remediationType%20eq%20'ConfigurationChange'&" } else { "" };
    format!("/api/recommendations?{filter}$top={TOP}")
}

/// Reads the list. One without an id can't be distinguished from others and is left out; of two with one id the first
/// counts.
///
/// # Errors
/// [`crate::microsoft::FailureClass::Garbage`] when it can't be read.
pub(super) fn read(page: &[u8]) -> Result<RecommendationList, Failure> {
    let Page { value, next } = bounded::read(page)?;
    let is_complete = value.0.len() < TOP && next.text().is_none();
    let mut seen = HashSet::new();
    let items = value.0.iter().filter_map(Row::recommendation).filter(|item| seen.insert(item.id.clone())).collect();
    Ok(RecommendationList { items, is_complete })
}

impl Row {
    fn recommendation(&self) -> Option<Recommendation> {
        let id = self.id.line()?;
        let impact = |raw: &Scalar| raw.number().filter(|impact| (0.0..=IMPACT_MAX).contains(impact));
        Some(Recommendation {
            name: self.recommendation_name.line().unwrap_or_else(|| id.clone()),
            category: self.recommendation_category.line(),
            is_configuration: self.remediation_type.text() == Some("ConfigurationChange") || id.starts_with("sca-_-"),
            config_impact: impact(&self.config_score_impact),
            exposure_impact: impact(&self.exposure_impact),
            exposed: self.exposed_machines_count.count(),
            total: self.total_machine_count.count(),
            is_exception: self.status.text() == Some("Exception"),
            id,
        })
    }
}
