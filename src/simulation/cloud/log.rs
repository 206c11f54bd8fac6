//! What was asked and answered: counters for all, a bounded log for the newest, and a bell for those who wait.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::watch;
use uuid::Uuid;

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// A request for a token.
    Token,
    /// A request for a score.
    Score,
    /// What stands behind a score: profiles of controls, recommendations.
    Guidance,
    /// Anything that this cloud does not serve.
    Other,
}

/// The numbers of requests so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many tokens were asked for.
    pub token_requests: u64,
    /// How many tokens were granted.
    pub tokens_granted: u64,
    /// How many scores were asked for.
    pub score_requests: u64,
    /// Scores answered with 200.
    pub scores_given: u64,
    /// What stands behind scores, asked for.
    pub guidance_requests: u64,
    /// Requests for anything else.
    pub other_requests: u64,
}

/// One request that the cloud has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was answered, or began to be.
    pub at: Instant,
    /// The kind of the request.
    pub kind: RequestKind,
    /// Whose; `None` when the request did not say so in a way that could be believed.
    pub tenant: Option<Uuid>,
    /// The status answered; `None`: no answer.
    pub status: Option<u16>,
    /// The id in an error's body that Microsoft's support would ask for.
    pub correlation: Option<Uuid>,
}

#[derive(Debug)]
pub(super) struct Log {
    asked: [AtomicU64; 4],
    fine: [AtomicU64; 4],
    entries: Mutex<VecDeque<Entry>>,
    entries_max: usize,
    revision: watch::Sender<u64>,
}

impl Log {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            asked: Default::default(),
            fine: Default::default(),
            entries: Mutex::default(),
            entries_max,
            revision: watch::Sender::new(0),
        }
    }

    /// Counts a request and wakes whoever waits. Called when the answer is known, before it is sent.
    pub(super) fn note(&self, kind: RequestKind, tenant: Option<Uuid>, status: Option<u16>, correlation: Option<Uuid>) {
        self.asked[kind as usize].fetch_add(1, Ordering::Relaxed);
        if status == Some(200) {
            self.fine[kind as usize].fetch_add(1, Ordering::Relaxed);
        }
        if self.entries_max > 0 {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.len() == self.entries_max {
                entries.pop_front();
            }
            entries.push_back(Entry { at: Instant::now(), kind, tenant, status, correlation });
        }
        if self.revision.receiver_count() > 0 {
            self.revision.send_modify(|revision| *revision += 1);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let read = |counters: &[AtomicU64; 4], kind: RequestKind| counters[kind as usize].load(Ordering::Relaxed);
        Counts {
            token_requests: read(&self.asked, RequestKind::Token),
            tokens_granted: read(&self.fine, RequestKind::Token),
            score_requests: read(&self.asked, RequestKind::Score),
            scores_given: read(&self.fine, RequestKind::Score),
            guidance_requests: read(&self.asked, RequestKind::Guidance),
            other_requests: read(&self.asked, RequestKind::Other),
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(super) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }
}
