//! What is known of the provider: its discovery document and its keys, asked for once and kept for a while.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use super::{
    document::Document,
    error::SignInError,
    keys::Keys,
    settings::Settings,
    wire::{Ask, Wire},
};
use crate::{clock::Clock, domain::Timestamp};

/// How long the document and the keys are used before they are asked for again.
const KEPT: Duration = Duration::from_hours(1);
/// A provider that rotates its keys is asked again for an unknown one, but not more often than this: anybody can name a key.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// A provider that failed is left alone that long: whoever opens the sign-in page asks for it.
const LEFT_ALONE: Duration = Duration::from_secs(10);
/// The most bytes of the document; Entra's has some 1,700.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of the key set; Entra's has some 15,000, with certificates.
const KEYS_BYTES_MAX: usize = 128 * 1024;

#[derive(Debug, Clone)]
struct Kept<T> {
    value: Arc<T>,
    read_at: Timestamp,
}

impl<T> Kept<T> {
    fn new(value: T, read_at: Timestamp) -> Self {
        Self { value: Arc::new(value), read_at }
    }

    /// Whether it was read within that time; not if the clock was set back meanwhile.
    fn is_within(&self, time: Duration, now: Timestamp) -> bool {
        self.read_at <= now && now.since(self.read_at) < time
    }
}

#[derive(Debug, Default)]
struct Known {
    document: Option<Kept<Document>>,
    keys: Option<Kept<Keys>>,
    failed: Option<Kept<SignInError>>,
}

/// One provider's document and keys. One request at a time is under way; whoever waits for it gets its outcome.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Known>);

/// Whose cache it is, and how it is filled.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) settings: &'a Settings,
    pub(super) wire: &'a Wire,
    pub(super) clock: &'a Clock,
}

impl Cache {
    pub(super) async fn document(&self, source: Source<'_>) -> Result<Arc<Document>, SignInError> {
        let mut known = self.0.lock().await;
        known.document(source).await
    }

    /// The keys. With `lacks_one`, they are asked for again unless that was done within a minute.
    pub(super) async fn keys(&self, source: Source<'_>, lacks_one: bool) -> Result<Arc<Keys>, SignInError> {
        let mut known = self.0.lock().await;
        let now = source.clock.now();
        let usable_for = if lacks_one { ASKED_AGAIN_AFTER } else { KEPT };
        if let Some(keys) = known.keys.as_ref().filter(|keys| keys.is_within(usable_for, now)) {
            return Ok(Arc::clone(&keys.value));
        }
        let document = known.document(source).await?;
        let asked = fetch(source.wire, "the provider's key set", &document.keys, KEYS_BYTES_MAX).await;
        let keys = asked.and_then(|body| Keys::read(&body)).map_err(|error| known.note(error, source))?;
        let kept = Kept::new(keys, source.clock.now());
        let keys = Arc::clone(&kept.value);
        known.keys = Some(kept);
        Ok(keys)
    }
}

impl Known {
    async fn document(&mut self, source: Source<'_>) -> Result<Arc<Document>, SignInError> {
        let now = source.clock.now();
        if let Some(document) = self.document.as_ref().filter(|document| document.is_within(KEPT, now)) {
            return Ok(Arc::clone(&document.value));
        }
        if let Some(failed) = self.failed.as_ref().filter(|failed| failed.is_within(LEFT_ALONE, now)) {
            return Err(SignInError::clone(&failed.value));
        }
        let url = source.settings.document_url();
        let asked = fetch(source.wire, "the provider's discovery document", &url, DOCUMENT_BYTES_MAX).await;
        let document = asked.and_then(|body| Document::read(&body, source.settings));
        let kept = Kept::new(document.map_err(|error| self.note(error, source))?, source.clock.now());
        let document = Arc::clone(&kept.value);
        self.document = Some(kept);
        Ok(document)
    }

    /// Remembers a failure, and that the document may be the reason.
    fn note(&mut self, error: SignInError, source: Source<'_>) -> SignInError {
        self.document = None;
        self.failed = Some(Kept::new(error.clone(), source.clock.now()));
        error
    }
}

async fn fetch(wire: &Wire, what: &str, url: &str, answer_bytes_max: usize) -> Result<bytes::Bytes, SignInError> {
    let ask = Ask { what, url, headers: Vec::new(), body: None, answer_bytes_max };
    let answer = wire.send(ask).await?;
    match answer.status {
        200 => Ok(answer.body),
        300..=399 => Err(SignInError::garbage(format!("{what} is a redirect, which is not followed"))),
        429 | 500..=599 => Err(SignInError {
            failure: super::error::SignInFailure::Unreachable,
            hint: "try again later".into(),
            ..SignInError::garbage(format!("{what} can't be read: HTTP {}", answer.status))
        }),
        status => Err(SignInError::garbage(format!("{what} can't be read: HTTP {status}"))),
    }
}
