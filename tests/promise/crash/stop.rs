//! SIGTERM under load: exit 0 within its limit, nothing lost, and, since nothing is interrupted, nothing repeated.

use std::time::Duration;

use super::{report, seed, setting, stage::Stage};

const STOPS: u64 = 20;
/// The promise, for a process that is let run.
const WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_ends_in_time_and_loses_and_repeats_nothing() {
    let (stops, seed) = (setting("SCOREWATCH_CRASH_KILLS").map_or(STOPS, |kills| kills.div_ceil(15)), seed());
    report(&format!("SIGTERM under load: {stops}, SCOREWATCH_CRASH_SEED={seed}"));
    let mut stage = Stage::new("SIGTERM under load", seed).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..stops {
        stage.turn_scores();
        stage.trouble_receivers();
        let service = stage.spawn(&[]);
        service.listening().await;
        stage.random_point(&service).await;
        let (status, took) = service.stop_timed().await;
        assert_eq!(status.code(), Some(0), "{}", stage.context);
        slowest = slowest.max(took);
        stage.gone().await;
    }
    let tally = stage.finish().await;
    report(&format!("SIGTERM under load: {} accepted, {} repeats, at most {slowest:?}", tally.accepted, tally.repeats));
    assert!(slowest < WITHIN, "seed {seed}: {slowest:?}");
    assert_eq!(tally.repeats, 0, "seed {seed}");
}
