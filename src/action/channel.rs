//! Lets a parked channel go on.

use crate::{
    config::Config,
    domain::{ChannelName, Scope, Timestamp},
    query::{Error, find},
    store::Channels,
};

/// Resumes a parked channel, even one that is no longer configured. The running service sends its queue within seconds.
///
/// # Errors
/// [`Error::NotFound`] if it does not belong to a limited scope; [`Error::Conflict`] if it is not parked; [`Error::Invalid`];
/// [`Error::Store`].
pub async fn unpark(
    store: &dyn Channels,
    config: &Config,
    scope: &Scope,
    name: &str,
    now: Timestamp,
) -> Result<ChannelName, Error> {
    let channel = find::channel_name(name)?;
    if !scope.is_all() {
        find::channel(config, scope, name)?;
    }
    if store.unpark(&channel, now).await? {
        return Ok(channel);
    }
    Err(Error::Conflict(format!("channel `{channel}` is not parked")))
}
