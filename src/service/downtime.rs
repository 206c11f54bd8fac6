//! Our own downtime is not a gap in a tenant's data: records the time since the last heartbeat, and suspensions.

use crate::{
    check::downtime::{DOWNTIME_MIN, Downtimes},
    config::Config,
    domain::Timestamp,
    notify::{NotificationType, compose, facts::wording::News, notification::OperatorFacts},
    store::{Downtime, NewNotification, Store, StoreError},
};

/// The downtime that ends now, if there was one.
#[must_use]
pub fn until_now(last_heartbeat: Option<Timestamp>, now: Timestamp) -> Option<Downtime> {
    let from = last_heartbeat?;
    (now.since(from) >= DOWNTIME_MIN).then_some(Downtime { from, until: now })
}

/// Records the downtime that ends now, and notifies the operator when it began and ended.
///
/// # Errors
/// [`StoreError`].
pub async fn note(store: &dyn Store, config: &Config, now: Timestamp) -> Result<Option<Downtime>, StoreError> {
    let Some(downtime) = until_now(store.last_heartbeat().await?, now) else { return Ok(None) };
    report(store, config, downtime, false, now).await?;
    Ok(Some(downtime))
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
        report(store, config, *downtime, true, now).await?;
        downtimes.recorded(*downtime);
    }
    Ok(!unrecorded.is_empty())
}

async fn report(
    store: &dyn Store,
    config: &Config,
    downtime: Downtime,
    was_suspended: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.record_downtime(downtime).await?;
    let seconds = downtime.until.since(downtime.from).as_secs();
    let facts = OperatorFacts {
        from: Some(downtime.from),
        until: Some(downtime.until),
        ..OperatorFacts::of(News::Downtime { was_suspended, seconds }, "downtime", None)
    };
    let from = downtime.from.to_string();
    let parts = ["operator.downtime", store.identity(), &from];
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
        assert_eq!(until_now(None, at(1_000)), None);
        assert_eq!(until_now(Some(at(1_000)), at(1_299)), None);
        assert_eq!(until_now(Some(at(1_000)), at(1_300)), Some(Downtime { from: at(1_000), until: at(1_300) }));
        assert_eq!(until_now(Some(at(2_000)), at(1_000)), None, "a clock that went back");
    }
}
