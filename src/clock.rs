//! The only reader of the system clock, and its hand-driven twin for tests.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use tokio::sync::watch;

use crate::domain::Timestamp;

/// Tells the time and waits. Cheap to clone; clones of a manual clock show the same time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock; waits go by monotonic time.
    #[default]
    System,
    /// Stands still until a test moves it.
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// A clock that stands at that instant.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(start)))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
            Self::System => Timestamp::from_chrono(Utc::now()).unwrap_or(Timestamp::EPOCH),
            Self::Manual(time) => *time.borrow(),
        }
    }

    /// Waits that long by this clock.
    pub async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Manual(time) => {
                let until = self.now().plus(duration);
                let mut changes = time.subscribe();
                // An error means that the sender is gone, which `self` rules out.
                let _ = changes.wait_for(|now| *now >= until).await;
            }
        }
    }

    /// Moves a manual clock forward and wakes whoever waits for that time. The system's clock takes no orders.
    pub fn advance(&self, duration: Duration) {
        if let Self::Manual(time) = self {
            time.send_modify(|now| *now = now.plus(duration));
        }
    }
}
