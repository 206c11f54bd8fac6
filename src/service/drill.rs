//! Drills: finds the channels that have long not been proven, and queues a marked message for each.

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

pub use crate::delivery::drill::queue;
use crate::{
    clock::Clock,
    config::Config,
    domain::Timestamp,
    notify::drill,
    schedule::phase,
    store::{Channels, Store, StoreError},
};

/// Queues a drill for every channel that is due, each to be sent at a moment of its own within [`drill::SPREAD`]. The same
/// drill is queued once, also over a crash: the transaction that queues it notes that the channel is drilled.
///
/// # Errors
/// [`StoreError`].
pub async fn queue_due(store: &dyn Store, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    onboard(store, config, now).await?;
    for record in store.channels().await? {
        let interval = config.channels.get(&record.channel).and_then(|settings| settings.drill);
        let Some(due_at) = interval.and_then(|interval| record.last_verified().drill_due_at(interval, now)) else {
            continue;
        };
        let at = now.plus(phase(record.channel.as_str(), drill::SPREAD));
        if queue(store, config, &record.channel, due_at, at).await? {
            info!(channel = %record.channel, %at, "a drill is queued");
        }
    }
    Ok(())
}

/// Lets the time until the first drill of every new channel begin: nobody gets a drill for having been configured.
///
/// # Errors
/// [`StoreError`].
pub async fn onboard(store: &dyn Channels, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let known = store.channels().await?;
    let seen: BTreeSet<_> =
        known.iter().filter(|record| record.seen_at.is_some()).map(|record| &record.channel).collect();
    let new: BTreeSet<_> = config.channels.keys().filter(|name| !seen.contains(name)).cloned().collect();
    if new.is_empty() { Ok(()) } else { store.onboard_channels(new, now).await }
}

/// Adopts the channels that each reload brings, until shutdown. What fails is made up by the next [`queue_due`].
pub async fn onboard_reloaded(
    store: Arc<dyn Store>,
    mut config: watch::Receiver<Arc<Config>>,
    clock: Clock,
    shutdown: CancellationToken,
) {
    while let Some(Ok(())) = shutdown.run_until_cancelled(config.changed()).await {
        let current = config.borrow_and_update().clone();
        if let Err(error) = onboard(store.as_ref(), &current, clock.now()).await {
            error!(%error, "new channels could not be recorded; trying again within the hour");
        }
    }
}
