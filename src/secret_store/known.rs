//! What is known of a store's secrets, in memory only: how long a value is fresh, how long it may serve when its store gives no
//! answer, and who is asking right now.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Found, Refusal};
use crate::{domain::Timestamp, secret::Item};

/// How long a value is used without asking again.
const FRESH: Duration = Duration::from_mins(5);
/// How long after it was read a value serves when its store gives no answer.
const SERVES: Duration = Duration::from_hours(1);
/// A store that gave no answer, or a secret that its user or its store refused, is not asked again before.
const REST: Duration = Duration::from_secs(10);
/// Longest rest that a store can ask for: it delays the discovery that it is well again.
const REST_MAX: Duration = Duration::from_mins(5);
/// What is asked of one store at a time.
const ASKED_MAX: usize = 16;
/// Programs that run at one time. One that hangs keeps its place for as long as it is given.
const PROGRAMS_MAX: usize = 64;
/// Of those that gave nothing last time, so that those that hang leave the places to the others.
const TROUBLED_MAX: usize = 4;
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Whoever holds the lock asks; the others wait, and then find the answer.
type Flight = Arc<tokio::sync::Mutex<()>>;

#[derive(Debug)]
pub(super) struct Known {
    state: Mutex<State>,
    places: Semaphore,
    troubled: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Item, Entry>,
    /// Since when and until when the whole store is left alone, and why.
    rest: Option<(Timestamp, Timestamp, String)>,
    swept_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Entry {
    held: Option<Held>,
    asked_at: Option<Timestamp>,
    /// Why the last question gave nothing.
    refusal: Option<Refusal>,
    is_doubted: bool,
    flight: Flight,
}

#[derive(Debug)]
struct Held {
    value: SecretString,
    expires_at: Option<Timestamp>,
    read_at: Timestamp,
}

impl Default for Known {
    fn default() -> Self {
        Self::with_places(ASKED_MAX)
    }
}

impl Known {
    fn with_places(places: usize) -> Self {
        Self { state: Mutex::default(), places: Semaphore::new(places), troubled: Semaphore::new(TROUBLED_MAX) }
    }

    /// What is known of programs, which are strangers to each other.
    pub(super) fn of_programs() -> Self {
        Self::with_places(PROGRAMS_MAX)
    }

    /// Waits for the right to ask.
    pub(super) async fn place(&self, item: &Item, are_strangers: bool) -> Option<SemaphorePermit<'_>> {
        let is_troubled = are_strangers
            && self
                .state()
                .entries
                .get(item)
                .is_some_and(|entry| entry.refusal.as_ref().is_some_and(|refusal| refusal.down.is_some()));
        // The semaphores are never closed.
        if is_troubled { self.troubled.acquire().await.ok() } else { self.places.acquire().await.ok() }
    }

    /// Where to queue for asking; `None`: what is known will do.
    pub(super) fn wants(&self, item: &Item, now: Timestamp) -> Option<Flight> {
        let mut state = self.state();
        if let Some(entry) = state.entries.get(item) {
            return entry.is_stale(now).then(|| Arc::clone(&entry.flight));
        }
        state.sweep(now);
        Some(Arc::clone(&state.entries.entry(item.clone()).or_default().flight))
    }

    /// Why nothing is to be asked just now.
    pub(super) fn rests(&self, now: Timestamp) -> Option<Refusal> {
        let state = self.state();
        let (_, _, what) = state.rest.as_ref().filter(|(since, until, _)| *since <= now && now < *until)?;
        Some(Refusal::down(what.clone()))
    }

    /// Keeps what was answered.
    pub(super) fn note(&self, item: &Item, answer: Result<Found, Refusal>, now: Timestamp) {
        let mut state = self.state();
        let is_resting = state.rest.as_ref().is_some_and(|(since, until, _)| *since <= now && now < *until);
        match &answer {
            Ok(_) => state.rest = None,
            Err(Refusal { what, down: Some(wait) }) if !is_resting => {
                state.rest = Some((now, now.plus((*wait).clamp(REST, REST_MAX)), what.clone()));
            }
            Err(_) => {}
        }
        let entry = state.entries.entry(item.clone()).or_default();
        entry.asked_at = Some(now);
        match answer {
            Ok(Found { value, expires_at }) => {
                entry.held = Some(Held { value, expires_at, read_at: now });
                (entry.refusal, entry.is_doubted) = (None, false);
            }
            Err(refusal) => {
                // The store's word on this secret ends it; silence does not.
                if refusal.down.is_none() {
                    entry.held = None;
                }
                entry.refusal = Some(refusal);
            }
        }
    }

    /// The value, if it may be used.
    pub(super) fn value(&self, item: &Item, now: Timestamp) -> Result<SecretString, String> {
        let state = self.state();
        let Some(entry) = state.entries.get(item) else { return Err(UNASKED.to_owned()) };
        match (&entry.held, &entry.refusal) {
            (Some(held), _) if is_within(held.read_at, now, SERVES) => Ok(held.value.clone()),
            (_, Some(refusal)) => Err(refusal.what.clone()),
            _ => Err(UNASKED.to_owned()),
        }
    }

    pub(super) fn expires_at(&self, item: &Item) -> Option<Timestamp> {
        self.state().entries.get(item)?.held.as_ref()?.expires_at
    }

    pub(super) fn doubt(&self, item: &Item) {
        if let Some(entry) = self.state().entries.get_mut(item) {
            entry.is_doubted = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const UNASKED: &str = "has not been asked for yet";

impl Entry {
    /// Whether it is time to ask.
    fn is_stale(&self, now: Timestamp) -> bool {
        let good_for = if self.is_doubted || self.refusal.is_some() { REST } else { FRESH };
        self.asked_at.is_none_or(|asked_at| !is_within(asked_at, now, good_for))
    }
}

impl State {
    /// Forgets what is of no use any more, as secrets come and go with tenants.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept_at.is_some_and(|at| is_within(at, now, SWEEP_INTERVAL)) {
            return;
        }
        self.swept_at = Some(now);
        self.entries.retain(|_, entry| {
            Arc::strong_count(&entry.flight) > 1 || entry.asked_at.is_some_and(|at| is_within(at, now, SERVES))
        });
    }
}

/// Whether less than that has passed. What lies ahead was so before the clock was set back, and holds no longer.
fn is_within(then: Timestamp, now: Timestamp, duration: Duration) -> bool {
    then <= now && now.since(then) < duration
}
