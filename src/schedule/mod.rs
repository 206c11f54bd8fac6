//! Times that come round: cron in a time zone, spread by a stable hash, windows. Pure.

pub mod checks;
pub mod cron;
pub mod spread;
pub mod window;

pub use checks::{checks_between, next_check};
pub use cron::Schedule;
pub use spread::phase;
pub use window::{Window, WindowEnd};
