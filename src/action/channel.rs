//! Lets a parked channel go on.

use super::record::must;
use crate::{
    config::Config,
    domain::{Caller, ChannelName, Role, Timestamp},
    query::{Error, find},
    store::{NewEntry, Store},
};

/// Resumes a parked channel, even one that is no longer configured. The running service sends its queue within seconds.
///
/// # Errors
/// [`Error::NotFound`] if it does not belong to a limited scope, or is neither configured nor parked; [`Error::Conflict`] if it is not parked; [`Error::Invalid`];
/// [`Error::Store`].
pub async fn unpark(
    store: &dyn Store,
    config: &Config,
    caller: &Caller,
    name: &str,
    now: Timestamp,
) -> Result<ChannelName, Error> {
    must(caller, Role::Admin)?;
    let channel = find::channel_name(name)?;
    if !caller.scope.is_all() {
        find::channel(config, &caller.scope, name)?;
    }
    let entry = NewEntry::by(caller, "channel.unpark", Some(format!("channel {channel}")), now);
    if store.unpark(&channel, entry).await? {
        return Ok(channel);
    }
    find::channel(config, &caller.scope, name)?;
    Err(Error::Conflict(format!("channel `{channel}` is not parked")))
}
