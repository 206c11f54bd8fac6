//! Tasks that do not end unnoticed. Whatever is spawned is wrapped here first, which the house test enforces:
//!
//! - [`until`]: a part of the service. If it ends before shutdown or panics, the process cannot do its work: [`death`] says so,
//!   and `scorewatch run` ends with exit code 1, so that it is started again.
//! - [`unbroken`]: may end when its work is done. A panic is a death as well.
//! - [`restarted`]: one of many alike (a channel's worker). A panic is noted, and it is started again after a while.
//! - [`brief`]: one connection, one visit. A panic is noted.
//!
//! What is noted is logged, counted and handed out once by [`take_faults`], so that the operator can be notified.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// How long a task rests before it is started again; doubled each time in a row.
const RESTART_FIRST: Duration = Duration::from_secs(1);
/// No rest is longer.
const RESTART_MAX: Duration = Duration::from_mins(1);
/// Faults that are kept until somebody takes them. More are only counted.
const FAULTS_MAX: usize = 64;
/// The most characters of a panic's message that are kept.
const MESSAGE_CHARACTERS_MAX: usize = 200;

/// A task that panicked, or ended when it should have gone on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the task, as in the logs.
    pub task: &'static str,
    /// What happened, to follow the task's name in a sentence.
    pub what: String,
}

/// How often something happened to tasks of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many of its runs ended in a panic.
    pub panics: u64,
    /// They were started again.
    pub restarts: u64,
    /// They ended for good when they should have gone on.
    pub deaths: u64,
}

/// What is known of the tasks of this process.
struct Watch {
    death: watch::Sender<Option<Fault>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: BTreeMap<&'static str, Counts>,
    faults: Vec<Fault>,
}

static WATCH: LazyLock<Watch> = LazyLock::new(|| Watch { death: watch::Sender::new(None), state: Mutex::default() });

fn state() -> MutexGuard<'static, State> {
    WATCH.state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A part of the service, which goes on until shutdown.
pub async fn until(task: &'static str, shutdown: CancellationToken, work: impl Future<Output = ()>) {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    if let Err(panic) = ended {
        die(panicked(task, panic.as_ref()));
    } else if !shutdown.is_cancelled() {
        let fault = Fault { task, what: "ended, though it must go on until shutdown".to_owned() };
        error!(task, "the task `{task}` {}", fault.what);
        die(fault);
    }
}

/// Work that may end, and without which the process can't go on if it panics.
pub async fn unbroken(task: &'static str, work: impl Future<Output = ()>) {
    if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
        die(panicked(task, panic.as_ref()));
    }
}

/// One of many alike: started again when it panics, each time in a row after a longer rest. It ends when its work does.
pub async fn restarted<F: Future<Output = ()>>(
    task: &'static str,
    shutdown: CancellationToken,
    mut work: impl FnMut() -> F,
) {
    let mut rest = RESTART_FIRST;
    while let Err(panic) = AssertUnwindSafe(work()).catch_unwind().await {
        note(panicked(task, panic.as_ref()));
        if shutdown.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
            return;
        }
        rest = rest.saturating_mul(2).min(RESTART_MAX);
        state().counts.entry(task).or_default().restarts += 1;
    }
}

/// Short work of which there is more to come.
pub async fn brief(task: &'static str, work: impl Future<Output = ()>) {
    if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
        note(panicked(task, panic.as_ref()));
    }
}

/// Notes a panic that was caught elsewhere.
pub fn note_panic(task: &'static str, panic: &(dyn Any + Send)) {
    note(panicked(task, panic));
}

/// Ends the process: a part of the service can't go on, and only a restart helps. `what` follows the part's name in a sentence.
pub fn give_up(task: &'static str, what: String) {
    error!(task, "the task `{task}` {what}; only a restart helps");
    die(Fault { task, what });
}

/// Waits until a part of the service is gone.
pub async fn death() -> Fault {
    let mut deaths = WATCH.death.subscribe();
    loop {
        if let Some(fault) = deaths.borrow_and_update().clone() {
            return fault;
        }
        if deaths.changed().await.is_err() {
            // The sender is never dropped.
            std::future::pending::<()>().await;
        }
    }
}

/// What happened to tasks so far, by name.
#[must_use]
pub fn counts() -> Vec<(&'static str, Counts)> {
    state().counts.iter().map(|(task, counts)| (*task, *counts)).collect()
}

/// The faults since this was last asked.
#[must_use]
pub fn take_faults() -> Vec<Fault> {
    std::mem::take(&mut state().faults)
}

/// Counts and logs a panic.
fn panicked(task: &'static str, panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    let said: String = said.chars().take(MESSAGE_CHARACTERS_MAX).collect();
    error!(task, "the task `{task}` panicked; this is a fault of scorewatch: {said}");
    state().counts.entry(task).or_default().panics += 1;
    Fault { task, what: "panicked".to_owned() }
}

fn note(fault: Fault) {
    let mut state = state();
    if state.faults.len() < FAULTS_MAX {
        state.faults.push(fault);
    }
}

fn die(fault: Fault) {
    state().counts.entry(fault.task).or_default().deaths += 1;
    WATCH.death.send_replace(Some(fault));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn counted(task: &str) -> Counts {
        counts().into_iter().find(|(name, _)| *name == task).map(|(_, counts)| counts).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_part_that_ends_or_panics_before_shutdown_is_a_death() {
        let shutdown = CancellationToken::new();
        until("test-ends", shutdown.clone(), async {}).await;
        assert_eq!(counted("test-ends"), Counts { panics: 0, restarts: 0, deaths: 1 });
        until("test-panics", shutdown.clone(), async { panic!("on purpose") }).await;
        assert_eq!(counted("test-panics"), Counts { panics: 1, restarts: 0, deaths: 1 });
        unbroken("test-broken", async { panic!("on purpose") }).await;
        assert_eq!(counted("test-broken"), Counts { panics: 1, restarts: 0, deaths: 1 });
        assert!(death().await.task.starts_with("test-"));
        shutdown.cancel();
        until("test-stops", shutdown, async {}).await;
        unbroken("test-done", async {}).await;
        assert_eq!((counted("test-stops"), counted("test-done")), (Counts::default(), Counts::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_many_is_started_again_and_its_panic_is_handed_out_once() {
        let (starts, shutdown) = (AtomicU32::new(0), CancellationToken::new());
        restarted("test-restarts", shutdown, || async {
            assert!(starts.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
        })
        .await;
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        assert_eq!(counted("test-restarts"), Counts { panics: 1, restarts: 1, deaths: 0 });
        brief("test-brief", async { panic!("on purpose") }).await;
        let taken: Vec<_> = take_faults().into_iter().map(|fault| fault.task).collect();
        assert!(taken.contains(&"test-restarts") && taken.contains(&"test-brief"), "{taken:?}");
        assert!(!take_faults().iter().any(|fault| fault.task == "test-brief"));
    }
}
