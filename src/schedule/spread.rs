//! Where in the spread window a tenant's checks lie: a stable hash of its id, so that a restart keeps the phase.

use std::time::Duration;

use crate::domain::TenantId;

/// The tenant's own delay after each tick, in `[0, spread)`; the same for ever, in every process.
#[must_use]
pub fn phase(_tenant: &TenantId, _spread: Duration) -> Duration {
    unimplemented!()
}
