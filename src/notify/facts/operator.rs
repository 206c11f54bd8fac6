//! What a notification says to the operator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wording::News;
use crate::domain::Timestamp;

/// What an operator message is about. No text from upstream is in here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperatorFacts {
    /// What happened, as one sentence.
    pub summary: String,
    /// The same in a few words, without the tenant's name: a headline. `None`: the sentence is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What the sentence says and the headline does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The class of the trouble, for machines: `secret-expired`, `role-missing`.
    pub class: String,
    /// What to do, as one imperative sentence.
    pub hint: Option<String>,
    /// The channel it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// When the trouble began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When it ended; `None`: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many tenants an outage is about; known while it is written in words.
    #[serde(skip)]
    #[schemars(skip)]
    pub tenants: Option<usize>,
    /// The value behind the texts; in the store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub news: Option<News>,
}
