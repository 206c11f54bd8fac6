//! Credentials whose expiry the operator noted: a warning 30, 14 and 7 days ahead, and when they have expired.

use std::time::Duration;

use crate::{
    config::{Config, Tenant},
    domain::Timestamp,
    notify::{NotificationType, compose, notification::OperatorFacts},
    store::{NewNotification, Store, StoreError},
};

const DAY: Duration = Duration::from_hours(24);
/// How many days ahead a warning goes out; 0 is the day itself.
const DAYS_AHEAD: [u32; 4] = [0, 7, 14, 30];

/// The nearest warning that is due: how many days ahead it was to be given.
#[must_use]
pub fn warning_due(expires: Timestamp, now: Timestamp) -> Option<u32> {
    DAYS_AHEAD.into_iter().find(|days| now >= expires.minus(DAY * *days))
}

/// Warns the operator of every credential that is about to expire. The same warning is given once.
///
/// # Errors
/// [`StoreError`].
pub async fn warn(store: &dyn Store, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    for tenant in config.tenants.values() {
        let Some(expires) = tenant.credential_expires else { continue };
        let Some(days) = warning_due(expires, now) else { continue };
        store.announce(warning(store.identity(), config, tenant, expires, days, now), now).await?;
    }
    Ok(())
}

fn warning(
    store: &str,
    config: &Config,
    tenant: &Tenant,
    expires: Timestamp,
    days: u32,
    now: Timestamp,
) -> NewNotification {
    let (summary, class) = if days == 0 {
        ("the credential has expired".to_owned(), "credential-expired")
    } else {
        (format!("the credential expires within {days} days"), "credential-expires")
    };
    let facts = OperatorFacts {
        summary,
        class: class.to_owned(),
        hint: Some("make a new secret in the app registration, put it where the configuration refers to, and change `expires:`".to_owned()),
        channel: None,
        from: None,
        until: Some(expires),
    };
    let (expires, days) = (expires.to_string(), days.to_string());
    let parts = ["operator.credential", store, tenant.id.as_str(), &expires, &days];
    NewNotification {
        notification: compose::for_operator(
            NotificationType::OperatorCredential,
            &parts,
            Some(tenant.facts()),
            facts,
            now,
        ),
        alert: None,
        tenant: Some(tenant.id.clone()),
        channels: config.operator.notify.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_come_30_14_and_7_days_ahead_and_on_the_day() {
        let expires = Timestamp::parse("2027-03-01T00:00:00Z").unwrap();
        for (now, due) in [
            ("2027-01-29T23:59:59Z", None),
            ("2027-01-30T00:00:00Z", Some(30)),
            ("2027-02-15T00:00:00Z", Some(14)),
            ("2027-02-22T00:00:00Z", Some(7)),
            ("2027-03-01T00:00:00Z", Some(0)),
        ] {
            assert_eq!(warning_due(expires, Timestamp::parse(now).unwrap()), due, "{now}");
        }
    }
}
