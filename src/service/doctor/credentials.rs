//! Credentials of apps: whether their stores give them, and when they expire.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};

use super::{Finding, finding::few};
use crate::{
    config::{Config, Tenant},
    domain::Timestamp,
    microsoft::{AppCredential, CredentialMaterial},
    secret::SecretReference,
};

/// What is asked of stores at a time.
const ASKED_MAX: usize = 16;
/// How long ahead a credential is warned of, as the operator is.
const EXPIRES_SOON: Duration = Duration::from_hours(30 * 24);
const ROTATE: &str = "make a new one and store it beside the old one; see docs/guides/credentials.md";

pub(super) async fn findings(config: &Config, is_offline: bool, now: Timestamp) -> Vec<Finding> {
    let mut found = if is_offline { Vec::new() } else { of_stores(config).await };
    let users = users(config);
    let apps: Vec<_> = users.values().map(|tenants| Arc::clone(&tenants[0].account.app)).collect();
    // Certificates are read off the runtime's threads: a disk may be slow.
    let read = move || apps.iter().map(|app| expiries(app)).collect::<Vec<_>>();
    let expiries = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    let (mut first, mut troubled) = (None::<Timestamp>, Vec::new());
    for (tenants, expiries) in users.values().zip(expiries) {
        let names: Vec<_> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        first = first.into_iter().chain(expiries.iter().flatten().copied()).min();
        troubled.extend(judge(&few(&names), &expiries, now));
    }
    if troubled.is_empty() {
        let what = first.map_or_else(
            || "no `expires:` is noted, and no certificate is used".to_owned(),
            |first| format!("no credential expires before {}", first.to_chrono().date_naive()),
        );
        troubled.push(Finding::ok("expiry", what));
    }
    found.extend(troubled);
    found
}

/// The tenants of each app.
fn users(config: &Config) -> BTreeMap<usize, Vec<&Arc<Tenant>>> {
    let mut users: BTreeMap<usize, Vec<&Arc<Tenant>>> = BTreeMap::new();
    for tenant in config.tenants.values() {
        users.entry(Arc::as_ptr(&tenant.account.app).addr()).or_default().push(tenant);
    }
    users
}

fn expiries(app: &AppCredential) -> Vec<Option<Timestamp>> {
    app.materials.iter().map(CredentialMaterial::expires_at).collect()
}

/// Each secret that a program or a store has to be asked for.
async fn of_stores(config: &Config) -> Vec<Finding> {
    let of_tenants = config.tenants.values().flat_map(|tenant| &tenant.account.app.materials);
    let of_tenants = of_tenants.flat_map(CredentialMaterial::references);
    let of_channels = config.channels.values().flat_map(|settings| settings.kind.secrets());
    let stored: BTreeSet<&SecretReference> =
        of_tenants.chain(of_channels).filter(|secret| secret.is_stored()).collect();
    let count = stored.len();
    let asked = stored.into_iter().map(async |secret| {
        secret.fetch().await;
        let error = secret.resolve().err()?;
        Some(Finding::error("secrets", format!("{}: {}", error.place, error.what), error.hint))
    });
    let failed: Vec<_> = stream::iter(asked).buffer_unordered(ASKED_MAX).collect().await;
    let mut failed: Vec<_> = failed.into_iter().flatten().collect();
    failed.sort_by(|one: &Finding, other| one.what.cmp(&other.what));
    if count > 0 && failed.is_empty() {
        failed.push(Finding::ok("secrets", format!("stores and programs gave all {count} secrets")));
    }
    failed
}

/// What to say of one app by when its credentials expire, each of which may not be known. As long as one of them is valid, the app can
/// sign in.
fn judge(tenants: &str, expiries: &[Option<Timestamp>], now: Timestamp) -> Option<Finding> {
    let day = |at: Timestamp| at.to_chrono().date_naive();
    let last = expiries.iter().copied().min_by_key(|expires| (expires.is_some(), std::cmp::Reverse(*expires)))?;
    if let Some(last) = last.filter(|last| *last <= now) {
        let what = format!("the credential of {tenants} expired on {}", day(last));
        return Some(Finding::error("expiry", what, ROTATE));
    }
    let first = expiries.iter().flatten().min()?;
    if *first <= now {
        let what = format!("an old credential of {tenants} expired on {}", day(*first));
        return Some(Finding::warning(
            "expiry",
            what,
            "remove it from the configuration and from the app registration",
        ));
    }
    let last = last?;
    (last <= now.plus(EXPIRES_SOON)).then(|| {
        let what = format!("the credential of {tenants} expires on {}", day(last));
        Finding::warning("expiry", what, ROTATE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn an_app_is_judged_by_the_credential_that_lasts_longest() {
        let now = Timestamp::parse("2026-11-30T12:00:00Z").unwrap();
        let day = |text: &str| (!text.is_empty()).then(|| Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap());
        for (expiries, verdict) in [
            (&["2027-11-30"][..], None),
            (&[""], None),
            (&["2026-12-24"], Some(Verdict::Warning)),
            (&["2026-12-24", ""], None),
            (&["2027-11-30", "2026-12-24"], None),
            (&["2027-11-30", "2026-11-01"], Some(Verdict::Warning)),
            (&["2026-11-30"], Some(Verdict::Error)),
            (&["2026-11-30", "2026-11-01"], Some(Verdict::Error)),
            (&[], None),
        ] {
            let expiries: Vec<_> = expiries.iter().map(|text| day(text)).collect();
            let found = judge("`contoso`", &expiries, now);
            assert_eq!(found.as_ref().map(|found| found.verdict), verdict, "{expiries:?}: {found:?}");
        }
    }
}
