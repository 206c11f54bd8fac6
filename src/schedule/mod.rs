//! Times that come round: cron in a time zone, spread by a stable hash, windows. Pure.

mod cause;
pub mod caution;
pub mod checks;
pub mod cron;
mod month;
mod occurrence;
#[cfg(test)]
mod scan;
pub mod spread;
mod weekday;
pub mod window;
pub mod zone;

pub use caution::{Caution, Misreading, caution};
pub use checks::{checks_between, next_check};
pub use cron::{Gaps, Schedule};
pub use month::{Day, Month};
pub use spread::phase;
pub use window::{Window, WindowEnd};
pub use zone::Zone;
