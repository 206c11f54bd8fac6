//! What the service says about itself: counters for machines, health for whoever restarts it.

pub mod health;
pub mod metrics;
mod standing;

pub use health::{Health, Sign, StoreTrouble};
pub use metrics::{ChannelCounts, Metrics, Standing};
