//! Our own downtime is not a gap in a tenant's data: records the time since the last heartbeat, suspensions, and time without a store.

use crate::{
    check::downtime::{self, DOWNTIME_MIN, Downtimes},
    clock::Clock,
    config::Config,
    domain::Timestamp,
    notify::{NotificationType, compose, facts::wording::News, notification::OperatorFacts},
    store::{Downtime, Heartbeat, NewNotification, Store, StoreError},
};

/// The downtime that ends now, if there was one. How long it was, the clock says that all replicas share, if there is one: the last
/// heartbeat may have been another replica's, whose own clock shows another time.
#[must_use]
pub fn until_now(last: Heartbeat, now: Timestamp) -> Option<Downtime> {
    let from = last.on_clock(now);
    (now.since(from) >= DOWNTIME_MIN).then_some(Downtime { from, until: now })
}

/// Records the downtime that ends now, and notifies the operator when it began and ended.
///
/// # Errors
/// [`StoreError`].
pub async fn note(store: &dyn Store, config: &Config, now: Timestamp) -> Result<Option<Downtime>, StoreError> {
    let Some(last) = store.last_heartbeat().await? else { return Ok(None) };
    let Some(downtime) = until_now(last, now) else { return Ok(None) };
    report(store, config, downtime, last.at, Cause::Stopped, now).await?;
    Ok(Some(downtime))
}

/// Records the time for which the store could not be written to, now that it can be, and notifies the operator of it; unless another
/// replica could write meanwhile, or has done it. Before the heartbeat that would hide it. `true`: there was such a time.
///
/// # Errors
/// [`StoreError`]: the store still fails.
pub async fn note_unwritten(
    store: &dyn Store,
    config: &Config,
    downtimes: &Downtimes,
    clock: &Clock,
) -> Result<bool, StoreError> {
    let Some(seen) = downtimes.unwritten(clock) else { return Ok(false) };
    // From the heartbeat on, of whichever replica it was.
    let last = store.last_heartbeat().await?;
    let from = last.map_or(seen.from, |last| last.on_clock(seen.until));
    if seen.until.since(from) < downtime::minimum() {
        return Ok(false);
    }
    let since = last.map_or(seen.from, |last| last.at);
    report(store, config, Downtime { from, until: seen.until }, since, Cause::StoreFailed, seen.until).await?;
    Ok(true)
}

/// Takes what other replicas have recorded.
///
/// # Errors
/// [`StoreError`].
pub async fn reread(store: &dyn Store, downtimes: &Downtimes) -> Result<(), StoreError> {
    downtimes.stored(store.downtimes().await?);
    Ok(())
}

/// Records the suspensions that are not recorded yet, and notifies the operator of each.
///
/// # Errors
/// [`StoreError`]: what was not recorded is tried again.
pub async fn note_suspensions(
    store: &dyn Store,
    config: &Config,
    downtimes: &Downtimes,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let unrecorded = downtimes.unrecorded();
    for downtime in &unrecorded {
        report(store, config, *downtime, downtime.from, Cause::Suspended, now).await?;
        downtimes.recorded(*downtime);
    }
    Ok(!unrecorded.is_empty())
}

/// What kept the service from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Stopped,
    Suspended,
    StoreFailed,
}

/// `since` names the downtime: it is the same for all replicas that report it, which send one message.
async fn report(
    store: &dyn Store,
    config: &Config,
    downtime: Downtime,
    since: Timestamp,
    cause: Cause,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.record_downtime(downtime).await?;
    let seconds = downtime.until.since(downtime.from).as_secs();
    let (was_suspended, lacked_store) = (cause == Cause::Suspended, cause == Cause::StoreFailed);
    let facts = OperatorFacts {
        from: Some(downtime.from),
        until: Some(downtime.until),
        ..OperatorFacts::of(News::Downtime { was_suspended, lacked_store, seconds }, "downtime", None)
    };
    let since = since.to_string();
    let parts = ["operator.downtime", store.identity(), &since];
    let notification = compose::for_operator(NotificationType::OperatorDowntime, &parts, None, facts, now);
    let channels = config.operator.notify.clone();
    store.announce(NewNotification { notification, alert: None, tenant: None, hold: None, channels }, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_not_downtime() {
        let at = Timestamp::from_seconds;
        let last = Heartbeat { at: at(1_000), age: None };
        assert_eq!(until_now(last, at(1_299)), None);
        assert_eq!(until_now(last, at(1_300)), Some(Downtime { from: at(1_000), until: at(1_300) }));
        assert_eq!(until_now(last, at(900)), None, "a clock that went back");
    }

    #[test]
    fn clocks_of_replicas_that_differ_neither_make_nor_hide_downtime() {
        let (at, now) = (Timestamp::from_seconds, Timestamp::from_seconds(10_000));
        // By the clock of whoever gave it, the heartbeat is ten minutes old, just now, or still to come.
        for (given_at, age, downtime_from) in
            [(9_400, 5, None), (9_400, 400, Some(9_600)), (10_000, 400, Some(9_600)), (10_600, 400, Some(9_600))]
        {
            let last = Heartbeat { at: at(given_at), age: Some(std::time::Duration::from_secs(age)) };
            let expected = downtime_from.map(|from| Downtime { from: at(from), until: now });
            assert_eq!(until_now(last, now), expected, "{given_at} {age}");
        }
    }
}
