//! Credentials that are about to expire: a warning 30, 14, 7 days and one day ahead, and when they have expired. And those
//! that Entra does not take while an older one of the same app still is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::{
    config::{Config, Tenant},
    domain::Timestamp,
    microsoft::{AppCredential, CredentialKind, CredentialMaterial, PassedOver, Rejected},
    notify::{
        NotificationType, compose,
        facts::wording::{CredentialType, News, Whose},
        notification::OperatorFacts,
    },
    store::{NewNotification, Store, StoreError},
};

/// What is asked of stores at a time.
const ASKED_MAX: usize = 16;
const DAY: Duration = Duration::from_hours(24);
/// How many days ahead a warning goes out; 0 is the day itself.
const DAYS_AHEAD: [u32; 5] = [0, 1, 7, 14, 30];

/// When the first app can no longer sign in, by type of credential.
pub type Expiries = BTreeMap<&'static str, Timestamp>;

/// The nearest warning that is due: how many days ahead it was to be given.
#[must_use]
pub fn warning_due(expires: Timestamp, now: Timestamp) -> Option<u32> {
    DAYS_AHEAD.into_iter().find(|days| now >= expires.minus(DAY * *days))
}

/// Warns the operator of every app whose last credential that is not `rejected` is about to expire. Each warning is sent once. Unless it is asked `of_all`,
/// only apps with a rejected credential are looked at. Returns when the first app can no longer sign in, by type of credential.
///
/// # Errors
/// [`StoreError`].
pub async fn warn(
    store: &dyn Store,
    config: &Config,
    rejected: BTreeSet<Rejected>,
    of_all: bool,
    now: Timestamp,
) -> Result<Expiries, StoreError> {
    let mut users: BTreeMap<usize, Vec<&Arc<Tenant>>> = BTreeMap::new();
    let is_looked_at = |app: &AppCredential| of_all || rejected.iter().any(|(client, _)| *client == app.client_id);
    for tenant in config.tenants.values().filter(|tenant| is_looked_at(&tenant.account.app)) {
        users.entry(Arc::as_ptr(&tenant.account.app).addr()).or_default().push(tenant);
    }
    let apps: Vec<Arc<AppCredential>> = users.values().map(|users| Arc::clone(&users[0].account.app)).collect();
    let references = apps.iter().flat_map(|app| &app.materials).flat_map(CredentialMaterial::references);
    // A disk that does not answer is found out here, without a thread for each secret on it.
    let asked: Vec<_> = references.cloned().collect();
    stream::iter(asked).for_each_concurrent(ASKED_MAX, async |kept| kept.fetch().await).await;
    // Certificates are read off the runtime's threads: a disk may be slow.
    let read = move || apps.iter().map(|app| last_to_expire(app, &rejected)).collect::<Vec<_>>();
    let lasting = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    let mut first = Expiries::new();
    for (users, last) in users.values().zip(lasting) {
        let Some((kind, expires)) = last else { continue };
        first.entry(type_of(kind)).and_modify(|at| *at = expires.min(*at)).or_insert(expires);
        let Some(days) = warning_due(expires, now) else { continue };
        store.announce(warning(store.identity(), config, users, kind, expires, days, now), now).await?;
    }
    Ok(first)
}

/// The type of a credential, as metrics have it.
const fn type_of(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Secret => "secret",
        CredentialKind::Certificate => "certificate",
        CredentialKind::FederatedToken => "federated-token",
    }
}

/// Of credentials side by side, the one that lasts longest: when it is gone, nothing signs in. Rejected ones don't count: nothing
/// signs in with them even now.
fn last_to_expire(app: &AppCredential, rejected: &BTreeSet<Rejected>) -> Option<(CredentialKind, Timestamp)> {
    let is_accepted = |material: &&CredentialMaterial| !rejected.contains(&(app.client_id, material.kept.clone()));
    app.materials
        .iter()
        .filter(is_accepted)
        .filter_map(|material| Some((material.kind, material.expires_at()?)))
        .max_by_key(|(_, expires)| *expires)
}

/// Notifies the operator of each credential that was passed over for an older one, once per credential.
///
/// # Errors
/// [`StoreError`].
pub async fn notify(
    store: &dyn Store,
    config: &Config,
    passed_over: Vec<PassedOver>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for passed_over in passed_over {
        let users: Vec<_> = config.tenants.values().filter(|tenant| passed_over.is_of(&tenant.account.app)).collect();
        let PassedOver { client_id, kind, class, what, mark } = passed_over;
        let news = News::CredentialPassedOver {
            what: in_words(kind),
            whose: whose(&users, client_id),
            error: what.into_owned(),
            class: class.as_str().to_owned(),
            hint: class.hint().map(str::to_owned),
        };
        let facts = OperatorFacts::of(news, class.as_str(), None);
        let (client_id, mark) = (client_id.to_string(), mark.to_string());
        let parts =
            ["operator.credential.passed-over", store.identity(), &client_id, kind.words(), class.as_str(), &mark];
        store.announce(announcement(config, &users, &parts, facts, now), now).await?;
    }
    Ok(())
}

