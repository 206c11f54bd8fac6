//! A channel's secrets: asked for before a message is written, and again when its receiver is gone.

use futures_util::future::join_all;

use crate::{
    channel::ChannelSettings,
    secret::{ExposeSecret, SecretReference, SecretString},
};

/// Brings them up to date, so that a message can be written without waiting. What can't be had is said when it is written.
pub async fn fetch(settings: &ChannelSettings) {
    join_all(settings.kind.secrets().into_iter().map(SecretReference::fetch)).await;
}

/// Asks anew after a receiver refused everything for good. Whether there is something else to try it with.
pub(super) async fn have_changed(settings: &ChannelSettings) -> bool {
    let stored: Vec<_> = settings.kind.secrets().into_iter().filter(|secret| secret.is_stored()).collect();
    let hold = |secrets: &[&SecretReference]| -> Vec<Option<SecretString>> {
        secrets.iter().map(|secret| secret.resolve().ok()).collect()
    };
    let before = hold(&stored);
    for secret in &stored {
        secret.doubt();
    }
    join_all(stored.iter().map(|secret| secret.fetch())).await;
    let is_new = |(before, now): (&Option<SecretString>, &Option<SecretString>)| match (before, now) {
        (Some(before), Some(now)) => before.expose_secret() != now.expose_secret(),
        _ => false,
    };
    before.iter().zip(&hold(&stored)).any(is_new)
}
