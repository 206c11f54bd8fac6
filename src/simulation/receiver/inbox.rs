//! What arrived, in order, with a bell for those who wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
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
}

impl Received {
    pub(super) fn new(channel: Arc<str>, path: String, headers: HeaderMap, body: Bytes, status: Option<u16>) -> Self {
        Self { at: Instant::now(), channel, path, headers, body, status }
    }

    /// Whether the receiver took it: answered, or about to answer, 2xx.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
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
    pub(super) fn keep(&self, request: Received) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(request));
        self.revision.send_modify(|revision| *revision += 1);
    }

    pub(super) fn all(&self) -> Vec<Arc<Received>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }
}
