//! Waiting for events, and how long the machine kept a process from running.
//!
//! No test's verdict depends on how fast the machine is. A test waits for the event itself, however long that takes; what waits in
//! vain is ended by [`event`] alone, which is far beyond any load and is longer the more the machine has to do. A promise of time is
//! held against the time in which the process could run ([`Watch`]).

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// What waits for longer on a machine with nothing else to do waits in vain. What blocks, and so can't wait for an [`event`], is given
/// this.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);
/// How often the machine's load is examined.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The event; `None` if it seems never to come. Nothing is ever proven by that: it ends a test that hangs, with what is known.
pub(crate) async fn event<T>(wait: impl Future<Output = T>) -> Option<T> {
    let mut wait = std::pin::pin!(wait);
    let mut waited = Duration::ZERO;
    let patience = patience();
    while waited < patience {
        tokio::select! {
            biased;
            value = &mut wait => return Some(value),
            () = tokio::time::sleep(LOOK_EVERY) => waited += LOOK_EVERY.div_f64(crowd()),
        }
    }
    None
}

/// Whoever looks for a fault may have less: `SCOREWATCH_PATIENCE`, in seconds.
fn patience() -> Duration {
    let set = std::env::var("SCOREWATCH_PATIENCE").ok().and_then(|seconds| seconds.parse().ok());
    set.map_or(PATIENCE, Duration::from_secs)
}

/// How many want to run on each core, at least one.
fn crowd() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    #[expect(clippy::cast_precision_loss, reason = "machines have few cores")]
    let cores = cores as f64;
    (load / cores).max(1.0)
}

/// Measures how long something takes, less the time for which the machine kept a process, or this watch, from running.
pub(crate) struct Watch {
    began: Instant,
    done: Arc<AtomicBool>,
    observer: JoinHandle<Duration>,
}

impl Watch {
    /// Watches the process of that number from now on.
    pub(crate) fn over(process: u32) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let observer = std::thread::spawn(move || kept_from_running(process, &seen));
        Self { began: Instant::now(), done, observer }
    }

    /// How long it took.
    pub(crate) fn stop(self) -> Duration {
        let took = self.began.elapsed();
        self.done.store(true, Ordering::Relaxed);
        took.saturating_sub(self.observer.join().unwrap())
    }
}

/// For how long the process's threads were ready to run and not let, and this thread was late, until it is done.
fn kept_from_running(process: u32, done: &AtomicBool) -> Duration {
    const EVERY: Duration = Duration::from_millis(20);
    let first = waits(process);
    let (mut waited, mut late) = (HashMap::new(), Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        let asleep = Instant::now();
        std::thread::sleep(EVERY);
        late += asleep.elapsed().saturating_sub(EVERY);
        for (thread, now) in waits(process) {
            waited.insert(thread.clone(), now.saturating_sub(first.get(&thread).copied().unwrap_or_default()));
        }
    }
    // Threads that wait do so side by side.
    late + waited.into_values().max().unwrap_or_default()
}

/// For how long each of the process's threads has waited for a core in its life.
fn waits(process: u32) -> HashMap<String, Duration> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let wait = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let nanos = text.split_whitespace().nth(1)?.parse().ok()?;
        Some((thread.file_name().to_string_lossy().into_owned(), Duration::from_nanos(nanos)))
    };
    threads.filter_map(wait).collect()
}

/// How long this thread has been computing: unlike the time that passes, this does not grow with the machine's load.
#[cfg(feature = "pfx")]
pub(crate) fn computed() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or(Duration::ZERO, Duration::from_nanos)
}
