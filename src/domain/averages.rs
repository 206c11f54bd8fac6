//! What Microsoft says of other tenants beside a tenant's secure score.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Averages of other tenants' secure scores, in percent, as the tenant's newest record has them; `None`: unknown. Microsoft decides
/// which tenants are similar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Averages {
    /// The midnight with which the record's day begins, in UTC.
    pub day: Timestamp,
    /// Of tenants with about as many seats.
    pub similar_size: Option<f64>,
    /// Of tenants of the same industry.
    pub same_industry: Option<f64>,
    /// Of all of Microsoft's tenants.
    pub all_tenants: Option<f64>,
}

impl Averages {
    /// The average of those tenants that are most like it, and which these are; `None`: nothing is known.
    #[must_use]
    pub fn nearest(&self) -> Option<(f64, &'static str)> {
        let known = |average: Option<f64>, of: &'static str| average.map(|average| (average, of));
        known(self.similar_size, "similar size")
            .or_else(|| known(self.same_industry, "same industry"))
            .or_else(|| known(self.all_tenants, "all tenants"))
    }
}
