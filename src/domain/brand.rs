//! Whose reports these are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Color;

/// Whose reports these are, as customers know it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brand {
    /// The name; `None`: reports bear none.
    pub name: Option<String>,
    /// The color, as `#0b5fff`; `None`: a dark blue.
    pub color: Option<Color>,
}
