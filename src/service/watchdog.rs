//! The watchdog: planner, dispatcher and web must each show progress within its interval. A part that hangs ends in a restart, which
//! repeats and forgets nothing: systemd restarts a service that does not feed its watchdog, anybody else one whose `/healthz` fails.

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

/// How long a part may make no progress where systemd does not say so: as `WatchdogSec=` of the units.
const INTERVAL: Duration = Duration::from_secs(90);
/// How often within the interval the parts are checked.
const LOOKS: u32 = 6;
/// After that share of the interval without progress, a heartbeat is missed: one in this many.
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

/// Looks for progress until shutdown. Systemd's watchdog is fed within the interval that `systemd` has set, if it has.
pub async fn watch(systemd: Option<Duration>, watched: Watched, shutdown: CancellationToken) {
    let egress = Egress::new();
    let interval = systemd.unwrap_or(INTERVAL);
    let look = interval / LOOKS;
    if systemd.is_some() {
        info!(
            interval = format_duration(interval),
            "the watchdog is fed while planner, dispatcher and web make progress"
        );
    }
    let mut progress = Progress::new(interval, Instant::now(), watched.health.progress());
    while shutdown.run_until_cancelled(tokio::time::sleep(look)).await.is_some() {
        // Whoever works answers immediately.
        watched.ticks.due_scan.notify_one();
        watched.ticks.sweep.notify_one();
        // Asks ourselves through the listener. Any answer is progress: while another part stalls, the answer is that it does.
        if probe::ask(&egress, watched.address, probe::LIVE, look).await.is_ok() {
            watched.health.web_answered();
        }
        match progress.look(Instant::now(), watched.health.progress()) {
            Seen::Progress => {
                watched.health.stalls(Vec::new());
                if systemd.is_some() {
                    systemd::feed_watchdog();
                }
            }
            Seen::Waiting => {}
            Seen::Missed(parts) => {
                watched.metrics.heartbeat_missed();
                let parts = parts.join(", ");
                if systemd.is_some() {
                    error!(parts, "no progress; if this continues, systemd restarts the service");
                } else {
                    error!(
                        parts,
                        "no progress; if this continues, `/healthz` fails, so that a probe restarts the service"
                    );
                }
            }
            Seen::Stalled(parts) => {
                if watched.health.stalled().is_empty() {
                    error!(parts = parts.join(", "), "no progress within the watchdog's interval; `/healthz` fails");
                }
                watched.health.stalls(parts);
            }
        }
    }
}

/// Since when some part has made no progress.
struct Progress {
    interval: Duration,
    /// When all parts had made progress.
    at: Instant,
    /// How far each of them was.
    then: [u64; PARTS.len()],
    is_missed: bool,
}

/// What a look at the parts has found.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// All have made progress.
    Progress,
    /// Some have not, but they have time.
    Waiting,
    /// These have made none for half the interval; said once.
    Missed(Vec<&'static str>),
    /// These have made none for the whole interval.
    Stalled(Vec<&'static str>),
}

impl Progress {
    const fn new(interval: Duration, at: Instant, then: [u64; PARTS.len()]) -> Self {
        Self { interval, at, then, is_missed: false }
    }

    fn look(&mut self, at: Instant, progress: [u64; PARTS.len()]) -> Seen {
        let pairs = PARTS.iter().zip(progress.iter().zip(self.then));
        let still: Vec<_> = pairs.filter(|(_, (now, then))| **now == *then).map(|(part, _)| *part).collect();
        let silent = at.saturating_duration_since(self.at);
        if still.is_empty() {
            *self = Self::new(self.interval, at, progress);
            Seen::Progress
        } else if !self.is_missed && silent >= self.interval / MISSED_AFTER {
            self.is_missed = true;
            Seen::Missed(still)
        } else if silent >= self.interval {
            Seen::Stalled(still)
        } else {
            Seen::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_progress_is_missed_once_then_stalled_until_it_goes_on() {
        let start = Instant::now();
        let mut progress = Progress::new(INTERVAL, start, [0; 3]);
        let mut look = |second, done| progress.look(start + Duration::from_secs(second), done);
        let (missed, stalled) = (|| Seen::Missed(vec!["dispatcher"]), || Seen::Stalled(vec!["dispatcher"]));
        for (second, done, seen) in [
            (15, [1, 1, 1], Seen::Progress),
            (30, [2, 1, 2], Seen::Waiting),
            (59, [3, 1, 3], Seen::Waiting),
            (60, [4, 1, 4], missed()),
            (75, [5, 1, 5], Seen::Waiting),
            (105, [6, 1, 6], stalled()),
            (120, [7, 1, 7], stalled()),
            (135, [8, 2, 8], Seen::Progress),
            (179, [9, 2, 9], Seen::Waiting),
            (180, [10, 2, 10], missed()),
            (195, [10, 2, 10], Seen::Waiting),
            (225, [10, 2, 10], Seen::Stalled(vec!["dispatcher"])),
        ] {
            assert_eq!(look(second, done), seen, "at {second} s");
        }
    }

    #[test]
    fn a_part_counts_as_stalled_only_if_it_did_nothing_since_all_last_went_on() {
        let start = Instant::now();
        let mut progress = Progress::new(INTERVAL, start, [5, 5, 5]);
        assert_eq!(progress.look(start + INTERVAL, [6, 5, 5]), Seen::Missed(vec!["dispatcher", "web"]));
        assert_eq!(progress.look(start + INTERVAL, [6, 6, 5]), Seen::Stalled(vec!["web"]));
        assert_eq!(progress.look(start + INTERVAL, [6, 6, 6]), Seen::Progress);
    }
}
