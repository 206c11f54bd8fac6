//! Matching tenants by their labels.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Labels;

/// Label values that a tenant must have, all of them. The empty selector matches every tenant.
///
/// ```
/// use scorewatch::domain::{Labels, Selector};
///
/// let labels: Labels = [("tier".into(), "gold".into()), ("country".into(), "de".into())].into();
/// assert!(Selector([("tier".into(), "gold".into())].into()).matches(&labels));
/// assert!(!Selector([("tier".into(), "silver".into())].into()).matches(&labels));
/// assert!(Selector::default().matches(&labels));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Selector(pub BTreeMap<Arc<str>, Arc<str>>);

impl Selector {
    /// Whether a tenant with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(key, wanted)| labels.get(key) == Some(wanted))
    }
}
