//! What the service says about itself: counters for machines, health for whoever restarts it, spans for a collector of traces.

mod classic;
mod gauges;
pub mod health;
pub mod metrics;
mod traces;

pub use classic::classic;
pub use health::{Health, Sign, StoreTrouble};
pub use metrics::{ChannelCounts, Gauges, Metrics, ReplicaCounts, TenantScore};
pub use traces::{TARGET as TRACE_TARGET, Traced};
