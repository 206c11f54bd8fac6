//! Counters and gauges, in `OpenMetrics` text. No label carries a tenant: there may be a million.

use std::{sync::Arc, time::Duration};

use crate::domain::ChannelName;

/// Every counter of the process. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    _inner: Arc<()>,
}

impl Metrics {
    /// A check ended; `outcome` is `ok` or a failure class's text form. `lateness` is how long after its due instant it began.
    pub fn check_finished(&self, _outcome: &str, _lateness: Duration) {}

    /// Entra was asked for a token; `outcome` is `ok` or a failure class's text form.
    pub fn token_requested(&self, _outcome: &str) {}

    /// A transition was committed; `kind` is a notification type's text form.
    pub fn notification_made(&self, _kind: &str) {}

    /// A delivery was attempted; `outcome` is `delivered`, `retry`, `dead` or `parked`. `duration` is the attempt's.
    pub fn attempt_made(&self, _channel: &ChannelName, _outcome: &str, _duration: Duration) {}

    /// A configuration was taken (`true`) or refused.
    pub fn reloaded(&self, _taken: bool) {}
}
