//! What would gain the most points across the fleet: Defender's recommendations as they are remembered of each tenant. They are read when
//! an alert of the tenant fires or worsens, so what was done since still counts.

use super::Error;
pub use crate::{domain::Impact, store::Advice};
use crate::{domain::Scope, store::Overview};

/// The recommendations by which the tenants of the scope would gain the most points together, most points first, at most `limit`.
///
/// # Errors
/// [`Error::Store`].
pub async fn work(store: &dyn Overview, scope: &Scope, limit: u32) -> Result<Vec<Advice>, Error> {
    Ok(store.advice(scope.tenants(), limit).await?)
}
