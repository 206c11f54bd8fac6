//! What arrived, in order, with a bell for those who wait.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;
use tokio::sync::watch;

/// One request that arrived. It is kept before it is answered.
#[derive(Debug)]
pub struct Received {
    /// When, by monotonic time.
    pub at: Instant,
    /// For which channel; empty: for no path that is one's.
    pub channel: Arc<str>,
    /// The path; part of a chat webhook's secret.
    pub path: String,
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The body of the request, byte for byte.
    pub body: Bytes,
    /// The status answered, or about to be; `None`: no answer.
    pub status: Option<u16>,
    ended_at: OnceLock<Instant>,
}

impl Received {
    pub(super) fn new(channel: Arc<str>, path: String, headers: HeaderMap, body: Bytes, status: Option<u16>) -> Self {
        Self { at: Instant::now(), channel, path, headers, body, status, ended_at: OnceLock::new() }
    }

    /// Whether the receiver took it: answered, or about to answer, 2xx.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// When it was answered, or its connection ended before; `None`: it is under way.
    #[must_use]
    pub fn ended_at(&self) -> Option<Instant> {
        self.ended_at.get().copied()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's text; empty when it is missing or no text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A request that is being answered; it has ended when this is dropped.
pub(super) struct UnderWay(Arc<Received>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended_at.get_or_init(Instant::now);
    }
}

#[derive(Debug)]
pub(super) struct Inbox {
    requests: Mutex<Vec<Arc<Received>>>,
    revision: watch::Sender<u64>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { requests: Mutex::default(), revision: watch::Sender::new(0) }
    }
}

impl Inbox {
    /// Keeps a request, which is under way until what this returns is dropped.
    pub(super) fn keep(&self, request: Received) -> UnderWay {
        let request = Arc::new(request);
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&request));
        self.revision.send_modify(|revision| *revision += 1);
        UnderWay(request)
    }

    pub(super) fn all(&self) -> Vec<Arc<Received>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }
}
