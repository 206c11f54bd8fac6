//! What the service says about itself: counters for machines, health for whoever restarts it.

mod classic;
mod gauges;
pub mod health;
pub mod metrics;

pub use classic::classic;
pub use health::{Health, Sign, StoreTrouble};
pub use metrics::{ChannelCounts, Gauges, Metrics, ReplicaCounts, TenantScore};
