//! What a check has to tell is held while a silence or a maintenance window covers it, or until the rest of the fleet was read.

use crate::{
    config::Config,
    notify::{Hold, HoldReason, silence::About},
    store::{CheckOutcome, Store, StoreError},
};

/// Holds what is covered now. The store is asked only if there is anything to tell, and as late as can be: a silence that a person
/// made while the scores were fetched counts.
///
/// # Errors
/// [`StoreError`] when the store can't say what is silenced: then nothing may be told, nor lost.
pub async fn hold(outcome: &mut CheckOutcome, store: &dyn Store, config: &Config) -> Result<(), StoreError> {
    if outcome.notifications.is_empty() {
        return Ok(());
    }
    let now = outcome.now;
    let silences = store.silences(Some(now)).await?;
    for new in &mut outcome.notifications {
        let about = About::of(&new.notification);
        let until = about.and_then(|about| config.covering(&silences, &about, now));
        let covered = until.map(|until| Hold { why: HoldReason::Silence, until });
        new.hold = new.hold.or(covered).or_else(|| config.held_for_the_fleet(&new.notification, now));
    }
    Ok(())
}
