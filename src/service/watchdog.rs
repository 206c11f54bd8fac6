//! The watchdog: systemd is notified that the service does its work only if planner, dispatcher and web have each shown progress since
//! it last heard so. A part that hangs ends in a restart, which repeats and forgets nothing.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::ticker::Ticks;
use crate::{
    domain::format_duration,
    egress::{Egress, Method, Policy, Private, Request},
    systemd,
    telemetry::{Health, Metrics, health::PARTS},
};

/// How often within systemd's interval the parts are checked.
const LOOKS: u32 = 6;
/// After that share of systemd's interval without progress, a heartbeat is missed: one in this many.
const MISSED_AFTER: u32 = 2;
/// The most bytes of our own answer that are read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

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
        if is_answered(&egress, watched.address, look).await {
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

/// Asks ourselves through the listener.
async fn is_answered(egress: &Egress, address: SocketAddr, deadline: Duration) -> bool {
    let reachable = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], address.port())),
        address => address,
    };
    let request = Request {
        method: Method::Get,
        url: format!("http://{reachable}/healthz").into(),
        headers: vec![("connection", "close".into())],
        body: bytes::Bytes::new(),
    };
    let private = Private::Networks(vec![IpNet::from(reachable.ip())]);
    let policy = Policy { private, deadline, answer_bytes_max: ANSWER_BYTES_MAX, fail_above_max: false };
    egress.send(request, &policy).await.is_ok_and(|answer| answer.status == 200)
}
