//! What the service says about itself: counters for machines, health for whoever restarts it.

pub mod health;
pub mod metrics;

pub use health::Health;
pub use metrics::Metrics;
