//! Our own downtime is not a tenant's silence: what to make of the time since the last sign of life.

use std::time::Duration;

use crate::{
    config::Config,
    domain::{Timestamp, format_duration},
    notify::{NotificationType, compose, notification::OperatorFacts},
    store::{Away, NewNotification, Store, StoreError},
};

/// A gap between two signs of life that is shorter is a restart, not an absence.
pub const ABSENCE_MIN: Duration = Duration::from_mins(5);

/// The absence that ends now, if there was one.
#[must_use]
pub fn absence(last_beat: Option<Timestamp>, now: Timestamp) -> Option<Away> {
    let from = last_beat?;
    (now.since(from) >= ABSENCE_MIN).then_some(Away { from, until: now })
}

/// Records the absence that ends now and tells the operator from when to when we were away.
///
/// # Errors
/// [`StoreError`].
pub async fn note(store: &dyn Store, config: &Config, now: Timestamp) -> Result<Option<Away>, StoreError> {
    let Some(away) = absence(store.last_beat().await?, now) else { return Ok(None) };
    store.record_away(away).await?;
    let facts = OperatorFacts {
        summary: format!("Scorewatch was away for {}.", format_duration(whole_seconds(away.until.since(away.from)))),
        class: "away".to_owned(),
        hint: Some(
            "nothing to do: missed checks are made up once, and the absence counts against no tenant".to_owned(),
        ),
        channel: None,
        from: Some(away.from),
        until: Some(away.until),
    };
    let from = away.from.to_string();
    let parts = ["operator.away", store.identity(), &from];
    let notification = compose::for_operator(NotificationType::OperatorAway, &parts, None, facts, now);
    let channels = config.operator.notify.clone();
    store.announce(NewNotification { notification, alert: None, tenant: None, hold: None, channels }, now).await?;
    Ok(Some(away))
}

const fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_no_absence() {
        let at = Timestamp::from_seconds;
        assert_eq!(absence(None, at(1_000)), None);
        assert_eq!(absence(Some(at(1_000)), at(1_299)), None);
        assert_eq!(absence(Some(at(1_000)), at(1_300)), Some(Away { from: at(1_000), until: at(1_300) }));
        assert_eq!(absence(Some(at(2_000)), at(1_000)), None, "a clock that went back");
    }
}
