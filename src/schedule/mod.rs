//! When a tenant is due: cron in a time zone, spread by a stable hash. Pure.

pub mod cron;
pub mod spread;

pub use cron::Schedule;
pub use spread::phase;
