//! Where channels lead. Whoever serves a channel looks, by its own files and secret stores, now and then and before each attempt, and notes
//! what is new before anything is sent. So what the store knows of a channel's receiver is true of every message that it was sent.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tracing::{info, warn};

use super::context::Context;
use crate::{
    channel::{ChannelSettings, Identity},
    config::Config,
    domain::ChannelName,
    notify::destination::{Found, KnownDestination},
    store::{ChannelIdentity, ChannelRecord, StoreError, Tenure},
};

/// Channels whose secrets are read at one time, to see where they lead.
const READ_MAX: usize = 32;
/// The longest that one of them is waited for.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Notes where the channels of this replica that are `wanted` lead, as far as the store does not know. `true`: something was noted.
pub(super) async fn note(
    context: &Context,
    config: &Config,
    records: &[ChannelRecord],
    wanted: impl Fn(&ChannelName) -> bool,
) -> Result<bool, StoreError> {
    // The files of this machine say nothing of a channel that is served elsewhere, and nobody else serves these meanwhile.
    let (mut tenures, mut reads): (Vec<Tenure>, Vec<_>) = (Vec::new(), Vec::new());
    for settings in config.channels.values().filter(|settings| wanted(&settings.name)) {
        if let Some(tenure) = context.serve(&settings.name) {
            tenures.push(tenure);
            reads.push(identity(Arc::clone(settings), context.store.identity().to_owned()));
        }
    }
    let found: Vec<Option<ChannelIdentity>> = stream::iter(reads).buffered(READ_MAX).collect().await;
    let (mut moved, mut behind, now) = (Vec::new(), Vec::new(), context.clock.now());
    for identity in found.into_iter().flatten() {
        let record = records.iter().find(|record| record.channel == identity.channel);
        let has_same_access = record.is_some_and(|record| record.access.as_deref() == Some(&*identity.access));
        let leads = record.map(|record| record.leads.clone()).unwrap_or_default();
        match leads.compare(&identity.destination, context.division.is_shared(), now) {
            Found::AsKnown if has_same_access => {}
            Found::Behind => behind.push(identity.channel),
            Found::AsKnown | Found::First | Found::Elsewhere => moved.push(identity),
        }
    }
    if !behind.is_empty() {
        let channels = behind.iter().map(ChannelName::as_str).collect::<Vec<_>>().join(", ");
        warn!(
            channels,
            "another replica has newer secrets for these channels; their messages are sent once this replica has them too, or after ten minutes"
        );
    }
    if moved.is_empty() {
        return Ok(false);
    }
    context.store.note_channels(moved, now).await?;
    drop(tenures);
    Ok(true)
}

/// Looks where the channel of an attempt leads, and notes what is new.
///
/// # Errors
/// [`StoreError`]: it could not be noted.
pub(super) async fn before_attempt(
    context: &Context,
    settings: &Arc<ChannelSettings>,
    known: &KnownDestination,
) -> Result<Found, StoreError> {
    let Some(identity) = identity(Arc::clone(settings), context.store.identity().to_owned()).await else {
        // The attempt says what can't be read.
        return Ok(Found::AsKnown);
    };
    let now = context.clock.now();
    let found = known.compare(&identity.destination, context.division.is_shared(), now);
    if matches!(found, Found::First | Found::Elsewhere) {
        context.store.note_channels(vec![identity], now).await?;
    }
    if found == Found::Elsewhere {
        info!(channel = %settings.name, "the channel leads elsewhere now; alerts that fire are sent there");
        // Whoever leads finds that in the store; this may be who does.
        context.routes.lock().await.take();
    }
    Ok(found)
}

/// Where a channel leads. Of one whose secrets can't be read, or not in time, nothing is known: it is as it was. That it can't be
/// written to is said when it is tried.
async fn identity(settings: Arc<ChannelSettings>, key: String) -> Option<ChannelIdentity> {
    let channel = settings.name.clone();
    // A disk that does not answer must hold up neither the runtime nor the other channels.
    let read = tokio::task::spawn_blocking(move || settings.identity(&key).ok());
    let Identity { destination, access } = tokio::time::timeout(READ_WITHIN, read).await.ok()?.ok()??;
    Some(ChannelIdentity { channel, destination, access })
}
