//! Which schema a store has.

use serde::Serialize;

/// The schema that a store has, and the one that this version works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SchemaStep {
    /// The number of the schema that it has; 0: it has no tables.
    pub from: u64,
    /// The number of the schema that this version works with.
    pub to: u64,
}

impl SchemaStep {
    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_current(self) -> bool {
        self.from == self.to
    }
}
