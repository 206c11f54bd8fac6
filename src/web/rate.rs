//! A cap on what anybody may ask of the store without sign-in.

use std::sync::{Mutex, PoisonError};

use crate::domain::Timestamp;

/// The most requests a second: more than people press buttons, less than the store notices.
pub(super) const PER_SECOND_MAX: u32 = 20;

/// Counts the requests of one second, whoever makes them.
#[derive(Debug)]
pub(super) struct Rate(Mutex<(i64, u32)>);

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new((Timestamp::EPOCH.as_seconds(), 0)))
    }
}

impl Rate {
    /// Counts a request; `false`: it is one too many.
    pub(super) fn admits(&self, now: Timestamp) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != now.as_seconds() {
            *counted = (now.as_seconds(), 0);
        }
        counted.1 = counted.1.saturating_add(1);
        counted.1 <= PER_SECOND_MAX
    }
}
