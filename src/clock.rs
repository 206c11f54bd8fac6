//! The only reader of the system clock, and its hand-driven twin for tests.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use crate::domain::Timestamp;

/// Gives the time and waits. Cheap to clone; clones of a manual clock show the same time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock; waits go by monotonic time.
    #[default]
    System,
    /// Stands still until a test moves it.
    Manual(Arc<watch::Sender<Hands>>),
}

/// What a manual clock shows.
#[derive(Debug, Clone, Copy)]
pub struct Hands {
    wall: Timestamp,
    /// Monotonic time since it was made; setting the wall clock does not touch it.
    passed: Duration,
    /// How much of that nobody attended, as the process was suspended.
    suspended: Duration,
}

impl Clock {
    /// A clock that stands at that instant.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(Hands {
            wall: start,
            passed: Duration::ZERO,
            suspended: Duration::ZERO,
        })))
    }

    /// The current time by this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
            Self::System => Timestamp::from_chrono(Utc::now()).unwrap_or(Timestamp::EPOCH),
            Self::Manual(hands) => hands.borrow().wall,
        }
    }

    /// Waits that long by this clock, whatever the wall clock is set to meanwhile.
    pub async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Manual(hands) => {
                let mut changes = hands.subscribe();
                let until = changes.borrow().passed.saturating_add(duration);
                // An error means that the sender is gone, which `self` rules out.
                let _ = changes.wait_for(|hands| hands.passed >= until).await;
            }
        }
    }

    /// A time that goes on while the process or the machine is suspended, and that nobody sets: how much longer it is than expected
    /// says for how long we did not run. Of a system clock it is the time since the machine booted; of a manual clock, for how
    /// long it was suspended.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        match self {
            Self::System => since_boot(),
            Self::Manual(hands) => hands.borrow().suspended,
        }
    }

    /// Lets so much time pass on a manual clock while the process is suspended.
    pub fn suspend(&self, duration: Duration) {
        if let Self::Manual(hands) = self {
            hands.send_modify(|hands| {
                hands.wall = hands.wall.plus(duration);
                hands.passed = hands.passed.saturating_add(duration);
                hands.suspended = hands.suspended.saturating_add(duration);
            });
        }
    }

    /// Lets so much time pass on a manual clock and wakes whoever waits for that. The system's clock takes no orders.
    pub fn advance(&self, duration: Duration) {
        if let Self::Manual(hands) = self {
            hands.send_modify(|hands| {
                hands.wall = hands.wall.plus(duration);
                hands.passed = hands.passed.saturating_add(duration);
            });
        }
    }

    /// Sets a manual clock's wall time, as an administrator or a time server does: no time passes by it.
    pub fn set(&self, wall: Timestamp) {
        if let Self::Manual(hands) = self {
            hands.send_modify(|hands| hands.wall = wall);
        }
    }
}

/// It goes on through a stopped process and a suspended machine. A hardened service sees no `/proc/uptime`, so the kernel is asked.
fn since_boot() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}
