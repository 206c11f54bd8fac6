//! Threads for work that may hang: as many as it takes, each kept for a moment after its work, so that many short jobs do not start
//! as many threads.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, SendError, SyncSender},
    },
    thread::{self, ThreadId},
    time::Duration,
};

/// How long a thread waits for its next job.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// A reader needs no more; its buffer is on the heap.
const STACK_BYTES: usize = 128 * 1024;

/// Work for one thread. It does not panic.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads that have nothing to do, the one that has waited for the shortest time last.
#[derive(Debug, Default)]
pub(super) struct Threads {
    idle: Mutex<Vec<(ThreadId, SyncSender<Job>)>>,
}

impl Threads {
    /// Runs a job on a thread that is idle, or on a new one.
    ///
    /// # Errors
    /// The system's, when no further thread can be started; then the job is not run.
    pub(super) fn run(self: &Arc<Self>, mut job: Job) -> io::Result<()> {
        while let Some((_, idle)) = self.take_last() {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(SendError(refused)) => job = refused,
            }
        }
        let threads = Arc::clone(self);
        let work = move || threads.work(job);
        thread::Builder::new().name("secret-reader".to_owned()).stack_size(STACK_BYTES).spawn(work).map(drop)
    }

    /// Does this job, and further ones as they come.
    fn work(&self, first: Job) {
        first();
        while let Some(job) = self.next() {
            job();
        }
    }

    /// Waits for a job; `None`: there was none for a while.
    fn next(&self) -> Option<Job> {
        let me = thread::current().id();
        let (sender, jobs) = mpsc::sync_channel(1);
        self.idle().push((me, sender));
        match jobs.recv_timeout(IDLE_MAX) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let is_listed = {
                    let mut idle = self.idle();
                    let before = idle.len();
                    idle.retain(|(thread, _)| *thread != me);
                    idle.len() < before
                };
                // Whoever has taken this thread from the list has a job for it.
                if is_listed { None } else { jobs.recv().ok() }
            }
        }
    }

    fn take_last(&self) -> Option<(ThreadId, SyncSender<Job>)> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(ThreadId, SyncSender<Job>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_follow_one_another_share_a_thread() {
        let threads = Arc::new(Threads::default());
        let (done, finished) = mpsc::channel();
        let mut seen = Vec::new();
        for _ in 0..20 {
            let done = done.clone();
            threads.run(Box::new(move || done.send(thread::current().id()).unwrap())).unwrap();
            seen.push(finished.recv().unwrap());
            // Until it has signed in as idle, a further job gets a thread of its own.
            while threads.idle().is_empty() {
                thread::yield_now();
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn a_job_that_hangs_keeps_nobody_waiting() {
        let threads = Arc::new(Threads::default());
        let (release, hangs) = mpsc::channel::<()>();
        threads.run(Box::new(move || _ = hangs.recv())).unwrap();
        let (done, finished) = mpsc::channel();
        for number in 0..3 {
            let done = done.clone();
            threads.run(Box::new(move || done.send(number).unwrap())).unwrap();
        }
        let mut numbers: Vec<i32> = (0..3).map(|_| finished.recv().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
        drop(release);
    }
}