fn warning(
    store: &str,
    config: &Config,
    users: &[&Arc<Tenant>],
    kind: CredentialKind,
    expires: Timestamp,
    days: u32,
    now: Timestamp,
) -> NewNotification {
    let client_id = users.first().map(|tenant| tenant.account.app.client_id).unwrap_or_default();
    let class = if days == 0 { "credential-expired" } else { "credential-expires" };
    let news = News::CredentialExpires { what: in_words(kind), whose: whose(users, client_id), days };
    let facts = OperatorFacts { until: Some(expires), ..OperatorFacts::of(news, class, None) };
    let (expires, days, client_id) = (expires.to_string(), days.to_string(), client_id.to_string());
    let entra = users.first().map(|tenant| tenant.account.entra.to_string()).unwrap_or_default();
    let whose = if users.len() == 1 { &entra } else { &client_id };
    announcement(config, users, &["operator.credential", store, whose, &expires, &days], facts, now)
}

/// Whose credential it is: one tenant's, or an app's that many share.
fn whose(users: &[&Arc<Tenant>], client_id: Uuid) -> Whose {
    match users {
        [tenant] => Whose::Tenant(tenant.id.to_string()),
        users => Whose::App { client_id: client_id.to_string(), tenants: users.len() },
    }
}

const fn in_words(kind: CredentialKind) -> CredentialType {
    match kind {
        CredentialKind::Secret => CredentialType::Secret,
        CredentialKind::Certificate => CredentialType::Certificate,
        CredentialKind::FederatedToken => CredentialType::FederatedToken,
    }
}

/// A message to the operator; about a tenant only if no other one is concerned.
fn announcement(
    config: &Config,
    users: &[&Arc<Tenant>],
    parts: &[&str],
    facts: OperatorFacts,
    now: Timestamp,
) -> NewNotification {
    let tenant = if let [tenant] = users { Some(tenant) } else { None };
    let about = tenant.map(|tenant| tenant.facts());
    let mut notification = compose::for_operator(NotificationType::OperatorCredential, parts, about, facts, now);
    notification.data.links.fix =
        users.first().and_then(|user| user.account.hosts.app_registration(user.account.app.client_id));
    NewNotification {
        notification,
        alert: None,
        tenant: tenant.map(|tenant| tenant.id.clone()),
        channels: config.operator.notify.clone(),
        hold: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretReference;

    #[test]
    fn warnings_come_30_14_7_days_and_one_day_ahead_and_on_the_day() {
        let expires = Timestamp::parse("2027-03-01T00:00:00Z").unwrap();
        for (now, due) in [
            ("2027-01-29T23:59:59Z", None),
            ("2027-01-30T00:00:00Z", Some(30)),
            ("2027-02-15T00:00:00Z", Some(14)),
            ("2027-02-22T00:00:00Z", Some(7)),
            ("2027-02-28T00:00:00Z", Some(1)),
            ("2027-03-01T00:00:00Z", Some(0)),
        ] {
            assert_eq!(warning_due(expires, Timestamp::parse(now).unwrap()), due, "{now}");
        }
    }

    #[test]
    fn the_operator_is_warned_of_the_accepted_credential_that_lasts_longest() {
        let kept = |name: &str| SecretReference::Env(format!("SCOREWATCH_NO_SUCH_{name}"));
        let material = |kind, name, expires: Option<i64>| CredentialMaterial {
            expires: expires.map(Timestamp::from_seconds),
            ..CredentialMaterial::new(kind, kept(name))
        };
        let (secret, token) = (CredentialKind::Secret, CredentialKind::FederatedToken);
        let side_by_side =
            vec![material(secret, "A", Some(5)), material(token, "B", Some(9)), material(secret, "C", None)];
        let undated = vec![material(CredentialKind::Certificate, "A", None)];
        for (materials, rejected, last) in [
            (&side_by_side, &[][..], Some((token, 9))),
            (&side_by_side, &["B"], Some((secret, 5))),
            (&side_by_side, &["A"], Some((token, 9))),
            (&side_by_side, &["A", "B"], None),
            (&undated, &[], None),
        ] {
            let app = AppCredential { client_id: Uuid::nil(), materials: materials.clone() };
            let rejected = rejected.iter().map(|name| (Uuid::nil(), kept(name))).collect();
            let last = last.map(|(kind, at)| (kind, Timestamp::from_seconds(at)));
            assert_eq!(last_to_expire(&app, &rejected), last, "{rejected:?}");
        }
    }
}
