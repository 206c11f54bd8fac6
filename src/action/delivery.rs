//! Sends a delivery again.

use super::record::must;
use crate::{
    config::Config,
    domain::{Caller, Role, Timestamp},
    query::{
        Error, Thing,
        deliveries::{self, Delivery, DeliveryId},
        numbers::Numbers,
    },
    store::{NewEntry, Store},
};

/// Queues a finished, dead, held or suppressed delivery again; its notification keeps its id. The running service sends it within
/// seconds. Without the configuration in force, it is not known whether its channel still exists.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] if it is on its way already or its channel is gone; [`Error::Store`].
pub async fn resend(
    store: &dyn Store,
    config: Option<&Config>,
    caller: &Caller,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), Error> {
    must(caller, Role::Analyst)?;
    let Delivery { state, channel, .. } = deliveries::show(store, &caller.scope, id).await?.delivery;
    if config.is_some_and(|config| !config.channels.contains_key(&channel)) {
        return Err(Error::Conflict(format!(
            "the channel of delivery {id} is no longer configured, so nothing can be sent to it; define it again under `channels:`, \
             or pass the message on yourself: `scorewatch deliveries show {id}` prints it"
        )));
    }
    let meant = Numbers::of_deliveries(store, &caller.scope).meant(id.0).map(DeliveryId);
    let meant = meant.ok_or_else(|| Error::not_found(Thing::Delivery, id))?;
    let entry = NewEntry::by(caller, "delivery.resend", Some(format!("delivery {meant}")), now);
    if store.resend(meant, entry).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!("delivery {id} is already on its way ({})", state.as_str())))
}
