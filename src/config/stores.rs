//! The secret stores that references may name.

use std::collections::BTreeSet;

use crate::secret_store::SecretStores;

/// The stores read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Stores {
    pub(super) good: SecretStores,
    /// Those that were already reported as wrong.
    pub(super) broken: BTreeSet<String>,
}
