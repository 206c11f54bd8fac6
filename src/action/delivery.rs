//! Sends a delivery again.

use crate::{
    domain::{Scope, Timestamp},
    query::{
        Error,
        deliveries::{self, DeliveryId},
    },
    store::Store,
};

/// Queues a finished, dead, held or suppressed delivery again; its notification keeps its id. The running service sends it within
/// seconds.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it is on its way already; [`Error::Store`].
pub async fn resend(store: &dyn Store, scope: &Scope, id: DeliveryId, now: Timestamp) -> Result<(), Error> {
    let state = deliveries::show(store, scope, id).await?.delivery.state;
    if store.resend(id, now).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!("delivery {id} is already on its way ({})", state.as_str())))
}
