//! What a check has to report is held while a silence or a maintenance window covers it, or until the rest of the fleet was read.

use crate::{
    config::Config,
    domain::Timestamp,
    notify::{Hold, HoldReason, Silence},
    store::{CheckOutcome, Silences, Store, StoreError},
};

/// By what silences something is held, as they were when that was decided.
#[must_use = "a silence that is ended before the outcome is committed must be noticed"]
pub struct Held {
    by: Option<Vec<Silence>>,
    at: Timestamp,
}

impl Held {
    /// Once the outcome is committed: whoever ended a silence in between let everything be reviewed that was held by then, and this
    /// was not.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be asked.
    pub async fn confirm(self, store: &dyn Store) -> Result<(), StoreError> {
        let Some(known) = self.by else { return Ok(()) };
        if store.silences(Some(self.at)).await? != known {
            store.look_again(HoldReason::Silence, self.at).await?;
        }
        Ok(())
    }
}

/// Holds what is covered now. The store is asked only if there is anything to report, and as late as possible: a silence that a person
/// made while the scores were fetched counts.
///
/// # Errors
/// [`StoreError`] when the store can't say what is silenced: then nothing may be sent, nor lost.
pub async fn hold(outcome: &mut CheckOutcome, store: &dyn Silences, config: &Config) -> Result<Held, StoreError> {
    let now = outcome.now;
    if outcome.notifications.is_empty() {
        return Ok(Held { by: None, at: now });
    }
    let silences = store.silences(Some(now)).await?;
    for new in &mut outcome.notifications {
        let envelope = new.envelope();
        let until = new.match_target(&envelope).and_then(|target| config.covering(&silences, &target, now));
        let covered = until.map(|until| Hold { why: HoldReason::Silence, until });
        new.hold = new.hold.or(covered).or_else(|| config.held_for_the_fleet(&envelope, now));
    }
    let mut holds = outcome.notifications.iter().filter_map(|new| new.hold);
    let by = holds.any(|hold| hold.why == HoldReason::Silence).then_some(silences);
    Ok(Held { by, at: now })
}
