//! Walks many tenants, on as many threads as there are cores: one tenant's readings in memory for each.

use std::{
    borrow::Borrow,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    fleet::Fleet,
    history::{History, Plan},
    message::Message,
    walk,
};

/// The most messages that one replay keeps. A rule that sends more is not worth reading message by message.
pub const MESSAGES_MAX: usize = 2_000_000;

/// There would have been more than [`MESSAGES_MAX`] messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MESSAGES_MAX} messages would have been made; take a shorter time, fewer rules or fewer tenants")]
pub struct TooMany;

/// The messages of all these tenants' alerts, in time order. `done` is called after each tenant.
///
/// # Errors
/// [`TooMany`] messages.
pub fn walk_all(
    plan: &Plan,
    fleet: &Fleet,
    histories: impl Iterator<Item: Borrow<History>> + Send,
    done: impl Fn() + Sync,
) -> Result<Vec<Message>, TooMany> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let histories = Mutex::new(histories);
    let kept = AtomicUsize::new(0);
    let next = || histories.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut all = Vec::new();
        while kept.load(Ordering::Relaxed) <= MESSAGES_MAX {
            let Some(history) = next() else { break };
            let messages = walk(plan, history.borrow(), fleet);
            kept.fetch_add(messages.len(), Ordering::Relaxed);
            all.extend(messages);
            done();
        }
        all
    };
    let mut all: Vec<Message> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A worker that panicked would have been a bug of ours; what it had is missing, which the panic's message says.
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    if kept.load(Ordering::Relaxed) > MESSAGES_MAX {
        return Err(TooMany);
    }
    // Which thread had which tenant must not show.
    all.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.tenant.cmp(&other.tenant)));
    Ok(all)
}
