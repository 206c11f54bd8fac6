//! What is known of the other replicas, and what this one says to them.

use std::future::pending;

use super::Division;
use crate::store::RejectedConfiguration;

impl Division {
    /// This replica's id; `None`: the store is not shared.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.as_ref().map(|inner| &*inner.id)
    }

    /// Whether every replica that lives runs the same configuration. Until then, nothing is ended or moved because a configuration lacks
    /// it.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.state().replicas.agrees)
    }

    /// Whether a replica that lives rejects a changed configuration, as far as is known.
    #[must_use]
    pub fn hears_of_rejection(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.state().replicas.is_rejected)
    }

    /// How many replicas live, at least one.
    #[must_use]
    pub fn living(&self) -> u32 {
        self.0.as_ref().map_or(1, |inner| inner.state().replicas.living.max(1))
    }

    /// Notes the configuration that is in force from now on.
    pub fn configured(&self, fingerprint: String) {
        if let Some(inner) = &self.0 {
            let mut state = inner.state();
            if state.fingerprint != fingerprint {
                // What the others run is known after the next look.
                (state.fingerprint, state.replicas.agrees) = (fingerprint, false);
                drop(state);
                inner.nudge.notify_one();
            }
        }
    }

    /// Notes the changed configuration that this replica rejects, for the others; `None`: it rejects none.
    pub fn rejects(&self, rejected: Option<RejectedConfiguration>) {
        if let Some(inner) = &self.0 {
            let mut state = inner.state();
            if state.rejected != rejected {
                // Whether the others hear of it is known after the next look.
                state.replicas.is_rejected |= rejected.is_some();
                state.rejected = rejected;
                drop(state);
                inner.nudge.notify_one();
            }
        }
    }

    /// Waits until every replica that lives runs the same configuration.
    pub async fn agreed(&self) {
        let Some(inner) = &self.0 else { return };
        let mut changes = inner.revision.subscribe();
        while !self.agrees() {
            if changes.changed().await.is_err() {
                return pending().await;
            }
        }
    }
}
