//! The watchdog: systemd is notified that the service does its work only if planner, dispatcher and web have each shown progress since
//! it last heard so. A part that hangs ends in a restart, which repeats and forgets nothing.

use std::{net::SocketAddr, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::ticker::Ticks;
use crate::{
    domain::format_duration,
    egress::Egress,
    systemd,
    telemetry::{Health, Metrics, health::PARTS},
    web::probe,
};

/// How often within systemd's interval the parts are checked.
const LOOKS: u32 = 6;
/// After that share of systemd's interval without progress, a heartbeat is missed: one in this many.
const MISSED_AFTER: u32 = 2;

/// What the watchdog looks at.
pub struct Watched {
    /// The health of the service's parts.
    pub health: Health,
    /// The counters that the service keeps.
    pub metrics: Metrics,
    /// By which planner and dispatcher are asked for progress.
    pub ticks: Ticks,
    /// Where the service listens.
    pub address: SocketAddr,
}

/// Feeds systemd's watchdog within `interval` until shutdown.
pub async fn watch(interval: Duration, watched: Watched, shutdown: CancellationToken) {
    let egress = Egress::new();
    let look = interval / LOOKS;
    info!(interval = format_duration(interval), "the watchdog is fed while planner, dispatcher and web make progress");
    let (mut fed_at, mut fed, mut is_missed) = (Instant::now(), watched.health.progress(), false);
    while shutdown.run_until_cancelled(tokio::time::sleep(look)).await.is_some() {
        // Whoever works answers immediately.
        watched.ticks.due_scan.notify_one();
        watched.ticks.sweep.notify_one();
        // Asks ourselves through the listener.
        let asked = probe::ask(&egress, watched.address, probe::LIVE, look).await;
        if asked.is_ok_and(|answer| answer.is_good) {
            watched.health.web_answered();
        }
        let progress = watched.health.progress();
        let still: Vec<&str> = PARTS
            .iter()
            .zip(progress.iter().zip(fed))
            .filter(|(_, (now, fed))| **now == *fed)
            .map(|(part, _)| *part)
            .collect();
        if still.is_empty() {
            systemd::feed_watchdog();
            (fed_at, fed, is_missed) = (Instant::now(), progress, false);
        } else if !is_missed && fed_at.elapsed() >= interval / MISSED_AFTER {
            is_missed = true;
            watched.metrics.heartbeat_missed();
            let parts = still.join(", ");
            error!(parts, "no progress; if this continues, systemd restarts the service");
        }
    }
}
